"""A store as CSV files, the lake that they were loaded into, and the model over it."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from duckdb import DuckDBPyConnection

from ingot.engines.duckdb import DuckDBEngine, connect
from ingot.lake import Lake
from ingot.project import Cube, View
from ingot.semantic import Service
from ingot.semantic.context import Context

BOSS, CLERK = Context({}, ("boss",)), Context({}, ("clerk",))
USERS = {"boss": BOSS, "clerk": CLERK}
_KEY = {"name": "id", "sql": "id", "type": "number", "primary_key": True}
_POLICY = [
    {"group": "boss"},
    {
        "group": "clerk",
        "member_level": {"excludes": ["secret", "margin"]},
        "row_level": {"filters": [{"member": "status", "operator": "equals", "values": ["new"]}]},
    },
]


def cubes(*, policies: bool = False) -> list[dict[str, Any]]:
    """The cubes; with `policies` a clerk sees new orders only, without their margin, and no salaries."""
    orders: dict[str, Any] = {
        "name": "orders",
        "sql_table": "gold.orders",
        "joins": [{"name": "customers", "relationship": "many_to_one", "sql": "{CUBE}.customer_id = {customers}.id"}],
        "dimensions": [
            _KEY,
            {"name": "status", "sql": "status", "type": "string"},
            {"name": "paid", "sql": "paid", "type": "boolean"},
            {"name": "created_at", "sql": "created_at", "type": "time"},
            {"name": "amount", "sql": "amount", "type": "number"},
            {"name": "secret", "sql": "secret", "type": "string"},
        ],
        "measures": [
            {"name": "count", "type": "count"},
            {"name": "total", "type": "sum", "sql": "amount"},
            {"name": "mean", "type": "avg", "sql": "amount"},
            {"name": "least", "type": "min", "sql": "amount"},
            {"name": "most", "type": "max", "sql": "amount"},
            {"name": "buyers", "type": "count_distinct", "sql": "customer_id"},
            {"name": "margin", "type": "sum", "sql": "amount * 0.25"},
        ],
        "segments": [{"name": "large", "sql": "{CUBE}.amount >= 50"}],
    }  # fmt: skip
    customers: dict[str, Any] = {
        "name": "customers",
        "sql_table": "gold.customers",
        "dimensions": [_KEY, {"name": "city", "sql": "city", "type": "string"}],
        "measures": [{"name": "count", "type": "count"}],
    }
    salaries: dict[str, Any] = {
        "name": "salaries",
        "sql_table": "gold.customers",
        "dimensions": [_KEY],
        "measures": [{"name": "count", "type": "count"}],
    }
    if policies:
        orders["access_policy"] = _POLICY
        salaries["access_policy"] = [{"group": "boss"}]
    return [orders, customers, salaries]


VIEWS: list[dict[str, Any]] = [
    {
        "name": "sales",
        "cubes": [
            {"join_path": "orders", "includes": ["status", "created_at", "count", "total"]},
            {"join_path": "orders.customers", "includes": ["city"]},
        ],
    }
]


def project(given: list[dict[str, Any]]) -> Any:
    """What a service needs of a project."""
    return SimpleNamespace(
        cubes=tuple(Cube.model_validate(one) for one in given),
        views=tuple(View.model_validate(one) for one in VIEWS),
        dashboards=(),
        parts=None,
    )


@dataclass
class Store:
    service: Service
    lake: Lake
    engine: DuckDBEngine
    files: Path
    plain: DuckDBPyConnection | None = None

    def raw(self, sql: str) -> list[tuple[Any, ...]]:
        """What DuckDB says of the CSV files, which are the tables `orders` and `customers`."""
        if self.plain is None:
            self.plain = connect()
            for name in ("orders", "customers"):
                self.plain.execute(f"CREATE TABLE {name} AS {read(self.files / name)}")
        return self.plain.execute(sql).fetchall()

    def add(self, branch: str, amount: str = "1000.00") -> None:
        """One more order."""
        row = (
            f"SELECT 999999::BIGINT AS id, 1::BIGINT AS customer_id, 'new' AS status, true AS paid, "
            f"TIMESTAMP '2026-03-01' AS created_at, {amount}::DECIMAL(14,2) AS amount, 's' AS secret"
        )
        with connect() as con:
            staged = [self.lake.stage(con, "gold.orders", row, on=branch, mode="append")]
            self.lake.commit(branch, staged, message="an order")


def read(file: Path) -> str:
    """The SELECT over a CSV file, with the types of its columns."""
    kinds = {
        "orders": "{id: 'BIGINT', customer_id: 'BIGINT', status: 'VARCHAR', paid: 'BOOLEAN', created_at: 'TIMESTAMP', amount: 'DECIMAL(14,2)', secret: 'VARCHAR'}",
        "customers": "{id: 'BIGINT', city: 'VARCHAR'}",
    }[file.name]  # fmt: skip
    return f"SELECT * FROM read_csv('{file}.csv', header=true, columns={kinds})"


def write(folder: Path, orders: int) -> None:
    """The CSV files."""
    dice = random.Random(7)
    cities = ["Rome", "Oslo", "O'Hare", "Łódź", ""]
    lines = [f'{number},"{dice.choice(cities)}"' for number in range(1, 41)]
    (folder / "customers.csv").write_text("id,city\n" + "\n".join(lines) + "\n")
    lines = []
    for number in range(orders):
        at = datetime(2025, 11, 1) + timedelta(minutes=dice.randrange(180 * 24 * 60))  # noqa: DTZ001 - no zone
        status = dice.choice(["done", "new", "lost", ""])
        amount = f"{dice.randrange(-500, 10_000) / 100:.2f}"
        paid = dice.choice(["true", "false"])
        lines.append(
            f"{number},{dice.randrange(1, 41)},{status},{paid},{at:%Y-%m-%d %H:%M:%S},{amount},s{number}"
        )
    header = "id,customer_id,status,paid,created_at,amount,secret\n"
    (folder / "orders.csv").write_text(header + "\n".join(lines) + "\n")


@contextmanager
def store(folder: Path, *, orders: int = 2_000, policies: bool = False) -> Iterator[Store]:
    """A service over the files, loaded into `main`; `dev` has one more order."""
    write(folder, orders)
    with connect() as con, Lake(f"sqlite:///{folder}/lake.db", folder / "warehouse") as lake:
        staged = [
            lake.stage(con, f"gold.{name}", read(folder / name), on="main")
            for name in ("orders", "customers")
        ]
        lake.commit("main", staged, message="the store")
        lake.branch("dev", "main")
        engine = DuckDBEngine(lake)
        service = Service(project(cubes(policies=policies)), lake, engine)
        made = Store(service, lake, engine, folder)
        made.add("dev")
        try:
            yield made
        finally:
            if made.plain is not None:
                made.plain.close()
            service.close()
            engine.close()
