"""GraphQL as Cube's: what documents ask is what REST answers; names, conditions, times, errors, limits."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import build_client_schema, get_introspection_query
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ingot.api import cube
from tests.semantic.lakes import Served, served

PATH = "/cubejs-api/graphql"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("shop")) as made:
        yield made


@pytest.fixture(scope="module")
def client(shop: Served) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=cube.CubeApi(shop.service).routes())) as made:
        yield made


def post(client: TestClient, text: str, **variables: Any) -> Any:
    answer = client.post(PATH, json={"query": text, "variables": variables})
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def rows(client: TestClient, text: str, **variables: Any) -> Any:
    answer = post(client, text, **variables)
    assert "errors" not in answer, answer
    return answer["data"]["cube"]


def error(client: TestClient, text: str, **variables: Any) -> str:
    answer = post(client, text, **variables)
    assert answer.get("data") is None
    return str(answer["errors"][0]["message"])


def counted(client: TestClient, where: str, **variables: Any) -> int:
    declared = "".join(f"${name}: {kind} " for name, (kind, _) in variables.items())
    head = f"query({declared})" if declared else ""
    text = f"{head} {{ cube(where: {{orders: {where}}}) {{ orders {{ count }} }} }}"
    [row] = rows(client, text, **{name: value for name, (_, value) in variables.items()})
    return int(row["orders"]["count"])


def test_the_documented_question(client: TestClient) -> None:
    found = rows(client, "{ cube { orders { count status created_at { day } } } }")
    assert found == [
        {"orders": {"count": 1, "status": status, "created_at": {"day": f"{day}T00:00:00.000Z"}}}
        for status, day in [("done", "2026-01-31"), ("new", "2026-02-01"), ("done", "2026-02-28")]
    ]


def test_several_cubes_and_order(client: TestClient) -> None:
    text = "{ cube(orderBy: {customers: {city: desc}}) { orders { total } customers { city } } }"
    assert rows(client, text) == [
        {"orders": {"total": 15}, "customers": {"city": "Rome"}},
        {"orders": {"total": 7}, "customers": {"city": "O'Hare"}},
    ]
    text = "{ cube(limit: 1, offset: 1) { orders(orderBy: {status: asc}) { status } } }"
    assert rows(client, text) == [{"orders": {"status": "new"}}]


def test_a_ref_stands_in_the_document_or_beside_it(client: TestClient) -> None:
    text = '{ main: cube { orders { total } } dev: cube(ref: "dev") { orders { total } } }'
    data = post(client, text)["data"]
    assert data == {"main": [{"orders": {"total": 22}}], "dev": [{"orders": {"total": 122}}]}
    body = {"query": "{ cube { orders { total } } }", "ref": "dev"}
    answer = client.post(PATH, json=body).json()
    assert answer["data"] == {"cube": data["dev"]}
    assert answer["extensions"]["ref"] == "dev"
    assert "did you mean 'dev'" in error(client, '{ cube(ref: "dve") { orders { count } } }')


def test_aliases_fragments_directives_and_type_names(client: TestClient) -> None:
    text = """
      query Q($all: Boolean!) {
        cube { __typename o: orders { n: count ...Rest total @skip(if: $all) } }
      }
      fragment Rest on OrdersMembers { status @include(if: $all) ... on OrdersMembers { kind: __typename } }
    """
    more = rows(client, text, all=True)
    assert [set(row["o"]) for row in more] == [{"n", "status", "kind"}] * 2
    assert rows(client, text, all=False) == [
        {"__typename": "Result", "o": {"n": 3, "kind": "OrdersMembers", "total": 22}}
    ]


@pytest.mark.parametrize(
    ("where", "count"),
    [
        ('{status: {equals: "done"}}', 2),
        ('{status: {notEquals: "done"}}', 1),
        ('{status: {in: ["done", "new"]}}', 3),
        ('{status: {in: "new"}}', 1),
        ('{status: {notIn: ["done", "new"]}}', 0),
        ('{status: {contains: ["on", "x"]}}', 2),
        ('{status: {notContains: ["on", "x"]}}', 1),
        ('{status: {startsWith: ["n"]}}', 1),
        ('{status: {notEndsWith: ["e"]}}', 1),
        ("{status: {set: true}}", 3),
        ("{status: {set: false}}", 0),
        ("{amount: {gt: 5, lt: 10}}", 1),
        ("{amount: {gte: 5, lte: 10}}", 3),
        ("{amount: {equals: 7.0}}", 1),
        ("{amount: {in: [5, 7]}}", 2),
        ('{paid: {equals: "true"}}', 2),
        ('{created_at: {beforeDate: "2026-02-01"}}', 1),
        ('{created_at: {afterOrOnDate: "2026-02-01"}}', 2),
        ('{created_at: {onTheDate: "2026-02-28"}}', 1),
        ('{created_at: {inDateRange: ["2026-02-01", "2026-02-28"]}}', 2),
        ('{created_at: {inDateRange: ["2026-01-31"]}}', 1),
        ('{created_at: {notInDateRange: ["2026-02-01", "2026-02-28"]}}', 1),
        ('{status: {equals: "done"}, amount: {gt: 7}}', 1),
        ('{OR: [{status: {equals: "new"}}, {amount: {gt: 9}}]}', 2),
        ('{OR: [{status: {equals: "done"}, amount: {gt: 9}}, {amount: {lt: 6}}]}', 2),
        ('{AND: [{status: {equals: "done"}}, {amount: {gt: 7}}]}', 1),
        ('{AND: [{OR: [{status: {equals: "new"}}, {amount: {gt: 9}}]}, {paid: {equals: "true"}}]}', 1),
        ('{status: {equals: "done"}, OR: [{amount: {gt: 9}}, {amount: {lt: 6}}]}', 1),
        ("{AND: []}", None),
        ("{OR: []}", None),
        ("{OR: [{}]}", None),
    ],
)  # fmt: skip
def test_conditions(client: TestClient, where: str, count: int | None) -> None:
    if count is None:
        assert "at least one condition" in error(
            client, f"{{ cube(where: {{orders: {where}}}) {{ orders {{ count }} }} }}"
        )
        return
    assert counted(client, where) == count
    [own] = rows(client, f"{{ cube {{ orders(where: {where}) {{ count }} }} }}")
    assert own["orders"]["count"] == count


def test_conditions_of_several_cubes_join(client: TestClient) -> None:
    text = """{ cube(where: {OR: [{orders: {status: {equals: "new"}}}, {customers: {city: {equals: "O'Hare"}}}]}) {
      orders(where: {amount: {gt: 5}}) { total } } }"""
    assert rows(client, text) == [{"orders": {"total": 7}}]


def test_variables_in_every_place(client: TestClient) -> None:
    assert counted(client, "{status: {equals: $s}}", s=("String", "done")) == 2
    assert counted(client, "{status: $f}", f=("StringFilter", {"in": ["done", "new"]})) == 3
    assert (
        counted(client, "{created_at: {inDateRange: $d}}", d=("[String]", ["2026-02-01", "2026-02-28"])) == 2
    )
    text = "query($w: RootWhereInput, $o: RootOrderByInput, $l: Int = 1) { cube(where: $w, orderBy: $o, limit: $l) { orders { status } } }"
    where = {"orders": {"amount": {"gt": 5}}}
    assert rows(client, text, w=where, o={"orders": {"status": "desc"}}) == [{"orders": {"status": "done"}}]
    assert len(rows(client, text, l=5)) == 2


def test_digits_of_large_numbers_are_kept(
    client: TestClient, shop: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = 2**53 + 1  # the first whole number that a float cannot say
    seen: list[Any] = []
    ask = shop.service.ask

    def listening(queries: Any, **more: Any) -> Any:
        seen.append(queries)
        return ask(queries, **more)

    monkeypatch.setattr(shop.service, "ask", listening)
    assert counted(client, f"{{amount: {{equals: {large}}}}}") == 0
    assert [one["filters"][0]["values"] for [one] in seen] == [[str(large)]]
    text = "query($n: Float) { cube(where: {orders: {amount: {equals: $n}}}) { orders { count } } }"
    assert "lose precision" in error(client, text, n=large)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{ cube(where: {orders: {status: {equals: null}}}) { orders { count } } }", "{set: false}"),
        ("{ cube(where: {orders: {status: null}}) { orders { count } } }", "leave it out"),
        ("{ cube(where: {orders: null}) { orders { count } } }", "leave it out"),
        ("{ cube(where: {OR: null}) { orders { count } } }", "leave it out"),
        ("query($s: String) { cube(where: {orders: {status: {equals: $s}}}) { orders { count } } }", "$s is not given"),
        ("{ cube { orders { __typename } } }", "at least one measure or dimension"),
        ("{ cube(limit: 50001) { orders { count } } }", "50000"),
        ('{ cube(timezone: "Mars") { orders { count } } }', "time zone"),
        ('{ cube(where: {orders: {created_at: {inDateRange: ["soon"]}}}) { orders { count } } }', "soon"),
        ("{ cube { items { count } customers { city } } }", "No join path"),
        ("{ cube(orderBy: {orders: {total: asc}}) { orders { count } } }", "orders.total"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_said_and_never_left_out(client: TestClient, text: str, said: str) -> None:
    answer = post(client, text)
    assert answer["data"] is None
    assert said in answer["errors"][0]["message"]
    assert answer["errors"][0]["path"] == ["cube"]
    assert answer["errors"][0]["extensions"]["status"] == 400


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{ cube { orders { cuont } } }", "Did you mean 'count'"),
        ("{ cube { odrers { count } } }", "Did you mean 'orders'"),
        ("{ cube { orders(where: {status: {gt: 5}}) { count } } }", "gt"),
        ('{ cube(limit: "x") { orders { count } } }', "Int"),
        ("{ cube { orders", "Syntax Error"),
        ("mutation { x }", "Mutation|mutation"),
        ("query A { cube { orders { count } } } query B { __typename }", "operation name"),
        ("query($x: Int!) { cube(limit: $x) { orders { count } } }", "x"),
        ("{ cube { orders { ...F } } } fragment F on OrdersMembers { count ...F }", "itself"),
        ("{ cube { orders { created_at } } }", "must have a selection"),
    ],
)
def test_documents_that_do_not_fit_are_400(client: TestClient, text: str, said: str) -> None:
    answer = client.post(PATH, json={"query": text})
    assert answer.status_code == 400
    assert any(part in json.dumps(answer.json()["errors"]) for part in said.split("|")), answer.text
    assert "data" not in answer.json()


def test_times_are_moments(client: TestClient) -> None:
    text = '{ cube(timezone: "%s") { orders { count created_at { value month } } } }'
    [first, *_] = rows(client, text % "America/New_York")
    assert first["orders"]["created_at"] == {
        "value": "2026-01-31T23:30:00.000Z",
        "month": "2026-01-01T05:00:00.000Z",
    }
    text = '{ cube(timezone: "Europe/Berlin") { orders { created_at { month } } } }'
    months = [row["orders"]["created_at"]["month"] for row in rows(client, text)]
    assert months == ["2026-01-31T23:00:00.000Z", "2026-02-28T23:00:00.000Z"]  # February and March begin


def test_the_range_of_a_time_that_is_not_selected_holds(client: TestClient) -> None:
    text = """{ cube(where: {orders: {created_at: {inDateRange: ["2026-02-01", "2026-02-28"]}}}) {
      orders { total } } }"""
    assert rows(client, text) == [{"orders": {"total": 12}}]
    text = text.replace("total", "total created_at { month year }")
    [row] = rows(client, text)
    assert row["orders"]["total"] == 12


def test_truth_is_text_as_with_cube(client: TestClient) -> None:
    found = rows(client, "{ cube { orders { paid count } } }")
    assert found == [{"orders": {"paid": "true", "count": 2}}, {"orders": {"paid": "false", "count": 1}}]


def test_get_and_names_of_operations(client: TestClient) -> None:
    text = "query A($n: Int) { cube(limit: $n) { orders { total } } } query B { __typename }"
    params = {"query": text, "operationName": "A", "variables": '{"n": 5}'}
    assert client.get(PATH, params=params).json()["data"] == {"cube": [{"orders": {"total": 22}}]}
    assert client.get(PATH, params={**params, "operationName": "B"}).json() == {
        "data": {"__typename": "Query"}
    }
    assert client.get(PATH, params={**params, "variables": "{"}).status_code == 400


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"query": 5}', b'{"query": "{ __typename }", "variables": []}', b'{"query": " "}',
             b'{"query": "{ __typename }", "operationName": 5}']
)  # fmt: skip
def test_bodies_that_are_no_request_are_400(client: TestClient, body: bytes) -> None:
    answer = client.post(PATH, content=body)
    assert answer.status_code == 400
    assert set(answer.json()["errors"][0]) == {"message", "extensions"}


def test_introspection_is_a_schema_of_what_meta_shows(client: TestClient) -> None:
    answer = client.post(PATH, json={"query": get_introspection_query()})
    schema = build_client_schema(answer.json()["data"])
    result = schema.type_map["Result"].fields  # type: ignore[attr-defined]
    meta = client.get("/cubejs-api/v1/meta").json()["cubes"]
    assert set(result) == {one["name"] for one in meta}
    for one in meta:
        members = {each["name"].split(".")[1] for kind in ("measures", "dimensions") for each in one[kind]}
        assert set(result[one["name"]].type.of_type.fields) == members
    assert str(schema.query_type.fields["cube"].type) == "[Result!]!"  # type: ignore[union-attr]
    for name in (
        "FloatFilter",
        "StringFilter",
        "DateTimeFilter",
        "OrderBy",
        "RootWhereInput",
        "TimeDimension",
    ):
        assert name in schema.type_map


def test_the_annotation_comes_as_with_cube(client: TestClient) -> None:
    notes = post(client, "{ cube { orders { count } } }")["extensions"]
    assert notes["annotation"]["measures"]["orders.count"]["title"] == "Orders Count"
    assert notes["lastRefreshTime"].endswith("Z")


HEAVY = {
    "a bomb of fragments": "{ cube { ...A0 } } "
    + " ".join(f"fragment A{n} on Result {{ ...A{n + 1} ...A{n + 1} }}" for n in range(30))
    + " fragment A30 on Result { orders { count } }",
    "too many fields": "{ cube { orders { " + "count " * 1001 + "} } }",
    "too many aliases": "{ cube { orders { " + " ".join(f"a{n}: count" for n in range(251)) + "} } }",
    "too many questions": "{ " + " ".join(f"a{n}: cube {{ orders {{ count }} }}" for n in range(11)) + "}",
    "too deep": "{ __schema { types { " + "ofType { " * 30 + "name" + " }" * 33,
    "deep values": "{ cube(where: " + "{AND: [" * 2000 + "]}" * 2000 + ") { orders { count } } }",
    "too long": "{ __typename }" + " " * 70_000,
    "introspection in circles": "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }",
}


@pytest.mark.parametrize("text", HEAVY.values(), ids=HEAVY.keys())
def test_what_costs_too_much_is_refused_at_once(client: TestClient, text: str) -> None:
    post(client, "{ __typename }")
    began = time.monotonic()
    answer = client.post(PATH, json={"query": text})
    assert time.monotonic() - began < 3
    assert answer.status_code == 400
    assert answer.json()["errors"]


def test_the_most_that_is_allowed_does_not_hurt(client: TestClient) -> None:
    began = time.monotonic()
    aliases = " ".join(f"a{n}: count" for n in range(249))
    [row] = rows(client, f"{{ cube {{ orders {{ {aliases} }} }} }}")
    assert row["orders"] == {f"a{n}": 3 for n in range(249)}
    post(client, "{ cube { orders { " + "count " * 990 + "} } }")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE gold.orders; --", '"', "\\", "%", "{CUBE}", "\x00", "☃", "$1"]
)
def test_hostile_values_are_values(client: TestClient, text: str) -> None:
    for name in ("equals", "in", "contains"):
        where = f"{{status: {{{name}: $s}}}}"
        answer = post(
            client,
            f"query($s: {'String' if name == 'equals' else '[String]'}) {{ cube(where: {{orders: {where}}}) {{ orders {{ count }} }} }}",
            s=text if name == "equals" else [text],
        )
        assert answer["data"] in (None, {"cube": [{"orders": {"count": 0}}]}), answer
    for place in ("timezone", "ref", "cache"):
        answer = post(client, f"query($s: String) {{ cube({place}: $s) {{ orders {{ count }} }} }}", s=text)
        assert answer["data"] in (None, {"cube": [{"orders": {"count": 3}}]})
    assert counted(client, "{status: {set: true}}") == 3


QUESTIONS = [
    {"measures": ["orders.count", "orders.total", "orders.mean"], "dimensions": ["orders.status"]},
    {"measures": ["sales.count"], "dimensions": ["sales.customers_city"]},
    {"measures": ["orders.total", "tickets.hours"], "dimensions": ["customers.city"]},
    {"measures": ["items.value"], "dimensions": ["products.kind"]},
]


@pytest.mark.parametrize("query", QUESTIONS)
def test_the_same_rows_as_over_rest(client: TestClient, query: dict[str, Any]) -> None:
    names = [*query["dimensions"], *query["measures"]]
    cubes: dict[str, list[str]] = {}
    for name in names:
        owner, member = name.split(".")
        cubes.setdefault(owner, []).append(member)
    inner = " ".join(f"{owner} {{ {' '.join(members)} }}" for owner, members in cubes.items())
    found = [
        {name: row[name.split(".")[0]][name.split(".")[1]] for name in names}
        for row in rows(client, f"{{ cube {{ {inner} }} }}")
    ]
    data = client.post("/cubejs-api/v1/load", json={"query": query}).json()["data"]

    def key(row: dict[str, Any]) -> str:
        return str([row[name] for name in query["dimensions"]])

    def plain(row: dict[str, Any]) -> dict[str, Any]:
        measures = query["measures"]
        return {
            name: float(value) if name in measures and value is not None else value
            for name, value in row.items()
        }

    assert sorted(map(plain, found), key=key) == sorted(map(plain, data), key=key)
