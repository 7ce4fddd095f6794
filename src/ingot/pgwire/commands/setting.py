"""SET, SHOW, RESET, and the call of set_config."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingot.pgwire import messages
from ingot.pgwire.commands.command import TEXT_OID, Command, Plain, Words
from ingot.pgwire.commands.scanning import Kind
from ingot.pgwire.commands.transactions import NO_TRANSACTION, Modes, modes
from ingot.pgwire.errors import PgError
from ingot.pgwire.portals import Answer, FixedRows, Portal
from ingot.pgwire.ports import Field
from ingot.pgwire.setting_values import REPORTED
from ingot.pgwire.settings import ALIASES

if TYPE_CHECKING:
    from ingot.pgwire.session import Session

LISTS = ("search_path", "datestyle")
"""Settings whose values are lists of names."""


@dataclass
class Set(Plain):
    """SET, and RESET of one name."""

    name: str
    value: str | None
    """None for the default."""
    local: bool
    tag: str = "SET"

    async def run(self, session: "Session", _portal: Portal) -> Answer:
        if self.local and not session.transaction.is_block:
            said = "SET LOCAL can only be used in transaction blocks"
            session.notice("WARNING", NO_TRANSACTION, said)
            await session.check_setting(self.name, self.value)
        else:
            await session.set(self.name, self.value, local=self.local)
        return Answer(self.tag)


@dataclass
class ResetAll(Plain):
    """RESET ALL."""

    tag: str = "RESET"

    async def run(self, session: "Session", _portal: Portal) -> Answer:
        session.settings.reset()
        return Answer(self.tag)


@dataclass
class Show(Plain):
    """SHOW of one setting."""

    name: str
    tag: str = "SHOW"

    def fields(self, _session: "Session") -> tuple[Field, ...]:
        return (Field(REPORTED.get(self.name, self.name), TEXT_OID),)

    async def run(self, session: "Session", _portal: Portal) -> Answer:
        rows = FixedRows(self.fields(session), [messages.data_row([session.settings.show(self.name)])])
        return Answer(self.tag, rows)


@dataclass
class SetConfig(Plain):
    """SELECT set_config(name, value, is_local), as tools send it."""

    name: str
    value: str | None
    local: bool
    tag: str = "SELECT"

    def fields(self, _session: "Session") -> tuple[Field, ...]:
        return (Field("set_config", TEXT_OID),)

    async def run(self, session: "Session", _portal: Portal) -> Answer:
        await session.set(self.name, self.value, local=self.local)
        rows = FixedRows(self.fields(session), [messages.data_row([session.settings.show(self.name)])])
        return Answer(self.tag, rows, counted=True)


def set_(words: Words) -> Command:  # noqa: PLR0911 - one form a return
    """SET, behind its first word."""
    scope = words.word("session", "local")
    if scope == "session" and (following := words.next) is not None:
        if words.word("characteristics"):
            words.expect("as")
            words.expect("transaction")
            return Modes(modes(words), lasting=True)
        if following.value == "authorization":
            words.name()
            return _set("session_authorization", words, local=False, bare=True)
    if words.word("transaction"):
        if words.word("snapshot"):
            raise PgError("snapshots of transactions are not offered", sqlstate="0A000")
        return Modes(modes(words), lasting=False)
    local = scope == "local"
    if words.word("constraints"):
        return Constraints()
    if words.word("time"):
        words.expect("zone")
        if words.word("interval"):
            value = words.take(Kind.STRING).value
            if words.word("hour"):
                words.expect("to")
                words.expect("minute")
            words.end()
            return Set("timezone", value, local)
        return _set("timezone", words, local=local, bare=True)
    if words.word("names"):
        if words.next is None:
            return Set("client_encoding", None, local)
        return _set("client_encoding", words, local=local, bare=True)
    if (following := words.next) is not None and following.value == "role" and not _is_assigned(words):
        words.name()
        return _set("role", words, local=local, bare=True)
    return _set(_name(words), words, local=local)


@dataclass
class Constraints(Plain):
    """SET CONSTRAINTS: there are none that wait."""

    tag: str = "SET CONSTRAINTS"

    async def run(self, session: "Session", _portal: Portal) -> Answer:
        if not session.transaction.is_block:
            said = "SET CONSTRAINTS can only be used in transaction blocks"
            session.notice("WARNING", NO_TRANSACTION, said)
        return Answer(self.tag)


def show(words: Words) -> Show | None:
    """SHOW, behind its first word; None where it shows something that is no single setting."""
    first, second = words.next, words.ahead(1)
    if first is None:
        raise words.wrong()
    if first.value == "all" and second is None:
        return None
    if second is not None and second.value in ("zone", "authorization", "isolation"):
        two = f"{first.value} {second.value}"
        if two in ALIASES:
            words.name()
            words.name()
            words.end()
            return Show(ALIASES[two])
        if first.value == "transaction":
            words.name()
            words.name()
            words.expect("level")
            words.end()
            return Show("transaction_isolation")
    name = _name(words)
    return Show(ALIASES.get(name, name)) if words.next is None else None


def reset(words: Words) -> Command:
    """RESET, behind its first word."""
    if words.word("all"):
        words.end()
        return ResetAll()
    if words.word("session"):
        words.expect("authorization")
        name = "session_authorization"
    elif words.word("time"):
        words.expect("zone")
        name = "timezone"
    else:
        name = _name(words)
    words.end()
    return Set(name, None, local=False, tag="RESET")


def set_config(words: Words) -> SetConfig | None:
    """`SELECT set_config('name', 'value', false)`, behind SELECT; None where the query is another one."""
    if words.word("pg_catalog") and not words.symbol("."):
        return None
    if not (words.word("set_config") and words.symbol("(")):
        return None
    name, value, local = words.next, words.ahead(2), words.ahead(4)
    close = words.ahead(5)
    commas = [words.ahead(1), words.ahead(3)]
    if (
        name is None
        or name.kind is not Kind.STRING
        or value is None
        or value.kind is not Kind.STRING
        or local is None
        or local.value not in ("true", "false", "t", "f")
        or close is None
        or close.value != ")"
        or words.ahead(6) is not None
        or any(comma is None or comma.value != "," for comma in commas)
    ):
        return None
    return SetConfig(name.value.lower(), value.value, local.value.startswith("t"))


def _is_assigned(words: Words) -> bool:
    following = words.ahead(1)
    return following is not None and following.value in ("=", "to")


def _name(words: Words) -> str:
    parts = [words.name()]
    while words.symbol("."):
        parts.append(words.name())
    return ".".join(parts).lower()


def _set(name: str, words: Words, *, local: bool, bare: bool = False) -> Set:
    if not bare and not words.symbol("="):
        words.expect("to")
    if words.word("default"):
        words.end()
        return Set(name, None, local)
    values: list[str] = []
    while True:
        sign = "-" if words.symbol("-") else ""
        words.symbol("+")
        token = words.take(Kind.WORD, Kind.NAME, Kind.STRING, Kind.NUMBER)
        value = token.value
        if name == "search_path" and not (token.kind is Kind.WORD or value.replace("_", "a").isalnum()):
            value = '"' + value.replace('"', '""') + '"'
        values.append(sign + value)
        if not words.symbol(","):
            break
    words.end()
    if len(values) > 1 and name not in LISTS and "." not in name:
        raise PgError(f"SET {name} takes only one argument", sqlstate="22023")
    if len(values) == 1 and bare and values[0].lower() == "local" and name == "timezone":
        return Set(name, None, local)
    return Set(name, ", ".join(values), local)
