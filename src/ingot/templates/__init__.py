"""Example projects and the generator of their data.

A template is a folder of this package that `ingot init` and `ingot demo` copy: `blank` for data of one's own,
`storefront` for a whole shop. The shop's raw data is not shipped but made by `generate`. The room knows
nothing of the rest of Ingot: what it copies and writes are ordinary files.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ingot.templates.copying import create, names

if TYPE_CHECKING:
    from ingot.templates.generator import generate

__all__ = ["create", "generate", "names"]


def __getattr__(name: str) -> Any:
    if name == "generate":  # numpy and DuckDB are loaded only when data is made
        return import_module("ingot.templates.generator").generate
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
