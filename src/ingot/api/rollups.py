"""Cube's endpoints of pre-aggregations: whether one can be used for a query, and jobs that build them.

Jobs are kept in memory: they tell of builds of this process, and what was built stays built.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingot.api.guarded import guarded
from ingot.api.requests import call, context
from ingot.engines import Interrupt
from ingot.errors import IngotError, NotFoundError, UsageError
from ingot.semantic.rollups.can_use import can_use

if TYPE_CHECKING:
    from ingot.semantic import Service
    from ingot.semantic.rollups.keeping import Keeping

PREFIX = "/cubejs-api/v1/pre-aggregations"
_MOST_JOBS = 10_000
_MOST_NAMES = 1_000

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(slots=True)
class _Job:
    token: str
    rollup: str
    ref: str
    status: str = "scheduled"


class RollupsApi:
    """The endpoints over one `Service` and what keeps its rollups. `close` stops a build that is under way."""

    def __init__(self, service: "Service", keeping: "Keeping") -> None:
        self._service = service
        self._keeping = keeping
        self._jobs: OrderedDict[str, _Job] = OrderedDict()
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="rollup-jobs")
        self._interrupt = Interrupt()

    def close(self) -> None:
        """Stops."""
        self._interrupt.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def routes(self) -> list[Route]:
        """The routes."""
        return [
            Route(f"{PREFIX}/can-use", guarded(self.can_use), methods=["POST"]),
            Route(f"{PREFIX}/jobs", guarded(self.jobs), methods=["POST"]),
        ]

    async def can_use(self, request: Request) -> Response:
        """With `transformedQuery` and `references` as in Cube; with `query`, what each rollup says to it."""
        asked = await call(request)
        if "query" in asked.given:
            who = context(request)
            found = await run_in_threadpool(
                lambda: self._service.sql(asked.query, ref=asked.ref, context=who)
            )
            parts = [one["sql"] for one in (found if isinstance(found, list) else [found])]
            results = [line for one in parts for line in one["rollupMatchResults"]]
            usable = all(any(line["matched"] for line in one["rollupMatchResults"]) for one in parts)
            return _json({"canUsePreAggregationForTransformedQuery": usable, "rollupMatchResults": results})
        transformed = asked.given.get("transformedQuery")
        references = asked.given.get("references")
        if not isinstance(transformed, dict) or not isinstance(references, dict):
            raise UsageError('The body has "transformedQuery" and "references", or "query".')
        return _json({"canUsePreAggregationForTransformedQuery": can_use(transformed, references)})

    async def jobs(self, request: Request) -> Response:
        """`post` begins builds and gives tokens; `get` tells how far they are."""
        asked = (await call(request)).given
        action = asked.get("action")
        if action == "post":
            return _json(await run_in_threadpool(lambda: self._begun(asked.get("selector", {}))))
        if action == "get":
            tokens = asked.get("tokens")
            if not isinstance(tokens, list) or len(tokens) > _MOST_JOBS:
                raise UsageError('The action "get" takes "tokens", a list.')
            return _json(self._told([str(one) for one in tokens], as_object=asked.get("resType") == "object"))
        raise UsageError('The "action" is "post" or "get".')

    def _begun(self, selector: Any) -> list[str]:
        if not isinstance(selector, dict):
            raise UsageError('The "selector" is a JSON object.')
        assert self._service.rollups is not None
        cubes, names = _names(selector, "cubes"), _names(selector, "preAggregations")
        ref = selector.get("ref") or "main"
        if not isinstance(ref, str) or len(ref) > 300:
            raise UsageError("A ref is the name of a branch, tag or commit.")
        model = self._service.model
        known = [one.full_name for one in self._service.rollups.of(model)]
        for name in names or ():
            if name not in known:
                raise NotFoundError("rollup", name, known)
        self._service.states.at(ref)
        wanted = [
            name
            for name in known
            if (names is None or name in names) and (cubes is None or name.partition(".")[0] in cubes)
        ]
        made = [_Job(uuid4().hex, name, ref) for name in wanted]
        with self._lock:
            for job in made:
                self._jobs[job.token] = job
            while len(self._jobs) > _MOST_JOBS:
                self._jobs.popitem(last=False)
        for job in made:
            self._pool.submit(self._work, job)
        return [job.token for job in made]

    def _work(self, job: _Job) -> None:
        job.status = "processing"
        try:
            done = self._keeping.build(self._service.model, job.ref, [job.rollup], interrupt=self._interrupt)
        except IngotError as error:
            job.status = f"failure: {error.message}"
            return
        errors = [one.error for one in done if one.result in ("failed", "never")]
        job.status = f"failure: {errors[0]}" if errors else "done"

    def _told(self, tokens: list[str], *, as_object: bool) -> Any:
        lines = []
        for token in tokens:
            job = self._jobs.get(token)
            line: dict[str, Any] = {"token": token, "status": "not_found"}
            if job is not None:
                cube, _, name = job.rollup.partition(".")
                selector = {"cube": cube, "preAggregation": name, "timezone": "UTC", "ref": job.ref}
                line = {
                    "token": token,
                    "table": f"rollups.{cube}_{name}",
                    "status": job.status,
                    "selector": selector,
                }
            lines.append(line)
        return {one["token"]: one for one in lines} if as_object else lines


def _names(selector: dict[str, Any], key: str) -> list[str] | None:
    found = selector.get(key)
    if found is None:
        return None
    if (
        not isinstance(found, list)
        or len(found) > _MOST_NAMES
        or not all(isinstance(one, str) and len(one) <= 300 for one in found)
    ):
        raise UsageError(f'"{key}" of the selector is a list of names.')
    return found


def _json(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content, default=str), status, media_type="application/json")
