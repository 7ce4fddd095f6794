"""The description of the API says what the routes are, and so does the reference page."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from ingot.api import create_app
from ingot.api.openapi import described
from ingot.project import load

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "rest-api.md"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Starlette:
    root = tmp_path_factory.mktemp("empty")
    (root / "ingot.yml").write_text("name: empty\n")
    return create_app(load(root))


@pytest.fixture(scope="module")
def client(app: Starlette) -> Iterator[TestClient]:
    with TestClient(app) as made:
        yield made


@pytest.fixture(scope="module")
def document(client: TestClient) -> Any:
    return client.get("/openapi.json").json()


def own(app: Starlette) -> set[tuple[str, str]]:
    return {
        (method, route.path)
        for route in described(app.routes)
        for method in route.methods or ()
        if method != "HEAD"
    }


def test_every_route_is_described_with_a_sentence(app: Starlette, document: Any) -> None:
    said = {(method.upper(), path) for path, one in document["paths"].items() for method in one}
    assert said == own(app)
    assert ("POST", "/cubejs-api/v1/load") in said
    for one in document["paths"].values():
        for operation in one.values():
            assert " " in operation["summary"], operation
            assert operation["responses"]["200"]


def test_every_reference_in_the_description_leads_somewhere(document: Any) -> None:
    assert document["openapi"].startswith("3.1")
    names = set(re.findall(r'"#/components/schemas/(\w+)"', str(document).replace("'", '"')))
    assert names
    assert names <= set(document["components"]["schemas"])
    ids = [one["operationId"] for path in document["paths"].values() for one in path.values()]
    assert len(ids) == len(set(ids))


def test_the_schemas_accept_what_the_server_answers(client: TestClient, document: Any) -> None:
    def validator(name: str) -> Any:
        return Draft202012Validator({**document, "$ref": f"#/components/schemas/{name}"})

    failure = client.post("/cubejs-api/v1/load", json={"query": {"measures": ["a.b"]}})
    assert failure.status_code == 400
    validator("Failure").validate(failure.json())
    asked = validator("Asked")
    asked.validate(
        {"query": {"measures": ["a.b"], "timeDimensions": [{"dimension": "a.t", "granularity": "day"}]}}
    )
    assert list(asked.iter_errors({"query": {"measuers": ["a.b"]}}))


def test_the_page_holds_everything_and_nothing_from_elsewhere(client: TestClient, document: Any) -> None:
    answer = client.get("/docs")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    found: list[str] = []
    tags: set[str] = set()

    class Links(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.add(tag)
            found.extend(value or "" for name, value in attrs if name in ("src", "href"))

    Links().feed(answer.text)
    assert "script" not in tags
    assert all(link.startswith(("/", "#")) for link in found)
    for path in document["paths"]:
        assert path in answer.text


def test_a_hostile_host_is_text_on_the_page(client: TestClient) -> None:
    text = client.get("/docs", headers={"host": "x<script>alert(1)</script>"}).text
    assert "<script>" not in text


def test_health_is_where_cube_has_it(client: TestClient) -> None:
    for path in ("/livez", "/readyz"):
        assert client.get(path).json() == {"health": "HEALTH"}


def test_the_reference_page_names_every_route(app: Starlette) -> None:
    text = PAGE.read_text(encoding="utf-8")
    said = set(re.findall(r"^\| `(GET|POST|DELETE)` \| `([^`]+)` \|", text, re.MULTILINE))
    assert said == own(app)
    assert all(isinstance(route, Route) for route in described(app.routes))
