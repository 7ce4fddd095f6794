"""The lake: all tables as commits on branches, and the Iceberg files that they are made of.

`Lake` is what the other rooms use: `at` gives an immutable `State`, `stage` writes a table without moving
a ref, `commit` and `merge` move many tables at once or not at all. Refs and commits are the catalog's
business (`Catalog`, embedded as `SqlCatalog`); `rest` serves the same to other engines.
"""

from typing import TYPE_CHECKING, Any

from ingot.lake.errors import (
    CatalogUnavailableError,
    CommitConflictError,
    InvalidNameError,
    LakeError,
    MissingFileError,
    MovedError,
    ProtectedRefError,
    SchemaError,
    WriteError,
)
from ingot.lake.model import (
    ROOT_HASH,
    Commit,
    Conflict,
    ConflictType,
    Content,
    ContentType,
    Delete,
    Difference,
    Key,
    KeyMerge,
    MergeMode,
    MergeResult,
    Operation,
    Put,
    Ref,
    RefKind,
    Unchanged,
)
from ingot.lake.ports import Catalog

if TYPE_CHECKING:
    from ingot.lake.catalog import SqlCatalog
    from ingot.lake.catalog.store import Store
    from ingot.lake.conditions import Condition
    from ingot.lake.lake import Lake
    from ingot.lake.staged import Staged
    from ingot.lake.state import Column, State, Table, View
    from ingot.lake.timespans import Span, spans

_LAZY = {
    "Condition": "ingot.lake.conditions",
    "Lake": "ingot.lake.lake",
    "SqlCatalog": "ingot.lake.catalog",
    "Span": "ingot.lake.timespans",
    "Staged": "ingot.lake.staged",
    "Store": "ingot.lake.catalog.store",
    "Column": "ingot.lake.state",
    "State": "ingot.lake.state",
    "Table": "ingot.lake.state",
    "View": "ingot.lake.state",
    "spans": "ingot.lake.timespans",
}

__all__ = [
    "ROOT_HASH",
    "Catalog",
    "CatalogUnavailableError",
    "Column",
    "Commit",
    "CommitConflictError",
    "Condition",
    "Conflict",
    "ConflictType",
    "Content",
    "ContentType",
    "Delete",
    "Difference",
    "InvalidNameError",
    "Key",
    "KeyMerge",
    "Lake",
    "LakeError",
    "MergeMode",
    "MergeResult",
    "MissingFileError",
    "MovedError",
    "Operation",
    "ProtectedRefError",
    "Put",
    "Ref",
    "RefKind",
    "SchemaError",
    "Span",
    "SqlCatalog",
    "Staged",
    "State",
    "Store",
    "Table",
    "Unchanged",
    "View",
    "WriteError",
    "spans",
]


def __getattr__(name: str) -> Any:
    """SQLAlchemy, fastavro and sqlglot are loaded when a name that needs them is first used."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(_LAZY[name]), name)
