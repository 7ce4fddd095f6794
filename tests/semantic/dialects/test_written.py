"""What is written for engines that the tests cannot start: read back by sqlglot, and expected from their documentation.

Nothing here is executed by Snowflake or BigQuery.
"""

import re
from functools import cache
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from ingot.semantic import QueryError
from ingot.semantic.dialects import DIALECTS
from ingot.semantic.planner.plan import Plan, plan
from ingot.semantic.planner.times import GRANULARITIES
from ingot.semantic.query import parse
from tests.semantic import shop, shop_stages
from tests.semantic.dialects import things
from tests.semantic.naive_measures import ROLLING, STAGES

MODEL = shop_stages.model()
OTHERS = [one for one in DIALECTS if one != "duckdb"]
TIME = "orders.created_at"


def _queries() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    own = [one["name"] for one in shop_stages.GRANULARITIES]
    grains = {"UTC": [*GRANULARITIES, *own], "Europe/Berlin": ["week", "fortnight"]}
    for zone, some in grains.items():
        for grain in some:
            time = {"dimension": TIME, "granularity": grain, "dateRange": ["2026-01-01", "2026-01-01"]}
            found.append(
                {
                    "measures": ["orders.total", "orders.done_total"],
                    "timeDimensions": [time],
                    "timezone": zone,
                }
            )
            found.append(
                {
                    "measures": ["orders.roll_total", "orders.count"],
                    "timeDimensions": [time],
                    "timezone": zone,
                }
            )
    day = {"dimension": TIME, "granularity": "month"}
    for name in [*ROLLING, *STAGES]:
        full = name if "." in name else f"orders.{name}"
        found.append(
            {
                "measures": [full],
                "timeDimensions": [day],
                "dimensions": ["customers.city"],
                "timezone": "Europe/Berlin",
            }
        )
    for operator in [
        "contains",
        "notContains",
        "startsWith",
        "endsWith",
        "equals",
        "notEquals",
        "set",
        "notSet",
    ]:
        one = {"member": "customers.city", "operator": operator} | (
            {} if "et" in operator[-2:] else {"values": ["x", "50%"]}
        )
        found.append({"measures": ["orders.buyers", "items.quantity", "customers.count"], "dimensions": ["customers.size"],
                      "filters": [one, {"member": "orders.status", "operator": "set"}], "total": True, "offset": 3, "limit": 5})  # fmt: skip
    found.append(
        {"dimensions": ["orders.id", "customers.spent"], "measures": ["orders.flat"], "ungrouped": True}
    )
    found.append(
        {
            "measures": ["customers.spenders", "orders.share", "orders.place"],
            "dimensions": ["orders.status", "customers.city"],
        }
    )
    return found  # fmt: skip


QUERIES = _queries()


@cache
def texts(dialect: str, step: int = 3) -> list[Plan]:
    return [plan(MODEL, parse(one), dialect=dialect) for one in QUERIES[::step]]


@cache
def trees(dialect: str, step: int = 3) -> list[tuple[str, exp.Expr]]:
    """Every text and what sqlglot reads in it."""
    every = [sql for made in texts(dialect, step) for sql in (made.sql, made.total_sql) if sql is not None]
    return [(sql, sqlglot.parse_one(sql, dialect=dialect)) for sql in every]


SOME = [3, pytest.param(1, marks=pytest.mark.slow)]


@pytest.mark.parametrize("step", SOME)
@pytest.mark.parametrize("dialect", OTHERS)
def test_every_statement_is_read_back(dialect: str, step: int) -> None:
    for sql, tree in trees(dialect, step):
        # sqlglot itself puts quotes around BigQuery's numbers of units, which are none there.
        again = re.sub(r"INTERVAL '(-?\d+)'", r"INTERVAL \1", tree.sql(dialect=dialect))
        assert again == re.sub(r"INTERVAL '(-?\d+)'", r"INTERVAL \1", sql)


