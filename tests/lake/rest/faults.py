"""A proxy that fails as networks and gateways do, request by request, as it is told.

It stands between a real client and a real server. What it does with each request is a `Fault`; which one, is
the test's plan.
"""

import contextlib
import http.client
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


class Fault(Enum):
    """What becomes of a request."""

    NONE = "passed on"
    BEFORE = "connection dropped, nothing applied"
    AFTER = "applied, connection closed without an answer"
    RESET = "applied, connection reset"
    CUT = "applied, connection closed in the middle of the answer"
    ERROR_500 = "applied, answered with 500"
    ERROR_502 = "applied, answered with 502"
    ERROR_504 = "applied, answered with 504"
    DELAY = "passed on late"

    @property
    def status(self) -> int | None:
        """The status that stands for the answer."""
        return int(self.name[6:]) if self.name.startswith("ERROR_") else None


@dataclass(frozen=True)
class Request:
    """A request as it came, what was done to it, and what the server said."""

    method: str
    path: str
    fault: Fault
    status: int | None
    """None where it never reached the server."""


Plan = Callable[[str, str, str], Fault]
"""The fault for a method, a path and the client's name."""


@dataclass
class Faults:
    """What the proxy is to do next, and what it has done."""

    plan: Plan = lambda *_: Fault.NONE
    seen: list[Request] = field(default_factory=list)

    def next(self, *faults: Fault, path: str = "") -> None:
        """These, one by one, for writing requests to paths that contain `path`; everything else passes."""
        left = list(faults)

        def plan(method: str, asked: str, _agent: str) -> Fault:
            meant = method in ("POST", "DELETE") and path in asked
            return left.pop(0) if left and meant else Fault.NONE

        self.plan = plan
        self.seen.clear()

    @property
    def struck(self) -> list[Request]:
        """The requests that something was done to."""
        return [one for one in self.seen if one.fault is not Fault.NONE]


@contextlib.contextmanager
def proxy(upstream: str, faults: Faults) -> Iterator[str]:
    """The address of a proxy before the server at `upstream`."""
    to = urlsplit(upstream).netloc
    turn = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            with turn:
                fault = faults.plan(self.command, self.path, self.headers.get("user-agent") or "")
            if fault is Fault.DELAY:
                time.sleep(0.1)
            answer = None if fault is Fault.BEFORE else self.asked(body)
            with turn:
                faults.seen.append(
                    Request(self.command, self.path, fault, None if answer is None else answer[0])
                )
            if answer is None or fault in (Fault.AFTER, Fault.RESET):
                self.drop(reset=fault is Fault.RESET)
            elif fault.status is not None:
                # A gateway speaks HTML, not the catalog's JSON.
                page = f"<html><h1>{fault.status} Bad Gateway</h1></html>".encode()
                self.answer(fault.status, [("content-type", "text/html")], page, len(page))
            else:
                status, headers, content = answer
                size = len(content)
                self.answer(status, headers, content[: size // 2] if fault is Fault.CUT else content, size)
                if fault is Fault.CUT:
                    self.drop(reset=False)

        def asked(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
            connection = http.client.HTTPConnection(to, timeout=30)
            with contextlib.closing(connection):
                headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                connection.request(self.command, self.path, body or None, headers)
                answer = connection.getresponse()
                return answer.status, answer.getheaders(), answer.read()

        def answer(self, status: int, headers: list[tuple[str, str]], content: bytes, size: int) -> None:
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            if status != 204:
                self.send_header("content-length", str(size))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def drop(self, *, reset: bool) -> None:
            self.close_connection = True
            if reset:
                now = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)
                self.connection.close()
            else:
                with contextlib.suppress(OSError):
                    self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, *_: Any) -> None:
            return

    for method in ("GET", "HEAD", "POST", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.forward)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
