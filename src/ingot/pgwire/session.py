"""What one client has going: statements, portals, settings, its transaction, and the order of replies.

The messages are read by `connection`; the rows come from a `Source`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, cast

from ingot.engines.sql import quote_identifier, quote_literal
from ingot.errors import IngotError
from ingot.pgwire import messages
from ingot.pgwire.commands import recognise
from ingot.pgwire.commands.prepared import literals
from ingot.pgwire.commands.recognise import row_tag
from ingot.pgwire.commands.scanning import Kind, Token, split, tokens
from ingot.pgwire.commands.setting import Show
from ingot.pgwire.errors import PgError
from ingot.pgwire.messages import Bind, Parse
from ingot.pgwire.portals import FixedRows, Portal, Prepared
from ingot.pgwire.ports import Chunk, Field, Opener, Rows, SessionInfo, Statement, Value
from ingot.pgwire.refs import Refs
from ingot.pgwire.running import ENDED, Running
from ingot.pgwire.scrolling import Onwards, Reading, Scrolling
from ingot.pgwire.settings import REPORTED, Settings, milliseconds, unknown
from ingot.pgwire.sqlstates import fields
from ingot.pgwire.transaction import Stage, Transaction
from ingot.pgwire.wire import GoneError, Wire

if TYPE_CHECKING:
    from ingot.pgwire.catalog.ports import CatalogSource

log = logging.getLogger(__name__)

LONG, LONGEST = 50_000, 1_000_000
"""Characters of a text that is looked at in a thread, and of one that is not looked at."""
MOST_PREPARED, MOST_OPEN = 10_000, 100
"""Prepared statements, and portals that are read, in one session."""
_LEVELS = {"DEBUG": 0, "LOG": 1, "NOTICE": 2, "WARNING": 3, "ERROR": 4}


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
    ) -> None:
        self.wire = wire
        self.settings = settings
        self.transaction = Transaction(settings)
        self.portals: dict[str, Portal] = {}
        self.prepared: dict[str, Prepared] = {}
        self._unnamed: Prepared | None = None
        self.refs = Refs(info, opener)
        self.running = Running(self._stop_work)
        self._told: dict[str, str] = {}
        self._skips = False
        self.find = find
        """The session that has a number, if there is one."""
        self.process = 0
        """This one's number."""
        self.terminate: Callable[[str, str], None] = lambda _said, _sqlstate: None
        """Ends this session from outside."""
        self._most_seconds = most_seconds
        self._most_rows = most_rows
        self._given = 0

    # --- the beginning and the end

    async def open(self) -> None:
        """Opens the source, so that a ref that is not there is said at the login. Raises `IngotError`."""
        self.refs.now()

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

    def ready_for_query(self) -> None:
        """The server waits for the next statement."""
        if self.settings.changed:
            self.tell_settings()
        self.wire.put(messages.ready(self.transaction.status))
        self.wire.flush()

    def _stop_work(self) -> None:
        self.refs.cancel()
        self.wire.interrupt()

    def _longest(self) -> float:
        """Seconds that a statement may take; 0 for no limit."""
        limit = milliseconds(self.settings["statement_timeout"]) / 1000
        return self._most_seconds if self._most_seconds and not 0 < limit <= self._most_seconds else limit

    # --- notices and errors

    def notice(self, severity: str, sqlstate: str, text: str) -> None:
        """A NoticeResponse, where the client wants to hear of such."""
        least = self.settings["client_min_messages"].upper()
        if _LEVELS.get(severity, 3) >= _LEVELS.get(least.rstrip("12345"), 2):
            told = {"S": severity, "V": severity, "C": sqlstate, "M": text}
            self.wire.put(messages.problem(b"N", told))

    async def _fail(self, error: Exception, offset: int = 0) -> None:
        """Tells an error and takes back what it has to."""
        if self.running.stopped is not None:
            error = self.running.stopped
            if error.sqlstate == ENDED:
                raise error  # the connection's last word
        elif not isinstance(error, IngotError):
            log.error("SQL port: a statement failed in an unforeseen way", exc_info=error)
            error = PgError("internal error; the server's log says more", sqlstate="XX000")
        self.wire.put(messages.problem(b"E", fields(error, offset=offset)))
        if self.transaction.stage is Stage.NONE:
            return
        if self.transaction.fail():
            await self._close_portals(lambda portal: not portal.hold or portal.is_new)

    # --- simple query

    async def query(self, body: messages.Bytes) -> None:
        """A Query message: one or more statements, then ReadyForQuery."""
        self._skips = False
        self._unnamed = None
        await self.close_portal("")
        self.running.begin(self._longest())
        offset = 0
        try:
            text = messages.read_last_text(body)
            statements = await _statements(text)
            if not statements:
                self.wire.put(messages.EMPTY_QUERY)
            stage = Stage.IMPLICIT if len(statements) > 1 else Stage.SINGLE
            for tokens in statements:
                offset = 0
                self.transaction.enter(stage)
                prepared = self._read(text, tokens)
                offset = prepared.offset
                portal = Portal("", prepared)
                try:
                    await self._execute(portal, 0, described=False)
                finally:
                    await portal.close()
        except GoneError:
            raise
        except Exception as error:  # noqa: BLE001 - the client hears of it, and the session goes on
            await self._fail(error, offset)
        finally:
            self.running.end()
        await self._end_implicit()
        self.ready_for_query()

    def _read(self, text: str, tokens: list[Token]) -> Prepared:
        """A statement of a text, not yet shown to a source. Raises `PgError`."""
        command = recognise(text, tokens)
        if isinstance(command, Show) and command.name not in self.settings:
            command = None  # PostgreSQL may know it
        if self.transaction.stage is Stage.FAILED and (command is None or not command.ends_failure):
            raise PgError(
                "current transaction is aborted, commands ignored until end of transaction block",
                sqlstate="25P02",
            )
        start = tokens[0].start
        if command is None:
            return Prepared(text[start : tokens[-1].end], start, row_tag(tokens))
        if command.query is None:
            return Prepared("", 0, command.tag, command)
        inner, at = command.query
        return Prepared(inner, at, command.tag, command)

    # --- extended query

    async def parse(self, given: Parse) -> None:
        """A Parse message."""
        if not given.name:
            self._unnamed = None
        statements = await _statements(given.text)
        if len(statements) > 1:
            raise PgError("cannot insert multiple commands into a prepared statement", sqlstate="42601")
        if given.name and given.name in self.prepared:
            raise PgError(f'prepared statement "{given.name}" already exists', sqlstate="42P05")
        if statements:
            prepared = self._read(given.text, statements[0])
            prepared.given = given.parameters
            if prepared.text:
                await self.located(prepared)
        else:
            prepared = Prepared("", 0, "")
        if given.name:
            self.keep(given.name, prepared)
        else:
            self._unnamed = prepared
        self.wire.put(messages.PARSE_COMPLETE)

    async def bind(self, given: Bind) -> None:
        """A Bind message."""
        prepared = self.find_prepared(given.statement)
        self._refuse_in_failed(prepared)
        wanted = len(prepared.parameters)
        if len(given.values) != wanted:
            raise PgError(
                f"bind message supplies {len(given.values)} parameters, but prepared statement "
                f'"{given.statement}" requires {wanted}',
                sqlstate="08P01",
            )
        if given.portal:
            if given.portal in self.portals:
                raise PgError(f'cursor "{given.portal}" already exists', sqlstate="42P03")
        else:
            await self.close_portal("")
        if len(given.formats) > 1:
            columns = self._columns(prepared)
            if len(columns or ()) != len(given.formats):
                raise PgError(
                    f"bind message has {len(given.formats)} result formats but query has {len(columns or ())} columns",
                    sqlstate="08P01",
                )
        self.portals[given.portal] = Portal(
            given.portal, prepared, given.values, given.formats, level=self.transaction.level
        )
        self.wire.put(messages.BIND_COMPLETE)

    async def describe(self, is_portal: bool, name: str) -> None:
        """A Describe message."""
        if is_portal:
            portal = self._find_portal(name)
            prepared, formats = portal.prepared, portal.formats
        else:
            prepared, formats = self.find_prepared(name), ()
        if prepared.text:
            await self.located(prepared)
        if self._columns(prepared) is not None:
            self._refuse_in_failed(prepared)
        if not is_portal:
            self.wire.put(messages.parameter_description(prepared.parameters))
        columns = self._columns(prepared)
        if columns is None:
            self.wire.put(messages.NO_DATA)
        else:
            self.wire.put(messages.row_description(columns, formats))

    async def execute(self, name: str, most: int) -> None:
        """An Execute message."""
        portal = self._find_portal(name)
        self._refuse_in_failed(portal.prepared)
        prepared = portal.prepared
        if prepared.command is None and not prepared.text:
            self.wire.put(messages.EMPTY_QUERY)
            return
        await self._execute(portal, most, described=True)

    async def close_named(self, is_portal: bool, name: str) -> None:
        """A Close message."""
        if is_portal:
            await self.close_portal(name)
        elif name:
            self.prepared.pop(name, None)
        else:
            self._unnamed = None
        self.wire.put(messages.CLOSE_COMPLETE)

    async def extended(self, step: Callable[[], Awaitable[None]]) -> None:
        """Does what a message of the extended protocol asks; after an error nothing more until Sync."""
        if self._skips:
            return
        self.running.begin(self._longest())
        try:
            self.transaction.enter(Stage.SINGLE)
            await step()
        except GoneError:
            raise
        except Exception as error:  # noqa: BLE001 - the client hears of it, and the session goes on
            self._skips = True
            await self._fail(error)
        finally:
            self.running.end()

    async def sync(self) -> None:
        """A Sync message: the end of a pipeline."""
        self._skips = False
        await self._end_implicit()
        self.ready_for_query()

    async def refuse_call(self) -> None:
        """A FunctionCall message."""
        self._skips = False
        await self._fail(PgError("calls of functions by the protocol are not offered", sqlstate="0A000"))
        await self.sync()

    # --- running

    async def _execute(self, portal: Portal, most: int, *, described: bool) -> None:
        """Runs a portal, or goes on with it, and tells how it went."""
        prepared = portal.prepared
        if portal.rows is None:
            if portal.at_end:
                self._end_again(portal)
                return
            self.running.check()
            self._given = 0
            if unknown := [each for each in portal.formats if each not in (0, 1)]:
                raise PgError(f"unsupported format code: {unknown[0]}", sqlstate="22023")
            if prepared.command is not None:
                answer = await prepared.command.run(self, portal)
                portal.tag, portal.counted, portal.rows = answer.tag, answer.counted, answer.rows
                if self.transaction.stage is Stage.NONE:
                    self.transaction.enter(Stage.IMPLICIT)
                if portal.rows is None:
                    portal.at_end = True
                    self.wire.put(messages.complete(answer.tag))
                    return
            else:
                await self.opened(portal)
            if not described and portal.rows is not None and self._has_rows(portal):
                self.wire.put(messages.row_description(portal.rows.fields, portal.formats))
        assert portal.rows is not None
        count = 0
        while not most or count < most:
            chunk = await self.fetch(portal.rows, most - count if most else 0)
            if chunk is None:
                if not portal.reads:
                    await portal.close()
                self.wire.put(messages.complete(f"{portal.tag} {count}" if portal.counted else portal.tag))
                return
            count += chunk.rows
            portal.position += chunk.rows
            await self.wire.rows(chunk.data)
        self.wire.put(messages.PORTAL_SUSPENDED)

    def _has_rows(self, portal: Portal) -> bool:
        statement = portal.prepared.statement
        return portal.prepared.command is not None or statement is None or statement.fields is not None

    def _end_again(self, portal: Portal) -> None:
        if portal.prepared.command is not None and not portal.counted:
            raise PgError(f'portal "{portal.name}" cannot be run', sqlstate="55000")
        self.wire.put(messages.complete(f"{portal.tag} 0" if portal.counted else portal.tag))

    async def fetch(self, rows: Rows, most: int) -> Chunk | None:
        """The next rows; raises what a cancel asks for."""
        self.running.check()
        chunk = await rows.fetch(most)
        self.running.check()
        if chunk is not None and self._most_rows:
            self._given += chunk.rows
            if self._given > self._most_rows:
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
            columns = self._columns(portal.prepared) or ()
            rows = FixedRows(columns, ()) if portal.at_end else await self.opened(portal)
            portal.rows = Onwards(rows, portal.position)
            portal.reads = "onwards"
        if formats and tuple(formats) != tuple(portal.formats):
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
        """What a source has prepared of a statement, for the ref that is read now. Raises `IngotError`."""
        source = self.refs.now()
        if prepared.statement is None or prepared.source is not source:
            prepared.statement = await source.prepare(prepared.text, prepared.given)
            prepared.source = source
        return prepared.statement

    async def located(self, prepared: Prepared) -> None:
        """As `ready`; an error tells the place in the client's text."""
        try:
            await self.ready(prepared)
        except IngotError as error:
            position = getattr(error, "position", None)
            if isinstance(position, int) and prepared.offset:
                error.position = position + prepared.offset  # type: ignore[attr-defined]
            raise

    async def evaluated(self, expressions: Sequence[str]) -> tuple[Value, ...]:
        """The values of some expressions, as text. Raises `IngotError`."""
        values = literals(expressions)
        if values is None:
            columns = ", ".join(f"CAST(({expression}) AS text)" for expression in expressions)
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
        found = self.prepared.get(name) if name else self._unnamed
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

    def _find_portal(self, name: str) -> Portal:
        if name not in self.portals:
            raise PgError(f'portal "{name}" does not exist', sqlstate="34000")
        return self.portals[name]

    def _columns(self, prepared: Prepared) -> tuple[Field, ...] | None:
        if prepared.command is not None:
            return prepared.command.fields(self)
        return prepared.statement.fields if prepared.statement is not None else None

    def _refuse_in_failed(self, prepared: Prepared) -> None:
        if self.transaction.stage is Stage.FAILED and not (
            prepared.command is not None and prepared.command.ends_failure
        ):
            raise PgError(
                "current transaction is aborted, commands ignored until end of transaction block",
                sqlstate="25P02",
            )

    async def close_portal(self, name: str) -> None:
        """Ends a portal; harmless where there is none."""
        portal = self.portals.pop(name, None)
        if portal is not None:
            await portal.close()

    async def _close_portals(self, which: Callable[[Portal], bool]) -> None:
        for portal in [each for each in self.portals.values() if which(each)]:
            await self.close_portal(portal.name)

    # --- transactions

    async def end(self, *, commits: bool) -> None:
        """The end of a transaction: its portals go, but for cursors WITH HOLD that it commits."""
        if commits:
            self.transaction.commit()
            await self._close_portals(lambda portal: not portal.hold)
        else:
            self.transaction.roll_back()
            await self._close_portals(lambda portal: not portal.hold or portal.is_new)
        for portal in self.portals.values():
            portal.is_new = False

    async def _end_implicit(self) -> None:
        if self.transaction.stage in (Stage.SINGLE, Stage.IMPLICIT):
            await self.end(commits=True)

    def lift(self, level: int) -> None:
        """After RELEASE: portals of deeper savepoints belong to this level."""
        for portal in self.portals.values():
            portal.level = min(portal.level, level)

    async def drop_from(self, level: int) -> None:
        """After ROLLBACK TO: portals made at this level or deeper are gone."""
        await self._close_portals(lambda portal: portal.level >= level)

    # --- settings and refs

    async def set(self, name: str, value: str | None, *, local: bool) -> None:
        """SET of one name. Raises `IngotError`; nothing is set then."""
        if name == "ingot.ref":
            value = value or self.refs.first
            self.refs.open(value)
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


async def _statements(text: str) -> list[list[Token]]:
    """The statements of a text. Raises `PgError`; a long text keeps nobody else waiting."""
    if len(text) > LONGEST:
        raise PgError(f"the text is longer than the {LONGEST:,} characters that are read", sqlstate="54000")
    return split(text) if len(text) <= LONG else await asyncio.to_thread(split, text)
