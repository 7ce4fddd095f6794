"""The door of a server with a login: none but health and the page's files without a valid token or a password.

Everything is closed unless it is listed here, so that a new route cannot be forgotten. Who asks is put into the
request's scope; what they may see is decided by the semantic layer's policies, which the lake itself does not
know: its routes are for the groups that the project names.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from ingot.api.requests import CONTEXT
from ingot.errors import IngotError
from ingot.semantic.context import Context

if TYPE_CHECKING:
    from ingot.api.passwords import Passwords
    from ingot.api.tokens import Tokens
    from ingot.project import Auth

FREE = frozenset({"/health", "/livez", "/readyz", "/docs", "/openapi.json"})
ASKED = ("/cubejs-api", "/api/v1/project", "/api/v1/refs", "/api/v1/dashboards")
"""For everybody with a token: what policies govern, or what holds no data."""
LAKE = ("/iceberg", "/api")
"""For the groups of `lake_groups`."""


class Door:
    """Asks every request for its token, or for a user's name and password."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        auth: "Auth",
        tokens: "Tokens | None",
        passwords: "Passwords | None",
        page: Sequence[BaseRoute],
    ) -> None:
        self._app = app
        self._page = page
        self._auth = auth
        self._tokens = tokens
        self._passwords = passwords

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
            who = await self._asker(scope)
        except IngotError as error:
            await _refusal(path, error.message, error.status)(scope, receive, send)
            return
        if isinstance(who, Refused):
            await _refusal(path, who.said, who.status)(scope, receive, send)
        elif _under(path, LAKE) and not _under(path, ASKED) and not self._auth.opens_lake(who.groups):
            said = "This needs a group that auth.lake_groups in ingot.yml names."
            await _refusal(path, said, 403)(scope, receive, send)
        else:
            await self._app({**scope, CONTEXT: who}, receive, send)

    async def _asker(self, scope: Scope) -> "Context | Refused":
        """Who asks, or why he is refused: in Cube's words where it is about tokens."""
        headers = Headers(scope=scope)
        header = (headers.get("authorization") or "").strip()
        if not header:
            return Refused("Authorization header isn't set", 403 if self._passwords is None else 401)
        scheme, _, rest = header.partition(" ")
        if scheme.lower() == "basic" and self._passwords is not None:
            if _is_of_another_site(headers):
                return Refused("Pages of other sites ask with a token.", 403)
            client = scope.get("client")
            who = await self._passwords.context(rest.strip(), client[0] if client else "")
            return Refused("Invalid user or password", 401) if who is None else who
        if self._tokens is None:
            return Refused("Invalid token", 403)
        token = rest.strip() if scheme.lower() == "bearer" else header
        if self._tokens.is_quick:
            who = self._tokens.context(token)
        else:
            who = await run_in_threadpool(self._tokens.context, token)
        return Refused("Invalid token", 403) if who is None else who


@dataclass(frozen=True, slots=True)
class Refused:
    """Why somebody is not let in."""

    said: str
    status: int


def _is_of_another_site(headers: Headers) -> bool:
    """Whether another site's page asks: a browser adds a password that it knows to whatever any page sends."""
    site = headers.get("sec-fetch-site")  # set by the browser itself, whatever a proxy does to the host
    if site is not None:
        return site not in ("none", "same-origin")
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


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
    # A browser asks for the name and the password where it is told to.
    headers = {"www-authenticate": 'Basic realm="ingot", charset="UTF-8"'} if status == 401 else None
    return JSONResponse(body, status, headers)
