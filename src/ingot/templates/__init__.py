"""Example projects and the generators of their data.

A template is a folder of this package that `ingot init` and `ingot demo` copy as it is: `storefront` is the
only one so far. Its raw data is not shipped but made, by `ingot.templates.generator.generate`. The room knows
nothing of the rest of Ingot: what it copies and writes are ordinary files.
"""

from pathlib import Path

from ingot.templates.copying import copy, names

__all__ = ["copy", "names", "path"]


def path(name: str = "storefront") -> Path:
    """The folder of a template inside the package."""
    return Path(__file__).parent / name