@pytest.mark.parametrize("step", SOME)
@pytest.mark.parametrize("dialect", OTHERS)
def test_what_an_engine_does_not_have_is_not_written(dialect: str, step: int) -> None:
    missing: dict[str, tuple[type[exp.Expr], ...]] = {
        "postgres": (exp.AnyValue, exp.ApproxDistinct, exp.CountIf),
        "trino": (exp.ILike, exp.IgnoreNulls),
        "snowflake": (exp.Filter, exp.AtTimeZone),
        "bigquery": (exp.Filter, exp.ILike, exp.Escape, exp.AtTimeZone, exp.NullSafeEQ),
        "databricks": (exp.AtTimeZone, exp.AnyValue),
    }
    for sql, tree in trees(dialect, step):
        assert not list(tree.find_all(*missing[dialect])), sql
        if dialect == "bigquery":
            for join in tree.find_all(exp.Join):
                left = join.side == "LEFT"
                assert not left or join.args["on"].find(exp.EQ), "an outer join there needs an equality"
                assert "'" not in "".join(re.findall(r"INTERVAL \S", sql)), (
                    "a number of units is no text there"
                )


@pytest.mark.parametrize(
    ("dialect", "form"), [("postgres", r"\$(\d+)"), ("bigquery", r"@p(\d+)"), ("databricks", r":p(\d+)")]
)
def test_numbered_parameters_stand_for_the_values_in_order(dialect: str, form: str) -> None:
    for made, known in zip(texts(dialect), texts("duckdb"), strict=True):
        assert made.parameters == known.parameters
        assert {int(one) for one in re.findall(form, made.sql)} == set(range(1, len(made.parameters) + 1))


@pytest.mark.parametrize("dialect", ["trino", "snowflake"])
def test_unnumbered_parameters_are_repeated_in_the_order_of_the_text(dialect: str) -> None:
    for made, known in zip(texts(dialect), texts("duckdb"), strict=True):
        tokens = [one for one in sqlglot.tokenize(made.sql, read=dialect) if one.text == "?"]
        assert len(tokens) == len(made.parameters)
        assert set(made.parameters) == set(known.parameters)


def test_duckdb_is_written_as_the_planner_means_it() -> None:
    made = plan(MODEL, parse({"measures": ["orders.done_total"]}))
    assert "FILTER(WHERE" in made.sql


# -- expressions -------------------------------------------------------------------------------------------

