"""A server without a login does not serve other people's web pages."""

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from ingot.api.local import LocalOnly


async def answer(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("rows")


@pytest.fixture
def client() -> TestClient:
    routes = [Route("/load", answer, methods=["GET", "POST"])]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(LocalOnly)]))


@pytest.mark.parametrize(
    "host", ["localhost:4000", "localhost", "127.0.0.1:4000", "127.1.2.3", "[::1]:4000", "LOCALHOST:4000"]
)
def test_names_of_this_machine_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/load", headers={"host": host}).text == "rows"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:4000",
        "localhost.evil.example",
        "10.0.0.1",
        "",
        "[",
        "[::1",
        "127.0.0.1.evil.example",
    ],
)
def test_a_name_that_was_made_to_point_here_is_refused(client: TestClient, host: str) -> None:
    assert client.get("/load", headers={"host": host}).status_code == 403


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example", "file://", "http://["]
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_a_page_of_another_site_is_refused(client: TestClient, origin: str, method: str) -> None:
    done = client.request(method, "/load", headers={"host": "localhost:4000", "origin": origin})
    assert done.status_code == 403
    assert "access-control-allow-origin" not in done.headers


def test_a_front_end_on_another_port_of_this_machine_may_ask(client: TestClient) -> None:
    headers = {"host": "localhost:4000", "origin": "http://localhost:3000"}
    done = client.post("/load", headers=headers)
    assert done.text == "rows"
    assert done.headers["access-control-allow-origin"] == "http://localhost:3000"
    before = client.options(
        "/load",
        headers={
            **headers,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,content-type",
        },
    )
    assert before.status_code == 200
