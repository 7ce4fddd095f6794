"""`POST /cubejs-api/v1/cubesql`: SQL over cubes and views as a stream of JSON lines, as Cube sends it.

The first line names the columns, the others bring rows as the engine computes them. A client that leaves stops
its query; so does `DELETE …/running-query/{id}`.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from ingot.api.requests import Call, call, context, request_id
from ingot.api.waiting import Outcome, Running, outcome
from ingot.engines import Interrupt, QueryInterruptedError
from ingot.engines.yielding import yield_to_others
from ingot.errors import IngotError, UsageError
from ingot.semantic.context import Context

if TYPE_CHECKING:
    from ingot.semantic import Service

STREAMS = 4
"""Statements that are computed at the same time; more wait their turn."""
_GIVEN = frozenset({"query", "ref", "timezone", "cache", "throwContinueWait", "queryType", "format"})


class CubeSqlApi:
    """The endpoint over one `Service`. `close` ends its threads."""

    def __init__(self, service: "Service", running: Running) -> None:
        self._service = service
        self._running = running
        self._pool = ThreadPoolExecutor(STREAMS, thread_name_prefix="cubesql", initializer=yield_to_others)

    def close(self) -> None:
        """Ends the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def cubesql(self, request: Request) -> Response:
        """Rows of one SELECT over cubes and views, as JSON lines."""
        asked = await call(request)
        return _Stream(self, text(asked), asked, request)

    def converted(self, asked: Call, who: Context) -> dict[str, Any]:
        """The engine's SQL of a statement, in Cube's shape."""
        plan = self._service.sql_plan(text(asked), ref=asked.ref, context=who, timezone=_zone(asked))
        kind = "pushdown" if plan.pushed else "regular"
        return {"sql": {"status": "ok", "sql": [plan.sql, list(plan.parameters)], "query_type": kind}}


def text(asked: Call) -> str:
    """The statement of a call. Raises `UsageError` where there is none, or with what nobody knows."""
    found = asked.given.get("query")
    if not isinstance(found, str) or not found.strip():
        raise UsageError(
            '"query" is missing: {"query": "SELECT status, MEASURE(count) FROM orders GROUP BY 1"}.'
        )
    return found


def _zone(asked: Call) -> str:
    found = asked.given.get("timezone")
    if found is None:
        return "UTC"
    if not isinstance(found, str) or len(found) > 100:
        raise UsageError("\"timezone\" is an IANA time zone such as 'Europe/Berlin'.")
    return found


class _Stream(Response):
    """Sends lines while the engine computes the next."""

    def __init__(self, api: CubeSqlApi, statement: str, asked: Call, request: Request) -> None:
        super().__init__()
        self._api = api
        self._statement = statement
        self._asked = asked
        self._request = request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        api, request = self._api, self._request
        interrupt = Interrupt()
        stopped: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def stop() -> None:
            interrupt.set()
            if not stopped.done():
                stopped.set_result(None)

        lines = self._lines(interrupt)
        ended = api._running.add(context(request).key, request_id(request), stop)  # noqa: SLF001
        begun = False
        try:
            while True:
                waiting = api._pool.submit(next, lines, None)  # noqa: SLF001
                how = await outcome(
                    partial(_when_done, waiting),
                    receive,
                    patience=None,
                    stopped=stopped,
                )
                line = _line(waiting, how)
                if not begun:
                    begun = True
                    await send(_start())
                if line is None:
                    break
                await send({"type": "http.response.body", "body": line, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except IngotError as error:
            said = error.message if error.hint is None else f"{error.message} {error.hint}"
            if not begun:
                await JSONResponse({"error": said}, error.status)(scope, receive, send)
                return
            line = orjson.dumps({"error": said}) + b"\n"
            await send({"type": "http.response.body", "body": line, "more_body": False})
        except (ClientDisconnect, OSError):  # nobody reads any more
            return
        finally:
            ended()
            interrupt.set()
            with suppress(RuntimeError):  # the server stops
                api._pool.submit(lines.close)  # noqa: SLF001

    def _lines(self, interrupt: Interrupt) -> Any:
        asked, service = self._asked, self._api._service  # noqa: SLF001

        def lines() -> Iterator[bytes]:
            plan = service.sql_plan(
                self._statement, ref=asked.ref, context=context(self._request), timezone=_zone(asked)
            )
            yield from service.sql_lines(plan, interrupt)

        return lines()


def _when_done(waiting: "Future[bytes | None]", done: Callable[[], None]) -> None:
    waiting.add_done_callback(lambda _: done())


def _line(waiting: "Future[bytes | None]", how: Outcome) -> bytes | None:
    if how is Outcome.GONE:
        raise ClientDisconnect
    if how is Outcome.STOPPED:
        raise QueryInterruptedError("The query was cancelled.")
    return waiting.result()


def _start() -> dict[str, Any]:
    headers = [(b"content-type", b"application/x-ndjson; charset=utf-8"), (b"x-accel-buffering", b"no")]
    return {"type": "http.response.start", "status": 200, "headers": headers}
