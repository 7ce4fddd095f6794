"""Requests that are too large are refused at once, and neither time nor memory grows with them."""

import resource
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.hostile.judge import judged
from tests.api.hostile.store import Store, opened
from tests.api.hostile.texts import PLAIN, V1

SOON = 5.0
"""Seconds that a refusal may take on a machine that is busy with other tests."""
STATUS = "orders.status"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with opened(tmp_path_factory.mktemp("store"), hooks=True) as made:
        yield made


def where(operator: str, number: int, member: str = STATUS) -> dict[str, Any]:
    return {"member": member, "operator": operator, "values": [f"v{n}" for n in range(number)]}


def nested(depth: int, inner: Any) -> Any:
    for _ in range(depth):
        inner = {"or": [{"and": [inner]}]}
    return inner


def large() -> dict[str, tuple[Any, str]]:
    """Queries that are too large, and what is said of each."""
    month = {"dimension": "orders.created_at", "granularity": "month"}
    return {
        "10,000 measures": ({"measures": [f"orders.m{n}" for n in range(10_000)]}, "at most 200"),
        "10,000 times the same": ({"measures": ["orders.count"] * 10_000}, "at most 200"),
        "201 dimensions": (PLAIN | {"dimensions": ["orders.status"] * 201}, "at most 200"),
        "a million of anything": (PLAIN | {"dimensions": [{}] * 1_000_000}, "too large"),
        "a name of a megabyte": ({"measures": ["x" * 1_000_000]}, "at most 300"),
        "a key of a megabyte": (PLAIN | {"x" * 1_000_000: 1}, "is not allowed"),
        "a value of a megabyte": (PLAIN | {"filters": [{"member": STATUS, "operator": "equals", "values": ["x" * 1_000_000]}]}, "at most 100000"),
        "50,000 values": (PLAIN | {"filters": [where("equals", 50_000)]}, "too large"),
        "10,001 values": (PLAIN | {"filters": [where("equals", 5_001), where("notEquals", 5_000)]}, "at most 10,000 values"),
        "1,001 patterns": (PLAIN | {"filters": [{"or": [where("contains", 501), where("notEndsWith", 500)]}]}, "at most 1,000 values"),
        "501 filters": (PLAIN | {"filters": [where("set", 0)] * 501}, "at most 500 filters"),
        "501 filters in each other": (PLAIN | {"filters": [nested(3, {"or": [where("set", 0)] * 501})]}, "at most 500 filters"),
        "filters 40 deep": (PLAIN | {"filters": [nested(20, where("set", 0))]}, "deep"),
        "filters 900 deep": (PLAIN | {"filters": [nested(220, where("set", 0))]}, "deep"),
        "100 queries": ([PLAIN] * 100, "1 to 50"),
        "500,000 queries": ([{}] * 500_000, "1 to 50"),
        "50 large queries": ([PLAIN | {"filters": [where("equals", 5_000)]}] * 50, "too large"),
        "100 ranges": (PLAIN | {"timeDimensions": [month | {"compareDateRange": ["today"] * 100}]}, "at most 20"),
        "every second of all time": ({"measures": ["orders.rolling"], "timeDimensions": [{"dimension": "orders.created_at", "granularity": "second", "dateRange": ["0001-01-01", "9999-12-31"]}]}, "more than 100000 periods"),
        "300 hints": (PLAIN | {"joinHints": [["orders", "customers"]] * 300}, "at most 200"),
    }  # fmt: skip


@pytest.mark.parametrize("name", large())
def test_what_is_too_large_is_refused_at_once(store: Store, name: str) -> None:
    query, said = large()[name]
    store.statements.clear()
    begun = time.monotonic()
    answer = store.load(query, queryType="multi")
    assert time.monotonic() - begun < SOON
    assert answer.status_code in (400, 413), answer.text[:300]
    assert said in answer.json()["error"], answer.text[:500]
    assert len(answer.text) < 2_000
    assert not store.statements


def test_the_largest_that_is_allowed_is_answered(store: Store) -> None:
    filters = [
        where("equals", 4_500),
        *(where("contains", 1) for _ in range(200)),
        nested(8, where("startsWith", 200)),
    ]
    answer = store.load(PLAIN | {"filters": filters})
    assert answer.status_code == 200, answer.text[:300]
    assert answer.json().get("error", "Continue wait") == "Continue wait"


def test_a_document_of_a_megabyte_is_refused(store: Store) -> None:
    path = "/cubejs-api/graphql"
    for text in (
        "{ cube { orders { count } } } #" + "x" * 1_000_000,
        "{" * 300_000,
        "{ cube { orders { " + "count " * 100_000 + "} } }",
    ):
        begun = time.monotonic()
        answer = store.post(path, {"query": text})
        assert time.monotonic() - begun < SOON
        assert answer.status_code == 400, answer.text[:300]
        judged(answer, path, text[:50], str(store.root))


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.mark.slow
def test_many_bad_requests_at_once_leave_room_for_good_ones(store: Store) -> None:
    """300 of them from eight clients: all refused, memory bounded, and the server still answers."""
    bad = [query for query, _ in large().values()]
    for query in bad:
        store.load(query, queryType="multi")
    before, begun = peak(), time.monotonic()
    waiting = [
        store.watched.submit(
            store.client.post, f"{V1}/load", json={"query": bad[n % len(bad)], "queryType": "multi"}
        )
        for n in range(300)
    ]
    assert {one.result(timeout=120).status_code for one in waiting} <= {400, 413}
    assert time.monotonic() - begun < 120
    assert peak() - before < 600, "megabytes, of which the clients' own bodies are most"
    assert store.load(PLAIN).json()["data"] == [{"orders.count": "4"}]
