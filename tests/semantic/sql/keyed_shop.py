"""The shop with the columns that its cubes are joined by as dimensions, and rows that have no partner."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ingot.engines.duckdb import DuckDBEngine, connect
from ingot.lake import Lake
from ingot.semantic import Service
from tests.semantic import shop
from tests.semantic.lakes import ROWS, Served

KEYS = {
    "orders": ("customer_id",), "tickets": ("customer_id",), "customers": ("region_id",), "items": ("order_id", "product_id"),
}  # fmt: skip
MORE: dict[str, list[dict[str, Any]]] = {
    "regions": [{"id": 2, "name": "south"}],
    "customers": [{"id": 4, "region_id": 2, "city": "Rome", "score": 9}],
    "orders": [
        {"id": 4, "customer_id": None, "status": "done", "created_at": None, "paid": True, "amount": 100},
        {"id": 5, "customer_id": 99, "status": "lost", "created_at": None, "paid": True, "amount": 1000},
        {"id": 6, "customer_id": 3, "status": "new", "created_at": None, "paid": None, "amount": None},
    ],
    "items": [
        {"id": 3, "order_id": 3, "product_id": None, "qty": 40},
        {"id": 4, "order_id": None, "product_id": 1, "qty": 500},
        {"id": 5, "order_id": 5, "product_id": 1, "qty": 7},
    ],
}  # fmt: skip
ALL = {name: [*rows, *MORE.get(name, [])] for name, rows in ROWS.items()}


def cubes() -> list[dict[str, Any]]:
    made = copy.deepcopy(shop.CUBES)
    for cube in made:
        for key in KEYS.get(cube["name"], ()):
            cube["dimensions"].append({"name": key, "sql": f"{{CUBE}}.{key}", "type": "number"})
        if cube["name"] == "customers":
            cube["dimensions"].append({"name": "customer_id", "sql": "{CUBE}.id", "type": "number"})
    return made


def cubes_both_ways() -> list[dict[str, Any]]:
    """The shop whose customers know their orders, too, and whose orders have a shorter way to regions."""
    own = cubes()
    by_name = {one["name"]: one for one in own}
    by_name["customers"]["joins"].append(
        {"name": "orders", "relationship": "one_to_many", "sql": "{orders.customer_id} = {CUBE}.id"}
    )
    by_name["orders"]["joins"].append(
        {"name": "regions", "relationship": "many_to_one", "sql": "{CUBE}.id = {regions.id}"}
    )
    return own


@contextmanager
def kept(
    folder: Path,
    own: list[dict[str, Any]],
    views: list[dict[str, Any]] | None = None,
    rows: dict[str, list[dict[str, Any]]] = ALL,
) -> Iterator[Served]:
    """A service over a new lake in `folder`, and these."""
    with connect() as con, Lake(f"sqlite:///{folder}/lake.db", folder / "warehouse") as lake:
        shop.fill(con, rows)
        staged = [
            lake.stage(con, f"gold.{name}", f"SELECT * FROM gold.{name}", on="main") for name in shop.TABLES
        ]
        lake.commit("main", staged, message="the shop")
        engine = DuckDBEngine(lake)
        service = Service(shop.project(own, views or []), lake, engine)
        try:
            yield Served(service, lake, engine)
        finally:
            service.close()
            engine.close()


@contextmanager
def served(
    folder: Path, own: list[dict[str, Any]], views: list[dict[str, Any]] | None = None
) -> Iterator[Service]:
    """A service over a new lake in `folder`."""
    with kept(folder, own, views) as made:
        yield made.service
