"""A first model from tables: keys, joins and members, from data, names and dbt's tests; never against the data."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingot.engines.duckdb import DuckDBEngine, connect
from ingot.errors import NotFoundError, UsageError
from ingot.lake import Lake
from ingot.project import Project, load
from ingot.semantic import check_project
from ingot.semantic.compiler.binding import check_binding
from ingot.semantic.generating.generate import generate
from ingot.semantic.generating.keys import entity
from ingot.semantic.imports import files
from ingot.semantic.imports.files import Imported

TABLES = {
    "gold.dim_customers": "SELECT i AS customer_id, 'c' || i AS email, i % 3 = 0 AS is_active, "
    "DATE '2026-01-01' + i::INTEGER AS born, i % 7 AS age FROM range(20) t(i)",
    "gold.dim_countries": "SELECT 'x' || i AS code, 'n' || i % 2 AS name FROM range(4) t(i)",
    "gold.fact_orders": "SELECT i AS id, i % 20 AS customer_id, 'x' || i % 4 AS country_code, i * 1.5 AS amount, "
    "i * 0.1 AS tax_rate, TIMESTAMP '2026-01-01' + INTERVAL (i) HOUR AS \"orderedAt\", [i] AS tags, "
    "'o' AS \"order\" FROM range(50) t(i)",
    "gold.order_items": "SELECT i // 2 AS order_id, i % 2 AS line_number, i AS quantity, 'no' AS \"Sales Channel\" "
    "FROM range(80) t(i)",
    "gold.visits": "SELECT i % 3 AS customer_id, i % 5 AS seconds, 99 + i % 2 AS order_id FROM range(9) t(i)",
    "raw.orders": "SELECT 1 AS id",
}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Lake, DuckDBEngine]]:
    root = tmp_path_factory.mktemp("first") / "shop"
    root.mkdir()
    (root / "ingot.yml").write_text("name: shop\n")
    with Lake.open(load(root)) as opened, connect() as con:
        staged = [opened.stage(con, name, sql, on="main") for name, sql in TABLES.items()]
        opened.commit("main", staged, message="tables")
        engine = DuckDBEngine(opened)
        yield root, opened, engine
        engine.close()


@pytest.fixture
def root(lake: tuple[Path, Lake, DuckDBEngine]) -> Path:
    root = lake[0]
    for path in [
        *root.glob("semantic/cubes/*"),
        *root.glob("semantic/*.yml"),
        *root.glob(".ingot/dbt/target/*"),
    ]:
        path.unlink()
    return root


class Made:
    def __init__(self, project: Project, made: Imported) -> None:
        self.project, self.made = project, made
        self.cubes: dict[str, Any] = {}
        for text in made.files.values():
            (one,) = yaml.safe_load(text)["cubes"]
            self.cubes[one["name"]] = one

    def members(self, cube: str, kind: str) -> dict[str, Any]:
        return {one["name"]: one for one in self.cubes[cube].get(kind, [])}

    def joins(self, cube: str) -> list[tuple[str, str]]:
        return [(one["name"], one["relationship"]) for one in self.cubes[cube].get("joins", [])]


def made(lake: tuple[Path, Lake, DuckDBEngine], *wanted: str) -> Made:
    project = load(lake[0])
    return Made(project, generate(project, lake[1].at("main"), lake[2], wanted))


def test_what_is_made_compiles_and_fits_the_tables(lake: tuple[Path, Lake, DuckDBEngine], root: Path) -> None:
    files.write(made(lake).made.files, replace=False)
    assert sorted(path.name for path in (root / "semantic" / "cubes").iterdir()) == [
        "countries.yml", "customers.yml", "order_items.yml", "orders.yml", "visits.yml",
    ]  # fmt: skip
    model = check_project(load(root))
    assert check_binding(model, lake[1].at("main"), lake[2]) == []


def test_keys_are_what_the_data_shows(lake: tuple[Path, Lake, DuckDBEngine], root: Path) -> None:
    found = made(lake)
    keys = {
        name: [one["name"] for one in cube["dimensions"] if one.get("primary_key")]
        for name, cube in found.cubes.items()
    }
    assert keys == {
        "customers": ["customer_id"],
        "countries": ["code"],
        "orders": ["id"],
        "order_items": ["order_id", "line_number"],
        "visits": [],
    }
    assert any("gold.visits: no key was found" in one for one in found.made.notes)
    assert any(
        "order_items: primary key order_id, line_number (together unique in all 80 rows)" in one
        for one in found.made.notes
    )


def test_joins_are_by_names_and_only_where_every_row_bears_them_out(
    lake: tuple[Path, Lake, DuckDBEngine], root: Path
) -> None:
    found = made(lake)
    assert found.joins("orders") == [("customers", "many_to_one"), ("countries", "many_to_one")]
    assert found.cubes["orders"]["joins"][0]["sql"] == "{CUBE}.customer_id = {customers}.customer_id"
    assert found.joins("order_items") == [("orders", "many_to_one")]
    assert found.joins("visits") == []
    assert (
        "gold.visits.order_id: no join to gold.fact_orders, 9 rows have a value that is not there"
        in found.made.notes
    )


def test_columns_become_members_by_type_and_name(lake: tuple[Path, Lake, DuckDBEngine], root: Path) -> None:
    found = made(lake)
    dimensions, measures = found.members("orders", "dimensions"), found.members("orders", "measures")
    assert {name: one["type"] for name, one in dimensions.items()} == {
        "id": "number", "customer_id": "number", "country_code": "string", "tax_rate": "number", "ordered_at": "time",
        "order": "string",
    }  # fmt: skip
    assert {name: (one["type"], one.get("sql")) for name, one in measures.items()} == {
        "count": ("count", None), "total_amount": ("sum", "amount"), "average_tax_rate": ("avg", "tax_rate"),
    }  # fmt: skip
    assert "gold.fact_orders.tags: left out, a BIGINT[] is no single value" in found.made.notes
    assert found.members("order_items", "dimensions")["sales_channel"]["sql"] == '"Sales Channel"'
    assert found.members("customers", "dimensions")["is_active"]["type"] == "boolean"


def manifest(root: Path) -> None:
    def test(name: str, column: str, on: str, **more: Any) -> dict[str, Any]:
        return {
            "resource_type": "test",
            "attached_node": on,
            "column_name": column,
            "test_metadata": {"name": name, "kwargs": more.pop("kwargs", {})},
            "depends_on": {"nodes": more.pop("nodes", [on])},
            "config": {},
        }

    def model(alias: str, description: str, **columns: str) -> dict[str, Any]:
        return {
            "resource_type": "model",
            "schema": "gold",
            "alias": alias,
            "description": description,
            "columns": {name: {"description": text} for name, text in columns.items()},
        }

    nodes = {
        "model.c": model("dim_customers", "Who buys.", email="Where to write to."),
        "model.v": model("visits", "Visits.", seconds="How long."),
        "t1": test("unique", "email", "model.c"),
        "t2": test("not_null", "email", "model.c"),
        "t3": test(
            "relationships",
            "customer_id",
            "model.v",
            kwargs={"field": "customer_id"},
            nodes=["model.c", "model.v"],
        ),
        "t4": test("unique", "gone", "model.c"),
        "t5": test(
            "unique_combination_of_columns",
            "",
            "model.v",
            kwargs={"combination_of_columns": ["customer_id", "seconds"]},
        ),
    }
    target = root / ".ingot" / "dbt" / "target"
    target.mkdir(parents=True, exist_ok=True)
    (target / "manifest.json").write_text(json.dumps({"nodes": nodes}))


def test_dbt_says_keys_relationships_and_descriptions(
    lake: tuple[Path, Lake, DuckDBEngine], root: Path
) -> None:
    manifest(root)
    found = made(lake)
    customers = found.members("customers", "dimensions")
    assert [name for name, one in customers.items() if one.get("primary_key")] == ["email"]
    assert [one["name"] for one in found.cubes["visits"]["dimensions"] if one.get("primary_key")] == [
        "customer_id", "seconds",
    ]  # fmt: skip
    assert customers["email"]["description"] == "Where to write to."
    assert found.cubes["customers"]["description"] == "Who buys."
    assert found.members("visits", "dimensions")["seconds"]["description"] == "How long."
    # dbt tests the relationship, but not that its other end is unique.
    assert (
        "gold.visits.customer_id: no join to gold.dim_customers, customer_id is not known to be unique there"
        in found.made.notes
    )


def test_tables_that_have_a_cube_are_left_out_and_names_are_not_taken_twice(
    lake: tuple[Path, Lake, DuckDBEngine], root: Path
) -> None:
    (root / "semantic").mkdir(exist_ok=True)
    (root / "semantic" / "own.yml").write_text(
        "cubes: [{name: customers, sql_table: gold.order_items}, {name: other, sql_table: gold.fact_orders}]"
    )
    found = made(lake)
    assert set(found.cubes) == {"dim_customers", "countries", "visits"}
    assert "gold.fact_orders: cube 'other' reads it already" in found.made.notes


def test_tables_and_schemas_can_be_named(lake: tuple[Path, Lake, DuckDBEngine], root: Path) -> None:
    assert set(made(lake, "raw").cubes) == {"orders"}
    assert set(made(lake, "gold.visits", "raw.orders").cubes) == {"visits", "orders"}
    with pytest.raises(NotFoundError, match=r"did you mean 'gold\.visits'"):
        made(lake, "gold.visit")


def test_a_lake_without_tables_says_so(tmp_path: Path) -> None:
    (tmp_path / "ingot.yml").write_text("")
    with Lake.open(load(tmp_path)) as opened:
        engine = DuckDBEngine(opened)
        try:
            with pytest.raises(UsageError, match="no tables yet"):
                generate(load(tmp_path), opened.at("main"), engine)
        finally:
            engine.close()


def test_files_that_are_there_are_not_written_over(lake: tuple[Path, Lake, DuckDBEngine], root: Path) -> None:
    (root / "semantic" / "cubes").mkdir(parents=True, exist_ok=True)
    (root / "semantic" / "cubes" / "visits.yml").write_text("# mine\n")
    with pytest.raises(UsageError, match="is there already"):
        files.write(made(lake).made.files, replace=False)
    assert [path.name for path in (root / "semantic" / "cubes").iterdir()] == ["visits.yml"]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("gold.dim_customers", "customer"), ("companies", "company"), ("fct_boxes", "box"), ("status", "status"),
        ("address", "address"), ("gold.fact_order_items", "order_item"), ("branches", "branch"), ("x", "x"),
    ],
)  # fmt: skip
def test_a_table_is_named_for_its_rows(table: str, expected: str) -> None:
    assert entity(table) == expected
