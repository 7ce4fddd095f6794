"""The functions and operators that may be used, each against real PostgreSQL."""

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from ingot.semantic.sql.allowed import FUNCTIONS
from tests.lake import postgres
from tests.semantic.lakes import Served

VALUES = "(SELECT 1) one"
EXPRESSIONS = [
    # whole numbers and fractions
    "7 / 2", "-7 / 2", "7 / -2", "7.0 / 2", "7 / 2.0", "(7 / 2) / 2", "7 % 3", "-7 % 3", "2 * 3 + 4", "1 - 2 - 3",
    "10 / 4 * 4", "10 / (4 * 2)", "abs(-3)", "abs(-3) / 2", "ceil(1.2)", "floor(-1.2)", "round(2.5)", "round(-2.5)", "round(3.14159, 2)",
    "round(1234, -2)", "sqrt(16)", "ln(1)", "exp(0)", "power(2, 10)", "sign(-3)", "sign(0)", "greatest(1, 3, 2)", "least(1, 3, 2)",
    "greatest(1, NULL, 2)", "least(NULL, 3)", "cast('12' AS integer) / 5", "'12'::integer + 1", "12::text", "1.5::integer", "2.5::integer", "'3.5'::double precision",
    "'1.25'::numeric(10, 2)", "1::boolean", "'t'::boolean", "length('abc') / 2", "2 ^ 3", "2 ^ 3 ^ 2",
    # texts
    "lower('ABC')", "upper('abc')", "length('häß')", "trim('  x ')", "trim(both 'x' FROM 'xxaxx')", "trim(leading 'x' FROM 'xxaxx')", "trim(trailing 'x' FROM 'xxaxx')",
    "concat('a', NULL, 'b', 1)", "'a' || 'b'", "'a' || NULL", "'a' || 1", "substring('abcdef' FROM 2 FOR 3)", "substring('abcdef', 2)", "substring('abc', 0, 2)",
    "substring('abcdef' FROM -1 FOR 4)", "position('c' IN 'abc')", "position('z' IN 'abc')", "strpos('abc', 'b')", "replace('abcabc', 'b', 'x')", "left('abc', 2)", "left('abc', -1)", "right('abc', 2)", "right('abc', -1)", "reverse('abc')",
    "'abc' LIKE 'a%'", "'abc' LIKE 'A%'", "'abc' ILIKE 'A%'", "'abc' NOT LIKE '_b_'", "'a_c' LIKE 'a!_c' ESCAPE '!'", "'abc' NOT ILIKE 'X%'", "'a%c' LIKE 'a\\%c'", "'abc' ~ 'b'", "'abc' ~ '^b'", "'abc' ~* 'B'", "'abc' !~ 'b'", "'abc' !~* 'B'",
    "'a' < 'b'", "'B' < 'a' OR true", "coalesce(NULL, 'x')", "nullif('a', 'a')", "nullif(1, 2)",
    # truth and null
    "NULL AND false", "NULL OR true", "NOT NULL::boolean", "1 = NULL", "NULL IS NULL", "1 IS NOT NULL", "(1 = NULL) IS TRUE", "(1 = 2) IS NOT TRUE", "NULL IS DISTINCT FROM NULL", "1 IS DISTINCT FROM NULL", "1 IS NOT DISTINCT FROM 1",
    "1 IN (1, NULL)", "2 IN (1, NULL)", "2 NOT IN (1, NULL)", "2 BETWEEN 1 AND 3", "2 NOT BETWEEN 1 AND 3", "2 BETWEEN 3 AND 1",
    "CASE WHEN 1 = 1 THEN 'a' ELSE 'b' END", "CASE 3 WHEN 1 THEN 'a' END", "CASE WHEN NULL THEN 1 ELSE 2 END / 2",
    # times
    "date_trunc('month', timestamp '2026-02-17 13:14:15')", "date_trunc('week', timestamp '2026-03-01 13:14:15')", "date_trunc('quarter', timestamp '2026-05-17')", "date_trunc('hour', timestamp '2026-02-17 13:14:15.5')", "date_trunc('year', date '2026-05-17')::date",
    *(f"extract({part} FROM timestamp '2026-03-01 13:14:15.25')" for part in ("year", "quarter", "month", "week", "day", "dow", "isodow", "doy", "hour", "minute", "second", "epoch", "isoyear")),
    *(f"date_part('{part}', timestamp '2027-01-02 13:14:15')" for part in ("year", "month", "week", "dow", "day")),
    "date '2026-02-28' + 1", "date '2026-03-01' - date '2026-02-01'", "timestamp '2026-01-31 10:00' + interval '1 month'", "timestamp '2026-03-01' - interval '1 day 2 hours'", "'2026-02-03'::date", "'2026-02-03 04:05:06'::timestamp", "(timestamp '2026-02-03 04:05:06')::date",
    "date '2026-02-03' < timestamp '2026-02-03 00:00:01'", "date '2026-02-03' = '2026-02-03'", "timestamp '2026-01-01 00:00:00' AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Berlin'",
    "now() > timestamp '2020-01-01'", "current_date > date '2020-01-01'",
]  # fmt: skip
NUMBERS = "(SELECT 1 AS g, 3 AS v UNION ALL SELECT 1, 5 UNION ALL SELECT 2, NULL UNION ALL SELECT 2, 4 UNION ALL SELECT 3, 5) n"
QUERIES = [
    f"SELECT g, sum(v), avg(v), min(v), max(v), count(v), count(*), count(DISTINCT v) FROM {NUMBERS} GROUP BY g",
    f"SELECT sum(v) FILTER (WHERE g > 1) FROM {NUMBERS}",
    f"SELECT v, rank() OVER (ORDER BY v DESC), dense_rank() OVER (ORDER BY v), row_number() OVER (ORDER BY v, g) FROM {NUMBERS}",
    f"SELECT g, v, lag(v) OVER (ORDER BY g, v), lead(v, 2, 0) OVER (ORDER BY g, v) FROM {NUMBERS}",
    f"SELECT g, v, first_value(v) OVER (PARTITION BY g ORDER BY v), last_value(v) OVER (PARTITION BY g ORDER BY v ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM {NUMBERS}",
    f"SELECT g, v, sum(v) OVER (ORDER BY g, v ROWS BETWEEN 1 PRECEDING AND CURRENT ROW), ntile(2) OVER (ORDER BY g, v) FROM {NUMBERS}",
    f"SELECT percent_rank() OVER (ORDER BY v), cume_dist() OVER (ORDER BY v) FROM {NUMBERS} WHERE v IS NOT NULL",
    f"SELECT sum(v) / 2, count(*) / 2, max(v) FROM {NUMBERS}",
    f"SELECT g FROM {NUMBERS} EXCEPT SELECT 1",
    f"SELECT g FROM {NUMBERS} INTERSECT SELECT 1",
    f"SELECT v FROM {NUMBERS} ORDER BY v DESC LIMIT 1",
    f"SELECT v FROM {NUMBERS} ORDER BY v LIMIT 2 OFFSET 1",
]  # fmt: skip


