"""The routes: paths are matched before they are decoded, for names hold slashes and keys hold anything.

Requests are read in the event loop and answered in worker threads. Whatever is asked below Nessie's paths is
answered in JSON.
"""

import logging
from collections.abc import Mapping
from urllib.parse import parse_qs, quote, unquote

from anyio.to_thread import run_sync
from starlette.datastructures import URLPath
from starlette.requests import ClientDisconnect, Request
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Receive, Scope, Send

from ingot.errors import IngotError
from ingot.lake.nessie.answer import Answer, bad_request, problem, refusal
from ingot.lake.nessie.call import Call
from ingot.lake.nessie.endpoints import PATHS, Path
from ingot.lake.nessie.ports import Lake
from ingot.lake.rest import bodies

_LOG = logging.getLogger(__name__)
_OURS = ("/api/v2", "/api/v1/trees", "/api/v1/contents", "/api/v1/diffs", "/api/v1/config")


def routes(lake: Lake) -> list[BaseRoute]:
    """The routes of Nessie over `lake`, with their whole paths: `/api/v2/...` and `/api/v1/{trees,...}`.

    Ingot's own endpoints below `/api/v1` have other names and are left alone.
    """
    return [_Nessie(lake)]


class _Nessie(BaseRoute):
    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether the path is one of Nessie's."""
        if scope["type"] != "http":
            return Match.NONE, {}
        path = _raw_path(scope)
        ours = any(path == base or path.startswith(f"{base}/") for base in _OURS)
        return (Match.FULL, {"nessie_path": path}) if ours else (Match.NONE, {})

    def url_path_for(self, name: str, /, **path_params: object) -> URLPath:
        """No path here has a name."""
        raise NoMatchFound(name, dict(path_params))

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reads the request and answers it."""
        request = Request(scope, receive)
        try:
            answer = await self._answer(request)
        except ClientDisconnect:
            return
        await answer.response()(scope, receive, send)

    async def _answer(self, request: Request) -> Answer:
        path: str = request.scope["nessie_path"]
        found = [(one, at) for one in PATHS if (at := one.pattern.fullmatch(path))]
        if not found:
            return problem(404, "UNKNOWN", f"There is nothing at {path}.")
        one, at = found[0]
        if request.method not in one.methods:
            allowed = ", ".join(one.methods)
            return problem(405, "BAD_REQUEST", f"{request.method} is not possible here, only {allowed}.")
        try:
            raw = await bodies.read(request)
            # Threads unpack and answer, for both can take long.
            body = await run_sync(bodies.unpacked, raw, request.headers.get("content-encoding"))
        except bodies.BodyError as error:
            return problem(error.status, "BAD_REQUEST", error.message)
        return await run_sync(self._run, one, at.groupdict(), request, body)

    def _run(self, one: Path, names: Mapping[str, str], request: Request, body: bytes) -> Answer:
        try:
            try:
                query = parse_qs(request.url.query, keep_blank_values=True, errors="strict")
                path = {name: unquote(value, errors="strict") for name, value in names.items()}
            except ValueError as error:
                raise bad_request("The path or the query is not UTF-8.") from error
            return one.methods[request.method](Call(self._lake, one.version, path, query, body))
        except IngotError as error:
            if error.status >= 500:
                _LOG.error("%s: %s", type(error).__name__, error)
            return refusal(error)
        except Exception:  # noqa: BLE001 - a boundary: clients must get JSON whatever happens
            _LOG.exception("A request to the Nessie catalog failed")
            return problem(500, "UNKNOWN", "The catalog failed; its log says more.")


def _raw_path(scope: Scope) -> str:
    """The path as it was sent, without what the application is mounted under."""
    raw = scope.get("raw_path")
    path = quote(scope["path"]) if raw is None else raw.partition(b"?")[0].decode("latin-1")
    root = quote(scope.get("root_path", ""))
    return path[len(root) :] if root and path.startswith(f"{root}/") else path
