"""Wrong questions: each is 400 in Cube's shape, says exactly what is wrong, and names what was probably meant."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.hostile.store import Store, opened, token

COUNT: dict[str, Any] = {"measures": ["orders.count"]}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with opened(tmp_path_factory.mktemp("store")) as made:
        yield made


def one(member: str, operator: str, *values: Any) -> dict[str, Any]:
    return COUNT | {"filters": [{"member": member, "operator": operator, "values": list(values)}]}


def time(**given: Any) -> dict[str, Any]:
    return COUNT | {"timeDimensions": [{"dimension": "orders.created_at", **given}]}


WRONG: dict[str, tuple[dict[str, Any], list[str]]] = {
    "unknown measure": ({"measures": ["orders.cuont"]}, ["'orders.cuont'", "did you mean 'orders.count'?"]),
    "unknown dimension": ({"dimensions": ["orders.staus"]}, ["'orders.staus'", "did you mean 'orders.status'?"]),
    "unknown member of a view": ({"measures": ["sales.totl"]}, ["'sales.totl'", "did you mean 'sales.total'?"]),
    "unknown cube": ({"measures": ["ordrs.count"]}, ["'ordrs'", "did you mean 'orders'?"]),
    "unknown in a filter": (one("orders.amuont", "gt", "1"), ["'orders.amuont'", "did you mean 'orders.amount'?"]),
    "unknown in order": (COUNT | {"order": {"orders.cuont": "asc"}}, ["'orders.cuont'", "did you mean 'orders.count'?"]),
    "unknown segment": (COUNT | {"segments": ["orders.lrge"]}, ["'orders.lrge'", "did you mean 'orders.large'?"]),
    "unknown key": (COUNT | {"dimension": ["orders.status"]}, ['"dimension" is not allowed', "did you mean 'dimensions'?"]),
    "no cube": ({"measures": ["count"]}, ["'count'"]),
    "unknown granularity": (time(granularity="mnth"), ["'mnth'", "did you mean 'month'?"]),
    "unknown own granularity": (time(granularity="fiscl"), ["'fiscl'", "'orders.created_at'", "did you mean 'fiscal'?"]),
    "unknown operator": (one("orders.status", "equal", "x"), ["filters.0.operator", "'equals'"]),
    "measure as dimension": ({"dimensions": ["orders.count"]}, ["'orders.count' is a measure, not a dimension"]),
    "dimension as measure": ({"measures": ["orders.status"]}, ["'orders.status' is a dimension, not a measure"]),
    "segment as measure": ({"measures": ["orders.large"]}, ["'orders.large' is a segment, not a measure"]),
    "segment as filter": (one("orders.large", "set"), ["'orders.large' is a segment", '"segments"']),
    "dimension as segment": (COUNT | {"segments": ["orders.status"]}, ["'orders.status' is a dimension, not a segment"]),
    "text as time": (COUNT | {"timeDimensions": [{"dimension": "orders.status"}]}, ["'orders.status' is not a time dimension"]),
    "text for a number": (one("orders.amount", "gt", "many"), ["'gt' on 'orders.amount'", "numbers, not 'many'"]),
    "text for a measure": (one("orders.total", "lt", "many"), ["'lt' on 'orders.total'", "numbers, not 'many'"]),
    "text for a truth": (one("orders.paid", "equals", "maybe"), ["'equals' on 'orders.paid'", "true or false, not 'maybe'"]),
    "text for a time": (one("orders.created_at", "gt", "soon"), ["'soon'", "2026-01-31"]),
    "dates of a text": (one("orders.status", "inDateRange", "today"), ["'inDateRange'", "'orders.status'", "time dimensions"]),
    "no values": (one("orders.status", "equals"), ["'equals' on 'orders.status' needs values"]),
    "two values": (one("orders.amount", "gt", "1", "2"), ["'gt' on 'orders.amount' takes exactly one value"]),
    "window without time": ({"measures": ["orders.rolling"]}, ["'orders.rolling' has a rolling window", '"timeDimensions"']),
    "to date without time": ({"measures": ["orders.ytd"]}, ["'orders.ytd'", '"timeDimensions"']),
    "no path": ({"measures": ["items.count"], "dimensions": ["regions.name"]}, ["'items'", "'regions'"]),
    "no such day": (time(dateRange="2026-02-30"), ["'2026-02-30'", "no date"]),
    "no such month": (time(dateRange=["2026-13-01", "2026-13-02"]), ["2026-13-01", "no date"]),
    "words that are none": (time(dateRange="last fortnight"), ["'last fortnight'", "last 12 months"]),
    "backwards": (time(dateRange=["2026-02-01", "2026-01-01"]), ["2026-02-01 - 2026-01-01", "ends before it begins"]),
    "out of the calendar": (time(dateRange="last 999999 years"), ["last 999999 years", "leaves the calendar"]),
    "two ranges": (time(dateRange="today", compareDateRange=["today"]), ["either 'dateRange' or 'compareDateRange'"]),
    "unknown zone": (COUNT | {"timezone": "Europe/Berln"}, ["'Europe/Berln'", "IANA", "did you mean 'Europe/Berlin'?"]),
    "zone in small letters": (COUNT | {"timezone": "america/new_york"}, ["did you mean 'America/New_York'?"]),
    "zone of a machine": (COUNT | {"timezone": "posix/Europe/Rome"}, ["'posix/Europe/Rome'", "did you mean 'Europe/Rome'?"]),
    "zone that is a file": (COUNT | {"timezone": "../../etc/passwd"}, ["'../../etc/passwd'", "IANA"]),
    "limit too high": (COUNT | {"limit": 50_001}, ["the limit is at most 50000"]),
    "10,000 members": ({"measures": [f"orders.m{n}" for n in range(10_000)]}, ["measures", "at most 200"]),
    "100,000 members": ({"measures": [f"orders.m{n}" for n in range(100_000)]}, ["more than 25,000 names and values"]),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_question_is_told_what_is_wrong(store: Store, wrong: str) -> None:
    query, said = WRONG[wrong]
    for path in ("load", "sql", "dry-run", "explain"):
        answer = store.post(f"/cubejs-api/v1/{path}", {"query": query})
        assert answer.status_code == 400, answer.text
        assert set(answer.json()) == {"error"}
        for part in said:
            assert part in answer.json()["error"], answer.text
        assert len(answer.text) < 2_000


@pytest.mark.parametrize(
    "wrong", ["unknown measure", "measure as dimension", "text for a number", "unknown zone"]
)
def test_the_same_is_told_of_one_of_several_queries(store: Store, wrong: str) -> None:
    query, said = WRONG[wrong]
    answer = store.load([COUNT, query], queryType="multi")
    assert answer.status_code == 400
    for part in said:
        assert part in answer.json()["error"]


def test_an_ambiguous_path_names_both_and_the_hint(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Two ways of the same length from flights to airports, of which neither is the right one."""
    with opened(tmp_path_factory.mktemp("ways"), model=WAYS) as store:
        query = {"measures": ["flights.count"], "dimensions": ["places.id"]}
        answer = store.load(query)
        assert answer.status_code == 400, answer.text
        for part in ("flights", "origins", "targets", "places", "joinHints"):
            assert part in answer.json()["error"], answer.text
        hinted = store.post(
            "/cubejs-api/v1/sql", {"query": query | {"joinHints": [["flights", "origins", "places"]]}}
        )
        assert hinted.status_code == 200, hinted.text


