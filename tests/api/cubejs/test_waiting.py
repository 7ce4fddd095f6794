"""Cube's client and queries that take long. The engine holds its queries until the test lets them go."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from ingot.api.cube import CubeApi
from ingot.semantic import Service
from tests.api.cubejs.install import installed
from tests.api.cubejs.running import run
from tests.api.slow import Watched
from tests.lake.rest.conftest import serving
from tests.semantic import shop
from tests.semantic.lakes import add_order, served


@contextmanager
def slow_server(folder: Path) -> Iterator[str]:
    """A server that says `Continue wait` after 0.1 s, and what the JavaScript may tell it."""
    with served(folder) as made:
        engine = Watched(made.engine)
        service = Service(shop.project(), made.lake, engine)
        api = CubeApi(service, continue_wait=0.1)

        async def told(request: Request) -> JSONResponse:
            what = request.path_params["what"]
            if what == "go":
                engine.go.set()
            elif what == "hold":
                engine.asked.clear()
                engine.go.clear()
            elif what == "order":
                add_order(made.lake, "main")
            return JSONResponse({"running": engine.running, "asked": len(engine.asked)})

        routes = [*api.routes(), Route("/test/{what}", told, methods=["POST"])]
        with serving(Starlette(routes=routes)) as url:
            try:
                yield url
            finally:
                engine.go.set()
                api.close()
                service.close()


def test_slow_queries_and_the_client(tmp_path: Path) -> None:
    modules = installed()
    with slow_server(tmp_path / "lake") as url:
        run("waiting", {"url": url, "token": "none is asked for"}, modules, tmp_path)
