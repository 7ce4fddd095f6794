"""What an asker can get out of a service, by whichever door: data, totals, meta, messages, plans, kept answers."""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from ingot.semantic import MemberError, QueryError, Service
from ingot.semantic.context import ANYONE, Context
from ingot.semantic.planner.plan import plan
from ingot.semantic.query import parse
from tests.semantic import shop
from tests.semantic.lakes import served

POLICIES: dict[str, list[dict[str, Any]]] = {
    "orders": [
        {"group": "boss"},
        {
            "group": "clerk",
            "member_level": {"excludes": ["amount", "total", "most"]},
            "row_level": {
                "filters": [
                    {"member": "status", "operator": "equals", "values": ["{ securityContext.states }"]}
                ]
            },
        },
        {
            "group": "viewer",
            "member_level": {"includes": ["id", "count", "created_at"]},
            "member_masking": {"includes": ["status", "total", "mean"]},
        },
    ],
    "tickets": [{"groups": ["boss", "support"]}],
    "customers": [{"group": "*", "conditions": [{"if": "{ security_context.suspended != true }"}]}],
}


def cubes() -> list[dict[str, Any]]:
    made = copy.deepcopy(shop.CUBES)
    for cube in made:
        if cube["name"] in POLICIES:
            cube["access_policy"] = POLICIES[cube["name"]]
        if cube["name"] == "orders":
            cube["hierarchies"] = [{"name": "levels", "levels": ["status", "amount"]}]
            members = {one["name"]: one for one in [*cube["dimensions"], *cube["measures"]]}
            members["status"]["mask"] = "?"
            members["total"]["mask"] = -1
            members["count"]["drill_members"] = ["status", "amount", "most"]
    return made


VIEWS = [
    {
        "name": "desk",
        "cubes": [
            {"join_path": "orders", "includes": ["count", "total", "status", "amount", "created_at"]},
            {"join_path": "orders.customers", "includes": ["city"]},
        ],
        "folders": [
            {"name": "money", "includes": ["total", "amount"]},
            {"name": "more", "includes": ["status"]},
        ],
        "access_policy": [
            {"group": "clerk", "member_level": {"excludes": ["amount"]}},
            {
                "group": "viewer",
                "row_level": {
                    "filters": [
                        {"member": "city", "operator": "equals", "values": ["{ security_context.city }"]}
                    ]
                },
            },
        ],
    },
    {"name": "open", "cubes": [{"join_path": "orders", "includes": ["count", "most"]}]},
]
BOSS = Context({}, ("boss",))
CLERK = Context({"states": ["done"]}, ("clerk",))
VIEWER = Context({"city": "Rome"}, ("viewer",))
NOBODY = Context({}, ("stranger",))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with served(tmp_path_factory.mktemp("shop")) as made:
        own = Service(shop.project(cubes(), VIEWS), made.lake, made.engine)
        own.load({"measures": ["items.count"]})  # what at_hand needs is at hand
        yield own
        own.close()


def ask(service: Service, context: Context, **query: Any) -> Any:
    return numbers(service.load(query, context=context)["data"])


