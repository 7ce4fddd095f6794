"""What is said to a client about its statements: the simple and the extended query, and the order of replies."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from ingot.errors import IngotError
from ingot.pgwire import messages
from ingot.pgwire.commands import recognise
from ingot.pgwire.commands.recognise import row_tag
from ingot.pgwire.commands.scanning import Token, split
from ingot.pgwire.commands.setting import Show
from ingot.pgwire.errors import PgError
from ingot.pgwire.portals import Portal, Prepared
from ingot.pgwire.running import ENDED
from ingot.pgwire.session import Session
from ingot.pgwire.sqlstates import fields
from ingot.pgwire.transaction import Stage
from ingot.pgwire.wire import GoneError

log = logging.getLogger(__name__)

LONG, LONGEST = 50_000, 1_000_000
"""Characters of a text that is looked at in a thread, and of one that is not looked at."""


class Dialogue:
    """Answers the messages of one client about its session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._skips = False

    # --- simple query

    async def query(self, body: messages.Bytes) -> None:
        """A Query message: one or more statements, then ReadyForQuery."""
        self._skips = False
        self._session.unnamed = None
        await self._session.close_portal("")
        self._session.running.begin(self._session.longest())
        offset = 0
        try:
            text = messages.read_last_text(body)
            statements = await _statements(text)
            if not statements:
                self._session.wire.put(messages.EMPTY_QUERY)
            stage = Stage.IMPLICIT if len(statements) > 1 else Stage.SINGLE
            for tokens in statements:
                offset = 0
                self._session.transaction.enter(stage)
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
            self._session.running.end()
        await self._session.end_implicit()
        self.ready_for_query()

    # --- extended query

    async def parse(self, body: messages.Bytes) -> None:
        """A Parse message."""
        given = messages.read_parse(body)
        if not given.name:
            self._session.unnamed = None
        statements = await _statements(given.text)
        if len(statements) > 1:
            raise PgError("cannot insert multiple commands into a prepared statement", sqlstate="42601")
        if given.name and given.name in self._session.prepared:
            raise PgError(f'prepared statement "{given.name}" already exists', sqlstate="42P05")
        if statements:
            prepared = self._read(given.text, statements[0])
            prepared.given = given.parameters
            if prepared.text:
                await self._session.located(prepared)
        else:
            prepared = Prepared("", 0, "")
        if given.name:
            self._session.keep(given.name, prepared)
        else:
            self._session.unnamed = prepared
        self._session.wire.put(messages.PARSE_COMPLETE)

    async def bind(self, body: messages.Bytes) -> None:
        """A Bind message."""
        given = messages.read_bind(body)
        prepared = self._session.find_prepared(given.statement)
        self._refuse_in_failed(prepared)
        wanted = len(prepared.parameters)
        if len(given.values) != wanted:
            raise PgError(
                f"bind message supplies {len(given.values)} parameters, but prepared statement "
                f'"{given.statement}" requires {wanted}',
                sqlstate="08P01",
            )
        if given.portal:
            if given.portal in self._session.portals:
                raise PgError(f'cursor "{given.portal}" already exists', sqlstate="42P03")
        else:
            await self._session.close_portal("")
        if len(given.formats) > 1:
            columns = self._session.columns(prepared)
            if len(columns or ()) != len(given.formats):
                raise PgError(
                    f"bind message has {len(given.formats)} result formats but query has {len(columns or ())} columns",
                    sqlstate="08P01",
                )
        self._session.portals[given.portal] = Portal(
            given.portal, prepared, given.values, given.formats, level=self._session.transaction.level
        )
        self._session.wire.put(messages.BIND_COMPLETE)

    async def describe(self, body: messages.Bytes) -> None:
        """A Describe message."""
        is_portal, name = messages.read_target(body, "DESCRIBE")
        if is_portal:
            portal = self._find_portal(name)
            prepared, formats = portal.prepared, portal.formats
        else:
            prepared, formats = self._session.find_prepared(name), ()
        if prepared.text:
            await self._session.located(prepared)
        if self._session.columns(prepared) is not None:
            self._refuse_in_failed(prepared)
        if not is_portal:
            self._session.wire.put(messages.parameter_description(prepared.parameters))
        columns = self._session.columns(prepared)
        if columns is None:
            self._session.wire.put(messages.NO_DATA)
        else:
            self._session.wire.put(messages.row_description(columns, formats))

    async def execute(self, body: messages.Bytes) -> None:
        """An Execute message."""
        name, most = messages.read_execute(body)
        portal = self._find_portal(name)
        self._refuse_in_failed(portal.prepared)
        prepared = portal.prepared
        if prepared.command is None and not prepared.text:
            self._session.wire.put(messages.EMPTY_QUERY)
            return
        await self._execute(portal, most, described=True)

    async def close(self, body: messages.Bytes) -> None:
        """A Close message."""
        is_portal, name = messages.read_target(body, "CLOSE")
        if is_portal:
            await self._session.close_portal(name)
        elif name:
            self._session.prepared.pop(name, None)
        else:
            self._session.unnamed = None
        self._session.wire.put(messages.CLOSE_COMPLETE)

    async def extended(self, step: Callable[[messages.Bytes], Awaitable[None]], body: messages.Bytes) -> None:
        """Does what a message of the extended protocol asks; after an error nothing more until Sync."""
        if self._skips:
            return
        self._session.running.begin(self._session.longest())
        try:
            self._session.transaction.enter(Stage.SINGLE)
            await step(body)
        except GoneError:
            raise
        except Exception as error:  # noqa: BLE001 - the client hears of it, and the session goes on
            self._skips = True
            await self._fail(error)
        finally:
            self._session.running.end()

    async def sync(self) -> None:
        """A Sync message: the end of a pipeline."""
        self._skips = False
        await self._session.end_implicit()
        self.ready_for_query()

    async def refuse_call(self) -> None:
        """A FunctionCall message."""
        self._skips = False
        await self._fail(PgError("calls of functions by the protocol are not offered", sqlstate="0A000"))
        await self.sync()

    def ready_for_query(self) -> None:
        """The server waits for the next statement."""
        if self._session.settings.changed:
            self._session.tell_settings()
        self._session.wire.put(messages.ready(self._session.transaction.status))
        self._session.wire.flush()

    def _read(self, text: str, tokens: list[Token]) -> Prepared:
        """A statement of a text, not yet shown to a source. Raises `PgError`."""
        command = recognise(text, tokens)
        if isinstance(command, Show) and command.name not in self._session.settings:
            command = None  # PostgreSQL may know it
        if self._session.transaction.stage is Stage.FAILED and (command is None or not command.ends_failure):
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

    # --- running

    async def _execute(self, portal: Portal, most: int, *, described: bool) -> None:
        """Runs a portal, or goes on with it, and tells how it went."""
        prepared = portal.prepared
        if portal.rows is None:
            if portal.at_end:
                self._end_again(portal)
                return
            self._session.running.check()
            self._session.rows_given = 0
            if unknown := [each for each in portal.formats if each not in (0, 1)]:
                raise PgError(f"unsupported format code: {unknown[0]}", sqlstate="22023")
            if prepared.command is not None:
                answer = await prepared.command.run(self._session, portal)
                portal.tag, portal.counted, portal.rows = answer.tag, answer.counted, answer.rows
                if self._session.transaction.stage is Stage.NONE:
                    self._session.transaction.enter(Stage.IMPLICIT)
                if portal.rows is None:
                    portal.at_end = True
                    self._session.wire.put(messages.complete(answer.tag))
                    return
            else:
                await self._session.opened(portal)
            if not described and portal.rows is not None and self._has_rows(portal):
                self._session.wire.put(messages.row_description(portal.rows.fields, portal.formats))
        assert portal.rows is not None
        count = 0
        while not most or count < most:
            chunk = await self._session.fetch(portal.rows, most - count if most else 0)
            if chunk is None:
                if not portal.reads:
                    await portal.close()
                self._session.wire.put(
                    messages.complete(f"{portal.tag} {count}" if portal.counted else portal.tag)
                )
                return
            count += chunk.rows
            portal.position += chunk.rows
            await self._session.wire.rows(chunk.data)
        self._session.wire.put(messages.PORTAL_SUSPENDED)

    def _has_rows(self, portal: Portal) -> bool:
        statement = portal.prepared.statement
        return portal.prepared.command is not None or statement is None or statement.fields is not None

    def _end_again(self, portal: Portal) -> None:
        if portal.prepared.command is not None and not portal.counted:
            raise PgError(f'portal "{portal.name}" cannot be run', sqlstate="55000")
        self._session.wire.put(messages.complete(f"{portal.tag} 0" if portal.counted else portal.tag))

    def _find_portal(self, name: str) -> Portal:
        if name not in self._session.portals:
            raise PgError(f'portal "{name}" does not exist', sqlstate="34000")
        return self._session.portals[name]

    def _refuse_in_failed(self, prepared: Prepared) -> None:
        if self._session.transaction.stage is Stage.FAILED and not (
            prepared.command is not None and prepared.command.ends_failure
        ):
            raise PgError(
                "current transaction is aborted, commands ignored until end of transaction block",
                sqlstate="25P02",
            )

    async def _fail(self, error: Exception, offset: int = 0) -> None:
        """Tells an error and takes back what it has to."""
        if self._session.running.stopped is not None:
            error = self._session.running.stopped
            if error.sqlstate == ENDED:
                raise error  # the connection's last word
        elif not isinstance(error, IngotError):
            log.error("SQL port: a statement failed in an unforeseen way", exc_info=error)
            error = PgError("internal error; the server's log says more", sqlstate="XX000")
        self._session.wire.put(messages.problem(b"E", fields(error, offset=offset)))
        if self._session.transaction.stage is Stage.NONE:
            return
        if self._session.transaction.fail():
            await self._session.close_portals(lambda portal: not portal.hold or portal.is_new)


async def _statements(text: str) -> list[list[Token]]:
    """The statements of a text. Raises `PgError`; a long text keeps nobody else waiting."""
    if len(text) > LONGEST:
        raise PgError(f"the text is longer than the {LONGEST:,} characters that are read", sqlstate="54000")
    return split(text) if len(text) <= LONG else await asyncio.to_thread(split, text)
