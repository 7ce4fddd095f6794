"""`explain`: what each pass decided, and why."""

from tests.semantic.lakes import Served


def test_a_direct_fact_is_explained_with_its_joins(shop_served: Served) -> None:
    found = shop_served.service.explain(
        {"measures": ["orders.total"], "dimensions": ["customers.city"], "segments": ["orders.large"]}
    )
    [fact] = found["facts"]
    assert fact["aggregates"] == ["orders.total"]
    assert fact["by"] == ["customers.city"]
    assert fact["root"] == "orders"
    assert fact["joins"] == [{"from": "orders", "to": "customers", "relationship": "many_to_one"}]
    assert "counts once as joined" in fact["why"]
    assert [(one["name"], one["kind"]) for one in found["members"]] == [
        ("customers.city", "dimension"),
        ("orders.total", "measure"),
        ("orders.large", "segment"),
    ]
    assert found["tables"] == ["gold.customers", "gold.orders"]
    assert found["rollups"] == []


def test_a_repeated_fact_says_that_it_goes_by_keys_and_filters_are_shown(shop_served: Served) -> None:
    found = shop_served.service.explain(
        {
            "measures": ["orders.total", "items.count"],
            "dimensions": ["products.kind"],
            "filters": [
                {"or": [{"member": "orders.status", "operator": "equals", "values": ["done"]}, {"member": "orders.paid", "operator": "set"}]},
                {"member": "orders.total", "operator": "gt", "values": ["1"]},
            ],
        }
    )  # fmt: skip
    keyed = {fact["aggregates"][0]: "distinct primary keys" in fact["why"] for fact in found["facts"]}
    assert keyed == {"orders.total": True, "items.count": False}
    assert found["filters"][0]["or"][0] == {
        "member": "orders.status",
        "operator": "equals",
        "values": ["done"],
    }
    assert found["measureFilters"] == [{"member": "orders.total", "operator": "gt", "values": ["1"]}]
    assert found["parameters"]


def test_it_runs_nothing_and_says_whether_the_answer_is_kept(shop_served: Served) -> None:
    query = {"measures": ["orders.most"], "limit": 321}
    assert shop_served.service.explain(query)["cache"]["kept"] is False
    shop_served.service.load(query)
    found = shop_served.service.explain(query)
    assert found["cache"]["kept"] is True
    assert found["sql"] == shop_served.service.sql(query)["sql"]["sql"][0]
    assert (found["ref"], len(found["commit"])) == ("main", 64)
    assert shop_served.service.explain(query, ref="dev")["cache"]["kept"] is False


def test_a_list_of_queries_is_a_list_of_explanations(shop_served: Served) -> None:
    found = shop_served.service.explain([{"measures": ["orders.count"]}, {"measures": ["tickets.count"]}])
    assert [one["tables"] for one in found] == [["gold.orders"], ["gold.tickets"]]
