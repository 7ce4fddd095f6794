"""`/meta`: what an explore page needs to know of the model, in Cube's shape."""

from typing import Any

from ingot.semantic.answers.meta import meta
from tests.semantic import shop

ORDERS: dict[str, Any] = {
    "name": "orders",
    "sql_table": "gold.orders",
    "title": "Orders placed",
    "description": "One row an order.",
    "meta": {"owner": "sales"},
    "joins": [shop.one("orders", "customers", "customer_id")],
    "dimensions": [
        shop.KEY,
        {"name": "status", "type": "string", "sql": "status", "order": "desc", "suggest_filter_values": False, "key": "id", "aliases": ["state"]},
        {"name": "created_at", "type": "time", "sql": "created_at", "format": "%Y-%m", "granularities": [
            {"name": "fiscal", "title": "Fiscal year", "interval": "1 year", "offset": "3 months"}]},
        {"name": "amount", "type": "number", "sql": "amount", "format": "currency_2", "currency": "EUR", "links": [{"name": "page", "label": "Open", "url": "'x'"}]},
        {"name": "place", "type": "geo", "latitude": {"sql": "lat"}, "longitude": {"sql": "lon"}},
        {"name": "secret", "type": "string", "sql": "secret", "public": False},
    ],
    "measures": [
        {"name": "count", "type": "count", "drill_members": ["id", "customers.city", "total"]},
        {"name": "total", "type": "sum", "sql": "{amount}", "format": "percent", "description": "All of it."},
        {"name": "buyers", "type": "count_distinct", "sql": "customer_id"},
        {"name": "ratio", "type": "number", "sql": "{total} / {count}"},
        {"name": "running", "type": "sum", "sql": "amount", "rolling_window": {"trailing": "unbounded"}},
    ],
    "segments": [{"name": "large", "sql": "{amount} > 5", "title": "Large ones"}],
    "hierarchies": [{"name": "where", "title": "Where", "levels": ["customers.city", "status"]}],
    "pre_aggregations": [{"name": "daily", "measures": ["total"], "time_dimension": "created_at", "granularity": "day"}],
}  # fmt: skip
CUSTOMERS = {
    "name": "customers",
    "sql": "SELECT * FROM gold.customers",
    "dimensions": [shop.KEY, shop.dimension("city")],
}
ALONE = {"name": "alone", "sql_table": "gold.alone", "dimensions": [shop.KEY]}
HIDDEN = {"name": "hidden", "sql_table": "gold.hidden", "dimensions": [shop.KEY], "public": False}
SALES = {
    "name": "sales",
    "description": "What was sold.",
    "cubes": [
        {"join_path": "orders", "includes": "*"},
        {"join_path": "orders.customers", "includes": ["city"], "prefix": True},
    ],
    "measures": [{"name": "own", "type": "number", "sql": "{total} * 2", "drill_members": ["status"]}],
    "folders": [{"name": "Money", "includes": ["total", "secret", {"name": "More", "includes": ["amount"]}]}],
    "view_group": "finance",
}


def told(name: str, **options: bool) -> dict[str, Any]:
    made = shop.model([ORDERS, CUSTOMERS, ALONE, HIDDEN], [SALES])
    (found,) = (one for one in meta(made, **options) if one["name"] == name)
    return found


def member(owner: str, kind: str, name: str, **options: bool) -> dict[str, Any]:
    found: dict[str, Any]
    (found,) = (one for one in told(owner, **options)[kind] if one["name"] == f"{owner}.{name}")
    return found


def test_cubes_and_views_with_what_people_see_of_them() -> None:
    made = shop.model([ORDERS, CUSTOMERS, ALONE, HIDDEN], [SALES])
    assert [(one["name"], one["type"]) for one in meta(made)] == [
        ("orders", "cube"),
        ("customers", "cube"),
        ("alone", "cube"),
        ("sales", "view"),
    ]
    assert [one["name"] for one in meta(made, only_views=True)] == ["sales"]
    orders = told("orders")
    assert (orders["title"], orders["description"], orders["meta"]) == (
        "Orders placed",
        "One row an order.",
        {"owner": "sales"},
    )
    assert (orders["isVisible"], orders["public"]) == (True, True)
    assert told("sales")["viewGroups"] == ["finance"]


def test_cubes_that_joins_connect_are_one_component() -> None:
    assert [told(name)["connectedComponent"] for name in ("orders", "customers", "alone")] == [1, 1, 2]


