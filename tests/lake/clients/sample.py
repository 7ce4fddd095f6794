"""Tables for other engines to read: their rows come from DuckDB alone, never from a lake."""

from datetime import datetime
from typing import Any

import duckdb

PLAIN = """
SELECT i::INTEGER AS id, (i * 1000000000000)::BIGINT AS big, (i / 8)::DOUBLE AS ratio, (i / 8)::FLOAT AS small,
       (i + 0.25)::DECIMAL(12, 2) AS price, (i * 1000000007)::DECIMAL(38, 9) AS wide,
       CASE WHEN i % 5 <> 0 THEN 'n°' || i END AS name, i % 2 = 0 AS flag,
       DATE '2025-12-20' + i::INTEGER AS day,
       TIMESTAMP '2025-12-31 23:30:00.123456' + INTERVAL (i) MINUTE AS at,
       TIMESTAMPTZ '2025-12-31 23:30:00.5+00' + INTERVAL (i) HOUR AS moment,
       CASE WHEN i % 3 <> 0 THEN ('b' || i)::BLOB END AS bytes
FROM range(40) r(i)
"""

NESTED = """
SELECT i::INTEGER AS id,
       CASE WHEN i % 4 <> 0 THEN [i::INTEGER, NULL, 7] END AS numbers,
       CASE WHEN i % 3 <> 0 THEN {'city': 'c' || i, 'place': {'x': i::DOUBLE, 'y': NULL::DOUBLE}} END AS address,
       [{'sku': 's' || i, 'price': (i + 0.5)::DECIMAL(8, 2)}] AS lines,
       MAP {'k' || i: i::BIGINT} AS tags
FROM range(12) r(i)
"""


def sort_key(row: tuple[Any, ...]) -> str:
    """An order for rows of any types."""
    return repr(row[0]).zfill(12)


def expected(query: str) -> list[tuple[Any, ...]]:
    """What DuckDB gives for a query without any table, sorted."""
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        return comparable(con.execute(query).fetchall())


def comparable(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows in one order, with moments in one time zone."""
    return sorted((tuple(_plain(one) for one in row) for row in rows), key=sort_key)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return ("UTC", value.timestamp())
    return value
