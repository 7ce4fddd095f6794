# ruff: noqa: DTZ001 - times in tables have no zone
"""A table with every kind of value, and the SQL of DuckDB that a model may have over it."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import duckdb
import pytest

from ingot.semantic import Model
from ingot.semantic.planner.plan import plan
from ingot.semantic.query import parse
from tests.semantic import shop

TABLES = {
    "things": {
        "id": "BIGINT", "a": "BIGINT", "b": "BIGINT", "x": "DOUBLE", "d": "DECIMAL(10, 2)", "s": "VARCHAR",
        "f": "BOOLEAN", "t": "TIMESTAMP", "day": "DATE",
    }
}  # fmt: skip
_ROWS: list[tuple[Any, ...]] = [
    (1, 7, 2, 2.5, Decimal("10.25"), "Rome", True, datetime(2026, 3, 29, 0, 30), date(2026, 3, 29)),
    (2, -7, 2, -2.5, Decimal("-0.05"), "ro_me", False, datetime(2026, 3, 29, 1, 30), date(2024, 2, 29)),
    (3, None, 3, 0.125, None, "50% off", None, datetime(2026, 1, 31, 23, 59, 59, 999999), date(2026, 1, 31)),
    (4, 1, None, None, Decimal("3.33"), None, True, None, None),
    (5, 10**12, 3, 1e10, Decimal("99999999.99"), "a\\b", False, datetime(2025, 12, 29), date(2025, 12, 29)),
    (6, 1, 3, 1 / 3, Decimal("1.00"), " it's ", None, datetime(2024, 2, 29, 12), date(2026, 10, 25)),
]  # fmt: skip
ROWS = {"things": [dict(zip(TABLES["things"], row, strict=True)) for row in _ROWS]}

NUMBERS = [
    "a / b", "a * 1.0 / b", "a % b", "d / 3", "x / a", "LEAST(a, b)", "GREATEST(a, b, id)", "COALESCE(a, b, 0)",
    "NULLIF(a, 1)", "ABS(a)", "ROUND(d, 1)", "ROUND(x)", "FLOOR(x)", "CEIL(x)", "CASE WHEN f THEN 1 ELSE 2 END",
    "CASE WHEN a > b THEN a END", "LENGTH(s)", "YEAR(t)", "EXTRACT(MONTH FROM t)", "EXTRACT(DAY FROM day)",
    "EXTRACT(QUARTER FROM t)", "a + b * 2 - 1", "CAST(NOT f AS INTEGER)", "CAST(a AS DOUBLE) / 7", "SIGN(a)",
    "CAST(d AS DECIMAL)", "POW(b, 2)", "-a", "STRPOS(s, 'o')", "CAST(FLOOR(x) AS BIGINT)", "CAST(ROUND(x) AS BIGINT)",
]  # fmt: skip
TEXTS = [
    "UPPER(s)", "s || '!'", "CONCAT(s, '-', CAST(a AS VARCHAR))", "SUBSTRING(s, 2, 3)", "TRIM(s)",
    "COALESCE(s, 'none')", "CASE WHEN s LIKE '%o_m%' THEN 'like' ELSE 'not' END",
    "CASE WHEN s ILIKE 'ro%' THEN 'like' ELSE 'not' END", "CASE WHEN s LIKE '%!%%' ESCAPE '!' THEN 'y' ELSE 'n' END",
    "CASE WHEN s LIKE '%\\%' ESCAPE '!' THEN 'y' ELSE 'n' END",
]  # fmt: skip
BOOLEANS = ["a > b", "f AND a > 0", "NOT f", "s IN ('Rome', 'x')", "a IS NULL", "a BETWEEN 1 AND 7", "a IS DISTINCT FROM b"]  # fmt: skip
TIMES = ["DATE_TRUNC('week', t)", "DATE_TRUNC('month', t)", "t + INTERVAL 1 MONTH", "t - INTERVAL '36 hours'",
         "CAST(day AS TIMESTAMP)", "t + INTERVAL 2 WEEK",
         "CAST(t AS TIMESTAMPTZ) AT TIME ZONE 'Asia/Kolkata'"]  # fmt: skip
AGGREGATES = [
    "SUM(a) / COUNT(*)", "AVG(d)", "AVG(a)", "SUM(x) FILTER (WHERE f)", "COUNT(*) FILTER (WHERE a > 0)",
    "COUNT(DISTINCT b) FILTER (WHERE NOT s IS NULL)", "COUNT_IF(f)", "MIN(x)", "MAX(d)", "STDDEV(a % 100)",
    "COUNT(DISTINCT b)", "LEAST(SUM(a), NULL)", "SUM(CASE WHEN f THEN d ELSE 0 END)", "AVG(DISTINCT b)",
    "SUM(CAST(f IS NULL AS INTEGER))", "VAR_POP(b)",
]  # fmt: skip
_KINDS = {"number": NUMBERS, "string": TEXTS, "boolean": BOOLEANS, "time": TIMES}


def named(kind: str, n: int) -> str:
    return f"{kind}_{n}"


def model(more: Sequence[str] = ()) -> Model:
    dimensions: list[dict[str, Any]] = [shop.KEY]
    dimensions += [
        {"name": named(kind, n), "type": kind, "sql": sql}
        for kind, some in _KINDS.items()
        for n, sql in enumerate(some)
    ]
    measures = [
        {"name": named("agg", n), "type": "number", "sql": sql} for n, sql in enumerate([*AGGREGATES, *more])
    ]
    cube = {"name": "things", "sql_table": "gold.things", "dimensions": dimensions, "measures": measures}
    return shop.model([cube], [])


EVERY = [
    (kind, n, sql) for kind, some in [*_KINDS.items(), ("agg", AGGREGATES)] for n, sql in enumerate(some)
]


def query(kind: str, n: int) -> Any:
    member = f"things.{named(kind, n)}"
    if kind == "agg":
        return parse({"measures": [member]})
    if kind == "time":
        return parse({"dimensions": ["things.id"], "timeDimensions": [{"dimension": member, "granularity": "second"}], "ungrouped": True})  # fmt: skip
    return parse({"dimensions": ["things.id", member], "ungrouped": True, "order": {"things.id": "asc"}})


def agree(shop_: Any, made: Model, kind: str, n: int) -> None:
    """Asserts that an engine answers as DuckDB does."""
    expected = _sorted(in_duckdb(made)[kind, n])
    found = _sorted(shop_.rows(plan(made, query(kind, n), dialect=shop_.dialect)))
    assert len(found) == len(expected) > 0
    for ours, theirs in zip(found, expected, strict=True):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert one == (pytest.approx(other) if isinstance(other, float) else other)


def _plain(value: Any) -> Any:
    number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return float(value) if number else value


def _sorted(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    plain = [tuple(_plain(one) for one in row) for row in rows]
    return sorted(plain, key=lambda row: repr(row[:1]))


def fill(con: duckdb.DuckDBPyConnection) -> None:
    """Writes the table into the schema gold."""
    listed = ", ".join(f"{name} {kind}" for name, kind in TABLES["things"].items())
    con.execute(f"CREATE TABLE gold.things ({listed})")
    con.executemany(f"INSERT INTO gold.things VALUES ({', '.join('?' * 9)})", [list(row) for row in _ROWS])


@cache
def in_duckdb(made: Model) -> dict[tuple[str, int], list[tuple[Any, ...]]]:
    """What DuckDB answers to every query."""
    found = {}
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute("CREATE SCHEMA gold")
        fill(con)
        for kind, n in [(kind, n) for kind, n, _ in EVERY] + [("agg", n) for n in range(len(AGGREGATES), 99)]:
            if f"things.{named(kind, n)}" in made.members:
                asked = plan(made, query(kind, n))
                found[kind, n] = con.execute(asked.sql, list(asked.parameters)).fetchall()
    return found
