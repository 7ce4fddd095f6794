"""The shop as a project on disk, opened beside its files and on a server: every test of a session runs on both."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import ingot
from ingot.api import create_app
from ingot.engines.duckdb import connect
from ingot.lake import Lake
from ingot.project import load
from ingot.session import Session
from tests.lake.rest.conftest import serving
from tests.semantic import shop
from tests.semantic.lakes import ROWS, add_order

MODEL = """
cubes:
  - name: orders
    sql_table: gold.orders
    joins: [{name: customers, relationship: many_to_one, sql: "{CUBE}.customer_id = {customers}.id"}]
    measures:
      - {name: count, type: count, description: How many.}
      - {name: total, type: sum, sql: amount}
      - {name: hidden, type: max, sql: amount, public: false}
    dimensions:
      - {name: id, type: number, sql: id, primary_key: true}
      - {name: status, type: string, sql: status}
      - {name: amount, type: number, sql: amount}
      - {name: paid, type: boolean, sql: paid}
      - {name: created_at, type: time, sql: created_at}
    segments: [{name: large, sql: "{CUBE}.amount >= 7"}]
  - name: customers
    sql_table: gold.customers
    dimensions:
      - {name: id, type: number, sql: id, primary_key: true}
      - {name: city, type: string, sql: city}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the shop's rows on `main`, and one more order on `dev`."""
    root = tmp_path_factory.mktemp("shop")
    (root / "ingot.yml").write_text("name: shop\n")
    (root / "semantic").mkdir()
    (root / "semantic" / "orders.yml").write_text(MODEL)
    with connect() as con, Lake.open(load(root)) as lake:
        shop.fill(con, ROWS)
        staged = [
            lake.stage(con, f"gold.{one}", f"SELECT * FROM gold.{one}", on="main") for one in shop.TABLES
        ]
        lake.commit("main", staged, message="the shop")
        lake.branch("dev", "main")
        add_order(lake, "dev")
    return root


@pytest.fixture(scope="module", params=["files", "server"])
def session(request: pytest.FixtureRequest, folder: Path) -> Iterator[Session]:
    if request.param == "files":
        with ingot.open(folder) as made:
            yield made
        return
    with serving(create_app(load(folder))) as address, ingot.open(address) as made:
        yield made
