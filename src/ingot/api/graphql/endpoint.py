"""`/cubejs-api/graphql` over HTTP: POST with JSON, GET for small documents.

An answer is waited for as long as it takes, because GraphQL has no way to say `Continue wait`; a client that leaves
stops its query, and so does `DELETE /cubejs-api/v1/running-query/<x-request-id>`.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from ingot.api.requests import call, context, request_id
from ingot.api.waiting import Outcome, Running, outcome
from ingot.engines import QueryInterruptedError
from ingot.errors import IngotError, UsageError
from ingot.semantic.context import Context

if TYPE_CHECKING:
    from ingot.api.graphql.document import Documents, Prepared
    from ingot.semantic import Service
    from ingot.semantic.answers.asked import Asked

PATH = "/cubejs-api/graphql"
T = TypeVar("T")


class GraphQLApi:
    """The endpoint over one `Service`; `running` and `pool` are those of the REST API beside it."""

    def __init__(self, service: "Service", running: Running, pool: ThreadPoolExecutor) -> None:
        self._service = service
        self._running = running
        self._pool = pool
        self._lock = Lock()
        self._documents: Documents | None = None

    async def __call__(self, request: Request) -> Response:
        """The answer to a GraphQL document, in GraphQL's shape whatever goes wrong."""
        try:
            text, variables, operation, ref = await _asked(request)
            who = context(request)
            ready = await self._aside(lambda: self._ready(text, variables, operation, ref, who))
            if isinstance(ready, Response):
                return ready
            prepared, asked = ready
            await self._waited(asked, request)
            return await self._aside(lambda: _answer(prepared, asked))
        except IngotError as error:
            return _failed(error)
        except ClientDisconnect:
            return Response(status_code=499)

    def _ready(
        self, text: str, variables: dict[str, Any], operation: str | None, ref: str | None, who: Context
    ) -> "Response | tuple[Prepared, Asked]":
        from ingot.api.graphql.document import InvalidDocumentError  # noqa: PLC0415 - at the first request

        try:
            prepared = self._read().prepared(text, variables, operation, who)
        except InvalidDocumentError as error:
            return _json({"errors": error.errors}, 400)
        if prepared.errors or not prepared.questions:
            said = {"errors": prepared.errors} if prepared.errors else {}
            return _json({**said, "data": prepared.data})
        queries = [one.query for one in prepared.questions]
        try:
            asked = self._service.ask(queries, ref=ref, multi=True, context=who)
        except IngotError as error:
            return _unanswered(error)
        return prepared, asked

    def _read(self) -> "Documents":
        from ingot.api.graphql.document import Documents  # noqa: PLC0415 - its library takes 0.1 s to import

        with self._lock:
            if self._documents is None:
                self._documents = Documents(self._service)
            return self._documents

    async def _waited(self, asked: "Asked", request: Request) -> None:
        stopped: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def stop() -> None:
            asked.leave()
            if not stopped.done():
                stopped.set_result(None)

        ended = self._running.add(context(request).key, request_id(request), stop)
        how = Outcome.GONE
        try:
            how = await outcome(asked.when_done, request.receive, patience=None, stopped=stopped)
        finally:
            ended()
            if how is not Outcome.DONE:
                asked.leave()
        if how is Outcome.STOPPED:
            raise QueryInterruptedError("The query was cancelled.")
        if how is not Outcome.DONE:
            raise ClientDisconnect

    async def _aside(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


async def _asked(request: Request) -> tuple[str, dict[str, Any], str | None, str | None]:
    """The document, its variables, the name of the operation, and the ref beside them."""
    found = await call(request)
    given, params = found.given, request.query_params
    text = given.get("query")
    if not isinstance(text, str) or not text.strip():
        raise UsageError('The document is missing: {"query": "{ cube { … } }"}.')
    variables = given.get("variables")
    if variables is None and params.get("variables"):
        try:
            variables = orjson.loads(params["variables"])
        except orjson.JSONDecodeError:
            raise UsageError("The variables are not JSON.") from None
    operation = given.get("operationName") or params.get("operationName") or None
    if not isinstance(variables, dict | None):
        raise UsageError("The variables are a JSON object.")
    if not isinstance(operation, str | None) or len(operation or "") > 300:
        raise UsageError("The name of an operation is a text of at most 300 characters.")
    return text, variables or {}, operation, found.ref


def _answer(prepared: "Prepared", asked: "Asked") -> Response:
    from ingot.api.graphql.shape import rows  # noqa: PLC0415 - with the rest of the room

    try:
        results = asked.result()["results"]
        data = dict(prepared.data or {})
        notes: dict[str, Any] = {}
        for question, one in zip(prepared.questions, results, strict=True):
            one["data"] = orjson.loads(one["data"])
            data[question.name] = rows(question.shape, one)
            notes[question.name] = {
                key: one[key] for key in ("annotation", "lastRefreshTime", "ref", "commit")
            }
    except IngotError as error:
        return _unanswered(error)
    finally:
        asked.leave()
    said = next(iter(notes.values())) if len(notes) == 1 else notes
    return _json({"data": data, "extensions": said})


def _unanswered(error: IngotError) -> Response:
    """`cube` cannot be null, so that where it has no answer there is none at all."""
    return _json({"errors": [_told(error) | {"path": ["cube"]}], "data": None})


def _failed(error: IngotError) -> Response:
    return _json({"errors": [_told(error)]}, error.status)


def _told(error: IngotError) -> dict[str, Any]:
    message = error.message if error.hint is None else f"{error.message} {error.hint}"
    return {"message": message, "extensions": {"code": error.code, "status": error.status}}


def _json(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")
