"""A hostile text is a value or an error in the endpoint's shape, wherever it stands; it never becomes SQL or a file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.hostile.judge import CANARY, judged
from tests.api.hostile.store import MARK, Store, opened
from tests.api.hostile.texts import PLAIN, TEXTS, of_files, requests

pytestmark = pytest.mark.slow

QUICK = ["'; DROP TABLE gold.orders; --", "{FILTER_PARAMS.orders.status.filter('x')}", "%\\_"]
FOUND = {
    "equals": 0,
    "contains": 0,
    "startsWith": 0,
    "endsWith": 0,
    "notEquals": 4,
    "notContains": 4,
    "notEndsWith": 4,
}


@pytest.fixture(scope="module")
def canary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("elsewhere") / "canary.csv"
    path.write_text(CANARY)
    return path


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, canary: Path) -> Iterator[Store]:
    with opened(tmp_path_factory.mktemp("store")) as made:
        before = made.lake.at("main").hash
        yield made
        assert made.lake.at("main").hash == before
        assert made.load(PLAIN).json()["data"] == [{"orders.count": "4"}]
    assert [one.name for one in canary.parent.iterdir()] == ["canary.csv"]


def attack(store: Store, text: str) -> None:
    """Sends a text to every place."""
    store.statements.clear()
    for method, path, more in requests(text):
        if method == "GET" and len(text) > 20_000:  # more than clients put into an address
            continue
        about = f"{method} {path} {str(more)[:400]}"
        answer = store.send(method, path, **more)
        judged(answer, path, about, str(store.root))
        if MARK in text:
            assert not [sql for sql in store.statements if MARK in sql], about
        store.statements.clear()


@pytest.mark.parametrize("text", QUICK)
def test_a_hostile_text_does_no_harm_anywhere(store: Store, text: str) -> None:
    attack(store, text + MARK)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(TEXTS)))
def test_no_hostile_text_does_harm_anywhere(store: Store, number: int) -> None:
    attack(store, TEXTS[number])
    attack(store, TEXTS[number] + MARK)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(of_files(Path("x")))))
def test_no_text_reads_or_writes_a_file(store: Store, canary: Path, number: int) -> None:
    attack(store, of_files(canary)[number])


@pytest.mark.parametrize("operator", FOUND)
def test_a_text_is_compared_as_it_is(store: Store, operator: str) -> None:
    """No row has any of the texts, so that every answer is known; one has what stands after each of them."""
    for text in [*TEXTS[1::3], *QUICK]:
        one = {"member": "orders.status", "operator": operator, "values": [text + MARK]}
        answer = store.load(PLAIN | {"filters": [one]})
        if "\0" in text:
            assert answer.status_code == 400
            assert "NUL" in answer.json()["error"]
        else:
            assert answer.status_code == 200, (text[:100], answer.text)
            assert answer.json()["data"] == [{"orders.count": str(FOUND[operator])}], text[:100]


def test_the_spy_sees_what_is_executed(store: Store) -> None:
    store.statements.clear()
    store.post("/api/v1/sql", {"sql": f"select '{MARK}'"})
    assert any(MARK in sql for sql in store.statements)


@pytest.mark.parametrize("text", ["\xff", "a" * 60_000, "'; --", "%00", "{}", "-span-", "\x7f"])
def test_headers_hold_anything(store: Store, text: str) -> None:
    for name in (
        "x-request-id",
        "authorization",
        "accept",
        "content-type",
        "x-forwarded-for",
        "cookie",
        "if-none-match",
    ):
        headers = {name.encode(): text.encode("latin-1")}
        for path in ("/cubejs-api/v1/load", "/cubejs-api/graphql", "/api/v1/sql"):
            body: dict[str, Any] = (
                {"query": PLAIN}
                if "load" in path
                else {"query": "{ cube { orders { count } } }", "sql": "select 1"}
            )
            judged(store.post(path, body, headers=headers), path, f"{name} {path}", str(store.root))
        judged(
            store.send("GET", "/cubejs-api/v1/meta", headers=headers),
            "/cubejs-api/v1/meta",
            name,
            str(store.root),
        )


@pytest.mark.parametrize("id", ["%00", "%2e%2e%2f", "%ff", "'", "a" * 5000, "%3Cscript%3E", "💥"])
def test_paths_hold_anything(store: Store, id: str) -> None:
    for method, path in (
        ("DELETE", f"/cubejs-api/v1/running-query/{id}"),
        ("GET", f"/api/v1/dashboards/{id}"),
        ("GET", f"/assets/{id}"),
        ("GET", f"/data/{id}"),
        ("GET", f"/cubejs-api/v1/load{id}"),
    ):
        answer = store.send(method, path)
        assert answer.status_code < 500, path
        assert "Traceback" not in answer.text
        assert str(store.root) not in answer.text
