"""A kiosk as raw files, as tables of a lake, and as a model: what the client's tests ask about."""

import csv
import random
from datetime import datetime, timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any

from ingot.engines.duckdb import connect
from ingot.lake import Lake
from ingot.project import load

SECRET = "a secret of the tests that nobody could guess"
FILES = {
    "ingot.yml": """
        name: kiosk
        auth:
          jwt: {secret: "${KIOSK_SECRET}"}
          lake_groups: [engineers]
    """,
    "semantic/cubes/orders.yml": """
        cubes:
          - name: orders
            sql_table: gold.orders
            joins:
              - {name: customers, relationship: many_to_one, sql: "{CUBE}.customer_id = {customers.id}"}
            measures:
              - {name: count, type: count, drill_members: [id, status, customers.city, total]}
              - name: done
                type: count
                filters: [{sql: "{CUBE}.status = 'done'"}]
                drill_members: [id]
              - {name: total, type: sum, sql: amount, format: currency}
              - {name: average, type: avg, sql: amount}
              - {name: buyers, type: count_distinct, sql: customer_id}
              - {name: last, type: max, sql: amount}
            dimensions:
              - {name: id, type: number, sql: id, primary_key: true, public: true}
              - {name: status, type: string, sql: status}
              - {name: paid, type: boolean, sql: paid}
              - name: created_at
                type: time
                sql: created_at
                granularities:
                  - {name: fortnight, interval: 2 weeks, origin: "2026-01-05"}
            segments:
              - {name: large, sql: "{CUBE}.amount >= 50"}
          - name: LineItems
            sql_table: gold.items
            joins:
              - {name: orders, relationship: many_to_one, sql: "{CUBE}.order_id = {orders.id}"}
            measures:
              - {name: count, type: count}
              - {name: quantity, type: sum, sql: quantity}
            dimensions:
              - {name: id, type: number, sql: id, primary_key: true}
              - {name: product, type: string, sql: product}
    """,
    "semantic/cubes/customers.yml": """
        cubes:
          - name: customers
            sql_table: gold.customers
            measures:
              - {name: count, type: count}
            dimensions:
              - {name: id, type: number, sql: id, primary_key: true}
              - {name: city, type: string, sql: city}
              - {name: internal, type: string, sql: city, public: false}
    """,
    "semantic/views/sales.yml": """
        views:
          - name: sales
            cubes:
              - {join_path: orders, includes: [count, total, status, created_at]}
              - {join_path: orders.customers, includes: [city]}
    """,
}


def make(directory: Path) -> Path:
    """Writes the project and its raw files, and loads them; no run of dbt, which these tests are not about."""
    for name, text in FILES.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"))
    _write(directory / "data")
    project = load(directory, environ={"KIOSK_SECRET": SECRET})
    with Lake.open(project) as lake, connect() as con:
        staged = [
            lake.stage(
                con, f"gold.{name}", f"SELECT * FROM read_csv('{directory}/data/{name}.csv')", on="main"
            )
            for name in ("orders", "customers", "items")
        ]
        lake.commit("main", staged, message="the kiosk")
    return directory


def _write(data: Path) -> None:
    data.mkdir()
    dice = random.Random(7)
    begin = datetime(2026, 1, 1)  # noqa: DTZ001 - times in the files have no zone
    customers = [[n, dice.choice(["Rome", "Oslo", "O'Hare", None])] for n in range(1, 41)]
    orders: list[list[Any]] = []
    items: list[list[Any]] = []
    for n in range(1, 401):
        at = begin + timedelta(seconds=dice.randrange(181 * 86_400))
        if at.month == 4:  # a month without orders, so that there is a gap to fill
            at += timedelta(days=30)
        amount = dice.randrange(100, 10_000) / 100
        status = dice.choice(["done", "done", "new", "lost"])
        paid = dice.choice(["true", "false"])
        orders.append([n, dice.randrange(1, 41), status, at.isoformat(sep=" "), f"{amount:.2f}", paid])
        items += [[len(items) + k, n, dice.choice(["pen", "ink"]), dice.randrange(1, 9)] for k in range(1, 3)]
    for name, head, rows in (
        ("customers", "id,city", customers),
        ("orders", "id,customer_id,status,created_at,amount,paid", orders),
        ("items", "id,order_id,product,quantity", items),
    ):
        with (data / f"{name}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(head.split(","))
            writer.writerows(rows)
