"""Tables of databases beside the lake as the catalog shows them: in schemas called `database.schema`.

PostgreSQL knows no names of three parts, so that tools can show, and write, `"shop.public".orders`. They are listed
beside what goes on, now and then: no statement waits for a database to say what tables it has.
"""

from collections.abc import Hashable, Sequence
from threading import Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING

from ingot.errors import IngotError
from ingot.pgwire.catalog.naming import postgres
from ingot.pgwire.catalog.showing import ProjectShowing
from ingot.pgwire.catalog.shown import Column, Table
from ingot.pgwire.ports import SessionInfo
from ingot.pgwire.rounded import COMMENT

if TYPE_CHECKING:
    from ingot.lake import Lake
    from ingot.pgwire.federation import Federation
    from ingot.semantic import Service

SECONDS = 60.0
"""After which tables are listed again, where somebody looks."""
MOST = 2_000
"""Tables of one database that are shown."""


class DatabaseTables:
    """What the databases have, as it was a short while ago. Safe to use from several threads."""

    def __init__(self, federation: "Federation") -> None:
        self._federation = federation
        self._found: dict[str, tuple[Table, ...]] = {}
        self._lock = Lock()
        self._last: float | None = None
        self._busy = False
        self._of = -1
        self.version = 0
        """Another number whenever `tables` is something else."""

    @property
    def tables(self) -> list[Table]:
        """The tables of all databases that could be reached."""
        return [one for name in sorted(self._found) for one in self._found[name]]

    def look(self) -> None:
        """Has the tables listed again, if that was not done lately. Never waits."""
        with self._lock:
            of = self._federation.version
            late = of != self._of or self._last is None or monotonic() - self._last > SECONDS
            if self._busy or not late or not (self._federation.names or self._found):
                return
            self._busy, self._of = True, of
        Thread(target=self.list, name="sql-databases", daemon=True).start()

    def list(self) -> None:
        """Lists the tables. One that cannot be reached now keeps those that it had."""
        try:
            there = set(self._federation.names)
            if self._found.keys() - there:
                self._found = {name: tables for name, tables in self._found.items() if name in there}
                self.version += 1
            for name in there:
                try:
                    found = tuple(_tables(self._federation, name))
                except IngotError:
                    continue
                if self._found.get(name) != found:
                    self._found[name] = found
                    self.version += 1
        finally:
            with self._lock:
                self._last = monotonic()
                self._busy = False


def _tables(federation: "Federation", name: str) -> Sequence[Table]:
    found: dict[tuple[str, str], list[Column]] = {}
    rounded = federation.all_rounded(name)
    for schema, table, column, kind in federation.all_columns(name):
        comment = f"{COMMENT[0].upper()}{COMMENT[1:]}." if (schema, table, column) in rounded else None
        found.setdefault((schema, table), []).append(Column(column, postgres(kind), comment))
    return [
        Table(f"{name}.{schema}", table, tuple(columns))
        for (schema, table), columns in list(found.items())[:MOST]
    ]


class FederatedShowing(ProjectShowing):
    """What a project shows, with the databases beside its lake."""

    def __init__(self, project: str, service: "Service", lake: "Lake", federation: "Federation") -> None:
        super().__init__(project, service, lake)
        self._databases = DatabaseTables(federation)

    def at_hand(self, info: SessionInfo) -> Hashable | None:
        """See `Showing.at_hand`."""
        return self._with(super().at_hand(info), info)

    def mark(self, info: SessionInfo) -> Hashable:
        """See `Showing.mark`."""
        return self._with(super().mark(info), info)

    def tables(self, info: SessionInfo) -> Sequence[Table]:
        """See `Showing.tables`."""
        found = super().tables(info)
        return [*found, *self._databases.tables] if info.lake else found

    def _with(self, mark: Hashable | None, info: SessionInfo) -> Hashable | None:
        if mark is None or not info.lake:
            return mark
        self._databases.look()
        return mark, self._databases.version
