"""One Starlette application of all HTTP surfaces of a project."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from socket import socket
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute, Mount

from ingot import ui
from ingot.api import cube, docs, health, sql, v1
from ingot.api.door import Door
from ingot.api.errors import handlers
from ingot.api.live import Live
from ingot.api.local import LocalOnly
from ingot.api.rollups import RollupsApi
from ingot.engines.duckdb import DuckDBEngine
from ingot.lake import Lake, nessie, rest
from ingot.project import Project
from ingot.project.accounts import Accounts
from ingot.semantic import Service
from ingot.semantic.rollups.keeping import watching


def create_app(
    project: Project, *, local: bool = False, watch: bool = False, sql_listener: socket | None = None
) -> Starlette:
    """The application that serves `project`; it opens the lake now and closes it at shutdown.

    With `watch`, edits of the model's files and of dashboards are in use some seconds later.

    `local` is for a server that listens on this machine only: without a login it refuses what other sites'
    pages send. With a login any page may ask, as with Cube: what it lacks is a token.

    `sql_listener` is a bound socket at which the PostgreSQL protocol is spoken while the application runs.

    Raises `ProjectError` where the data model or a dashboard is wrong.
    """
    door = _door(project)
    lake = Lake.open(project)
    downloads = project.state_dir / "downloads"
    stored = project.state_dir / "rollups"
    engine = DuckDBEngine(
        lake,
        memory_limit=project.engine.memory_limit,
        threads=project.engine.threads,
        readable=(downloads, stored),
    )
    try:
        service = Service(
            project,
            lake,
            engine,
            cache_bytes=project.serve.cache_mb * 1_000_000,
            timeout=project.serve.query_timeout,
            rollups=stored,
            rollup_only=project.serve.rollup_only,
        )
    except BaseException:
        engine.close()
        lake.close()
        raise

    sql_port = None
    if sql_listener is not None:
        from ingot.pgwire.port import SqlPort  # noqa: PLC0415 - needs the extra `sql`

        sql_port = SqlPort(project, service, lake, engine)

    live = Live(project, service, attach=sql_port.attach if sql_port is not None else None)
    answers = cube.CubeApi(
        service, continue_wait=project.serve.continue_wait, downloads=downloads, notice=live.notice
    )

    keeper = watching(service, lake, engine)
    jobs = RollupsApi(service, keeper.keeping)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        keeper.start()
        if watch:
            live.start()
        if sql_port is not None and sql_listener is not None:
            await sql_port.start(sql_listener)
        try:
            yield
        finally:
            if sql_port is not None:
                await sql_port.stop()
            live.close()
            keeper.close()
            jobs.close()
            answers.close()
            service.close()
            engine.close()
            lake.close()

    page = ui.routes()
    own: list[BaseRoute] = [
        *v1.routes(live, lake),
        *sql.routes(lake, engine, downloads, timeout=project.serve.query_timeout),
        *answers.routes(),
        *jobs.routes(),
        *health.routes(service.check),
    ]
    routes: list[BaseRoute] = [
        *own,
        *docs.routes(own, login=_ways(door)),
        Mount("/iceberg", routes=rest.routes(lake)),
        *nessie.routes(lake),
        *page,
    ]
    app = Starlette(
        routes=routes,
        lifespan=lifespan,
        exception_handlers=handlers(),
        middleware=[
            *_guards(project, local=local),
            Middleware(GZipMiddleware, minimum_size=2000, compresslevel=4),
            *([Middleware(Door, **door, page=page)] if door is not None else []),
        ],
    )
    app.state.sql_port = sql_port
    return app


def _door(project: Project) -> dict[str, Any] | None:
    """Who is asked for at the door; None where there is none."""
    if project.auth is None:
        return None
    tokens = passwords = None
    if project.auth.jwt is not None:
        from ingot.api.tokens import Tokens  # noqa: PLC0415 - only who has tokens needs their library

        tokens = Tokens(project.auth)
    if project.users is not None:
        from ingot.api.passwords import Passwords  # noqa: PLC0415 - as above

        passwords = Passwords(Accounts(project.users, project.root))
    return {"auth": project.auth, "tokens": tokens, "passwords": passwords}


def _ways(door: dict[str, Any] | None) -> list[str]:
    """The ways to say who asks."""
    known = {"token": "tokens", "password": "passwords"}
    return [way for way, reader in known.items() if door is not None and door[reader] is not None]


def _guards(project: Project, *, local: bool) -> list[Middleware]:
    """What keeps other sites' pages out, or lets them in because they need a token."""
    if project.auth is not None:
        methods = ["GET", "POST", "DELETE"]
        return [
            Middleware(
                CORSMiddleware, allow_origins=["*"], allow_methods=methods, allow_headers=["*"], max_age=86400
            )
        ]
    return [Middleware(LocalOnly)] if local else []
