"""Messages of PostgreSQL's protocol (3.0 to 3.2): bytes from and to values. No input or output.

What a client sends is read by the `read_*` functions; whatever does not fit raises `08P01`. What the server
sends is made by the other functions, each message whole.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from struct import Struct, pack, unpack_from
from struct import error as StructError  # noqa: N812 - it is an exception

from ingot.pgwire.errors import PgError
from ingot.pgwire.ports import Field, Value

LATEST = (3 << 16) | 2
"""The newest protocol that is spoken."""
SSL, GSS, CANCEL = 80877103, 80877104, 80877102
"""Codes that stand where the version of a start-up message would."""

Bytes = bytes | bytearray

PARSE_COMPLETE = b"1\0\0\0\4"
BIND_COMPLETE = b"2\0\0\0\4"
CLOSE_COMPLETE = b"3\0\0\0\4"
NO_DATA = b"n\0\0\0\4"
EMPTY_QUERY = b"I\0\0\0\4"
PORTAL_SUSPENDED = b"s\0\0\0\4"
COPY_DONE = b"c\0\0\0\4"
AUTHENTICATED = b"R\0\0\0\x08\0\0\0\0"

_ROW = Struct("!IhIhih")
_LENGTH = Struct("!i")


def broken(message: str) -> PgError:
    """The error for a message that is not what the protocol says."""
    return PgError(message, sqlstate="08P01")


# --- what a client sends -------------------------------------------------------------------------------


def read_text(body: Bytes, at: int = 0) -> tuple[str, int]:
    """The zero-ended text at `at`, and where it ends. Raises `PgError` for bytes that are not UTF-8."""
    end = body.find(0, at)
    if end < 0:
        raise broken("invalid string in message")
    try:
        return body[at:end].decode(), end + 1
    except UnicodeDecodeError as error:
        found = " ".join(f"0x{byte:02x}" for byte in body[at:end][error.start : error.end])
        raise PgError(f'invalid byte sequence for encoding "UTF8": {found}', sqlstate="22021") from None


def read_last_text(body: Bytes) -> str:
    """The text of a message that holds nothing else."""
    text, end = read_text(body)
    if end != len(body):
        raise broken("invalid message format")
    return text


def read_parameters(body: Bytes) -> dict[str, str]:
    """The names and values of a start-up message."""
    found: dict[str, str] = {}
    at = 0
    while at < len(body) and body[at]:
        name, at = read_text(body, at)
        found[name], at = read_text(body, at)
    if at != len(body) - 1:
        raise broken("invalid startup packet layout: expected terminator as last byte")
    return found


@dataclass(frozen=True, slots=True)
class Parse:
    """A statement to prepare."""

    name: str
    text: str
    parameters: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Bind:
    """Values for a prepared statement."""

    portal: str
    statement: str
    values: tuple[Value, ...]
    formats: tuple[int, ...]


def read_parse(body: Bytes) -> Parse:
    """A Parse message."""
    name, at = read_text(body)
    text, at = read_text(body, at)
    parameters, at = _numbers(body, at, "I")
    _ended(body, at)
    return Parse(name, text, parameters)


def read_bind(body: Bytes) -> Bind:
    """A Bind message."""
    portal, at = read_text(body)
    statement, at = read_text(body, at)
    given, at = _numbers(body, at, "h")
    _formats(given)
    try:
        (count,) = unpack_from("!H", body, at)
        at += 2
        if len(given) > 1 and len(given) != count:
            raise broken(f"bind message has {len(given)} parameter formats but {count} parameters")
        raw: list[bytes | None] = []
        for _ in range(count):
            (length,) = _LENGTH.unpack_from(body, at)
            at += 4
            if length < 0:
                raw.append(None)
                continue
            if at + length > len(body):
                raise broken("insufficient data left in message")
            raw.append(bytes(body[at : at + length]))
            at += length
    except StructError:
        raise broken("insufficient data left in message") from None
    formats, at = _numbers(body, at, "h")
    _ended(body, at)
    if len(given) <= 1:
        given = (given or (0,)) * count
    values = tuple(Value(each, form) for each, form in zip(raw, given, strict=True))
    return Bind(portal, statement, values, formats)


def read_execute(body: Bytes) -> tuple[str, int]:
    """The portal and the most rows of an Execute message; 0 for all."""
    portal, at = read_text(body)
    if at + 4 != len(body):
        raise broken("invalid message format")
    (most,) = _LENGTH.unpack_from(body, at)
    return portal, max(0, most)


def read_target(body: Bytes, what: str) -> tuple[bool, str]:
    """Of a Describe or Close message: whether it is about a portal, and the name."""
    if not body or body[0] not in b"SP":
        raise broken(f"invalid {what} message subtype {body[0] if body else 0}")
    name, at = read_text(body, 1)
    _ended(body, at)
    return body[0] == 80, name


def _numbers(body: Bytes, at: int, kind: str) -> tuple[tuple[int, ...], int]:
    try:
        (count,) = unpack_from("!H", body, at)
        form = f"!{count}{kind}"
        return unpack_from(form, body, at + 2), at + 2 + count * (4 if kind == "I" else 2)
    except StructError:
        raise broken("insufficient data left in message") from None


def _formats(given: Sequence[int]) -> None:
    for each in given:
        if each not in (0, 1):
            raise PgError(f"unsupported format code: {each}", sqlstate="22023")


def _ended(body: Bytes, at: int) -> None:
    if at != len(body):
        raise broken("invalid message format")


# --- what the server sends -----------------------------------------------------------------------------


def message(kind: bytes, body: bytes) -> bytes:
    """A whole message."""
    return kind + _LENGTH.pack(len(body) + 4) + body


def authentication(code: int, body: bytes = b"") -> bytes:
    """A request of the login, as SASL's 10, 11 and 12."""
    return message(b"R", _LENGTH.pack(code) + body)


