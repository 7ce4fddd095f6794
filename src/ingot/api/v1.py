"""Ingot's own endpoints: the project, its refs, commits, tables, diffs, runs and dashboards, and health."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import anyio.to_thread
import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

import ingot
from ingot import quality
from ingot.api.live import Live
from ingot.api.requests import context
from ingot.errors import NotFoundError, UsageError
from ingot.lake import Lake
from ingot.pipeline import RunStore
from ingot.project import Project
from ingot.semantic.compiler.dashboards import shown

_MOST = 1000
"""Rows of a list at the most."""


def routes(live: Live, lake: Lake) -> list[BaseRoute]:
    """The routes of `/health` and `/api/v1`."""
    answers = _Answers(live, lake)
    return [
        Route("/health", _json(_health)),
        Route("/api/v1/project", _json(answers.project)),
        Route("/api/v1/refs", _json(answers.refs)),
        Route("/api/v1/log", _json(answers.log)),
        Route("/api/v1/tables", _json(answers.tables)),
        Route("/api/v1/diff", _json(answers.diff)),
        Route("/api/v1/runs", _json(answers.runs)),
        Route("/api/v1/dashboards", _json(answers.dashboards)),
        Route("/api/v1/dashboards/{name}", _json(answers.dashboard)),
    ]


def _health(_request: Request) -> dict[str, Any]:
    """The server answers; its version."""
    return {"status": "ok", "version": ingot.__version__}


class _Answers:
    def __init__(self, live: Live, lake: Lake) -> None:
        self._live = live
        self._lake = lake

    @property
    def _project(self) -> Project:
        return self._live.project

    def project(self, _request: Request) -> dict[str, Any]:
        """The project's name and profile."""
        return {
            "name": self._project.name,
            "profile": self._project.profile,
            "version": ingot.__version__,
            "modelLoadedAt": self._live.loaded_at.isoformat(timespec="milliseconds"),
            **self._live.notice(),
        }

    def refs(self, _request: Request) -> dict[str, Any]:
        """Branches and tags."""
        refs = self._lake.catalog.refs()
        listed = [{"kind": ref.kind.value, "name": ref.name, "hash": ref.hash} for ref in refs]
        return {"default": "main", "refs": listed}

    def log(self, request: Request) -> dict[str, Any]:
        """Commits, newest first."""
        at = self._lake.catalog.resolve(request.query_params.get("ref", "main"))
        return {"commits": [commit.to_dict() for commit in self._lake.catalog.log(at, limit=_limit(request))]}

    def tables(self, request: Request) -> dict[str, Any]:
        """Tables and views at a ref."""
        state = self._lake.at(request.query_params.get("ref", "main"))
        tables = [(name, state.table(name)) for name in state.tables]
        return {
            "commit": state.hash,
            "tables": [
                {
                    "name": name,
                    "rows": table.rows,
                    "bytes": table.bytes,
                    "columns": [{"name": column.name, "type": column.type} for column in table.schema],
                }
                for name, table in tables
            ],
            "views": list(state.views),
        }

    def diff(self, request: Request) -> dict[str, Any]:
        """What differs between two refs, down to rows by key."""
        asked = request.query_params
        found = quality.diff(
            self._lake,
            asked.get("from", "main"),
            _needed(request, "to"),
            tables=asked.getlist("table") or None,
            keys=quality.known_keys(self._project),
            key=asked.getlist("key"),
            limit=_limit(request, "rows", 10, least=0),
            rows=asked.get("stat", "false") != "true",
        )
        return found.to_dict()

    def runs(self, request: Request) -> dict[str, Any]:
        """The latest runs with their steps."""
        with RunStore.open(self._project) as store:
            return {"runs": [run.to_dict() for run in store.recent(_limit(request))]}

    def dashboards(self, _request: Request) -> dict[str, Any]:
        """The dashboards' names and titles."""
        listed = [
            {"name": each.name, "title": each.title, "description": each.description}
            for each in self._project.dashboards
        ]
        return {"dashboards": listed}

    def dashboard(self, request: Request) -> dict[str, Any]:
        """One dashboard as its file says, without tiles over what is hidden from who asks."""
        name = request.path_params["name"]
        named = {each.name: each for each in self._project.dashboards}
        if name not in named:
            raise NotFoundError("dashboard", name, named)
        seen = shown(named[name], self._live.seen(context(request)))
        return seen.model_dump(mode="json", exclude={"place"})


def _needed(request: Request, name: str) -> str:
    if name not in request.query_params:
        raise UsageError(f"The parameter '{name}' is missing.", hint=f"{request.url.path}?{name}=dev")
    return request.query_params[name]


def _limit(request: Request, name: str = "limit", default: int = 20, *, least: int = 1) -> int:
    text = request.query_params.get(name, str(default))
    if not text.isdecimal() or len(text) > 9 or not least <= int(text) <= _MOST:
        raise UsageError(f"{name} is a whole number from {least} to {_MOST}, not '{text[:40]}'.")
    return int(text)


def _json(answer: Callable[[Request], Any]) -> Callable[[Request], Any]:
    @wraps(answer)
    async def endpoint(request: Request) -> Response:
        # The lake reads files and SQLite; the event loop must not wait for a disk.
        body = await anyio.to_thread.run_sync(lambda: orjson.dumps(answer(request)))
        return Response(body, media_type="application/json")

    return endpoint
