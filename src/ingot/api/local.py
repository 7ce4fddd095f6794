"""What a server without a login must refuse although it listens on this machine only: other people's web pages.

A page on any site can send requests to `localhost` from the browser of whoever looks at it. Those carry the
site's `Origin`, or, where its name was made to point here (DNS rebinding), the site's `Host`.
"""

import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_LOOPBACK = re.compile(r"localhost|127(\.\d{1,3}){3}|\[?::1\]?")
_LOOPBACK_ORIGIN = r"https?://(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?"


class LocalOnly:
    """Lets requests through that name this machine and come from no page but one of this machine."""

    def __init__(self, app: ASGIApp) -> None:
        # A front end that is developed on another port of this machine may read the metrics, as with Cube.
        self._app = CORSMiddleware(
            app,
            allow_origin_regex=_LOOPBACK_ORIGIN,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["*"],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            refused = _refused(headers.get("host", ""), headers.get("origin"))
            if refused:
                body = {"error": refused, "code": "foreign_origin", "hint": None}
                await JSONResponse(body, status_code=403)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _refused(host: str, origin: str | None) -> str | None:
    """Why the request is not answered, or None."""
    if not _is_loopback(f"//{host}"):
        return f"This server answers to localhost only, not to '{host[:100]}'."
    if origin is not None and not _is_loopback(origin):
        return f"Pages of '{origin[:100]}' may not ask this server."
    return None


def _is_loopback(address: str) -> bool:
    try:
        name = urlsplit(address).hostname
    except ValueError:  # a bracket that is not closed
        return False
    return name is not None and _LOOPBACK.fullmatch(name) is not None
