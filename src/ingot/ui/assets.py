"""Hands the built page to a browser: caching, compression and the content security policy.

Owns the paths of the page; leaves every number to the HTTP API. Paths that are not the page's are not
answered here, so a mistyped API address stays a real 404 and never turns into a page.
"""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

DIST = Path(__file__).with_name("dist")

# The first part of each address that the page itself draws; `/metrics` belongs to monitoring.
PAGES = ("dashboards", "catalog", "data", "history")

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data: blob:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'self'",
}
SECURITY = {
    "content-security-policy": "; ".join(f"{what} {whence}" for what, whence in POLICY.items()),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
}
FOREVER = "public, max-age=31536000, immutable"  # the name holds a hash of the content
ASK_AGAIN = "no-cache"


@dataclass(frozen=True)
class Asset:
    """One built file, held in memory: together they are about a megabyte."""

    body: bytes
    media_type: str
    cache: str

    @cached_property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.body).hexdigest()[:20]}"'

    @cached_property
    def zipped(self) -> bytes | None:
        """The body compressed, or None where that saves nothing (fonts, images)."""
        if not self.media_type.startswith(("text/", "application/json", "image/svg")):
            return None
        return gzip.compress(self.body, compresslevel=9, mtime=0)

    def answer(self, request: Request) -> Response:
        headers = {
            **SECURITY,
            "cache-control": self.cache,
            "etag": self.etag,
            "vary": "accept-encoding",
        }
        if self.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        zipped = self.zipped if "gzip" in request.headers.get("accept-encoding", "") else None
        if zipped is not None:
            headers["content-encoding"] = "gzip"
        return Response(zipped or self.body, media_type=self.media_type, headers=headers)


def routes(dist: Path = DIST) -> list[BaseRoute]:
    """The routes of the page. Put them after the API's, which they never overlap.

    Raises FileNotFoundError where the page was not built (`make ui`).
    """
    assets = _read(dist)
    if "index.html" not in assets:
        raise FileNotFoundError(f"the page is not built: {dist} has no index.html; build it with: make ui")
    index = assets.pop("index.html")

    def serve(path: str, asset: Asset) -> Route:
        async def answer(request: Request) -> Response:
            return asset.answer(request)

        return Route(path, answer)

    pages = ["/", *(f"/{name}{rest}" for name in PAGES for rest in ("", "/{path:path}"))]
    return [
        *(serve(path, index) for path in pages),
        *(serve(f"/{name}", asset) for name, asset in assets.items()),
    ]


def _read(dist: Path) -> dict[str, Asset]:
    found = {}
    for path in sorted(p for p in dist.rglob("*") if p.is_file()):
        name = path.relative_to(dist).as_posix()
        kind = {".js": "text/javascript", ".woff2": "font/woff2", ".svg": "image/svg+xml"}.get(path.suffix)
        media_type = kind or mimetypes.guess_type(name)[0] or "application/octet-stream"
        cache = FOREVER if name.startswith("assets/") else ASK_AGAIN
        found[name] = Asset(path.read_bytes(), media_type, cache)
    return found
