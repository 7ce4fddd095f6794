"""Cube's REST API (`/cubejs-api/v1`): load, sql, dry-run, meta, cancel; each takes a `ref`.

Only translates between HTTP and `semantic.Service`: what a query means, may and costs is decided there. A kept
answer is sent from the event loop; everything else is prepared in one small pool and executed in another, so
that slow queries never stand before quick ones.
"""

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from ingot.api import graphql
from ingot.api.cubesql import CubeSqlApi
from ingot.api.downloads import Downloads
from ingot.api.graphql import GraphQLApi
from ingot.api.guarded import guarded
from ingot.api.requests import bare_id, call, context, request_id
from ingot.api.waiting import Outcome, Running, outcome, wait_later
from ingot.engines import QueryInterruptedError

if TYPE_CHECKING:
    from ingot.semantic import Service
    from ingot.semantic.answers.asked import Asked

PREFIX = "/cubejs-api/v1"
CONTINUE_WAIT = 5.0
GRACE = 15.0
"""Seconds that a client may be away which was told to come back; Cube's wait up to five."""
_AT_ONCE = 64 * 1024
"""Queries longer than this are not even parsed on the event loop, nor longer answers packed there."""

Handler = Callable[[Request], Awaitable[Response]]
T = TypeVar("T")


class CubeApi:
    """The endpoints over one `Service`. `close` ends its threads."""

    def __init__(
        self,
        service: "Service",
        *,
        continue_wait: float = CONTINUE_WAIT,
        grace: float = GRACE,
        downloads: Path | None = None,
        notice: Callable[[], dict[str, Any]] = dict,
    ) -> None:
        """`downloads` is a folder for files while they are sent, which the engine must be able to write.

        `notice` says what is told beside the model.
        """
        self._notice = notice
        self._service = service
        self._patience = continue_wait
        self._grace = grace
        self._running = Running()
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="prepare")
        self._downloads = Downloads(service, self._running, downloads)
        self._graphql = GraphQLApi(service, self._running, self._pool)
        self._cubesql = CubeSqlApi(service, self._running)

    def close(self) -> None:
        """Ends the threads; requests that still wait are not answered."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._downloads.close()
        self._cubesql.close()

    def routes(self) -> list[Route]:
        """The routes."""
        both = ["GET", "POST"]
        return [
            Route(f"{PREFIX}/load", guarded(self.load), methods=both),
            Route(f"{PREFIX}/subscribe", guarded(self.subscribe), methods=both),
            Route(f"{PREFIX}/sql", guarded(self.sql), methods=both),
            Route(f"{PREFIX}/cubesql", guarded(self._cubesql.cubesql), methods=["POST"]),
            Route(f"{PREFIX}/dry-run", guarded(self.dry_run), methods=both),
            Route(f"{PREFIX}/explain", guarded(self.explain), methods=both),
            Route(f"{PREFIX}/meta", guarded(self.meta), methods=["GET"]),
            Route(f"{PREFIX}/running-query/{{id}}", guarded(self.cancel), methods=["DELETE"]),
            Route(graphql.PATH, self._graphql.__call__, methods=both),
        ]

    async def load(self, request: Request) -> Response:
        """Rows, or `Continue wait` where they take long."""
        asked = await call(request)
        query, ref, multi, who = asked.query, asked.ref, asked.is_multi, context(request)
        if asked.format != "json":
            return await self._downloads.sent(asked, request)
        question = None
        if asked.size <= _AT_ONCE:
            question = self._service.at_hand(query, ref=ref, multi=multi, context=who)
        if question is None:
            question = await self._aside(lambda: self._service.ask(query, ref=ref, multi=multi, context=who))
        return await self._waited(question, request)

    async def subscribe(self, request: Request) -> Response:
        """Rows, as from `load`: clients that subscribe without a websocket ask again and again."""
        return await self.load(request)

    async def sql(self, request: Request) -> Response:
        """The SQL of a query; with `format=sql` of SQL over cubes and views."""
        asked = await call(request)
        who = context(request)
        if asked.given.get("format") == "sql":
            return await self._aside(lambda: _json(self._cubesql.converted(asked, who)))
        return await self._aside(lambda: _json(self._service.sql(asked.query, ref=asked.ref, context=who)))

    async def dry_run(self, request: Request) -> Response:
        """A query with everything filled in."""
        asked = await call(request)
        who = context(request)
        return await self._aside(
            lambda: _json(self._service.dry_run(asked.query, ref=asked.ref, context=who))
        )

    async def explain(self, request: Request) -> Response:
        """Why the answer to a query is what it is."""
        asked = await call(request)
        who = context(request)
        return await self._aside(
            lambda: _json(self._service.explain(asked.query, ref=asked.ref, context=who))
        )

    async def meta(self, request: Request) -> Response:
        """The model."""
        params = request.query_params
        ref = params.get("ref") or None
        views = params.get("onlyViews") == "true"
        extended = params.get("extended") in ("", "true", "1")
        who = context(request)
        return await self._aside(
            lambda: _json(
                self._service.meta(ref=ref, only_views=views, extended=extended, context=who) | self._notice()
            )
        )

    async def cancel(self, request: Request) -> Response:
        """Stops what the same asker asked under an id."""
        id = bare_id(request.path_params["id"])
        stopped = self._running.stop(context(request).key, id)
        if not stopped:
            return _json({"error": f"No query of the request '{id[:200]}' is under way."}, 404)
        return _json({"result": "ok", "cancelled": stopped})

    async def _waited(self, question: "Asked", request: Request) -> Response:
        if question.is_kept:
            return await self._sent(question.raw(), request)
        who, id = context(request).key, request_id(request)
        stopped: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def stop() -> None:
            question.leave()
            if not stopped.done():
                stopped.set_result(None)

        ended = self._running.add(who, id, stop)
        try:
            how = await outcome(question.when_done, request.receive, patience=self._patience, stopped=stopped)
            if how is Outcome.LATER:
                wait_later(question, self._running, who, id, self._grace)
                return _json(_later(question))
            if how is Outcome.GONE:
                raise ClientDisconnect
            if how is Outcome.STOPPED:
                raise QueryInterruptedError("The query was cancelled.")
            return await self._sent(question.raw(), request)
        except asyncio.CancelledError:  # nobody cancels this but a server that stops
            return _json({"error": "The server stops."}, 503)
        finally:
            ended()
            question.leave()

    async def _aside(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def _sent(self, answer: dict[str, Any], request: Request) -> Response:
        body = orjson.dumps(answer, default=str)
        if len(body) > _AT_ONCE and "gzip" in request.headers.get("accept-encoding", ""):
            packed = await self._aside(lambda: gzip.compress(body, 4))
            headers = {"content-encoding": "gzip", "vary": "Accept-Encoding"}
            return Response(packed, headers=headers, media_type="application/json")
        return Response(body, media_type="application/json")


def _later(question: "Asked") -> dict[str, Any]:
    stage = "Waiting in queue" if question.is_queued else "Executing query"
    elapsed = round(question.seconds * 1000)
    return {"error": "Continue wait", "stage": {"stage": stage, "timeElapsed": elapsed}}


def _json(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content, default=str), status, media_type="application/json")
