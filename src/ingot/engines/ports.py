"""The seam of the engines: what anything that executes SQL over the lake must do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from ingot.engines.interrupt import Interrupt

Parameters = Sequence[object] | Mapping[str, object]
Format = Literal["parquet", "csv", "arrow"]


class View(Protocol):
    """A view of the lake, as an engine needs it."""

    @property
    def name(self) -> str: ...
    @property
    def sql(self) -> str: ...


class State(Protocol):
    """What an engine asks of `ingot.lake.State`: everything that one commit holds."""

    @property
    def hash(self) -> str: ...
    @property
    def tables(self) -> tuple[str, ...]: ...
    @property
    def ordered_views(self) -> Sequence[View]: ...
    def scan(self, name: str) -> str: ...


class Lake(Protocol):
    """What an engine asks of `ingot.lake.Lake`."""

    @property
    def warehouse(self) -> object: ...


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a result: its name and its type as the engine writes it (`DECIMAL(18,2)`)."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to a query."""

    columns: tuple[Column, ...]
    rows: list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class HeldTable:
    """A table beside those of the lake: rows that files hold, under a name that stands for these rows for ever."""

    name: str
    select: str
    """The SELECT over the files."""
    bytes: int
    """About how large its rows are in memory."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What differs between engines; ask this, never the engine's name."""

    local_files: bool
    """The engine reads files of the machine that Ingot runs on."""
    session: bool
    """`session` gives a connection that lives in this process."""
    interrupt: bool
    """A running query can be cancelled."""
    exports: bool = False
    """It is an `Exporter`."""


class Engine(Protocol):
    """Executes read-only SQL over one state of the lake. Safe to call from several threads."""

    @property
    def dialect(self) -> str:
        """The sqlglot name of the SQL that it speaks."""

    @property
    def capabilities(self) -> Capabilities:
        """What this engine can do beyond `query`."""

    def query(
        self,
        sql: str,
        *,
        at: State,
        parameters: Parameters = (),
        timeout: float | None = None,
        interrupt: Interrupt | None = None,
    ) -> Result:
        """The result of one read-only statement over the tables and views of `at`.

        Raises `QueryRefusedError` for anything that is not one read-only statement, `NotFoundError` for an
        unknown table or column, `QueryTimeoutError` after `timeout` seconds, `QueryInterruptedError` when
        `interrupt` is set, `QueryError` for any other mistake in the SQL or in the data.
        """

    def close(self) -> None:
        """Gives back everything held; the engine cannot be used afterwards."""


class Exporter(Protocol):
    """An engine that writes results to files without holding them in memory."""

    def export(
        self,
        sql: str,
        *,
        at: State,
        path: Path,
        format: Format = "parquet",
        parameters: Parameters = (),
        timeout: float | None = None,
        interrupt: Interrupt | None = None,
        held: Sequence[HeldTable] = (),
    ) -> None:
        """Writes the result of one SELECT to `path`; raises what `Engine.query` raises."""
