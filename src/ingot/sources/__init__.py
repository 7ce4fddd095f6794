"""What data is read from: finding files, knowing which are new, reading them exactly, refusing bad ones.

`plan` says what has to be done for one table, looking at no more than the files' names, sizes and times
where nothing changed; `load` does it as one staged change of the lake, with the load state in the same
commit as the rows. A file is loaded right or refused with its line; it is never half loaded, and a value
is never silently changed. What happens to the rows afterwards is the transformation's business.
"""

from typing import TYPE_CHECKING, Any

from ingot.sources.errors import SourceError
from ingot.sources.model import DataFile, LoadResult, Plan
from ingot.sources.planning import plan

if TYPE_CHECKING:
    from ingot.sources.loading import load

__all__ = ["DataFile", "LoadResult", "Plan", "SourceError", "load", "plan"]


def __getattr__(name: str) -> Any:
    """`load` brings DuckDB, which a run with nothing to do does not need."""
    if name == "load":
        from ingot.sources.loading import load  # noqa: PLC0415 - that is what lazy means

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
