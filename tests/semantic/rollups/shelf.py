"""A shop in a lake with a shelf for rollups: the same questions asked with and without them."""

import copy
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingot.engines.duckdb import DuckDBEngine, connect
from ingot.errors import IngotError
from ingot.lake import Lake
from ingot.semantic import Service
from ingot.semantic.rollups.build import build
from ingot.semantic.rollups.store import Build
from tests.semantic import shop

MORE: list[dict[str, Any]] = [
    {"name": "mean_price", "type": "avg", "sql": "CAST({CUBE}.amount AS DECIMAL(12,2)) * 1.37"},
    {"name": "price", "type": "sum", "sql": "CAST({CUBE}.amount AS DECIMAL(12,3)) / 8"},
    {"name": "about_buyers", "type": "count_distinct_approx", "sql": "{CUBE}.customer_id"},
    {"name": "week_total", "type": "sum", "sql": "amount", "rolling_window": {"trailing": "7 day"}},
    {"name": "all_count", "type": "count", "rolling_window": {"trailing": "unbounded"}},
    {
        "name": "month_before",
        "type": "number",
        "sql": "{total}",
        "multi_stage": True,
        "time_shift": [{"time_dimension": "orders.created_at", "interval": "1 month", "type": "prior"}],
    },
]
"""More measures of orders, of the kinds that the shop does not have."""


def cubes(
    pre_aggregations: Iterable[dict[str, Any]], more: Sequence[dict[str, Any]] = MORE
) -> list[dict[str, Any]]:
    """The shop's cubes, orders with these pre-aggregations."""
    found = copy.deepcopy(shop.CUBES)
    found[0]["measures"] += copy.deepcopy(list(more))
    found[0]["pre_aggregations"] = list(pre_aggregations)
    return found


@dataclass
class Shelf:
    """A lake with an engine, and a folder for rollups."""

    lake: Lake
    engine: DuckDBEngine
    root: Path

    def service(self, pre_aggregations: Iterable[dict[str, Any]], **more: Any) -> Service:
        """A service that reads rollups."""
        return Service(
            shop.project(cubes(pre_aggregations)), self.lake, self.engine, rollups=self.root, **more
        )

    def plain(self) -> Service:
        """A service that knows of no rollup."""
        return Service(shop.project(cubes([])), self.lake, self.engine)

    def built(self, service: Service, ref: str = "main") -> dict[str, Build]:
        """Builds everything at a ref; the builds by name."""
        assert service.rollups is not None
        at = service.states.at(ref)
        found = {}
        for rollup in service.rollups.of(service.model):
            tables = service.states.tables(rollup.tables, at)
            if not rollup.parts and tables is not None and rollup.never is None:
                found[rollup.full_name] = build(
                    rollup, at.state, tables, engine=self.engine, store=service.rollups.store
                )
        return found

    def append(self, branch: str, table: str, rows: Sequence[dict[str, Any]]) -> None:
        """More rows of a table on a branch, as one more file."""
        with connect() as con:
            shop.fill(con, {name: list(rows) if name == table else [] for name in shop.TABLES})
            staged = self.lake.stage(
                con, f"gold.{table}", f"SELECT * FROM gold.{table}", on=branch, mode="append"
            )
            self.lake.commit(branch, [staged], message="more")


@contextmanager
def shelf(folder: Path, parts: Sequence[dict[str, list[dict[str, Any]]]]) -> Iterator[Shelf]:
    """A shop whose tables hold the rows of `parts`, each part a file of its own."""
    with connect() as con, Lake(f"sqlite:///{folder}/lake.db", folder / "warehouse") as lake:
        for n, rows in enumerate(parts):
            shop.fill(con, rows)
            names = shop.TABLES if n == 0 else [name for name in shop.TABLES if rows[name]]
            staged = [
                lake.stage(
                    con,
                    f"gold.{name}",
                    f"SELECT * FROM gold.{name}",
                    on="main",
                    mode="append" if n else "overwrite",
                )
                for name in names
            ]
            lake.commit("main", staged, message="the shop")
        engine = DuckDBEngine(lake, readable=[folder / "rollups"])
        try:
            yield Shelf(lake, engine, folder / "rollups")
        finally:
            engine.close()


def answer(service: Service, query: dict[str, Any], ref: str) -> Any:
    """The rows, or the error, of a question."""
    try:
        found = service.load(query, ref=ref)
    except IngotError as error:
        return error.message
    return found["data"], found["total"]


def used(service: Service, query: dict[str, Any], ref: str = "main") -> list[str]:
    """The rollups that a question reads."""
    return [one["preAggregationId"] for one in service.load(query, ref=ref)["usedPreAggregations"].values()]


def reasons(service: Service, query: dict[str, Any], name: str, ref: str = "main") -> list[str]:
    """Why a rollup is not read for a question."""
    results = service.sql(query, ref=ref)["sql"]["rollupMatchResults"]
    return [reason for one in results if one["preAggregation"] == name for reason in one["reasons"]]
