"""The page "Bring your Cube project" is executed: its files are written, its commands run, its answers compared."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import jwt
import pytest

from ingot.semantic.policy.hooks import _HARMLESS, _HOOKS
from tests.api.cubejs.install import installed
from tests.api.cubejs.test_client import served

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[2] / "docs/how-to/bring-your-cube-project.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)\n```", PAGE, flags=re.DOTALL)
SECRET = "a secret of the tests that nobody could guess"
TOKEN = jwt.encode({"country": "IT"}, SECRET, "HS256")
ORDERS = """id,customer_id,status,created_at,amount
1,1,done,2026-01-05 10:00:00,10
2,1,new,2026-01-06 10:00:00,20
3,1,done,2026-02-01 10:00:00,30
4,2,done,2026-02-02 10:00:00,5
5,2,lost,2026-02-03 10:00:00,7
6,3,done,2026-02-04 10:00:00,100
"""
CUSTOMERS = "id,city,country\n1,Rome,IT\n2,Milan,IT\n3,Oslo,NO\n"


@dataclass(frozen=True)
class Moved:
    folder: Path
    output: str


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Moved:
    """The project after the steps of the page, in the order of the page."""
    base = tmp_path_factory.mktemp("move")
    (base / "orders.csv").write_text(ORDERS)
    (base / "customers.csv").write_text(CUSTOMERS)
    bin_ = base / "bin"
    bin_.mkdir()
    (bin_ / "ingot").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ingot "$@"\n')
    (bin_ / "ingot").chmod(0o755)
    environment = {**os.environ, "PATH": f"{bin_}:{os.environ['PATH']}", "CUBEJS_API_SECRET": SECRET}
    place = base
    output = ""
    for kind, text in BLOCKS:
        first, _, rest = text.partition("\n")
        named = re.fullmatch(r"(?:#|//) ((?:cube-project|shop)/\S+)", first)
        if named:
            path = base / named[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(rest + "\n")
        elif kind == "sh" and text != "ingot serve":
            done = subprocess.run(
                ["bash", "-euc", text],
                cwd=place,
                env=environment,
                text=True,
                capture_output=True,
                timeout=110,
                check=False,
            )
            assert done.returncode == 0, text + done.stdout + done.stderr
            output += done.stdout
            place = base / "shop"
    return Moved(base / "shop", output)


@pytest.fixture(scope="module")
def address(moved: Moved) -> Iterator[str]:
    with served(moved.folder, CUBEJS_API_SECRET=SECRET) as url:
        yield url


def only(kind: str, beginning: str = "") -> str:
    found: str
    [found] = [text for each, text in BLOCKS if each == kind and text.startswith(beginning)]
    return found


def test_the_client_prints_what_the_page_says(address: str, tmp_path: Path) -> None:
    modules = installed() / "node_modules"
    program = only("js", "import").replace("http://localhost:4000", address)
    (tmp_path / "node_modules").symlink_to(modules)
    (tmp_path / "ask.mjs").write_text(f"const token = {json.dumps(TOKEN)};\n{program}\n")
    done = subprocess.run(
        ["node", "ask.mjs"], cwd=tmp_path, text=True, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == only("json")


def test_graphql_answers_the_question_of_the_page(address: str) -> None:
    for token, wanted in [
        (TOKEN, [("Milan", 1), ("Rome", 2)]),
        (jwt.encode({}, SECRET, "HS256"), [("Milan", 1), ("Oslo", 1), ("Rome", 2)]),
    ]:
        answer = httpx2.post(
            f"{address}/cubejs-api/graphql",
            json={"query": only("graphql")},
            headers={"authorization": token},
            timeout=20,
        ).json()
        assert [(one["sales"]["city"], one["sales"]["done"]) for one in answer["data"]["cube"]] == wanted


def test_the_rollup_of_the_project_is_used(address: str) -> None:
    query = {"measures": ["orders.total"], "dimensions": ["orders.status"]}
    answer = httpx2.post(
        f"{address}/cubejs-api/v1/load",
        json={"query": query},
        headers={"authorization": jwt.encode({}, SECRET, "HS256")},
        timeout=20,
    ).json()
    assert {row["orders.status"]: row["orders.total"] for row in answer["data"]} == {
        "done": "145",
        "new": "20",
        "lost": "7",
    }
    assert any("by_day" in name for name in answer["usedPreAggregations"])


def test_an_opened_value_is_not_answered_by_a_rollup_without_its_filter(address: str) -> None:
    query = {
        "measures": ["orders.total"],
        "filters": [{"member": "orders.done", "operator": "measureFilter"}],
    }
    answer = httpx2.post(
        f"{address}/cubejs-api/v1/load",
        json={"query": query},
        headers={"authorization": jwt.encode({}, SECRET, "HS256")},
        timeout=20,
    ).json()
    assert answer["data"] == [{"orders.total": "145"}]
    assert not answer["usedPreAggregations"]


def test_without_a_token_nothing_is_answered(address: str) -> None:
    for path in ("v1/meta", "v1/load", "graphql"):
        assert httpx2.get(f"{address}/cubejs-api/{path}", timeout=20).status_code == 403


def test_the_table_of_hooks_is_true() -> None:
    """What the page calls the same is called, what it calls not needed does no harm, the rest is refused."""
    rows = dict(
        re.findall(r"^\| (`[^|]+) \| ([^|]+) \|$", PAGE.partition("## What is different")[2], re.MULTILINE)
    )
    names = {name: said for row, said in rows.items() for name in re.findall(r"`(\w+)`", row)}
    assert names["query_rewrite"].startswith("the same")
    assert {"query_rewrite", "context_to_groups"} <= set(_HOOKS)
    assert {"context_to_app_id", "context_to_orchestrator_id", "schema_version"} <= set(_HARMLESS)
    assert not {"check_auth", "driver_factory", "repository_factory"} & {*_HOOKS, *_HARMLESS}
    assert names["check_auth"].startswith("refused")