EXPECTED: dict[str, dict[str, str]] = {
    "snowflake": {
        "a / b": 'CAST("things".a AS DOUBLE) / "things".b',
        "LEAST(a, b)": 'LEAST_IGNORE_NULLS("things".a, "things".b)',
        "t + INTERVAL 1 MONTH": 'DATEADD(MONTH, 1, "things".t)',
        "t - INTERVAL '36 hours'": 'DATEADD(HOUR, -36, "things".t)',
        "DATE_TRUNC('week', t)": "DATEADD(DAY, 1 - DAYOFWEEKISO(\"things\".t), DATE_TRUNC('DAY', \"things\".t))",
        "CAST(t AS TIMESTAMPTZ) AT TIME ZONE 'Asia/Kolkata'": "CAST(CONVERT_TIMEZONE('Asia/Kolkata', CAST(\"things\".t AS TIMESTAMPTZ)) AS TIMESTAMPNTZ)",
        "COUNT(*) FILTER (WHERE a > 0)": 'COUNT(CASE WHEN "things".a > 0 THEN 1 END)',
        "COUNT(DISTINCT b) FILTER (WHERE NOT s IS NULL)": 'COUNT(DISTINCT CASE WHEN NOT "things".s IS NULL THEN "things".b END)',
        "SUM(x) FILTER (WHERE f)": 'SUM(CASE WHEN "things".f THEN "things".x END)',
        "AVG(a)": 'AVG(CAST("things".a AS DOUBLE))',
        "CASE WHEN s LIKE '%!%%' ESCAPE '!' THEN 'y' ELSE 'n' END": "CASE WHEN \"things\".s LIKE '%!%%' ESCAPE '!' THEN 'y' ELSE 'n' END",
    },
    "bigquery": {
        "a / b": "CAST(`things`.a AS FLOAT64) / `things`.b",
        "LEAST(a, b)": "COALESCE(LEAST(`things`.a, `things`.b), `things`.a, `things`.b)",
        "t + INTERVAL 1 MONTH": "DATETIME_ADD(CAST(`things`.t AS DATETIME), INTERVAL 1 MONTH)",
        "t - INTERVAL '36 hours'": "DATETIME_ADD(CAST(`things`.t AS DATETIME), INTERVAL -36 HOUR)",
        "DATE_TRUNC('week', t)": "DATETIME_TRUNC(CAST(`things`.t AS DATETIME), ISOWEEK)",
        "CAST(t AS TIMESTAMPTZ) AT TIME ZONE 'Asia/Kolkata'": "DATETIME(CAST(`things`.t AS TIMESTAMP), 'Asia/Kolkata')",
        "COUNT(*) FILTER (WHERE a > 0)": "COUNT(CASE WHEN `things`.a > 0 THEN 1 END)",
        "COUNT_IF(f)": "COUNT(CASE WHEN `things`.f THEN 1 END)",
        "AVG(d)": "AVG(CAST(`things`.d AS FLOAT64))",
        "a % b": "MOD(`things`.a, `things`.b)",
        "CASE WHEN s ILIKE 'ro%' THEN 'like' ELSE 'not' END": "CASE WHEN LOWER(`things`.s) LIKE LOWER('ro%') THEN 'like' ELSE 'not' END",
    },
    "trino": {
        "LEAST(a, b)": 'COALESCE(LEAST("things".a, "things".b), "things".a, "things".b)',
        "CAST(d AS DECIMAL)": 'CAST("things".d AS DECIMAL(18, 3))',
        "t + INTERVAL 2 WEEK": "DATE_ADD('DAY', 14, \"things\".t)",
    },
    "databricks": {
        "DATE_TRUNC('week', t)": "CAST(DATE_TRUNC('WEEK', `things`.t) AS TIMESTAMP_NTZ)",
        "t + INTERVAL 1 MONTH": "`things`.t + INTERVAL '1' MONTH",
    },
    "postgres": {
        "a / b": 'CAST("things".a AS DOUBLE PRECISION) / "things".b',
        "CASE WHEN s LIKE '%\\%' ESCAPE '!' THEN 'y' ELSE 'n' END": "CASE WHEN \"things\".s LIKE '%\\%' ESCAPE '!' THEN 'y' ELSE 'n' END",
    },
}  # fmt: skip


def written(sql: str, kind: str, dialect: str) -> str:
    """How an expression of a model stands in a statement."""
    aggregate = kind == "agg"
    member = {"name": "one", "type": "number" if aggregate else "string", "sql": sql}
    cube: dict[str, Any] = {
        "name": "things", "sql_table": "gold.things", "dimensions": [shop.KEY, *([] if aggregate else [member])],
        "measures": [member] if aggregate else [],
    }  # fmt: skip
    asked = {"measures" if aggregate else "dimensions": ["things.one"]}
    text = plan(shop.model([cube], []), parse(asked), dialect=dialect).sql
    quote = '"' if dialect not in ("bigquery", "databricks") else "`"
    return text.removeprefix("SELECT ").partition(f" AS {quote}things__one{quote}")[0]


@pytest.mark.parametrize(
    ("dialect", "sql", "expected"),
    [(d, sql, text) for d, some in EXPECTED.items() for sql, text in some.items()],
)
def test_an_expression_is_written_as_the_engine_means_it(dialect: str, sql: str, expected: str) -> None:
    kind = next(kind for kind, _, one in things.EVERY if one == sql)
    assert written(sql, kind, dialect) == expected


