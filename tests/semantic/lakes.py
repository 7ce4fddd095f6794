# ruff: noqa: DTZ001 - times in tables have no zone
"""The shop in a real lake: `main`, and `dev` with one more order."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ingot.engines.duckdb import DuckDBEngine, connect
from ingot.lake import Lake
from ingot.semantic import Service
from tests.semantic import shop

ROWS: dict[str, list[dict[str, Any]]] = {
    "regions": [{"id": 1, "name": "north"}],
    "customers": [
        {"id": 1, "region_id": 1, "city": "Rome", "score": 7},
        {"id": 2, "region_id": None, "city": "O'Hare", "score": None},
        {"id": 3, "region_id": 1, "city": None, "score": 2},
    ],
    "orders": [
        {"id": 1, "customer_id": 1, "status": "done", "created_at": datetime(2026, 1, 31, 23, 30), "paid": True, "amount": 10},
        {"id": 2, "customer_id": 1, "status": "new", "created_at": datetime(2026, 2, 1), "paid": False, "amount": 5},
        {"id": 3, "customer_id": 2, "status": "done", "created_at": datetime(2026, 2, 28, 23, 59, 59, 999900), "paid": True, "amount": 7},
    ],
    "products": [{"id": 1, "kind": "tool", "price": 3}],
    "items": [
        {"id": 1, "order_id": 1, "product_id": 1, "qty": 2},
        {"id": 2, "order_id": 1, "product_id": 1, "qty": 1},
    ],
    "tickets": [{"id": 1, "customer_id": 1, "topic": "bug", "opened_at": datetime(2026, 1, 5), "hours": 4}],
}  # fmt: skip


@dataclass
class Served:
    service: Service
    lake: Lake
    engine: DuckDBEngine


@contextmanager
def served(folder: Path, rows: dict[str, list[dict[str, Any]]] = ROWS) -> Iterator[Served]:
    """A service over a new lake in `folder`."""
    with connect() as con, Lake(f"sqlite:///{folder}/lake.db", folder / "warehouse") as lake:
        shop.fill(con, rows)
        staged = [
            lake.stage(con, f"gold.{name}", f"SELECT * FROM gold.{name}", on="main") for name in shop.TABLES
        ]
        lake.commit("main", staged, message="the shop")
        lake.branch("dev", "main")
        add_order(lake, "dev")
        engine = DuckDBEngine(lake)
        try:
            yield Served(Service(shop.project(), lake, engine), lake, engine)
        finally:
            engine.close()


def add_order(lake: Lake, branch: str) -> None:
    """One more order of 100 on a branch."""
    with connect() as con:
        row = "SELECT 99::BIGINT AS id, 3::BIGINT AS customer_id, 'done' AS status, TIMESTAMP '2026-03-01' AS created_at, true AS paid, 100::BIGINT AS amount"
        lake.commit(
            branch, [lake.stage(con, "gold.orders", row, on=branch, mode="append")], message="an order"
        )
