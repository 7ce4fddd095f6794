"""Cube's REST API (`/cubejs-api/v1`): load, sql, dry-run, meta; each takes a `ref`.

Only translates between HTTP and `semantic.Service`: what a query means, may and costs is decided there.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from ingot.errors import IngotError, UsageError

if TYPE_CHECKING:
    from ingot.semantic import Service

PREFIX = "/cubejs-api/v1"
MAX_BODY = 4 * 1024 * 1024

Handler = Callable[[Request], Awaitable[Response]]


class BodyTooLargeError(UsageError):
    """The request's body is larger than any sensible query."""

    code = "too_large"
    status = 413


def routes(service: "Service") -> list[Route]:
    """The routes of Cube's REST API, answered by `service`."""

    async def load(request: Request) -> Response:
        asked = await _asked(request)
        multi = asked.get("queryType") == "multi"
        return await _answer(lambda: service.load_raw(_query(asked), ref=_ref(asked), multi=multi))

    async def sql(request: Request) -> Response:
        asked = await _asked(request)
        return await _answer(lambda: service.sql(_query(asked), ref=_ref(asked)))

    async def dry_run(request: Request) -> Response:
        asked = await _asked(request)
        return await _answer(lambda: service.dry_run(_query(asked), ref=_ref(asked)))

    async def meta(request: Request) -> Response:
        ref = request.query_params.get("ref") or None
        views = request.query_params.get("onlyViews") == "true"
        return await _answer(lambda: service.meta(ref=ref, only_views=views))

    both = ["GET", "POST"]
    return [
        Route(f"{PREFIX}/load", _guarded(load), methods=both),
        Route(f"{PREFIX}/sql", _guarded(sql), methods=both),
        Route(f"{PREFIX}/dry-run", _guarded(dry_run), methods=both),
        Route(f"{PREFIX}/meta", _guarded(meta), methods=["GET"]),
    ]


def _guarded(handler: Handler) -> Handler:
    async def guarded(request: Request) -> Response:
        try:
            return await handler(request)
        except IngotError as error:
            text = error.message if error.hint is None else f"{error.message} {error.hint}"
            return _json({"error": text}, error.status)
        except ClientDisconnect:
            return Response(status_code=400)

    return guarded


async def _answer(ask: Callable[[], Any]) -> Response:
    return await run_in_threadpool(lambda: _json(ask()))


def _json(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content, default=str), status, media_type="application/json")


async def _asked(request: Request) -> dict[str, Any]:
    """What a request asks: `query`, `queryType`, `ref`, from the body or the query string."""
    asked: dict[str, Any] = {}
    if request.method == "POST":
        asked = _decoded(await _body(request), "body")
        if not isinstance(asked, dict):
            raise UsageError('The body is a JSON object: {"query": {…}}.')
    params = request.query_params
    if "query" not in asked and "query" in params:
        asked["query"] = params["query"]
    for name in ("ref", "queryType"):
        if asked.get(name) is None and name in params:
            asked[name] = params[name]
    return asked


async def _body(request: Request) -> bytes:
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length[:20]) > MAX_BODY:
        raise _too_large()
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise _too_large()
    return bytes(body)


def _too_large() -> BodyTooLargeError:
    return BodyTooLargeError(f"The body is larger than {MAX_BODY // 1024 // 1024} MiB.")


def _decoded(text: bytes | str, what: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UsageError(f"The {what} is not JSON: {error}.") from None


def _query(asked: dict[str, Any]) -> Any:
    if "query" not in asked:
        raise UsageError('Query param is required: "query", a JSON object.')
    query = asked["query"]
    return _decoded(query, "query") if isinstance(query, str) else query


def _ref(asked: dict[str, Any]) -> str | None:
    ref = asked.get("ref")
    if ref is None or ref == "":
        return None
    if not isinstance(ref, str) or len(ref) > 300:
        raise UsageError("A ref is the name of a branch, tag or commit.")
    return ref
