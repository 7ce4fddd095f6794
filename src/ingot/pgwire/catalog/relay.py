"""Statements about the catalog: relayed to the shadow PostgreSQL, whose rows go to the client as they are."""

import asyncio
import re
import time
from collections.abc import Callable, Coroutine, Hashable, Mapping, Sequence
from struct import pack, unpack_from
from typing import Any, TypeVar

from ingot.pgwire.catalog.backend import SYNC, LostError, ShadowError, fields, message, query, texts
from ingot.pgwire.catalog.databases import Database
from ingot.pgwire.catalog.home import Home
from ingot.pgwire.catalog.pool import Lent
from ingot.pgwire.catalog.ports import Answer, Described
from ingot.pgwire.catalog.rows import ShadowRows
from ingot.pgwire.catalog.settings import SESSION, applied, wanted
from ingot.pgwire.catalog.touching import touches
from ingot.pgwire.catalog.words import first_word
from ingot.pgwire.errors import PgError
from ingot.pgwire.ports import Field, SessionInfo, Value

_DESCRIBE = message(b"D", b"S\0")
_EXECUTE = message(b"E", b"\0\0\0\0\0")
_READS = frozenset({"select", "with", "values", "table", "show", ""})
"""What runs as it is. All else runs in a transaction that only reads and is rolled back."""
_BEGIN = message(b"P", b"\0BEGIN READ ONLY\0\0\0") + message(b"B", b"\0\0\0\0\0\0\0\0") + _EXECUTE
_PLAIN = message(b"B", b"\0\0\0\0\0\0\0\0")
_KNOWN = 1_000
"""Descriptions that are kept for a database."""

_PATIENCE = 5.0
"""Seconds that PostgreSQL has to come back."""
_LONG = 20_000
"""Characters of a statement whose description is not kept."""
_LISTS = re.compile(r"pg_(?:stat_)?database|datname", re.IGNORECASE)
"""Whoever says this looks at the list of databases."""

_T = TypeVar("_T")


