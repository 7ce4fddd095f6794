"""JSON of every wrong shape at every route that takes any, and what is no JSON at all."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.routing import Route

from tests.api.hostile.judge import judged
from tests.api.hostile.store import Store, opened
from tests.api.hostile.texts import PLAIN, V1

ROUTES = [
    *(f"{V1}/{name}" for name in ("load", "subscribe", "sql", "dry-run", "explain")),
    *(f"{V1}/pre-aggregations/{name}" for name in ("can-use", "jobs")),
    "/cubejs-api/graphql",
    "/api/v1/sql",
]
WORDS = [
    "query", "queryType", "multi", "ref", "format", "json", "measures", "dimensions", "timeDimensions", "filters", "segments",
    "order", "limit", "offset", "timezone", "total", "ungrouped", "joinHints", "responseFormat", "compact", "dateRange",
    "compareDateRange", "granularity", "dimension", "member", "operator", "values", "and", "or", "equals", "inDateRange", "set", "id",
    "desc", "asc", "orders.count", "orders.rolling", "orders.place", "orders.status", "orders.created_at", "orders.created_at.month",
    "orders.large", "sales.customers_city", "customers.city", "month", "fiscal", "last week", "2026-01-01", "UTC", "Europe/Berlin",
    "action", "post", "get", "tokens", "resType", "selector", "cubes", "preAggregations", "orders.by_status", "transformedQuery",
    "references", "leafMeasures", "sortedDimensions", "sortedTimeDimensions", "variables", "operationName", "sql", "select 1",
    "{ cube { orders { count } } }",
]  # fmt: skip
WORD = st.sampled_from(WORDS)
LEAF = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | WORD
    | st.text(max_size=5)
)
ANYTHING = st.recursive(
    LEAF,
    lambda one: st.lists(one, max_size=4) | st.dictionaries(WORD | st.text(max_size=3), one, max_size=5),
    max_leaves=25,
)
MEMBERS = st.lists(st.sampled_from([one for one in WORDS if "." in one]) | ANYTHING, max_size=3)
FILTER = st.recursive(
    st.fixed_dictionaries(
        {}, optional={"member": WORD, "operator": WORD | ANYTHING, "values": ANYTHING, "dimension": WORD}
    ),
    lambda one: st.dictionaries(
        st.sampled_from(["and", "or"]), st.lists(one, max_size=3), min_size=1, max_size=2
    ),
    max_leaves=6,
)
TIME = st.fixed_dictionaries(
    {"dimension": st.just("orders.created_at") | ANYTHING},
    optional={"granularity": WORD | ANYTHING, "dateRange": ANYTHING, "compareDateRange": ANYTHING},
)
ALMOST = st.fixed_dictionaries(
    {"measures": st.just(["orders.count"]) | MEMBERS},
    optional={
        "dimensions": MEMBERS,
        "segments": MEMBERS,
        "filters": st.lists(FILTER, max_size=3) | ANYTHING,
        "timeDimensions": st.lists(TIME, max_size=2) | ANYTHING,
        **dict.fromkeys(
            (
                "order",
                "limit",
                "offset",
                "timezone",
                "total",
                "ungrouped",
                "joinHints",
                "responseFormat",
                "ref",
                "x",
            ),
            ANYTHING,
        ),
    },
)
BODY = ANYTHING | st.fixed_dictionaries(
    {"query": ALMOST | st.lists(ALMOST, max_size=3) | ANYTHING},
    optional={
        "queryType": st.just("multi") | ANYTHING,
        "ref": ANYTHING,
        "format": WORD | ANYTHING,
        "variables": ANYTHING,
    },
)
OFTEN = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
SELDOM = settings(OFTEN, max_examples=15)


@pytest.fixture(scope="module", params=["plain", pytest.param("hooks", marks=pytest.mark.slow)])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with opened(tmp_path_factory.mktemp("store"), hooks=request.param == "hooks") as made:
        yield made


def send(store: Store, path: str, body: Any) -> None:
    judged(store.post(path, body), path, f"{path} {json.dumps(body)[:1000]}", str(store.root))


def test_every_route_that_takes_json_is_here(store: Store) -> None:
    app: Any = store.client.app
    found = {one.path for one in app.routes if isinstance(one, Route) and "POST" in (one.methods or ())}
    # What is asked in SQL has tests of its own, as its values stand in the statement.
    assert found - {f"{V1}/cubesql"} == set(ROUTES)


@SELDOM
@given(path=st.sampled_from(ROUTES), body=BODY)
def test_json_of_a_wrong_shape_is_an_answer_or_an_error(store: Store, path: str, body: Any) -> None:
    send(store, path, body)


@pytest.mark.slow
@pytest.mark.parametrize("path", ROUTES)
def test_no_json_of_a_wrong_shape_is_a_mistake_of_ours(store: Store, path: str) -> None:
    @OFTEN
    @given(body=BODY)
    def check(body: Any) -> None:
        send(store, path, body)

    check()


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b"true", b"5", b'"x"', b"{}", b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf{}", b'{"query": "\\ud800"}',
        b'{"query": NaN}', b'{"query": 1e999}', b'{"query": {"limit": 123456789012345678901234567890}}', b'{"query": {"query": {}}}',
        b'{"query": "{\\"measures\\": [\\"orders.count\\"]}", "query": 5}', b"{'query': {}}", b"query=x", b'{"query":{}}{"query":{}}',
        b"[" * 100_000, b'{"query":' * 50_000, b'{"query": ' + b"[" * 900 + b"]" * 900 + b"}", b"\x00" * 1000, b'{"sql": 5}',
        b'{"sql": "\\u0000"}', b'{"variables": 5, "query": "{a}"}', b'{"query": "{a}", "operationName": {}}',
    ],
)  # fmt: skip
def test_a_body_that_is_nothing_is_refused(store: Store, body: bytes) -> None:
    for path in ROUTES:
        answer = store.send("POST", path, content=body, headers={"content-type": "application/json"})
        judged(answer, path, f"{path} {body[:60]!r}", str(store.root))
        assert answer.status_code in (400, 404), (path, answer.text)


def test_queries_that_hold_queries_deeper_than_any_are_refused(store: Store) -> None:
    for depth in (60, 200, 900):
        deep: Any = "x"
        for _ in range(depth):
            deep = [deep]
        for query in (
            PLAIN | {"cache": deep},
            PLAIN | {"filters": deep},
            [deep],
            PLAIN | {"renewQuery": {"x": deep}},
        ):
            answer = store.load(query)
            judged(answer, f"{V1}/load", str(depth), str(store.root))
            assert answer.status_code in (200, 400)
            assert depth < 64 or answer.status_code == 400
