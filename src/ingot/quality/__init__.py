"""Questions about data: what differs between two states of the lake, and what a table is made of.

`diff` compares two refs: tables and views, their columns and layout, their files, and their rows (by key
where one is known). The computing is DuckDB's; surfaces only show what comes back.
"""

from typing import TYPE_CHECKING, Any

from ingot.quality.model import (
    ColumnChange,
    Diff,
    FileChange,
    PropertyChange,
    RowChange,
    RowDiff,
    TableDiff,
    ViewDiff,
)

if TYPE_CHECKING:
    from ingot.quality.comparison import diff
    from ingot.quality.description import describe, listed
    from ingot.quality.keys import known_keys

_LAZY = {
    "describe": "ingot.quality.description",
    "diff": "ingot.quality.comparison",
    "listed": "ingot.quality.description",
    "known_keys": "ingot.quality.keys",
}

__all__ = [
    "ColumnChange",
    "Diff",
    "FileChange",
    "PropertyChange",
    "RowChange",
    "RowDiff",
    "TableDiff",
    "ViewDiff",
    "describe",
    "diff",
    "known_keys",
    "listed",
]


def __getattr__(name: str) -> Any:
    """DuckDB and the lake are loaded when a name that needs them is first used."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(_LAZY[name]), name)