def test_dimensions() -> None:
    assert member("orders", "dimensions", "status") == {
        "name": "orders.status", "title": "Orders placed Status", "shortTitle": "Status", "type": "string",
        "suggestFilterValues": False, "primaryKey": False, "isVisible": True, "public": True,
        "order": "desc", "key": "orders.id", "aliases": ["state"],
    }  # fmt: skip
    assert member("orders", "dimensions", "id")["primaryKey"] is True
    time = member("orders", "dimensions", "created_at")
    assert time["format"] == {"type": "custom-time", "value": "%Y-%m"}
    assert time["granularities"] == [
        {"name": "fiscal", "title": "Fiscal year", "interval": "1 year", "offset": "3 months"}
    ]
    amount = member("orders", "dimensions", "amount")
    assert amount["format"] == {"type": "custom-numeric", "value": "$,.2f", "alias": "currency_2"}
    assert (amount["currency"], amount["links"]) == ("EUR", [{"name": "page", "label": "Open", "url": "'x'"}])
    assert member("orders", "dimensions", "place")["type"] == "geo"
    assert "orders.secret" not in [one["name"] for one in told("orders")["dimensions"]]


def test_measures() -> None:
    count = member("orders", "measures", "count")
    assert count["drillMembers"] == ["orders.id", "customers.city", "orders.total"]
    assert count["drillMembersGrouped"] == {
        "measures": ["orders.total"],
        "dimensions": ["orders.id", "customers.city"],
    }
    kinds = {
        one["name"]: (one["type"], one["aggType"], one["cumulative"], one["cumulativeTotal"])
        for one in told("orders")["measures"]
    }
    assert kinds == {
        "orders.count": ("number", "count", False, False),
        "orders.total": ("number", "sum", False, False),
        "orders.buyers": ("number", "countDistinct", False, False),
        "orders.ratio": ("number", "number", False, False),
        "orders.running": ("number", "sum", True, True),
    }
    total = member("orders", "measures", "total")
    assert (total["format"], total["description"]) == ("percent", "All of it.")


def test_members_of_a_view_point_to_members_of_the_view() -> None:
    assert member("sales", "measures", "count")["drillMembersGrouped"] == {
        "measures": ["sales.total"],
        "dimensions": ["sales.id", "sales.customers_city"],
    }
    assert member("sales", "measures", "count")["aliasMember"] == "orders.count"
    own = member("sales", "measures", "own")
    assert "aliasMember" not in own
    assert own["drillMembers"] == ["sales.status"]
    assert member("sales", "dimensions", "status")["key"] == "sales.id"


def test_segments_hierarchies_and_folders() -> None:
    assert told("orders")["segments"] == [
        {
            "name": "orders.large",
            "title": "Orders placed Large ones",
            "shortTitle": "Large ones",
            "isVisible": True,
            "public": True,
        }
    ]
    where = {
        "name": "orders.where",
        "title": "Where",
        "levels": ["customers.city", "orders.status"],
        "isVisible": True,
        "public": True,
    }
    assert told("orders")["hierarchies"] == [where]
    sales = told("sales")
    assert sales["hierarchies"] == [
        {
            **where,
            "name": "sales.where",
            "levels": ["sales.customers_city", "sales.status"],
            "aliasMember": "orders.where",
        }
    ]
    assert sales["folders"] == [{"name": "Money", "members": ["sales.total", "sales.amount"]}]
    assert sales["nestedFolders"] == [
        {"name": "Money", "members": ["sales.total", {"name": "More", "members": ["sales.amount"]}]}
    ]


def test_extended_tells_what_the_files_say() -> None:
    orders = told("orders", extended=True)
    assert orders["sqlTable"] == "gold.orders"
    assert orders["joins"] == [
        {"name": "customers", "relationship": "many_to_one", "sql": "{CUBE}.customer_id = {customers.id}"}
    ]
    assert orders["preAggregations"] == [
        {
            "name": "daily",
            "type": "rollup",
            "timeDimension": "created_at",
            "granularity": "day",
            "measures": ["total"],
        }
    ]
    assert member("orders", "measures", "total", extended=True)["sql"] == "{amount}"
    assert told("customers", extended=True)["sql"] == "SELECT * FROM gold.customers"
    assert "sql" not in told("customers")
    assert told("sales", extended=True)["cubes"] == [
        {"joinPath": "orders", "prefix": False},
        {"joinPath": "orders.customers", "prefix": True},
    ]
