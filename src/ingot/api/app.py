"""One Starlette application of all HTTP surfaces of a project."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute, Mount

from ingot import ui
from ingot.api import cube, v1
from ingot.api.errors import handlers
from ingot.api.local import LocalOnly
from ingot.engines.duckdb import DuckDBEngine
from ingot.lake import Lake, nessie, rest
from ingot.project import Project
from ingot.semantic import Service


def create_app(project: Project, *, local: bool = False) -> Starlette:
    """The application that serves `project`; it opens the lake now and closes it at shutdown.

    `local` is for a server that listens on this machine only: it refuses what other sites' pages send.

    Raises `ProjectError` where the data model or a dashboard is wrong.
    """
    lake = Lake.open(project)
    engine = DuckDBEngine(lake)
    try:
        service = Service(project, lake, engine)
    except BaseException:
        engine.close()
        lake.close()
        raise

    answers = cube.CubeApi(service)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            answers.close()
            service.close()
            engine.close()
            lake.close()

    routes: list[BaseRoute] = [
        *v1.routes(project, lake),
        *answers.routes(),
        Mount("/iceberg", routes=rest.routes(lake)),
        *nessie.routes(lake),
        *ui.routes(),
    ]
    return Starlette(
        routes=routes,
        lifespan=lifespan,
        exception_handlers=handlers(),
        middleware=[
            *([Middleware(LocalOnly)] if local else []),
            Middleware(GZipMiddleware, minimum_size=2000, compresslevel=4),
        ],
    )