def numbers(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with numbers where answers have them as text."""

    def one(value: Any) -> Any:
        try:
            return float(value)
        except (TypeError, ValueError):
            return value

    return [{key: one(value) for key, value in row.items()} for row in rows]


def test_entries_decide_which_rows_are_there(service: Service) -> None:
    query = {"measures": ["orders.count"]}
    assert ask(service, BOSS, **query) == [{"orders.count": 3}]
    assert ask(service, CLERK, **query) == [{"orders.count": 2}]
    assert ask(service, Context({"states": "new"}, ("clerk",)), **query) == [{"orders.count": 1}]
    assert ask(service, Context({"states": "new"}, ("clerk", "boss")), **query) == [{"orders.count": 3}]


@pytest.mark.parametrize(
    "security", [{}, {"states": None}, {"states": []}, {"states": {"a": 1}}, {"states": [["done"]]}]
)
def test_who_does_not_say_what_a_row_filter_asks_for_sees_no_row(service: Service, security: Any) -> None:
    asker = Context(security, ("clerk",))
    assert ask(service, asker, measures=["orders.count"]) == [{"orders.count": 0}]
    assert ask(service, asker, dimensions=["orders.id"]) == []
    found = service.load({"dimensions": ["orders.id"], "total": True}, context=asker)
    assert found["total"] == 0


def test_rows_are_hidden_on_the_way_to_other_cubes(service: Service) -> None:
    query = {"measures": ["items.count"], "dimensions": ["orders.status"]}
    clerk = ask(service, Context({"states": "new"}, ("clerk",)), measures=["customers.per_order"])
    assert clerk == [{"customers.per_order": pytest.approx(1 / 3)}]
    assert ask(service, BOSS, **query) == [
        {"orders.status": "done", "items.count": 2},
        {"orders.status": "new", "items.count": 0},
    ]
    assert ask(service, CLERK, **query) == [{"orders.status": "done", "items.count": 2}]


def test_ungrouped_rows_are_those_that_may_be_seen(service: Service) -> None:
    rows = ask(service, CLERK, dimensions=["orders.id"], ungrouped=True)
    assert sorted(row["orders.id"] for row in rows) == [1, 3]
    masked = ask(
        service, VIEWER, dimensions=["orders.id", "orders.status"], measures=["orders.total"], ungrouped=True
    )
    assert {(row["orders.status"], row["orders.total"]) for row in masked} == {("?", -1)}


HIDDEN: list[dict[str, Any]] = [
    {"measures": ["orders.total"]},
    {"dimensions": ["orders.amount"]},
    {"dimensions": ["orders.amount"], "ungrouped": True},
    {
        "measures": ["orders.count"],
        "filters": [{"member": "orders.amount", "operator": "gt", "values": ["5"]}],
    },
    {
        "measures": ["orders.count"],
        "filters": [{"member": "orders.total", "operator": "gt", "values": ["5"]}],
    },
    {"measures": ["orders.count"], "filters": [{"or": [{"member": "orders.amount", "operator": "set"}]}]},
    {"measures": ["orders.count"], "dimensions": ["orders.status"], "order": {"orders.amount": "asc"}},
    {"measures": ["tickets.count"]},
    {"dimensions": ["tickets.topic"]},
    {
        "measures": ["orders.count"],
        "timeDimensions": [{"dimension": "tickets.opened_at", "dateRange": "today"}],
    },
    {"measures": ["orders.count"], "segments": ["tickets.any"]},
    {"dimensions": ["desk.amount"]},
]


HIDES = [
    "orders.amount",
    "orders.total",
    "tickets.count",
    "tickets.topic",
    "tickets.opened_at",
    "tickets.any",
    "desk.amount",
]
OWNERS = {"orders": "orders", "desk": "desk"}


@pytest.mark.parametrize("query", HIDDEN, ids=json.dumps)
@pytest.mark.parametrize("verb", ["load", "sql", "dry_run", "explain", "at_hand"])
def test_what_is_hidden_is_unknown_with_the_words_of_what_is_not_there(
    service: Service, query: dict[str, Any], verb: str
) -> None:
    """The message is that of a name which nobody has, but for the name itself."""
    hides = [one for one in HIDES if f'"{one}"' in json.dumps(query)]
    strange = {one: f"{OWNERS.get(one.partition('.')[0], 'zzzzzzz')}.{'z' * 9}" for one in hides}
    other = json.dumps(query)
    for name, stranger in strange.items():
        other = other.replace(f'"{name}"', f'"{stranger}"')
    said = []
    for one in (query, json.loads(other)):
        with pytest.raises(MemberError) as caught:
            getattr(service, verb)(one, context=CLERK)
        said.append(re.sub(r" \(did you mean '[^']*'\?\)", "", str(caught.value)))
    for name, stranger in strange.items():
        said[0] = said[0].replace(name, stranger)
        said[0] = said[0].replace(f"'{name.partition('.')[0]}'", f"'{stranger.partition('.')[0]}'")
    assert said[0] == said[1]


def test_no_suggestion_names_what_is_hidden(service: Service) -> None:
    for name in ("orders.totl", "orders.amoun", "ticket.count", "tickets.coun", "desk.amoun", "orders.mos"):
        with pytest.raises(MemberError) as caught:
            service.load({"measures": [name]}, context=CLERK)
        told = str(caught.value).partition("did you mean")[2:]
        assert not any(f"'{hidden}'" in "".join(told) for hidden in (*HIDES, "orders.most", "tickets")), told


def names(told: Any) -> set[str]:
    """Every text in a JSON value."""
    if isinstance(told, dict):
        return {name for key, value in told.items() for name in names(key) | names(value)}
    if isinstance(told, list):
        return {name for value in told for name in names(value)}
    return {told} if isinstance(told, str) else set()


@pytest.mark.parametrize("extended", [False, True])
def test_meta_tells_only_what_may_be_asked_for(service: Service, extended: bool) -> None:
    told = service.meta(context=CLERK, extended=extended)
    said = names(told)
    assert {"orders.count", "desk.total", "open.most"} <= said
    for hidden in ("orders.amount", "orders.total", "orders.most", "desk.amount", "tickets", "tickets.count"):
        allowed = {
            one["aliasMember"] for cube in told["cubes"] for one in cube["measures"] if "aliasMember" in one
        }
        assert hidden not in said or hidden in allowed, hidden
    entries = {one["name"]: one for one in told["cubes"]}
    assert entries["orders"]["hierarchies"][0]["levels"] == ["orders.status"]
    assert [one["members"] for one in entries["desk"]["folders"]] == [["desk.total"], ["desk.status"]]
    count = next(one for one in entries["orders"]["measures"] if one["name"] == "orders.count")
    assert count["drillMembers"] == ["orders.status"]
    # SQL would name what is hidden.
    assert not any("sql" in one for cube in told["cubes"] for one in (cube, *cube["measures"]))
    everything = {one["name"] for one in service.meta(context=BOSS)["cubes"]}
    assert {"orders", "tickets"} <= everything
    assert "desk" not in everything


def test_whoever_no_entry_is_for_sees_nothing(service: Service) -> None:
    for asker in (NOBODY, ANYONE):
        told = {one["name"] for one in service.meta(context=asker)["cubes"]}
        assert not told & {"orders", "tickets", "desk"}
        assert {"customers", "items", "open"} <= told
        with pytest.raises(MemberError, match="no cube or view 'orders'"):
            service.load({"measures": ["orders.count"]}, context=asker)
        # The view shows the member, and the cube none of its rows.
        assert ask(service, asker, measures=["open.count"]) == [{"open.count": 0}]
    with pytest.raises(MemberError):
        service.load({"measures": ["customers.count"]}, context=Context({"suspended": True}))


def test_masks_stand_for_the_value_in_everything_that_is_asked(service: Service) -> None:
    assert ask(service, VIEWER, dimensions=["orders.status"], measures=["orders.count"]) == [
        {"orders.status": "?", "orders.count": 3}
    ]
    assert ask(service, VIEWER, measures=["orders.total", "orders.mean"]) == [
        {"orders.total": -1, "orders.mean": None}
    ]

    def count(value: str) -> Any:
        one = {"member": "orders.status", "operator": "equals", "values": [value]}
        return ask(service, VIEWER, measures=["orders.count"], filters=[one])[0]["orders.count"]

    assert (count("done"), count("?")) == (0, 3)
    test = {"member": "orders.total", "operator": "gt", "values": ["0"]}
    assert ask(service, VIEWER, measures=["orders.count"], filters=[test]) == []
    told = names(service.meta(context=VIEWER, extended=True)) | names(
        service.explain({"measures": ["orders.total"]}, context=VIEWER)["query"]
    )
    assert not any("#mask" in one for one in told)


def test_a_view_has_members_of_its_own_policy_and_rows_of_both(service: Service) -> None:
    assert ask(service, CLERK, measures=["desk.total"]) == [{"desk.total": 17}]
    viewer = ask(service, VIEWER, measures=["desk.count", "desk.total"], dimensions=["desk.city"])
    assert viewer == [{"desk.city": "Rome", "desk.count": 2, "desk.total": -1}]
    assert ask(service, Context({}, ("viewer",)), measures=["desk.count"]) == [{"desk.count": 0}]


def test_the_time_zone_of_a_query_moves_no_limit(tmp_path: Any) -> None:
    made = copy.deepcopy(shop.CUBES)
    only = [{"member": "created_at", "operator": "afterOrOnDate", "values": ["2026-02-01"]}]
    made[0]["access_policy"] = [{"group": "*", "row_level": {"filters": only}}]
    with served(tmp_path) as there:
        own = Service(shop.project(made), there.lake, there.engine)
        for zone in ("UTC", "Pacific/Kiritimati", "America/Los_Angeles"):
            assert ask(own, ANYONE, measures=["orders.count"], timezone=zone) == [{"orders.count": 2}]
        own.close()


def test_an_answer_that_was_kept_for_one_is_not_given_to_another(service: Service) -> None:
    query = {"measures": ["orders.count"], "dimensions": ["orders.created_at"]}
    askers = [BOSS, CLERK, Context({"states": ["new"]}, ("clerk",)), VIEWER, Context({}, ("clerk",))]
    fresh = [service.load(query, context=one)["data"] for one in askers]
    for _ in range(2):
        for one, expected in zip(askers, fresh, strict=True):
            found = service.at_hand(query, context=one)
            assert found is not None
            assert found.is_kept
            assert orjson.loads(found.result()["data"]) == expected
    assert service.at_hand(query, context=Context({"states": ["other"]}, ("clerk",))) is None


def test_hostile_attributes_are_values(service: Service) -> None:
    for text in ("done' OR 1=1 --", "done\0", "*", "%", "{ security_context.x }"):
        found = ask(service, Context({"states": text}, ("clerk",)), measures=["orders.count"])
        assert found == [{"orders.count": 0}], text


def test_an_error_of_a_policy_names_nothing(service: Service) -> None:
    made = copy.deepcopy(shop.CUBES)
    wrong = [{"member": "amount", "operator": "gt", "values": ["{ security_context.least }"]}]
    made[0]["access_policy"] = [
        {"group": "*", "member_level": {"includes": ["count"]}, "row_level": {"filters": wrong}}
    ]
    found = plan(shop.model(made), parse({"measures": ["orders.count"]}), context=Context({"least": "much"}))
    assert "FALSE" in found.sql
    with pytest.raises(QueryError, match="There is no"):
        plan(shop.model(made), parse({"dimensions": ["orders.amount"]}), context=Context({"least": 1}))
