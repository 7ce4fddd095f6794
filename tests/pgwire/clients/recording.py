"""A proxy before a PostgreSQL that notes each statement which a client sends, with its parameters."""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Sent = dict[str, Any]
"""`sql`, and for the extended protocol `types` (OIDs) and `values` (text, `{"hex": …}` where binary, None)."""
_SSL, _GSS, _CANCEL = 80877103, 80877104, 80877102


@contextmanager
def recording(host: str, port: int, sent: list[Sent]) -> Iterator[int]:
    """The port of a proxy; what goes through it is appended to `sent`."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def accept() -> None:
        while not ended.is_set():
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=_relay, args=(client, host, port, sent), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        ended.set()
        listener.close()


def _relay(client: socket.socket, host: str, port: int, sent: list[Sent]) -> None:
    server = socket.create_connection((host, port))
    threading.Thread(target=_answers, args=(server, client), daemon=True).start()
    with contextlib.suppress(OSError, ConnectionError), client, server:
        while True:
            head = _exactly(client, 8)
            length, code = struct.unpack("!ii", head)
            if code in {_SSL, _GSS}:
                client.sendall(b"N")
                continue
            server.sendall(head + _exactly(client, length - 8))
            if code == _CANCEL:
                return
            break
        statements: dict[bytes, tuple[str, list[int]]] = {}
        while True:
            head = _exactly(client, 5)
            body = _exactly(client, struct.unpack("!i", head[1:])[0] - 4)
            _note(head[:1], body, statements, sent)
            server.sendall(head + body)


def _answers(server: socket.socket, client: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := server.recv(65536):
            client.sendall(data)
    with contextlib.suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)


def _note(kind: bytes, body: bytes, statements: dict[bytes, tuple[str, list[int]]], sent: list[Sent]) -> None:
    if kind == b"Q":
        sent.append({"sql": body.rstrip(b"\0").decode()})
    elif kind == b"P":
        name, text, rest = body.split(b"\0", 2)
        count = struct.unpack_from("!h", rest)[0]
        statements[name] = (text.decode(), list(struct.unpack_from(f"!{count}I", rest, 2)))
    elif kind == b"B":
        _, name, rest = body.split(b"\0", 2)
        text_, types = statements.get(name, ("", []))
        sent.append({"sql": text_, "types": types, "values": _values(rest)})


def _values(rest: bytes) -> list[Any]:
    count = struct.unpack_from("!h", rest)[0]
    formats = struct.unpack_from(f"!{count}h", rest, 2)
    place = 2 + 2 * count
    number = struct.unpack_from("!h", rest, place)[0]
    place += 2
    found: list[Any] = []
    for index in range(number):
        length = struct.unpack_from("!i", rest, place)[0]
        place += 4
        raw = None if length < 0 else rest[place : place + length]
        place += max(length, 0)
        binary = bool(formats) and formats[index if len(formats) > 1 else 0] == 1
        found.append(raw if raw is None else {"hex": raw.hex()} if binary else raw.decode())
    return found


def _exactly(from_: socket.socket, count: int) -> bytes:
    found = bytearray()
    while len(found) < count:
        more = from_.recv(count - len(found))
        if not more:
            raise ConnectionError
        found += more
    return bytes(found)
