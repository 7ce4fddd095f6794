"""The routes: requests are read in the event loop and answered in worker threads.

Whatever is asked below the mount point is answered in JSON, for clients fail on anything else.
"""

import logging
from collections.abc import Mapping
from urllib.parse import parse_qsl

from anyio.to_thread import run_sync
from starlette.requests import ClientDisconnect, Request
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from ingot.errors import IngotError
from ingot.lake.rest import bodies
from ingot.lake.rest.answer import Answer, problem, refusal
from ingot.lake.rest.call import Call
from ingot.lake.rest.config import config
from ingot.lake.rest.endpoints import PATHS, Endpoint
from ingot.lake.rest.ports import Lake

_LOG = logging.getLogger(__name__)


def routes(lake: Lake) -> list[BaseRoute]:
    """Routes of Iceberg REST over `lake`, to be mounted under `/iceberg`."""
    found: list[BaseRoute] = []
    # A client that is given `.../iceberg/dev` as its address puts everything below that.
    for base in ("", "/{ref}"):
        found.append(Route(f"{base}/v1/config", _Resource(lake, {"GET": config})))
        for path, methods in PATHS.items():
            found.append(Route(f"{base}/v1/{{prefix}}{path}", _Resource(lake, methods)))
    found.append(Route("/{path:path}", _Resource(lake, {})))
    return found


class _Resource:
    """One path: reads the request, finds the method's function, and answers."""

    def __init__(self, lake: Lake, methods: Mapping[str, Endpoint]) -> None:
        self._lake = lake
        self._methods = methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            answer = await self._answer(request)
        except ClientDisconnect:
            return
        await answer.response()(scope, receive, send)

    async def _answer(self, request: Request) -> Answer:
        endpoint = self._methods.get(request.method)
        if endpoint is None:
            if not self._methods:
                return problem(404, "NoSuchEndpointException", f"There is nothing at {request.url.path}.")
            return problem(
                405,
                "MethodNotAllowedException",
                f"{request.method} is not possible here, only {', '.join(self._methods)}.",
            )
        query = dict(parse_qsl(request.url.query, keep_blank_values=True))
        try:
            raw = await bodies.read(request)
            # Threads unpack and answer, for both can take long.
            body = await run_sync(bodies.unpacked, raw, request.headers.get("content-encoding"))
        except bodies.BodyError as error:
            return problem(error.status, "BadRequestException", error.message)
        call = Call(self._lake, request.path_params, query, body, request.headers.get("user-agent", ""))
        return await run_sync(_answer, endpoint, call)


def _answer(endpoint: Endpoint, call: Call) -> Answer:
    try:
        return endpoint(call)
    except IngotError as error:
        if error.status >= 500:
            _LOG.error("%s: %s", type(error).__name__, error)
        return refusal(error)
    except Exception:  # noqa: BLE001 - a boundary: clients must get JSON whatever happens
        _LOG.exception("A request to the Iceberg catalog failed")
        return problem(500, "InternalServerError", "The catalog failed; its log says more.")