@pytest.fixture(scope="module")
def real() -> Iterator[Any]:
    with postgres.server() as url:
        import psycopg  # noqa: PLC0415 - skipped where it is not installed

        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as con:
            con.execute("SET timezone = 'UTC'")
            yield con


def plain(value: Any) -> Any:
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, Decimal | float | int):
        found = float(value)
        return "nan" if math.isnan(found) else round(found, 9)
    return str(value).replace("T", " ").removesuffix("+00:00")


def answers(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted((tuple(plain(value) for value in row) for row in rows), key=str)


@pytest.mark.slow
def test_expressions_mean_what_they_mean_in_postgresql(shop_served: Served, real: Any) -> None:
    wrong = []
    for text in EXPRESSIONS:
        expected = answers(real.execute(f"SELECT {text}").fetchall())
        try:
            found = answers(shop_served.service.query_sql(f"SELECT {text}").rows())
        except Exception as error:  # noqa: BLE001 - all of them are shown at once
            found = [(type(error).__name__, str(error)[:150])]
        if found != expected:
            wrong.append((text, found, expected))
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.slow
@pytest.mark.parametrize("text", QUERIES)
def test_aggregates_and_windows_mean_what_they_mean_in_postgresql(
    shop_served: Served, real: Any, text: str
) -> None:
    assert answers(shop_served.service.query_sql(text).rows()) == answers(real.execute(text).fetchall())


def test_every_function_is_among_the_cases() -> None:
    cases = " ".join([*EXPRESSIONS, *QUERIES]).lower()
    missing = {name for name in FUNCTIONS.values() if name != "cast" and f"{name}" not in cases}
    assert missing == set()
