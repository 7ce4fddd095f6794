"""What one client has going: statements, portals, settings, its transaction.

What is said about it is the `Dialogue`'s; the rows come from a `Source`.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from ingot.engines.sql import quote_identifier, quote_literal
from ingot.errors import IngotError
from ingot.pgwire import messages
from ingot.pgwire.commands.prepared import literals
from ingot.pgwire.commands.scanning import Kind, tokens
from ingot.pgwire.errors import PgError, move, outdated
from ingot.pgwire.portals import FixedRows, Portal, Prepared
from ingot.pgwire.ports import BINARY, TEXT, Chunk, Field, Opener, Rows, SessionInfo, Statement, Value
from ingot.pgwire.refs import Refs
from ingot.pgwire.running import Running
from ingot.pgwire.scrolling import Onwards, Reading, Scrolling
from ingot.pgwire.setting_values import REPORTED, milliseconds
from ingot.pgwire.settings import Settings, unknown
from ingot.pgwire.transaction import Stage, Transaction
from ingot.pgwire.wire import Wire
from ingot.semantic.context import Context

if TYPE_CHECKING:
    from ingot.pgwire.catalog.ports import CatalogSource

MOST_PREPARED, MOST_OPEN = 10_000, 100
"""Prepared statements, and portals that are read, in one session."""
_LEVELS = {"DEBUG": 0, "LOG": 1, "NOTICE": 2, "WARNING": 3, "ERROR": 4, "INFO": 5}


class Session:
    """One client, after its login."""

    def __init__(
        self,
        wire: Wire,
        info: SessionInfo,
        settings: Settings,
        opener: Opener,
        *,
        most_seconds: float = 0,
        most_rows: int = 0,
        find: Callable[[int], "Session | None"] = lambda _: None,
        named: Callable[[str], "list[Session]"] = lambda _: [],
    ) -> None:
        self.wire = wire
        self.settings = settings
        self.transaction = Transaction(settings)
        self.portals: dict[str, Portal] = {}
        self.prepared: dict[str, Prepared] = {}
        self.unnamed: Prepared | None = None
        """The statement that was prepared without a name."""
        self.refs = Refs(replace(info, notice=self.forward), opener)
        self.running = Running(self._stop_work)
        self._loop, self._thread = asyncio.get_running_loop(), threading.get_ident()
        self._told: dict[str, str] = {}
        self._offset = 0
        self.find = find
        """The session that has a number, if there is one."""
        self.named = named
        """The sessions whose `application_name` is this."""
        self.process = 0
        """This one's number."""
        self.terminate: Callable[[str, str], None] = lambda _said, _sqlstate: None
        """Ends this session from outside."""
        self._most_seconds = most_seconds
        self._most_rows = most_rows
        self.rows_given = 0
        """Rows of the answer that is being given."""

    # --- the beginning and the end

    async def open(self, given: Mapping[str, str]) -> None:
        """Begins with these settings, and opens the source, so that a ref that is not there is said at the login.

        Raises `IngotError`.
        """
        others = {name: value for name, value in given.items() if not self.settings.knows(name)}
        for name, value in given.items():
            if name not in others:
                self.settings.begin_with(name, value)
        await asyncio.to_thread(self.refs.now)  # the lake's state may be read from afar
        for name, value in others.items():
            self.settings.begin_with(name, await self._asked(name, value) or value)

    async def close(self) -> None:
        """Gives everything back."""
        for portal in list(self.portals.values()):
            await portal.close()
        self.portals.clear()
        await self.refs.close()

    def tell_settings(self) -> None:
        """Tells the client what it wants to know of the settings, as far as it does not know it yet."""
        for name, shown in REPORTED.items():
            value = self.settings[name]
            if self._told.get(name) != value:
                self._told[name] = value
                self.wire.put(messages.parameter_status(shown, value))
        self.settings.changed = False

    def _stop_work(self) -> None:
        self.refs.cancel()
        self.wire.interrupt()

    def longest(self) -> float:
        """Seconds that a statement may take; 0 for no limit."""
        limit = milliseconds(self.settings["statement_timeout"]) / 1000
        return self._most_seconds if self._most_seconds and not 0 < limit <= self._most_seconds else limit

    # --- notices

    def notice(self, severity: str, sqlstate: str, text: str) -> None:
        """A NoticeResponse, where the client wants to hear of such."""
        self.forward({"S": severity, "V": severity, "C": sqlstate, "M": text})

    def forward(self, told: Mapping[str, str]) -> None:
        """A NoticeResponse of these fields, where the client wants to hear of such. From any thread."""
        if threading.get_ident() != self._thread:
            self._loop.call_soon_threadsafe(self.forward, told)
            return
        least = self.settings["client_min_messages"].upper()
        if _LEVELS.get(told.get("V", ""), 3) < _LEVELS.get(least.rstrip("12345"), 2):
            return
        if (place := told.get("P", "")).isdecimal():
            told = {**told, "P": str(int(place) + self._offset)}
        self.wire.put(messages.problem(b"N", told))

    # --- running

    async def fetch(self, rows: Rows, most: int) -> Chunk | None:
        """The next rows; raises what a cancel asks for."""
        self.running.check()
        chunk = await rows.fetch(most)
        self.running.check()
        if chunk is not None and self._most_rows:
            self.rows_given += chunk.rows
            if self.rows_given > self._most_rows:
                raise PgError(
                    f"the answer has more than {self._most_rows} rows",
                    sqlstate="53400",
                    hint="Ask for fewer, with LIMIT or a filter.",
                )
        return chunk

    async def opened(self, portal: Portal) -> Rows:
        """The rows of a portal, which are asked for now if they were not. Raises `IngotError`."""
        if portal.rows is None:
            if sum(each.rows is not None for each in self.portals.values()) >= MOST_OPEN:
                raise PgError(f"more than {MOST_OPEN} cursors are read at a time", sqlstate="53400")
            statement = await self.runnable(portal)
            self.running.check()
            rows = await statement.run(portal.values, portal.formats)
            if portal.reads:
                rows = Scrolling(rows) if portal.reads == "to and fro" else Onwards(rows)
            portal.rows = rows
            portal.tag = portal.prepared.tag
            portal.counted = statement.fields is not None and portal.tag == "SELECT"
        return portal.rows

    async def read_cursor(self, portal: Portal, formats: Sequence[int]) -> Reading:
        """The rows of a cursor, in these formats (none: its own). Raises `IngotError`."""
        if not portal.reads:  # one of the protocol, which SQL may read on from
            if portal.prepared.command is not None or not portal.prepared.text:
                raise PgError(f'cursor "{portal.name}" does not exist', sqlstate="34000")
            columns = self.columns(portal.prepared) or ()
            rows = FixedRows(columns, ()) if portal.at_end else await self.opened(portal)
            portal.rows = Onwards(rows, portal.position)
            portal.reads = "onwards"
        if formats and _shortest(formats) != _shortest(portal.formats):
            portal.formats = formats
            before, portal.rows = portal.rows, None
            reading = cast("Reading", await self.opened(portal))
            if before is not None:
                # Rows have one format: they are asked for again, up to the same place.
                await reading.seek(cast("Reading", before).position + 1)
                await before.close()
            return reading
        return cast("Reading", await self.opened(portal))

    async def runnable(self, portal: Portal) -> Statement:
        """As `ready`, with the values that it needs. Raises `PgError` 42P02 where a simple query has parameters."""
        statement = await self.ready(portal.prepared)
        if len(statement.parameters) != len(portal.values):
            number = len(portal.values) + 1
            named = (token for token in tokens(portal.prepared.text) if token.kind is Kind.PARAMETER)
            at = next((token.start + 1 for token in named if token.value == f"${number}"), None)
            raise PgError(f"there is no parameter ${number}", sqlstate="42P02", position=at)
        return statement

    async def ready(self, prepared: Prepared) -> Statement:
        """What a source has prepared of a statement, for the ref and the rights of now.

        Raises `IngotError`; `PgError` 0A000 where its columns are others now than those that were told.
        """
        source = self.refs.now()
        self._offset = prepared.offset
        if prepared.statement is None or prepared.source is not source:
            before = prepared.statement
            # What the client was told of parameters and columns still holds.
            found = await source.prepare(prepared.text, before.parameters if before else prepared.given)
            if before is not None and _columns(found) != _columns(before):
                raise outdated()
            prepared.statement, prepared.source = found, source
        return prepared.statement

    async def located(self, prepared: Prepared) -> None:
        """As `ready`; an error tells the place in the client's text."""
        try:
            await self.ready(prepared)
        except IngotError as error:
            move(error, prepared.offset)
            raise

    async def evaluated(self, expressions: Sequence[str]) -> tuple[Value, ...]:
        """The values of some expressions, as text. Raises `IngotError`."""
        values = literals(expressions)
        if values is None:
            columns = ", ".join(f"CAST(({expression}\n) AS text)" for expression in expressions)
            statement = await self.refs.now().prepare(f"SELECT {columns}")
            rows = await statement.run((), ())
            try:
                chunk = await self.fetch(rows, 1)
            finally:
                await rows.close()
            if chunk is None:
                raise PgError("the values gave no row", sqlstate="42601")
            values = messages.read_row(bytes(chunk.data))
        return tuple(Value(value) for value in values)

    # --- names

    def find_prepared(self, name: str) -> Prepared:
        """A prepared statement. Raises `PgError` 26000."""
        found = self.prepared.get(name) if name else self.unnamed
        if found is None:
            said = (
                f'prepared statement "{name}" does not exist'
                if name
                else "unnamed prepared statement does not exist"
            )
            raise PgError(said, sqlstate="26000")
        return found

    def keep(self, name: str, prepared: Prepared) -> None:
        """Keeps a prepared statement. Raises `PgError` where there are too many."""
        if len(self.prepared) >= MOST_PREPARED:
            raise PgError(f"a session has at most {MOST_PREPARED:,} prepared statements", sqlstate="53400")
        self.prepared[name] = prepared

    def columns(self, prepared: Prepared) -> tuple[Field, ...] | None:
        """The columns of a statement, as far as they are known; None for none."""
        if prepared.command is not None:
            return prepared.command.fields(self)
        return prepared.statement.fields if prepared.statement is not None else None

    async def close_portal(self, name: str) -> None:
        """Ends a portal; harmless where there is none."""
        portal = self.portals.pop(name, None)
        if portal is not None:
            await portal.close()

    async def close_portals(self, which: Callable[[Portal], bool]) -> None:
        """Ends some portals."""
        for portal in [each for each in self.portals.values() if which(each)]:
            await self.close_portal(portal.name)

    # --- transactions

    async def end(self, *, commits: bool) -> None:
        """The end of a transaction: its portals go, but for cursors WITH HOLD that it commits."""
        if commits:
            self.transaction.commit()
            await self.close_portals(lambda portal: not portal.hold)
        else:
            self.transaction.roll_back()
            await self.close_portals(lambda portal: not portal.hold or portal.is_new)
        for portal in self.portals.values():
            portal.is_new = False

    async def end_implicit(self) -> None:
        """The end of a text or a pipeline: what nobody began with BEGIN is committed."""
        if self.transaction.stage in (Stage.SINGLE, Stage.IMPLICIT):
            await self.end(commits=True)

    def lift(self, level: int) -> None:
        """After RELEASE: portals of deeper savepoints belong to this level."""
        for portal in self.portals.values():
            portal.level = min(portal.level, level)

    async def drop_from(self, level: int) -> None:
        """After ROLLBACK TO: portals made at this level or deeper are gone."""
        await self.close_portals(lambda portal: portal.level >= level)

    # --- settings, refs and rights

    async def become(self, context: Context, *, lake: bool) -> None:
        """Goes on with other rights. What is being read was asked for with the old ones, and ends."""
        reads = any(portal.rows is not None for portal in self.portals.values())
        await self.close_portals(lambda portal: portal.rows is not None)
        await self.refs.become(context, lake=lake)
        if reads:
            said = f'the rights of user "{self.refs.info.user}" have changed: cursors are closed'
            self.notice("WARNING", "01000", said)

    async def set(self, name: str, value: str | None, *, local: bool) -> None:
        """SET of one name. Raises `IngotError`; nothing is set then."""
        if name == "ingot.ref":
            value = value or self.refs.first
            await asyncio.to_thread(self.refs.open, value)
        elif name in ("role", "session_authorization"):
            self._check_role(name, value)
        elif not self.settings.knows(name):
            self.settings.adopt(name, await self._asked(name, value), local=local)
            return
        self.settings.put(name, value, local=local)

    async def _asked(self, name: str, value: str | None) -> str | None:
        """A value of one of the hundreds of settings that PostgreSQL has and nothing here reads, if it says yes."""
        catalog: CatalogSource | None = getattr(self.refs.now(), "catalog", None)
        if catalog is None:
            raise unknown(name, self.settings)
        quoted = quote_identifier(*name.split("."))
        if value is None:
            await catalog.setting(f"RESET {quoted}")
            return None
        answer = await catalog.setting(f"SET {quoted} TO {quote_literal(value)}")
        return answer.values.get(name, value)

    async def check_setting(self, name: str, value: str | None) -> None:
        """Whether SET would be accepted. Raises `IngotError`."""
        mark = self.settings.mark()
        try:
            await self.set(name, value, local=True)
        finally:
            self.settings.restore(mark)

    def _check_role(self, name: str, value: str | None) -> None:
        if value is None or value in (self.refs.info.user, "none", "default"):
            return
        if name == "role":
            raise PgError(f'permission denied to set role "{value}"', sqlstate="42501")
        raise PgError(f'permission denied to set session authorization "{value}"', sqlstate="42501")


def _columns(statement: Statement) -> list[tuple[str, int]] | None:
    """Names and types of columns; None for none."""
    fields = statement.fields
    return None if fields is None else [(one.name, one.oid) for one in fields]


def _shortest(formats: Sequence[int]) -> tuple[int, ...]:
    """Formats of columns: `()` for all text, `(1,)` for all binary."""
    kinds = set(formats)
    return () if kinds <= {TEXT} else (BINARY,) if kinds == {BINARY} else tuple(formats)