class ShadowSource:
    """The shadow catalog for one session."""

    def __init__(self, home: Home, info: SessionInfo) -> None:
        self._home = home
        self._info = info
        self._own: dict[str, str] = {}
        self._running: set[Lent] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self._cancels = 0
        home.sources += 1

    async def prepare(self, text: str, parameters: Sequence[int] = ()) -> "ShadowStatement":
        """A statement of PostgreSQL's own. Raises `ShadowError`."""
        return ShadowStatement(self, text, tuple(parameters), await self.describe(text, parameters))

    async def describe(self, text: str, parameters: Sequence[int] = ()) -> Described:
        """Parameters and columns of a statement, without running it. Raises `ShadowError`."""
        _check(text)
        found = await self._again(lambda: self._describe(text, tuple(parameters)))
        for one in found.notices:
            self._info.notice(one)
        return found

    async def setting(self, text: str) -> Answer:
        """Runs one SET, RESET or SHOW for this session. Raises `ShadowError`."""
        _check(text)
        if first_word(text) not in ("set", "reset", "show"):
            raise PgError("only SET, RESET and SHOW change settings", sqlstate="0A000")
        return await self._again(lambda: self._setting(text))

    async def parameters(self) -> Mapping[str, str]:
        """What PostgreSQL tells at the start of a connection."""

        async def look() -> Mapping[str, str]:
            lent, _ = await self._take("")
            found = dict(lent.backend.parameters)
            await self._give(lent)
            return found

        return await self._again(look)

    def cancel(self) -> None:
        """Stops what runs."""
        self._cancels += 1
        for lent in self._running:
            lent.cancelled = True
            task = asyncio.get_running_loop().create_task(lent.backend.cancel())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Ends what runs."""
        if not self._closed:
            self._closed = True
            self._home.sources -= 1
            for lent in list(self._running):
                await self._abort(lent)

    async def run(
        self, statement: "ShadowStatement", values: Sequence[Value], formats: Sequence[int]
    ) -> ShadowRows:
        """Runs a prepared statement. Raises `ShadowError`."""
        return await self._again(lambda: self._run(statement, values, formats))

    async def _again(self, work: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        """Does what changes nothing again where PostgreSQL had died, until a new one is there."""
        until = time.monotonic() + _PATIENCE
        pause, cancels = 0.0, self._cancels
        while True:
            try:
                return await work()
            except LostError as error:
                if time.monotonic() > until:
                    raise PgError(f"The catalog has ended: {error}", sqlstate="57P01") from error
                if self._cancels != cancels:
                    raise _cancelled() from error
                await asyncio.sleep(pause)
                pause = 0.05

    async def _describe(self, text: str, oids: tuple[int, ...]) -> Described:
        settings = wanted(self._info.settings, self._own)
        key = (text, oids, tuple(settings.items()))
        found = (await self._home.database(self._info)).described.get(key)
        if found is not None:
            return found
        lent, database = await self._take(text)
        failed: ShadowError | None = None
        parameters: tuple[int, ...] = ()
        columns: tuple[Field, ...] | None = None
        try:
            lent.parsed = None
            lent.backend.send(_parse(text, oids) + _DESCRIBE + SYNC)
            while (one := await lent.backend.next()).kind != "Z":
                if one.kind == "E":
                    failed = ShadowError(fields(one.body))
                elif one.kind == "t":
                    parameters = unpack_from(f"!{(len(one.body) - 2) // 4}I", one.body, 2)
                elif one.kind == "T":
                    columns = _columns(one.body)
        except BaseException:
            lent.cancelled = True
            await self._give(lent)
            raise
        if failed is None:
            lent.parsed = (text, oids)
            found = Described(parameters, columns, tuple(lent.backend.notices))
            lent.backend.notices.clear()
            if len(text) < _LONG:
                _keep(database.described, key, found)
        await self._give(lent)
        if failed is not None or found is None:
            raise _found(failed)
        return found

    async def _run(
        self, statement: "ShadowStatement", values: Sequence[Value], formats: Sequence[int]
    ) -> ShadowRows:
        text, oids = statement.text, statement.oids
        word = first_word(text)
        if word in ("set", "reset"):
            answer = await self._setting(text)
            return ShadowRows.nothing(answer.tag)
        lent, database = await self._take(text)
        if await self._touches(lent, database, text):
            await self._give(lent)
            raise PgError(
                "tables and the catalog cannot be read by one statement",
                sqlstate="0A000",
                hint="Ask for the rows of the one, then for those of the other.",
            )
        plain = word in _READS
        parts = [] if plain else [_BEGIN]
        if not plain or lent.parsed != (text, oids):
            parts.append(_parse(text, oids))
        lent.parsed = (text, oids) if plain else None
        parts += [_bind(values, formats), _EXECUTE, SYNC]
        lent.said = statement.notices
        rows = ShadowRows(lent, statement.fields or (), self._ended, begun=0 if plain else 1)
        try:
            lent.backend.send(b"".join(parts))
            await rows.begin()
        except BaseException:
            if lent in self._running:
                lent.cancelled = True
                await self._give(lent)
            raise
        return rows

    async def _touches(self, lent: Lent, database: Database, text: str) -> bool:
        key = (text, lent.applied.get("search_path") if lent.applied is not None else None)
        found = database.touching.get(key)
        if found is None:
            lent.parsed = None
            try:
                found = await touches(lent.backend, text, database.tables)
                lent.backend.notices.clear()  # of a question of ours
            except BaseException:
                lent.cancelled = True
                await self._give(lent)
                raise
            if len(text) < _LONG:
                _keep(database.touching, key, found)
        return found

    async def _setting(self, text: str) -> Answer:
        lent, _ = await self._take(text)
        backend = lent.backend
        lent.parsed = None
        failed: ShadowError | None = None
        tag, found = "", b""
        columns: tuple[Field, ...] = ()
        before = dict(backend.parameters)
        try:
            # The extended protocol takes one statement and no more.
            backend.send(_parse(text, ()) + _DESCRIBE + _PLAIN + _EXECUTE + SYNC)
            while (one := await backend.next()).kind != "Z":
                if one.kind == "E":
                    failed = ShadowError(fields(one.body))
                elif one.kind == "T":
                    columns = _columns(one.body)
                elif one.kind == "D":
                    found += one.body
                elif one.kind == "C":
                    tag = one.body[:-1].decode()
            values = {} if failed or tag == "SHOW" else await self._settings(lent)
        except BaseException:
            lent.cancelled = True
            await self._give(lent)
            raise
        if failed is not None:
            await self._give(lent)
            raise failed
        if tag != "SHOW":
            self._own = applied(values)
            lent.applied = None
        told = {name: value for name, value in backend.parameters.items() if before.get(name) != value}
        await self._give(lent)
        return Answer(tag, values, told, columns, found)

    async def _settings(self, lent: Lent) -> dict[str, str]:
        lent.backend.send(query(SESSION))
        found = b""
        while (one := await lent.backend.next()).kind != "Z":
            found += one.body if one.kind == "D" else b""
        return {name.lower(): value for name, value in texts(found) if name is not None and value is not None}

    async def _take(self, text: str) -> tuple[Lent, Database]:
        cancels = self._cancels
        lent, database = await self._home.take(
            self._info,
            self,
            wanted(self._info.settings, self._own),
            listed=_LISTS.search(text) is not None,
        )
        if self._cancels != cancels or self._closed:  # while it waited
            await self._home.give(lent)
            raise _cancelled()
        self._running.add(lent)
        return lent, database

    async def _give(self, lent: Lent) -> None:
        self._running.discard(lent)
        notices, lent.backend.notices = lent.backend.notices, []
        for one in notices:
            if one not in lent.said:
                self._info.notice(one)
        lent.said = ()
        await self._home.give(lent)

    async def _abort(self, lent: Lent) -> None:
        lent.cancelled = True
        await lent.backend.cancel()
        await self._give(lent)

    async def _ended(self, lent: Lent, *, whole: bool) -> None:
        """A statement has ended, or nobody wants the rest of it."""
        if lent not in self._running:
            return
        if not whole:
            await self._abort(lent)
            return
        try:
            if lent.backend.status != "I":
                lent.parsed = None
                lent.backend.send(query("ROLLBACK"))
                while (await lent.backend.next()).kind != "Z":
                    pass
            if _sets(lent.parsed):
                self._own = applied(await self._settings(lent))
                lent.applied = None
        except LostError:
            lent.cancelled = True
        await self._give(lent)


class ShadowStatement:
    """A statement that PostgreSQL has accepted."""

    def __init__(self, source: ShadowSource, text: str, oids: tuple[int, ...], described: Described) -> None:
        self._source = source
        self.text = text
        self.oids = oids
        self._described = described

    @property
    def parameters(self) -> tuple[int, ...]:
        """The types of its parameters."""
        return self._described.parameters

    @property
    def fields(self) -> tuple[Field, ...] | None:
        """Its columns."""
        return self._described.fields

    @property
    def notices(self) -> tuple[Mapping[str, str], ...]:
        """What the client was told of it when it was prepared."""
        return self._described.notices

    async def run(self, values: Sequence[Value], formats: Sequence[int]) -> ShadowRows:
        """Its rows. Raises `ShadowError`."""
        return await self._source.run(self, values, formats)


_SET_CONFIG = re.compile(r"set_config", re.IGNORECASE)


def _sets(parsed: object) -> bool:
    return isinstance(parsed, tuple) and _SET_CONFIG.search(parsed[0]) is not None


def _found(failed: ShadowError | None) -> PgError:
    return failed or PgError("PostgreSQL said nothing of this statement", sqlstate="XX000")


def _cancelled() -> PgError:
    return PgError("canceling statement due to user request", sqlstate="57014")


def _check(text: str) -> None:
    if "\0" in text:
        raise PgError('invalid byte sequence for encoding "UTF8": 0x00', sqlstate="22021")


def _keep(kept: dict[Hashable, _T], key: Hashable, found: _T) -> None:
    if len(kept) >= _KNOWN:
        kept.clear()
    kept[key] = found


def _parse(text: str, oids: Sequence[int]) -> bytes:
    return message(b"P", b"\0" + text.encode() + b"\0" + pack(f"!H{len(oids)}I", len(oids), *oids))


def _bind(values: Sequence[Value], formats: Sequence[int]) -> bytes:
    if not values and not formats:
        return _PLAIN
    parts = [b"\0\0", pack(f"!H{len(values)}H", len(values), *(one.format for one in values))]
    parts.append(pack("!H", len(values)))
    parts += [pack("!i", -1) if one.raw is None else pack("!i", len(one.raw)) + one.raw for one in values]
    parts.append(pack(f"!H{len(formats)}H", len(formats), *formats))
    return message(b"B", b"".join(parts))


def _columns(body: bytes) -> tuple[Field, ...]:
    found = []
    at = 2
    for _ in range(unpack_from("!H", body)[0]):
        end = body.index(0, at)
        table, number, oid, _, modifier, _ = unpack_from("!IhIhih", body, end + 1)
        found.append(Field(body[at:end].decode(), oid, modifier, table, number))
        at = end + 19
    return tuple(found)
