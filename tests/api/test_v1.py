"""Ingot's own endpoints: what the page and scripts read."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from ingot.api import create_app
from ingot.pipeline import run
from ingot.project import load
from tests.main_job.small import make_small_project


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project that was run once, with a dashboard."""
    made = make_small_project(tmp_path_factory.mktemp("v1") / "project", orders=5)
    (made / "dashboards").mkdir()
    (made / "dashboards" / "shop.yml").write_text(
        "title: The shop\ntiles:\n  - {type: kpi, title: Orders, measures: [orders.count]}\n"
    )
    assert run(load(made)).status.value == "merged"
    return made


@pytest.fixture(scope="module")
def client(directory: Path) -> Iterator[TestClient]:
    with TestClient(create_app(load(directory)), raise_server_exceptions=False) as client:
        yield client


def test_health_says_ok(client: TestClient) -> None:
    assert client.get("/health").json()["status"] == "ok"


def test_the_project_is_named(client: TestClient) -> None:
    assert client.get("/api/v1/project").json()["name"] == "small"


def test_refs_are_main_and_the_tag_of_the_run(client: TestClient) -> None:
    refs = client.get("/api/v1/refs").json()
    assert refs["default"] == "main"
    [main, tag] = sorted(refs["refs"], key=lambda ref: str(ref["kind"]))
    assert (main["kind"], main["name"], tag["kind"]) == ("BRANCH", "main", "TAG")
    assert tag["hash"] == main["hash"]


def test_tables_have_rows_and_columns(client: TestClient) -> None:
    tables = {table["name"]: table for table in client.get("/api/v1/tables").json()["tables"]}
    assert {name: table["rows"] for name, table in tables.items()} == {
        "raw.orders": 5,
        "gold.orders": 5,
        "gold.totals": 1,
    }
    assert [column["name"] for column in tables["raw.orders"]["columns"]] == ["order_id", "amount"]


def test_runs_and_log_tell_of_the_same_run(client: TestClient) -> None:
    [listed] = client.get("/api/v1/runs").json()["runs"]
    [commit] = client.get("/api/v1/log").json()["commits"]
    assert commit["properties"]["ingot.run"] == listed["run"]
    assert commit["hash"] == listed["commit"]


def test_a_dashboard_is_given_with_its_defaults(client: TestClient) -> None:
    assert client.get("/api/v1/dashboards").json() == {
        "dashboards": [{"name": "shop", "title": "The shop", "description": None}]
    }
    [tile] = client.get("/api/v1/dashboards/shop").json()["tiles"]
    assert (tile["type"], tile["width"], tile["better"]) == ("kpi", 3, "up")


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/api/v1/dashboards/shpo", 404, "did you mean 'shop'"),
        ("/api/v1/tables?ref=mian", 404, "did you mean 'main'"),
        ("/api/v1/log?limit=0", 400, "limit"),
        ("/api/v1/log?limit=9999999999999999999999", 400, "limit"),
        ("/api/v1/nothing", 404, "/api/v1/nothing"),
        ("/api/v1/tables?ref=%00", 404, "no branch or tag"),
        ("/api/v1/tables?ref=main%40%27%3B--", 400, "neither a commit hash nor a time"),
    ],
)
def test_a_mistake_is_json_with_the_nearest_name(
    client: TestClient, path: str, status: int, said: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    assert said in answer.json()["error"]
