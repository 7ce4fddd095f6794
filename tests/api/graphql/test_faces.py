"""Names of the model that GraphQL cannot take as they are."""

from typing import Any

from graphql import GraphQLSchema, validate_schema

from ingot.api.graphql.faces import Face, faces, fingerprint
from ingot.api.graphql.schema import schema


def entry(name: str, *members: str, **more: Any) -> dict[str, Any]:
    dimensions = [{"name": f"{name}.{one}", "type": "time", **more} for one in members]
    return {"name": name, "measures": [{"name": f"{name}.count", "type": "number"}], "dimensions": dimensions}


def made(*entries: dict[str, Any]) -> tuple[dict[str, Face], GraphQLSchema]:
    found = faces(list(entries))
    built = schema(found, lambda *_: [])
    assert validate_schema(built) == []
    return found, built


def test_the_first_letter_is_small_and_types_are_in_camel_case() -> None:
    found, _ = made(entry("LineItems"), entry("sales_by_day"))
    assert {name: (one.name, one.stem) for name, one in found.items()} == {
        "lineItems": ("LineItems", "LineItems"),
        "sales_by_day": ("sales_by_day", "SalesByDay"),
    }


def test_names_that_would_be_the_same_are_told_apart() -> None:
    found, _ = made(entry("orders"), entry("Orders"), entry("line_items"), entry("LineItems"), entry("root"))
    assert set(found) == {"orders", "Orders", "line_items", "lineItems", "root"}
    assert len({one.stem for one in found.values()}) == 5


def test_what_graphql_keeps_for_itself_is_left_out() -> None:
    found, _ = made(entry("__hidden"), entry("orders", "__secret", "created_at"))
    assert set(found) == {"orders"}
    assert set(found["orders"].members) == {"count", "created_at"}


def test_own_granularities_can_be_selected() -> None:
    _, built = made(entry("orders", "at", granularities=[{"name": "fortnight", "interval": "2 weeks"}]))
    fields = built.type_map["Orders_at_TimeDimension"].fields  # type: ignore[attr-defined]
    assert {"value", "day", "fortnight"} <= set(fields)


def test_a_model_without_members_is_a_schema_too() -> None:
    found, _ = made()
    assert found == {}


def test_a_schema_is_shared_by_those_who_see_the_same() -> None:
    one, same = faces([entry("orders", "at")]), faces([entry("orders", "at")])
    assert fingerprint(one) == fingerprint(same) != fingerprint(faces([entry("orders")]))
