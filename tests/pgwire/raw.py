"""PostgreSQL's protocol by hand: messages of a client, and what came back, as words."""

import socket
import struct
from dataclasses import dataclass, field


def message(kind: str, body: bytes = b"") -> bytes:
    return kind.encode() + struct.pack("!i", len(body) + 4) + body


def text(value: str) -> bytes:
    return value.encode() + b"\0"


def query(sql: str) -> bytes:
    return message("Q", text(sql))


def parse(sql: str, name: str = "", types: tuple[int, ...] = ()) -> bytes:
    return message("P", text(name) + text(sql) + struct.pack(f"!h{len(types)}i", len(types), *types))


def bind(
    portal: str = "",
    statement: str = "",
    values: tuple[str | None, ...] = (),
    results: tuple[int, ...] = (),
    formats: tuple[int, ...] = (),
) -> bytes:
    body = text(portal) + text(statement) + struct.pack(f"!h{len(formats)}h", len(formats), *formats)
    body += struct.pack("!h", len(values))
    for value in values:
        raw = None if value is None else value.encode()
        body += struct.pack("!i", -1) if raw is None else struct.pack("!i", len(raw)) + raw
    return message("B", body + struct.pack(f"!h{len(results)}h", len(results), *results))


def describe(kind: str = "P", name: str = "") -> bytes:
    return message("D", kind.encode() + text(name))


def execute(portal: str = "", most: int = 0) -> bytes:
    return message("E", text(portal) + struct.pack("!i", most))


def close(kind: str, name: str = "") -> bytes:
    return message("C", kind.encode() + text(name))


SYNC = message("S")
FLUSH = message("H")
TERMINATE = message("X")


def startup(user: str = "ann", version: int = 196608, **parameters: str) -> bytes:
    body = struct.pack("!i", version)
    for name, value in {"user": user, **parameters}.items():
        body += text(name) + text(value)
    body += b"\0"
    return struct.pack("!i", len(body) + 4) + body


@dataclass
class Reply:
    """One message of the server."""

    kind: str
    body: bytes

    @property
    def fields(self) -> dict[str, str]:
        """Of an error or a notice."""
        parts = self.body.rstrip(b"\0").split(b"\0")
        return {part[:1].decode(): part[1:].decode() for part in parts}

    @property
    def values(self) -> list[bytes | None]:
        """Of a DataRow."""
        (count,) = struct.unpack_from("!h", self.body)
        at, found = 2, []
        for _ in range(count):
            (length,) = struct.unpack_from("!i", self.body, at)
            at += 4
            found.append(None if length < 0 else self.body[at : at + length])
            at += max(0, length)
        return found

    @property
    def word(self) -> str:
        """What matters of it."""
        match self.kind:
            case "C":
                return f"C {self.body[:-1].decode()}"
            case "Z":
                return f"Z {self.body.decode()}"
            case "E" | "N":
                return f"{self.kind} {self.fields['S']} {self.fields['C']}"
            case "T":
                return f"T {struct.unpack_from('!h', self.body)[0]}"
            case "t":
                return f"t {struct.unpack_from('!h', self.body)[0]}"
            case _:
                return self.kind


@dataclass
class Client:
    """A connection."""

    port: int
    sock: socket.socket = field(init=False)
    _buffer: bytes = b""

    def __post_init__(self) -> None:
        self.sock = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, *messages: bytes) -> None:
        self.sock.sendall(b"".join(messages))

    def read(self) -> Reply | None:
        """The next message; None at the end."""
        head = self._take(5)
        if len(head) < 5:
            return None
        (size,) = struct.unpack("!i", head[1:])
        return Reply(head[:1].decode(), self._take(size - 4))

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            try:
                more = self.sock.recv(65536)
            except ConnectionResetError:
                more = b""
            if not more:
                break
            self._buffer += more
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def until_ready(self, times: int = 1) -> list[Reply]:
        """All messages up to ReadyForQuery, or to the end."""
        found: list[Reply] = []
        while times and (reply := self.read()) is not None:
            found.append(reply)
            times -= reply.kind == "Z"
        return found

    def rest(self) -> list[Reply]:
        """All messages to the end."""
        found: list[Reply] = []
        while (reply := self.read()) is not None:
            found.append(reply)
        return found

    def log_in(self, user: str = "ann", database: str = "shop", **parameters: str) -> list[Reply]:
        self.send(startup(user, 196608, database=database, **parameters))
        return self.until_ready()


def words(replies: list[Reply]) -> list[str]:
    """What matters of some messages; rows in a row are one word, with their values."""
    found: list[str] = []
    rows: list[str] = []
    for reply in replies:
        if reply.kind == "D":
            rows.append(",".join("null" if value is None else repr(value)[2:-1] for value in reply.values))
            continue
        if rows:
            found.append(f"D {'; '.join(rows)}")
            rows = []
        if reply.kind == "d":
            found.append(f"d {reply.body.decode(errors='backslashreplace')}")
        else:
            found.append(reply.word)
    return [*found, f"D {'; '.join(rows)}"] if rows else found
