"""The model's SQL against the tables of a real lake: what does not fit is told at its place in the files."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingot.engines.duckdb import DuckDBEngine
from ingot.lake import Lake
from ingot.project import load
from ingot.semantic import check_project
from ingot.semantic.compiler.binding import check_binding
from tests.semantic.lakes import served

GOOD = """cubes:
  - name: orders
    sql_table: gold.orders
    joins:
      - {name: customers, relationship: many_to_one, sql: "{CUBE}.customer_id = {customers}.id"}
    dimensions:
      - {name: id, sql: id, type: number, primary_key: true}
      - {name: status, sql: status, type: string}
      - {name: created_at, sql: created_at, type: time}
      - {name: city, sql: "upper({customers.city})", type: string, public: false}
    measures:
      - {name: count, type: count}
      - {name: total, type: sum, sql: amount}
      - {name: rate, type: number, sql: "{total} / {count}"}
      - {name: month, type: sum, sql: amount, rolling_window: {trailing: 1 month}}
    segments:
      - {name: done, sql: "{CUBE}.status = 'done'"}
  - name: customers
    sql: select id, city from gold.customers where {FILTER_PARAMS.customers.city.filter('city')}
    dimensions:
      - {name: id, sql: id, type: number, primary_key: true}
      - {name: city, sql: city, type: string}
views:
  - name: shop
    cubes: [{join_path: orders, includes: "*"}]
    measures: [{name: half, type: number, sql: "{orders.total} / 2"}]
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lake, DuckDBEngine]]:
    with served(tmp_path_factory.mktemp("bound")) as made:
        yield made.lake, made.engine


def problems(shop: tuple[Lake, DuckDBEngine], root: Path, text: str, ref: str = "main") -> list[str]:
    (root / "ingot.yml").write_text("")
    (root / "semantic").mkdir(exist_ok=True)
    (root / "semantic" / "m.yml").write_text(text)
    model = check_project(load(root))
    lake, engine = shop
    return [str(one) for one in check_binding(model, lake.at(ref), engine)]


def test_a_model_that_fits_has_no_problems(shop: tuple[Lake, DuckDBEngine], tmp_path: Path) -> None:
    assert problems(shop, tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("sql: status,", "sql: statu,", ["semantic/m.yml:8:29: orders.status: there is no column 'statu'; did you mean 'status'?"]),
        ("sql: amount}", "sql: amont}", ["semantic/m.yml:13:39: orders.total: there is no column 'amont'; did you mean 'amount'?"]),
        ("gold.orders", "gold.order", ["semantic/m.yml:3:16: cube 'orders': there is no table 'gold.order'; did you mean 'gold.orders'?"]),
        ("gold.orders", "bronze_x.orders", ["semantic/m.yml:3:16: cube 'orders': there is no table 'bronze_x.orders'; did you mean 'gold.orders'?"]),
        ("{CUBE}.customer_id", "{CUBE}.client_id", ["semantic/m.yml:5:59: join of 'orders' to 'customers': there is no column 'client_id'"]),
        ("select id, city from", "select id, town from", ["semantic/m.yml:19:10: cube 'customers': there is no column 'town'"]),
        ("= 'done'", "= done", ["semantic/m.yml:17:27: orders.done: there is no column 'done'"]),
        ("sql: amount, rolling", "sql: amuont, rolling", ["semantic/m.yml:15:39: orders.month: there is no column 'amuont'; did you mean 'amount'?"]),
        ("type: sum, sql: amount}", "type: sum, sql: status}", ["semantic/m.yml:13:39: orders.total: "]),
        ("upper(", "uper(", ["semantic/m.yml:10:27: orders.city: "]),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_where_it_is_written(
    shop: tuple[Lake, DuckDBEngine], tmp_path: Path, old: str, new: str, expected: list[str]
) -> None:
    assert old in GOOD
    found = problems(shop, tmp_path, GOOD.replace(old, new))
    assert len(found) == len(expected), found
    assert all(one.startswith(start) for one, start in zip(found, expected, strict=True)), found


def test_all_are_told_at_once(shop: tuple[Lake, DuckDBEngine], tmp_path: Path) -> None:
    text = (
        GOOD.replace("sql: status,", "sql: a_a,")
        .replace("sql: amount}", "sql: b_b}")
        .replace("sql: city,", "sql: c_c,")
    )
    found = problems(shop, tmp_path, text)
    assert {"a_a", "b_b", "c_c"} <= {one.split("'")[1] for one in found}


def test_a_model_can_fit_one_ref_and_not_another(shop: tuple[Lake, DuckDBEngine], tmp_path: Path) -> None:
    lake, _ = shop
    lake.branch("emptier", "main")
    lake.commit("emptier", [lake.stage_drop("gold.customers", on="emptier")], message="no customers")
    assert problems(shop, tmp_path, GOOD) == []
    assert any(
        "there is no table 'gold.customers'" in one for one in problems(shop, tmp_path, GOOD, "emptier")
    )
