"""What a catalog shows: tables with columns, keys and comments, as values that can be compared."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """A column. `type` is as PostgreSQL writes it."""

    name: str
    type: str
    comment: str | None = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key: columns of this table that hold the primary key of another one."""

    columns: tuple[str, ...]
    schema: str
    table: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `view`: it is shown as a view."""

    schema: str
    name: str
    columns: tuple[Column, ...]
    comment: str | None = None
    key: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    view: bool = False
