"""Errors of Cube's endpoints in Cube's shape: `{"error": "…"}` with the status that says the same."""

from collections.abc import Awaitable, Callable
from functools import wraps

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from ingot.errors import IngotError

Handler = Callable[[Request], Awaitable[Response]]


def guarded(handler: Handler) -> Handler:
    """`handler`, with what it raises as an answer."""

    @wraps(handler)
    async def answered(request: Request) -> Response:
        try:
            return await handler(request)
        except IngotError as error:
            text = error.message if error.hint is None else f"{error.message} {error.hint}"
            return Response(orjson.dumps({"error": text}), error.status, media_type="application/json")
        except ClientDisconnect:
            return Response(status_code=499)

    return answered
