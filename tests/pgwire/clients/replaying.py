"""Sends captured statements to a server, and what of an answer is the same everywhere."""

import re
from pathlib import Path
from typing import Any

from tests.pgwire.clients.recording import Sent
from tests.pgwire.clients.sides import Side
from tests.pgwire.clients.wire import Reply, Wire

FOLDER = Path(__file__).parent / "captured"
_OID = re.compile(r"<oid of ([^>]+)>")
OID_TYPES = {26, 1028, 22, 30, 2205, 2206, 28}


def oids(side: Side) -> dict[str, int]:
    """The OID of each relation of `public` by its name."""
    with Wire(side) as wire:
        reply = wire.simple("SELECT relname, oid FROM pg_class WHERE relnamespace = 'public'::regnamespace")
    assert reply.error is None, reply.error
    return {str(name): int(str(oid)) for name, oid in reply.results[0].rows}


def replayed(wire: Wire, one: Sent, known: dict[str, int]) -> Reply:
    """Sends one statement as it was captured."""

    def number(match: re.Match[str]) -> str:
        return str(known.get(match[1], 0))

    text = _OID.sub(number, one["sql"])
    if "values" not in one:
        return wire.simple(text)
    values = [_OID.sub(number, value) if isinstance(value, str) else value for value in one["values"]]
    return wire.extended(text, one["types"], values)


def columns(reply: Reply) -> list[list[tuple[str, int]]]:
    """The columns of each result."""
    return [result.fields for result in reply.results]


def comparable(reply: Reply, known: dict[str, int]) -> Any:
    """The rows without OIDs and owners, which differ from server to server; sorted, as most say no order."""
    if reply.error is not None:
        return reply.error["C"]
    names = {str(oid): name for name, oid in known.items()}
    return [
        (
            result.fields,
            sorted((_plain(row, result.fields, names) for row in result.rows), key=repr),
            result.tag,
        )
        for result in reply.results
    ]


def _plain(row: list[str | None], fields: list[tuple[str, int]], names: dict[str, str]) -> list[str | None]:
    found: list[str | None] = []
    for value, (name, oid) in zip(row, fields, strict=True):
        if value is None or name.upper() in {"CARDINALITY", "PAGES"}:
            found.append(None)
        elif re.fullmatch(r"\d+ (bytes|kB|MB)", value):
            found.append("<size>")
        elif value in names:
            found.append(f"<{names[value]}>")
        elif oid in OID_TYPES and re.fullmatch(r"\d{5,}", value):
            found.append("<oid>")
        elif value in {"ingot", "postgres", "pg_database_owner"}:
            found.append("<owner>")
        else:
            found.append(re.sub(r"\b(ingot|pg_database_owner|postgres)=", "<owner>=", value))
    return found
