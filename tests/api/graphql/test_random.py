"""Random questions by GraphQL and by REST: the same rows in the same order."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ingot.api import cube
from tests.semantic.lakes import served


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with (
        served(tmp_path_factory.mktemp("shop")) as made,
        TestClient(Starlette(routes=cube.CubeApi(made.service).routes())) as client,
    ):
        yield client


@dataclass(frozen=True)
class Where:
    """A condition of GraphQL (under its cube) and of REST."""

    document: str
    filter: dict[str, Any]


def leaf(member: str, operator: str, rest: str, values: list[Any] | None) -> Where:
    cube, name = member.split(".")
    if values is None:
        return Where(f"{{{cube}: {{{name}: {{set: {operator}}}}}}}", {"member": member, "operator": rest})
    written = values[0] if operator in ("equals", "notEquals", "gt", "lte") else values
    document = f"{{{cube}: {{{name}: {{{operator}: {orjson.dumps(written).decode()}}}}}}}"
    return Where(document, {"member": member, "operator": rest, "values": [str(one) for one in values]})


texts = st.lists(st.sampled_from(["done", "new", "on", "Rome", "O'Hare", ""]), min_size=1, max_size=2)
numbers = st.lists(st.integers(0, 12) | st.sampled_from([2.5, 9.75]), min_size=1, max_size=2)
TEXTS = [("in", "equals"), ("notIn", "notEquals"), ("contains", "contains"), ("notContains", "notContains"),
         ("startsWith", "startsWith"), ("notEndsWith", "notEndsWith"), ("equals", "equals")]  # fmt: skip
NUMBERS = [("in", "equals"), ("notIn", "notEquals"), ("gt", "gt"), ("lte", "lte"), ("notEquals", "notEquals")]


@st.composite
def leaves(draw: st.DrawFn) -> Where:
    values: list[Any]
    kind = draw(st.sampled_from(["text", "number", "set"]))
    if kind == "text":
        operator, rest = draw(st.sampled_from(TEXTS))
        values = draw(texts)
        member = draw(st.sampled_from(["orders.status", "customers.city"]))
    elif kind == "number":
        operator, rest = draw(st.sampled_from(NUMBERS))
        values = draw(numbers)
        member = draw(st.sampled_from(["orders.amount", "orders.id"]))
    else:
        operator, rest = draw(st.sampled_from([("true", "set"), ("false", "notSet")]))
        return leaf(
            draw(st.sampled_from(["orders.status", "customers.city", "orders.amount"])), operator, rest, None
        )
    if operator in ("equals", "notEquals", "gt", "lte"):
        values = values[:1]
    return leaf(member, operator, rest, list(values))


def joined(children: st.SearchStrategy[Where]) -> st.SearchStrategy[Where]:
    def join(key: str, parts: list[Where]) -> Where:
        documents = ", ".join(part.document for part in parts)
        return Where(f"{{{key.upper()}: [{documents}]}}", {key: [part.filter for part in parts]})

    return st.builds(join, st.sampled_from(["and", "or"]), st.lists(children, min_size=1, max_size=3))


trees = st.recursive(leaves(), joined, max_leaves=6)
DIMENSIONS = ["orders.status", "orders.paid", "customers.city", "customers.size"]
MEASURES = ["orders.count", "orders.total", "orders.mean", "orders.ratio", "customers.count"]
names = st.lists(st.sampled_from(DIMENSIONS), max_size=3, unique=True)
measures = st.lists(st.sampled_from(MEASURES), min_size=1, max_size=3, unique=True)
zones = st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata"])


@settings(max_examples=60)
@given(names, measures, st.none() | trees, st.sampled_from([None, "day", "month"]), zones, st.integers(1, 5))
def test_both_ways_give_the_same(
    client: TestClient,
    dimensions: list[str],
    measures: list[str],
    where: Where | None,
    period: str | None,
    zone: str,
    limit: int,
) -> None:
    query: dict[str, Any] = {"measures": measures, "dimensions": dimensions, "timezone": zone, "limit": limit}
    cubes: dict[str, list[str]] = {}
    for name in (*dimensions, *measures):
        cubes.setdefault(name.split(".")[0], []).append(name.split(".")[1])
    if period is not None:
        query["timeDimensions"] = [{"dimension": "orders.created_at", "granularity": period}]
        cubes.setdefault("orders", []).append(f"created_at {{ {period} }}")
    query["filters"] = [where.filter] if where else []
    asked = (*dimensions, *measures)
    by_cube: dict[str, list[str]] = {}
    for name in (*(["orders.created_at"] if period else []), *asked):
        by_cube.setdefault(name.split(".")[0], []).append(f"{name.split('.')[1]}: asc")
    # As GraphQL has it: cube by cube.
    query["order"] = [
        [f"{cube}.{one.split(':')[0]}", "asc"] for cube, members in by_cube.items() for one in members
    ]
    written = ", ".join(f"{cube}: {{{', '.join(members)}}}" for cube, members in by_cube.items())
    arguments = f'limit: {limit}, timezone: "{zone}", orderBy: {{{written}}}'
    arguments += f", where: {where.document}" if where else ""
    fields = " ".join(f"{cube} {{ {' '.join(members)} }}" for cube, members in cubes.items())
    rest = client.post("/cubejs-api/v1/load", json={"query": query}).json()
    told = client.post(
        "/cubejs-api/graphql", json={"query": f"{{ cube({arguments}) {{ {fields} }} }}"}
    ).json()
    if "error" in rest:
        assert told["errors"][0]["message"] == rest["error"]
        return
    assert "errors" not in told, (told, query)
    found = [
        {name: row[name.split(".")[0]][name.split(".")[1]] for name in asked} for row in told["data"]["cube"]
    ]
    wanted = [{name: row[name] for name in asked} for row in rest["data"]]
    for row in wanted:
        for name in measures:
            row[name] = None if row[name] is None else float(row[name])
        if "orders.paid" in row and row["orders.paid"] is not None:
            row["orders.paid"] = str(row["orders.paid"]).lower()
    assert found == wanted
