"""A small project with one source, two models and tests: big enough to go through every step of a run."""

from pathlib import Path
from textwrap import dedent

from ingot.engines.duckdb import DuckDBEngine
from ingot.lake import Lake

_FILES = {
    "ingot.yml": "name: small\n",
    "sources/shop.yml": """
        connector: files
        path: data
        tables:
          orders:
            path: "orders*.csv"
    """,
    "transform/dbt_project.yml": """
        name: small
        version: "1.0"
        profile: small
        models:
          small:
            +materialized: table
            +schema: gold
    """,
    "transform/models/sources.yml": """
        sources:
          - name: raw
            tables:
              - name: orders
    """,
    "transform/models/orders.sql": "select order_id, amount from {{ source('raw', 'orders') }}\n",
    "transform/models/totals.sql": "select sum(amount) as total, count(*) as orders from {{ ref('orders') }}\n",
    "transform/models/schema.yml": """
        models:
          - name: orders
            columns:
              - name: order_id
                data_tests: [unique, not_null]
              - name: amount
                data_tests: [not_null]
    """,
    "semantic/cubes/orders.yml": """
        cubes:
          - name: orders
            sql_table: gold.orders
            dimensions:
              - {name: order_id, sql: order_id, type: number, primary_key: true}
            measures:
              - {name: count, type: count}
              - {name: total, type: sum, sql: amount}
    """,
}


def make_small_project(directory: Path, *, orders: int = 20) -> Path:
    """Writes the project with `orders` rows of amount 1, 2, 3, … and gives back its folder."""
    for name, text in _FILES.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"))
    data = directory / "data"
    data.mkdir(exist_ok=True)
    rows = "".join(f"{number},{number}\n" for number in range(1, orders + 1))
    (data / "orders.csv").write_text("order_id,amount\n" + rows)
    return directory


def orders_total(lake: Lake, ref: str = "main") -> int:
    """The sum of amounts in `gold.orders` at `ref`."""
    engine = DuckDBEngine(lake)
    try:
        [(total,)] = engine.query("select sum(amount) from gold.orders", at=lake.at(ref)).rows
        return int(total)
    finally:
        engine.close()
