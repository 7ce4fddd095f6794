"""Asks PostgreSQL for the bytes of values, and writes rows as a simple loop would."""

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
import pyarrow as pa
from psycopg.pq import Format

from ingot.pgwire.ports import Field
from ingot.pgwire.types import arrow_type
from ingot.pgwire.values.encoder import Encoder

Bytes = list[bytes | None]


class Judge:
    """PostgreSQL's own encoding."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def set(self, **settings: str) -> None:
        """Settings that values depend on."""
        for name, value in settings.items():
            self._connection.execute("SELECT set_config(%s, %s, false)", (name, value))

    def values(self, expression: str, texts: Sequence[str | None], format_: int) -> Bytes:
        """What PostgreSQL sends for `expression` of each text `v`."""
        result = self._connection.pgconn.exec_params(
            f"SELECT {expression} FROM unnest($1::text[]) WITH ORDINALITY AS given(v, n) ORDER BY n".encode(),
            [_array(texts).encode()],
            result_format=Format(format_),
        )
        if result.error_message:
            raise AssertionError(result.error_message.decode())
        return [result.get_value(row, 0) for row in range(result.ntuples)]

    def error(self, expression: str, text: str) -> tuple[str, str] | None:
        """Code and message for `expression` of `$1`, an untyped parameter; None where it is taken."""
        result = self._connection.pgconn.exec_params(f"SELECT {expression}".encode(), [text.encode()])
        if result.status == psycopg.pq.ExecStatus.TUPLES_OK:
            return None
        said = [
            result.error_field(field)
            for field in (psycopg.pq.DiagnosticField.SQLSTATE, psycopg.pq.DiagnosticField.MESSAGE_PRIMARY)
        ]
        return said[0].decode(), said[1].decode()  # type: ignore[union-attr]

    def value(self, expression: str, text: str, format_: int = 0) -> bytes | None:
        """What PostgreSQL sends for `expression` of `$1`."""
        result = self._connection.pgconn.exec_params(
            f"SELECT {expression}".encode(), [text.encode()], result_format=Format(format_)
        )
        if result.error_message:
            raise AssertionError(result.error_message.decode())
        return result.get_value(0, 0)


def _array(texts: Sequence[str | None]) -> str:
    def quoted(text: str | None) -> str:
        return "NULL" if text is None else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    return "{" + ",".join(map(quoted, texts)) + "}"


def rows(*columns: Bytes) -> bytes:
    """DataRow messages, written one by one."""
    made = bytearray()
    for values in zip(*columns, strict=True):
        body = struct.pack(">h", len(values))
        for value in values:
            body += struct.pack(">i", -1) if value is None else struct.pack(">i", len(value)) + value
        made += b"D" + struct.pack(">i", len(body) + 4) + body
    return bytes(made)


def cells(wire: bytes) -> list[Bytes]:
    """The values of DataRow messages, read one by one."""
    made: list[Bytes] = []
    at = 0
    while at < len(wire):
        assert wire[at : at + 1] == b"D"
        (length, count) = struct.unpack_from(">ih", wire, at + 1)
        end, at = at + 1 + length, at + 7
        row: Bytes = []
        for _ in range(count):
            (size,) = struct.unpack_from(">i", wire, at)
            at += 4
            row.append(None if size < 0 else wire[at : at + size])
            at += max(size, 0)
        assert at == end
        made.append(row)
    return made


def encoded(
    array: pa.Array,
    format_: int = 0,
    *,
    oid: int | None = None,
    modifier: int = -1,
    settings: Mapping[str, str] | None = None,
) -> Bytes:
    """What our encoder makes of one column."""
    if oid is None:
        oid, modifier = arrow_type(array.type)
    batch = pa.record_batch([array], names=["c"])
    encoder = Encoder([Field("c", oid, modifier)], batch.schema, (format_,), settings)
    return [row[0] for row in cells(encoder.encode(batch))]
