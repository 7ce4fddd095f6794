"""What a request to Cube's API holds: its parameters from body or address, who asks, and its id.

Sizes are limited before anything is read, unpacked or parsed.
"""

import re
import zlib
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import orjson
from starlette.requests import Request

from ingot.errors import UsageError
from ingot.semantic.context import ANYONE, Context

MAX_BODY = 4 * 1024 * 1024
FORMATS = ("json", "csv", "parquet", "arrow")
CONTEXT = "ingot.context"
"""Where in the ASGI scope the door puts who asks."""

_SPAN = re.compile(r"-span-\d+\Z")


class BodyTooLargeError(UsageError):
    """The request's body is larger than any sensible query."""

    code = "too_large"
    status = 413


@dataclass(frozen=True, slots=True)
class Call:
    """The parameters of one request: `query`, `queryType`, `ref`, `format`, …"""

    given: dict[str, Any]
    size: int
    """Bytes of JSON that it brought."""

    @property
    def query(self) -> Any:
        """The query or queries, decoded; `UsageError` where there is none."""
        if "query" not in self.given:
            raise UsageError('Query param is required: "query", a JSON object.')
        query = self.given["query"]
        return _decoded(query, "query") if isinstance(query, str) else query

    @property
    def ref(self) -> str | None:
        """The ref beside the query."""
        ref = self.given.get("ref")
        if ref is None or ref == "":
            return None
        if not isinstance(ref, str) or len(ref) > 300:
            raise UsageError("A ref is the name of a branch, tag or commit.")
        return ref

    @property
    def format(self) -> str:
        """The format of the answer."""
        format = self.given.get("format") or "json"
        if format not in FORMATS:
            raise UsageError(f"The format is one of {', '.join(FORMATS)}, not '{str(format)[:40]}'.")
        return str(format)

    @property
    def is_multi(self) -> bool:
        return bool(self.given.get("queryType") == "multi")


async def call(request: Request) -> Call:
    """The call that a request is. Raises `UsageError` for a body that is no JSON object or too large."""
    given: dict[str, Any] = {}
    params = request.query_params
    size = len(request.scope.get("query_string", b""))
    if request.method == "POST":
        body = await _body(request)
        size += len(body)
        given = _decoded(body, "body")
        if not isinstance(given, dict):
            raise UsageError('The body is a JSON object: {"query": {…}}.')
    if "query" not in given and "query" in params:
        given["query"] = params["query"]
    for name in ("ref", "queryType", "format"):
        if given.get(name) is None and name in params:
            given[name] = params[name]
    return Call(given, size)


def context(request: Request) -> Context:
    """Who asks."""
    found: Context = request.scope.get(CONTEXT, ANYONE)
    return found


def request_id(request: Request) -> str:
    """The id that the client gave to its question, the same for each time that it asks again; else a new one."""
    given = request.headers.get("x-request-id", "")
    if not given or len(given) > 200 or not given.isprintable():
        return str(uuid4())
    return bare_id(given)


def bare_id(text: str) -> str:
    """A request's id without the number that Cube's clients add each time they ask again."""
    return _SPAN.sub("", text)


async def _body(request: Request) -> bytes:
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length[:20]) > MAX_BODY:
        raise _too_large()
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise _too_large()
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding in ("identity", ""):
        return bytes(body)
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise UsageError(f"The body's encoding is gzip or deflate, not '{coding[:40]}'.")
    return _unpacked(bytes(body))


def _unpacked(body: bytes) -> bytes:
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or zlib, as its head says
    try:
        found = unpacker.decompress(body, MAX_BODY + 1)
    except zlib.error as error:
        raise UsageError(f"The body cannot be unpacked: {error}.") from None
    if len(found) > MAX_BODY:
        raise _too_large()
    if not unpacker.eof:
        raise UsageError("The packed body is not whole.")
    return found


def _too_large() -> BodyTooLargeError:
    return BodyTooLargeError(f"The body is larger than {MAX_BODY // 1024 // 1024} MiB.")


def _decoded(text: bytes | str, what: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UsageError(f"The {what} is not JSON: {error}.") from None
