"""Cubes and views as tables of the catalog."""

from pathlib import Path
from textwrap import dedent

import pytest

from ingot.pgwire.catalog import Reference, members
from ingot.pgwire.catalog.shown import Table
from ingot.pgwire.catalog.words import first_word
from ingot.project import load
from ingot.semantic import check_project
from ingot.semantic.sql.member_types import declared

CUBES = """
cubes:
  - name: orders
    sql_table: gold.orders
    title: Orders
    description: One row an order.
    joins:
      - name: users
        relationship: many_to_one
        sql: "{CUBE.user_id} = {users.id}"
      - name: items
        relationship: one_to_many
        sql: "{CUBE.id} = {items.order_id}"
    dimensions:
      - {name: id, sql: id, type: number, primary_key: true, public: true}
      - {name: user_id, sql: user_id, type: number}
      - {name: status, sql: status, type: string, description: Where it is.}
      - {name: created_at, sql: created_at, type: time}
      - {name: price, sql: price, type: number}
      - {name: half, sql: "{CUBE}.price / 2", type: number}
      - {name: gift, sql: gift, type: boolean}
      - {name: secret, sql: secret, type: string, public: false}
    measures:
      - {name: count, type: count}
      - {name: buyers, type: count_distinct, sql: user_id}
      - {name: total, type: sum, sql: price, title: Total revenue}
      - {name: pieces, type: sum, sql: pieces}
      - {name: weight, type: sum, sql: weight}
      - {name: largest, type: max, sql: price}
      - {name: mean, type: avg, sql: price}
      - {name: share, type: number, sql: "{total} / {count}"}
      - {name: last, type: time, sql: "MAX({CUBE}.created_at)"}
    segments:
      - {name: large, sql: "{CUBE}.price > 100"}
  - name: users
    sql: SELECT * FROM gold.users WHERE NOT deleted
    dimensions:
      - {name: id, sql: id, type: number, primary_key: true, public: true}
  - name: items
    sql_table: gold.items
    public: false
    dimensions:
      - {name: id, sql: id, type: number, primary_key: true}
      - {name: order_id, sql: order_id, type: number}
"""
VIEWS = """
views:
  - name: sales
    cubes:
      - join_path: orders
        includes: [status, total]
      - join_path: orders.users
        prefix: true
        includes: [id]
"""
TYPES = {
    "gold.orders": {
        "id": "bigint",
        "user_id": "integer",
        "price": "numeric(14,2)",
        "pieces": "integer",
        "weight": "real",
    },
    "gold.users": {"id": "integer"},
}


@pytest.fixture
def tables(tmp_path: Path) -> dict[str, Table]:
    """By name."""
    (tmp_path / "ingot.yml").write_text("name: shop\n")
    for folder, text in (("cubes", CUBES), ("views", VIEWS)):
        (tmp_path / "semantic" / folder).mkdir(parents=True)
        (tmp_path / "semantic" / folder / "all.yml").write_text(dedent(text))
    model = check_project(load(tmp_path))
    return {one.name: one for one in members.tables(model, declared(model, lambda name: TYPES.get(name, {})))}


def test_public_cubes_and_views_are_tables(tables: dict[str, Table]) -> None:
    assert list(tables) == ["orders", "users", "sales"]
    assert {one.schema for one in tables.values()} == {"public"}
    assert tables["orders"].comment == "Orders: One row an order."


def test_members_have_the_types_of_their_values(tables: dict[str, Table]) -> None:
    assert {one.name: one.type for one in tables["orders"].columns} == {
        "id": "bigint",
        "user_id": "integer",
        "status": "text",
        "created_at": "timestamp",
        "price": "numeric(14,2)",
        "half": "numeric",
        "gift": "boolean",
        "count": "bigint",
        "buyers": "bigint",
        "total": "numeric",
        "pieces": "bigint",
        "weight": "double precision",
        "largest": "numeric(14,2)",
        "mean": "double precision",
        "share": "double precision",
        "last": "timestamp",
        "large": "boolean",
    }
    assert {one.name: one.type for one in tables["users"].columns} == {"id": "integer"}


def test_comments_say_what_a_column_is(tables: dict[str, Table]) -> None:
    said = {one.name: one.comment for one in tables["orders"].columns}
    assert said["status"] == "dimension: Status. Where it is."
    assert said["total"] == "measure: Total revenue"
    assert said["large"] == "segment: Large"


def test_keys_and_joins_are_declared(tables: dict[str, Table]) -> None:
    assert tables["orders"].key == ("id",)
    assert tables["orders"].references == (Reference(("user_id",), "public", "users", ("id",)),)
    assert tables["sales"].key == ()


def test_a_view_has_its_own_names(tables: dict[str, Table]) -> None:
    assert [(one.name, one.type) for one in tables["sales"].columns] == [
        ("status", "text"),
        ("total", "numeric"),
        ("users_id", "integer"),
    ]


def test_the_first_word_stands_behind_comments_and_brackets() -> None:
    assert first_word("  -- a\n /* b /* c */ */ (( SELECT 1))") == "select"
    assert first_word("/* open") == ""
    assert first_word("") == ""
    assert first_word("insert into x") == "insert"
    assert first_word(";select") == ";"
