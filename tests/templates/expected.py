"""The storefront's numbers straight from its CSV files, for comparison with what the platform says.

Plain SQL over `read_csv`: no dbt, no cubes, nothing of Ingot, so that agreement means something.
"""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

TABLES = ("customers", "products", "campaigns", "orders", "order_items", "clickstream", "inventory")
REVENUE = "order_status NOT IN ('cancelled', 'returned')"
MONEY = {
    "orders": ("subtotal", "discount_amount", "shipping_amount", "tax_amount", "total_amount"),
    "order_items": ("unit_price", "unit_cost", "discount_amount", "tax_amount", "line_total"),
    "products": ("price", "cost"),
    "campaigns": ("budget", "spend"),
}


def opened(data_dir: Path | str, tables: tuple[str, ...] = TABLES) -> duckdb.DuckDBPyConnection:
    """A connection with the raw files as tables; money is exact. To be closed by the caller."""
    con = duckdb.connect()
    for table in tables:
        types = ", ".join(f"'{column}': 'DECIMAL(12,2)'" for column in MONEY.get(table, ()))
        chosen = f", types = {{{types}}}" if types else ""
        con.execute(
            f"CREATE TABLE {table} AS SELECT * FROM read_csv('{Path(data_dir) / table}*.csv', header = true{chosen})"
        )
    return con


def ask(data_dir: Path | str, sql: str) -> list[tuple[Any, ...]]:
    """Rows of one query over the raw files."""
    named = tuple(table for table in TABLES if re.search(rf"\b{table}\b", sql))
    with opened(data_dir, named) as con:
        return con.execute(sql).fetchall()


def revenue_total(data_dir: Path | str) -> Decimal:
    """Order totals of all orders except cancelled and returned ones."""
    return Decimal(ask(data_dir, f"SELECT sum(total_amount) FROM orders WHERE {REVENUE}")[0][0])


def revenue_by_month(data_dir: Path | str) -> dict[str, Decimal]:
    """The same by month, as in `2026-01`."""
    sql = f"SELECT strftime(order_date, '%Y-%m'), sum(total_amount) FROM orders WHERE {REVENUE} GROUP BY 1"
    return dict(ask(data_dir, sql))


def revenue_by_segment(data_dir: Path | str) -> dict[str, Decimal]:
    """The same by the customer's segment."""
    sql = (
        "SELECT segment, sum(total_amount) FROM orders JOIN customers USING (customer_id) "
        f"WHERE {REVENUE} GROUP BY 1"
    )
    return dict(ask(data_dir, sql))


def order_count(data_dir: Path | str) -> int:
    """All orders, of any status."""
    return int(ask(data_dir, "SELECT count(*) FROM orders")[0][0])


def order_count_by_status(data_dir: Path | str) -> dict[str, int]:
    """Orders by status."""
    return dict(ask(data_dir, "SELECT order_status, count(*) FROM orders GROUP BY 1"))


def avg_order_value(data_dir: Path | str) -> float:
    """Revenue for each order that counts as revenue."""
    return float(ask(data_dir, f"SELECT avg(total_amount) FROM orders WHERE {REVENUE}")[0][0])


def unique_customers(data_dir: Path | str) -> int:
    """Customers with an order of any status."""
    return int(ask(data_dir, "SELECT count(DISTINCT customer_id) FROM orders")[0][0])


def gross_profit(data_dir: Path | str) -> Decimal:
    """Line totals minus costs of items that were sold and kept."""
    sql = (
        "SELECT sum(line_total - quantity * unit_cost) FROM order_items JOIN orders USING (order_id) "
        f"WHERE {REVENUE} AND NOT is_returned"
    )
    return Decimal(ask(data_dir, sql)[0][0])


def sales_by_category(data_dir: Path | str) -> dict[str, Decimal]:
    """Line totals of items that were sold and kept, by category of the product."""
    sql = (
        "SELECT category, sum(line_total) FROM order_items JOIN orders USING (order_id) "
        f"JOIN products USING (product_id) WHERE {REVENUE} AND NOT is_returned GROUP BY 1"
    )
    return dict(ask(data_dir, sql))


def customer_count(data_dir: Path | str) -> int:
    """All customers."""
    return int(ask(data_dir, "SELECT count(*) FROM customers")[0][0])


def products_below_reorder(data_dir: Path | str) -> int:
    """Active products with less stock than their reorder level."""
    sql = "SELECT count(*) FROM products WHERE is_active AND inventory_quantity < reorder_level"
    return int(ask(data_dir, sql)[0][0])


def total_inventory_value(data_dir: Path | str) -> Decimal:
    """Stock at unit cost."""
    return Decimal(ask(data_dir, "SELECT sum(inventory_quantity * cost) FROM products")[0][0])
