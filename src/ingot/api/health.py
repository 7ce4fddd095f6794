"""Whether the server lives and whether it can answer, for whoever starts and stops it; Cube's addresses too."""

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from ingot.errors import IngotError


def routes(is_ready: Callable[[], object]) -> list[BaseRoute]:
    """`/livez` and `/readyz`; `is_ready` raises `IngotError` where a query could not be answered."""

    async def live(_request: Request) -> JSONResponse:
        """The process lives."""
        return JSONResponse({"health": "HEALTH"})

    async def ready(_request: Request) -> JSONResponse:
        """The lake can be asked; 500 where it cannot."""
        try:
            await run_in_threadpool(is_ready)
        except IngotError:  # its words may name a database, which is nobody's business here
            return JSONResponse({"health": "DOWN"}, 500)
        return JSONResponse({"health": "HEALTH"})

    return [Route("/livez", live), Route("/readyz", ready)]