@pytest.mark.parametrize(
    ("dialect", "sql", "said"),
    [
        ("bigquery", "LOG(a)", "LOG"),
        ("postgres", "LOG(a)", "LOG"),
        ("trino", "DATE_DIFF('month', t, t)", "DATEDIFF"),
        ("snowflake", "EXTRACT(DOW FROM t)", "EXTRACT(DOW"),
        ("bigquery", "t AT TIME ZONE 'Europe/Berlin'", "AT TIME ZONE"),
        ("snowflake", "a // b", "//"),
        ("trino", "CAST(x AS INTEGER)", "a cast to whole numbers"),
        ("databricks", "CASE WHEN s LIKE 'a\\%' THEN 1 END", "a pattern without ESCAPE"),
        ("bigquery", "CASE WHEN s LIKE 'a!%' ESCAPE '!' THEN 1 END", "ESCAPE"),
        ("trino", "regexp_matches(s, 'a.*')", "REGEXP"),
        ("trino", "SUBSTRING(s, -2)", "SUBSTRING"),
        ("snowflake", "list_value(a, b)", ""),
        ("bigquery", "CAST(s AS UUID)", "a cast to UUID"),
        ("postgres", "some_function(a)", "SOME_FUNCTION"),
        ("snowflake", "t + INTERVAL '1 month 2 days'", "a length of several units"),
    ],
)
def test_what_has_no_translation_is_refused_by_name(dialect: str, sql: str, said: str) -> None:
    with pytest.raises(QueryError, match=f"'things.one' cannot be asked in {dialect}: .*{re.escape(said)}"):
        written(sql, "number", dialect)


@pytest.mark.parametrize(
    "sql",
    ["ARRAY_AGG(a) FILTER (WHERE f)", "QUANTILE_CONT(a, 0.5)", "COUNT(DISTINCT (a, b)) FILTER (WHERE f)"],
)
def test_aggregates_without_a_translation_are_refused_by_name(sql: str) -> None:
    with pytest.raises(QueryError, match=r"'things\.one' cannot be asked in bigquery"):
        written(sql, "agg", "bigquery")


def test_a_dialect_that_is_not_known_is_refused() -> None:
    with pytest.raises(QueryError, match=r"dialect 'postgre'.*'postgres'"):
        written("a / b", "number", "postgre")


def test_spark_is_asked_as_databricks_is() -> None:
    both = [plan(MODEL, parse(QUERIES[0]), dialect=one).sql for one in ("spark", "databricks")]
    assert both[0] == both[1]


def test_a_table_that_is_no_table_of_the_engine_is_refused() -> None:
    cube = {
        "name": "things",
        "sql": "SELECT * FROM read_parquet('x.parquet')",
        "measures": [{"name": "n", "type": "count"}],
    }
    with pytest.raises(QueryError, match="'things' cannot be asked in trino"):
        plan(shop.model([cube], []), parse({"measures": ["things.n"]}), dialect="trino")


def test_an_approximate_count_is_an_exact_one_where_there_is_no_other() -> None:
    member = {"name": "n", "type": "count_distinct_approx", "sql": "a"}
    cube = {"name": "things", "sql_table": "gold.things", "measures": [member]}
    found = {
        d: plan(shop.model([cube], []), parse({"measures": ["things.n"]}), dialect=d).sql for d in OTHERS
    }
    assert found["postgres"].startswith('SELECT COUNT(DISTINCT "things".a)')
    assert found["trino"].startswith('SELECT APPROX_DISTINCT("things".a)')
    assert all("APPROX_COUNT_DISTINCT(" in found[d] for d in ("snowflake", "bigquery", "databricks"))


def test_names_longer_than_postgres_reads_stay_apart() -> None:
    long = "a" * 70
    measures = [{"name": f"{long}{n}", "type": "sum", "sql": f"{n}"} for n in (1, 2)]
    cube = {"name": "things", "sql_table": "gold.things", "measures": measures}
    made = plan(
        shop.model([cube], []), parse({"measures": [f"things.{long}{n}" for n in (1, 2)]}), dialect="postgres"
    )
    names = re.findall(r'AS "([^"]+)"', made.sql)
    assert len(set(names)) == 3
    assert all(len(name.encode()) <= 63 for name in names)


def test_a_value_cannot_be_taken_for_a_mark_of_a_parameter() -> None:
    one = {"member": "customers.city", "operator": "equals", "values": ["?", "$1", "@p1", ":p2"]}
    for dialect in OTHERS:
        made = plan(MODEL, parse({"measures": ["orders.count"], "filters": [one]}), dialect=dialect)
        assert set(made.parameters) == {"?", "$1", "@p1", ":p2"}
        assert "'" not in made.sql
