"""PREPARE, EXECUTE and DEALLOCATE: prepared statements by SQL, which share their names with the protocol's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingot.pgwire.commands.command import Plain, Words
from ingot.pgwire.commands.scanning import Kind, tokens
from ingot.pgwire.commands.transactions import TwoPhase
from ingot.pgwire.errors import PgError
from ingot.pgwire.portals import Answer, Portal, Prepared
from ingot.pgwire.ports import Field

if TYPE_CHECKING:
    from ingot.pgwire.session import Session

OIDS = {
    "bool": 16, "boolean": 16, "bytea": 17, "int8": 20, "bigint": 20, "int2": 21, "smallint": 21, "int4": 23,
    "int": 23, "integer": 23, "text": 25, "oid": 26, "json": 114, "float4": 700, "real": 700, "float8": 701,
    "double precision": 701, "bpchar": 1042, "character": 1042, "char": 1042, "varchar": 1043,
    "character varying": 1043, "date": 1082, "time": 1083, "time without time zone": 1083, "timestamp": 1114,
    "timestamp without time zone": 1114, "timestamptz": 1184, "timestamp with time zone": 1184, "interval": 1186,
    "numeric": 1700, "decimal": 1700, "uuid": 2950, "jsonb": 3802, "unknown": 0,
}  # fmt: skip
"""Types that PREPARE may name."""


@dataclass
class Prepare(Plain):
    """PREPARE name (types) AS a query."""

    name: str
    types: tuple[int, ...]
    statement: tuple[str, int]
    tag: str = "PREPARE"

    async def run(self, session: "Session", portal: Portal) -> Answer:
        if self.name in session.prepared:
            raise PgError(f'prepared statement "{self.name}" already exists', sqlstate="42P05")
        text, offset = self.statement
        prepared = Prepared(text, portal.prepared.offset + offset, "SELECT", given=self.types, by_sql=True)
        await session.located(prepared)
        session.keep(self.name, prepared)
        return Answer(self.tag)


@dataclass
class Execute(Plain):
    """EXECUTE name (values)."""

    name: str
    arguments: list[str]
    tag: str = "SELECT"

    def fields(self, session: "Session") -> tuple[Field, ...] | None:
        prepared = session.prepared.get(self.name)
        if prepared is None or prepared.statement is None:
            return None
        return prepared.statement.fields

    async def run(self, session: "Session", portal: Portal) -> Answer:
        prepared = session.find_prepared(self.name)
        if prepared.command is not None:
            raise PgError(f'prepared statement "{self.name}" is not a query', sqlstate="42601")
        statement = await session.ready(prepared)
        wanted = len(statement.parameters)
        if len(self.arguments) != wanted:
            raise PgError(
                f'wrong number of parameters for prepared statement "{self.name}"',
                sqlstate="42601",
                detail=f"Expected {wanted} parameters but got {len(self.arguments)}.",
            )
        values = await session.evaluated(self.arguments) if wanted else ()
        rows = await statement.run(values, portal.formats)
        return Answer(prepared.tag, rows, counted=statement.fields is not None)


@dataclass
class Deallocate(Plain):
    """DEALLOCATE of one prepared statement, or of all."""

    name: str | None
    tag: str = "DEALLOCATE"

    async def run(self, session: "Session", _portal: Portal) -> Answer:
        if self.name is None:
            session.prepared.clear()
            return Answer("DEALLOCATE ALL")
        session.find_prepared(self.name)
        del session.prepared[self.name]
        return Answer(self.tag)


def prepare(words: Words) -> Prepare | TwoPhase:
    """PREPARE, behind its first word."""
    if (first := words.next) is not None and first.value == "transaction" and _is_string(words):
        return TwoPhase()
    name = words.name()
    types: list[int] = []
    if words.symbol("("):
        while True:
            types.append(_type(words))
            if words.symbol(")"):
                break
            words.expect_symbol(",")
    words.expect("as")
    return Prepare(name, tuple(types), words.rest())


def _is_string(words: Words) -> bool:
    following = words.ahead(1)
    return following is not None and following.kind is Kind.STRING


def _type(words: Words) -> int:
    parts = [words.name()]
    while True:
        following = words.next
        if following is not None and following.kind is Kind.WORD:
            parts.append(words.name())
        elif words.symbol("("):
            while not words.symbol(")"):
                words.take(Kind.NUMBER, Kind.SYMBOL)
        elif words.symbol("."):
            parts = [words.name()]
        else:
            return OIDS.get(" ".join(parts), 0)


def execute(words: Words) -> Execute:
    """EXECUTE, behind its first word."""
    name = words.name()
    arguments: list[str] = []
    if words.symbol("(") and not words.symbol(")"):
        depth, start = 0, words.next
        while True:
            token = words.next
            if token is None or start is None:
                raise words.wrong()
            if depth == 0 and token.kind is Kind.SYMBOL and token.value in ",)":
                if token is start:
                    raise words.wrong()
                arguments.append(words.text[start.start : token.start].strip())
                words.take(Kind.SYMBOL)
                if token.value == ")":
                    break
                start = words.next
                continue
            if token.kind is Kind.SYMBOL:
                depth += (token.value in "([") - (token.value in ")]")
            words.take(*Kind)
    words.end()
    return Execute(name, arguments)


def deallocate(words: Words) -> Deallocate:
    """DEALLOCATE, behind its first word."""
    words.word("prepare")
    name = None if words.word("all") else words.name()
    words.end()
    return Deallocate(name)


def literals(expressions: Sequence[str]) -> list[bytes | None] | None:
    """The values of expressions that are all plain literals; None where one is more than that."""
    values: list[bytes | None] = []
    for expression in expressions:
        found = tokens(expression)
        sign = ""
        if len(found) == 2 and found[0].value == "-" and found[1].kind is Kind.NUMBER:
            sign, found = "-", found[1:]
        if len(found) != 1:
            return None
        token = found[0]
        if token.kind in (Kind.STRING, Kind.NUMBER):
            values.append((sign + token.value).encode())
        elif token.kind is Kind.WORD and token.value in ("true", "false"):
            values.append(token.value.encode())
        elif token.kind is Kind.WORD and token.value == "null":
            values.append(None)
        else:
            return None
    return values