def negotiate(unknown: Sequence[str]) -> bytes:
    """Says that a newer protocol or unknown `_pq_.` options were asked for."""
    names = b"".join(name.encode() + b"\0" for name in unknown)
    return message(b"v", pack("!ii", LATEST, len(unknown)) + names)


def parameter_status(name: str, value: str) -> bytes:
    """Tells the value of a setting."""
    return message(b"S", name.encode() + b"\0" + value.encode() + b"\0")


def backend_key(process: int, key: bytes) -> bytes:
    """What a client needs for cancelling."""
    return message(b"K", _LENGTH.pack(process) + key)


def ready(status: bytes) -> bytes:
    """The server waits for the next statement; `status` is I, T or E."""
    return b"Z\0\0\0\5" + status


def complete(tag: str) -> bytes:
    """A statement has ended."""
    return message(b"C", tag.encode() + b"\0")


def row_description(fields: Sequence[Field], formats: Sequence[int] = ()) -> bytes:
    """The columns of the rows to come."""
    parts = [pack("!H", len(fields))]
    for number, field in enumerate(fields):
        form = 0 if not formats else formats[0] if len(formats) == 1 else formats[number]
        parts.append(field.name.encode() + b"\0")
        size = SIZES.get(field.oid, -1)
        parts.append(_ROW.pack(field.table, field.number, field.oid, size, field.modifier, form))
    return message(b"T", b"".join(parts))


def parameter_description(types: Sequence[int]) -> bytes:
    """The types of a statement's parameters."""
    return message(b"t", pack(f"!H{len(types)}I", len(types), *types))


def data_row(values: Iterable[str | None]) -> bytes:
    """One row of texts."""
    parts = []
    for value in values:
        raw = None if value is None else value.encode()
        parts.append(_LENGTH.pack(-1) if raw is None else _LENGTH.pack(len(raw)) + raw)
    return message(b"D", pack("!H", len(parts)) + b"".join(parts))


def binary_row(number: int, size: int) -> bytes:
    """One row of one whole number of so many bytes, in binary format."""
    return message(b"D", pack("!Hi", 1, size) + number.to_bytes(size))


def copy_out(form: int, columns: int) -> bytes:
    """Rows follow as COPY gives them."""
    return message(b"H", pack(f"!bH{columns}h", form, columns, *([form] * columns)))


def copy_data(data: bytes) -> bytes:
    """A piece of what COPY gives."""
    return message(b"d", data)


def problem(kind: bytes, parts: Mapping[str, str]) -> bytes:
    """An ErrorResponse (`E`) or NoticeResponse (`N`) of these fields."""
    body = b"".join(
        name.encode() + value.encode(errors="replace").replace(b"\0", b"") + b"\0"
        for name, value in parts.items()
    )
    return message(kind, body + b"\0")


SIZES = {
    16: 1, 18: 1, 19: 64, 20: 8, 21: 2, 23: 4, 26: 4, 700: 4, 701: 8, 1082: 4, 1083: 8, 1114: 8, 1184: 8,
    1186: 16, 1266: 12, 2950: 16, 24: 4, 27: 6, 28: 4, 29: 4, 790: 8, 829: 6, 2205: 4, 2206: 4,
}  # fmt: skip
"""Bytes of the types of fixed size, by OID; everything else has none."""


def read_row(data: bytes) -> list[bytes | None]:
    """The values of the first DataRow in a buffer."""
    (count,) = unpack_from("!H", data, 5)
    at = 7
    found: list[bytes | None] = []
    for _ in range(count):
        (length,) = _LENGTH.unpack_from(data, at)
        at += 4
        found.append(None if length < 0 else data[at : at + length])
        at += max(0, length)
    return found
