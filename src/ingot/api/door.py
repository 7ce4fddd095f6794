"""The door of a server with a login: no request passes without a valid token but for health and the page's files.

Everything is closed unless it is listed here, so that a new route cannot be forgotten. Who asks is put into the
request's scope; what they may see is decided by the semantic layer's policies, which the lake itself does not
know: its routes are for the groups that the project names.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from ingot.api.requests import CONTEXT
from ingot.errors import IngotError
from ingot.semantic.context import Context

if TYPE_CHECKING:
    from ingot.api.tokens import Tokens

FREE = frozenset({"/health", "/livez", "/readyz", "/docs", "/openapi.json"})
ASKED = ("/cubejs-api", "/api/v1/project", "/api/v1/refs", "/api/v1/dashboards")
"""For everybody with a token: what policies govern, or what holds no data."""
LAKE = ("/iceberg", "/api")
"""For the groups of `lake_groups`."""


class Door:
    """Asks every request for its token."""

    def __init__(self, app: ASGIApp, *, tokens: "Tokens", page: Sequence[BaseRoute]) -> None:
        self._app = app
        self._page = page
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # nothing else is served
            return
        path: str = scope["path"]
        if path in FREE or any(route.matches(scope)[0] is Match.FULL for route in self._page):
            await self._app(scope, receive, send)
            return
        try:
            who = await self._asker(Headers(scope=scope).get("authorization"))
        except IngotError as error:
            await _refusal(path, error.message, error.status)(scope, receive, send)
            return
        if isinstance(who, str):
            await _refusal(path, who, 403)(scope, receive, send)
        elif _under(path, LAKE) and not _under(path, ASKED) and not self._tokens.opens_lake(who):
            said = "This needs a group that auth.lake_groups in ingot.yml names."
            await _refusal(path, said, 403)(scope, receive, send)
        else:
            await self._app({**scope, CONTEXT: who}, receive, send)

    async def _asker(self, header: str | None) -> Context | str:
        """Who asks, or why he is refused, in Cube's words."""
        if header is None or not header.strip():
            return "Authorization header isn't set"
        scheme, _, rest = header.strip().partition(" ")
        token = rest.strip() if scheme.lower() == "bearer" else header.strip()
        if self._tokens.is_quick:
            who = self._tokens.context(token)
        else:
            who = await run_in_threadpool(self._tokens.context, token)
        return "Invalid token" if who is None else who


def _under(path: str, roots: tuple[str, ...]) -> bool:
    return any(path == root or path.startswith(f"{root}/") for root in roots)


def _refusal(path: str, said: str, status: int) -> JSONResponse:
    """In the shape that the clients of the path understand."""
    body: dict[str, Any]
    if _under(path, ("/iceberg",)):
        body = {"error": {"message": said, "type": "NotAuthorizedException", "code": status}}
    elif _under(path, ("/api/v2",)):
        body = {"status": status, "reason": "Forbidden", "message": said, "errorCode": "FORBIDDEN"}
    elif _under(path, ("/cubejs-api",)):
        body = {"error": said}
    else:
        body = {"error": said, "code": "forbidden", "hint": None}
    return JSONResponse(body, status)