WAYS = """
cubes:
  - name: flights
    sql_table: gold.orders
    joins:
      - {name: origins, relationship: many_to_one, sql: "{CUBE}.a = {origins.id}"}
      - {name: targets, relationship: many_to_one, sql: "{CUBE}.b = {targets.id}"}
    dimensions: [{name: id, type: number, sql: id, primary_key: true}]
    measures: [{name: count, type: count}]
  - name: origins
    sql_table: gold.customers
    joins: [{name: places, relationship: many_to_one, sql: "{CUBE}.p = {places.id}"}]
    dimensions: [{name: id, type: number, sql: id, primary_key: true}]
  - name: targets
    sql_table: gold.items
    joins: [{name: places, relationship: many_to_one, sql: "{CUBE}.p = {places.id}"}]
    dimensions: [{name: id, type: number, sql: id, primary_key: true}]
  - name: places
    sql_table: gold.regions
    dimensions: [{name: id, type: number, sql: id, primary_key: true, public: true}]
"""


def test_what_is_hidden_by_a_policy_is_as_if_it_were_not_there(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with opened(tmp_path_factory.mktemp("login"), login=True) as store:
        clerk = {"authorization": token(groups=["clerk"], topic="bug")}
        nobody = {"authorization": token(groups=["nobody"])}
        for query, there, missing, who in (
            ({"dimensions": ["tickets.topic"]}, "tickets.topic", "tickets.tpoic", clerk),
            (one("tickets.topic", "set"), "tickets.topic", "tickets.tpoic", clerk),
            ({"measures": ["tickets.count"]}, "tickets", "tikcets", nobody),
        ):
            hidden = store.load(query, headers=who)
            unknown = store.load(_renamed(query, there, missing), headers=who)
            assert hidden.status_code == unknown.status_code == 400
            assert hidden.json()["error"].replace(there, missing) == unknown.json()["error"]
            assert (
                store.load(
                    {"measures": ["tickets.count"]}, headers={"authorization": token(groups=["support"])}
                ).status_code
                == 200
            )


def _renamed(query: Any, there: str, missing: str) -> Any:
    if isinstance(query, dict):
        return {key: _renamed(value, there, missing) for key, value in query.items()}
    if isinstance(query, list):
        return [_renamed(value, there, missing) for value in query]
    return query.replace(there, missing)
