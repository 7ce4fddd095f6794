"""The smallest client of PostgreSQL's protocol: it sends a statement exactly as captured and keeps what came back."""

import socket
import struct
from dataclasses import dataclass, field
from typing import Any

from tests.pgwire.clients.sides import Side


@dataclass
class Result:
    """What one statement gave. `fields`: names with the OIDs of their types."""

    fields: list[tuple[str, int]] = field(default_factory=list)
    rows: list[list[str | None]] = field(default_factory=list)
    tag: str = ""


@dataclass
class Reply:
    """All results of one message, and its error if there was one."""

    results: list[Result] = field(default_factory=list)
    parameters: list[int] = field(default_factory=list)
    error: dict[str, str] | None = None


class Wire:
    """A connection; text format only."""

    def __init__(self, side: Side, **options: str) -> None:
        self._socket = socket.create_connection((side.host, side.port), timeout=30)
        self.status: dict[str, str] = {}
        given = {"user": side.user, "database": side.database, **options}
        body = b"".join(_zero(part) for pair in given.items() for part in pair) + b"\0"
        self._socket.sendall(struct.pack("!ii", len(body) + 8, 196608) + body)
        reply = self._reply()
        if reply.error:
            raise RuntimeError(f"{side.name}: {reply.error}")

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def simple(self, text: str) -> Reply:
        """A Query message."""
        self._socket.sendall(_message(b"Q", _zero(text)))
        return self._reply()

    def extended(self, text: str, types: list[int], values: list[Any]) -> Reply:
        """Parse, Describe the statement, Bind, Describe the portal, Execute, Sync."""
        parse = _zero("") + _zero(text) + struct.pack(f"!h{len(types)}I", len(types), *types)
        bound = struct.pack("!h", len(values))
        for value in values:
            raw = (
                None
                if value is None
                else bytes.fromhex(value["hex"])
                if isinstance(value, dict)
                else value.encode()
            )
            bound += struct.pack("!i", -1) if raw is None else struct.pack("!i", len(raw)) + raw
        formats = [1 if isinstance(value, dict) else 0 for value in values]
        bind = _zero("") + _zero("") + struct.pack(f"!h{len(formats)}h", len(formats), *formats) + bound
        self._socket.sendall(
            _message(b"P", parse)
            + _message(b"D", b"S\0")
            + _message(b"B", bind + struct.pack("!h", 0))
            + _message(b"E", b"\0" + struct.pack("!i", 0))
            + _message(b"S", b"")
        )
        return self._reply()

    def _reply(self) -> Reply:
        reply = Reply()
        result = Result()
        while True:
            kind, body = self._read()
            if kind == b"T":
                result = Result(_fields(body))
            elif kind == b"D":
                result.rows.append(_row(body))
            elif kind in {b"C", b"I", b"s"}:
                result.tag = body.rstrip(b"\0").decode()
                reply.results.append(result)
                result = Result()
            elif kind == b"t":
                count = struct.unpack_from("!h", body)[0]
                reply.parameters = list(struct.unpack_from(f"!{count}I", body, 2))
            elif kind == b"S":
                name, value = body[:-1].split(b"\0")
                self.status[name.decode()] = value.decode()
            elif kind == b"E":
                reply.error = {part[:1].decode(): part[1:].decode() for part in body.split(b"\0") if part}
                if reply.error.get("S") == "FATAL":
                    return reply
            elif kind == b"Z":
                return reply

    def _read(self) -> tuple[bytes, bytes]:
        head = self._exactly(5)
        return head[:1], self._exactly(struct.unpack("!i", head[1:])[0] - 4)

    def _exactly(self, count: int) -> bytes:
        found = bytearray()
        while len(found) < count:
            more = self._socket.recv(count - len(found))
            if not more:
                raise ConnectionError("The server closed the connection.")
            found += more
        return bytes(found)


def _zero(text: str) -> bytes:
    return text.encode() + b"\0"


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def _fields(body: bytes) -> list[tuple[str, int]]:
    found = []
    place = 2
    for _ in range(struct.unpack_from("!h", body)[0]):
        end = body.index(b"\0", place)
        oid = struct.unpack_from("!I", body, end + 7)[0]
        found.append((body[place:end].decode(), oid))
        place = end + 19
    return found


def _row(body: bytes) -> list[str | None]:
    found: list[str | None] = []
    place = 2
    for _ in range(struct.unpack_from("!h", body)[0]):
        length = struct.unpack_from("!i", body, place)[0]
        place += 4
        if length < 0:
            found.append(None)
            continue
        found.append(body[place : place + length].decode(errors="surrogateescape"))
        place += length
    return found
