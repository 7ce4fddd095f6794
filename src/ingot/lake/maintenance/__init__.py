"""Maintenance of the lake: fewer and larger files, shorter histories, and no files that nobody needs.

`maintain` does a round or says what it would do. Tables are rewritten by ordinary commits, so readers and
time travel do not notice; files are removed only when no ref, and no commit within the retention window,
needs them. Which branch, which tables and how long is a `Policy` and the caller's choice.
"""

from typing import TYPE_CHECKING, Any

from ingot.lake.maintenance.model import USUAL, Outcome, Policy, Removed, Report, Step, TableReport

if TYPE_CHECKING:
    from ingot.lake.maintenance.rounds import maintain

__all__ = ["USUAL", "Outcome", "Policy", "Removed", "Report", "Step", "TableReport", "maintain"]


def __getattr__(name: str) -> Any:
    """SQLAlchemy, fastavro and the like are loaded when maintenance is done."""
    if name != "maintain":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return import_module("ingot.lake.maintenance.rounds").maintain
