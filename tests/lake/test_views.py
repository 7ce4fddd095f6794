"""Views between engines: what is stored for Trino and Spark, and how Ingot reads what they have stored."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import orjson
import pytest
import sqlglot
from sqlglot import exp

from ingot.engines.duckdb import mount
from ingot.lake import Lake, Put, SchemaError
from ingot.lake.metadata import current_version, new_view
from ingot.lake.staged import read_json, view_content

Con = duckdb.DuckDBPyConnection
Json = dict[str, Any]

ORDERS = """
SELECT i::INTEGER AS id, (i * 7)::BIGINT AS amount, (i / 4)::DOUBLE AS ratio, (i + 0.5)::DECIMAL(8, 2) AS price,
       'n' || i AS name, DATE '2026-01-01' + i::INTEGER AS day, TIMESTAMP '2026-01-01 10:00:00' AS moment,
       i % 2 = 0 AS even, [i] AS many, TIME '10:00:00' AS clock
FROM range(4) r(i)
"""


@pytest.fixture
def lake(tmp_path: Path, con: Con) -> Iterator[Lake]:
    """A lake with a table in `s` and one in the nested namespace `shop.eu`."""
    with Lake(f"sqlite:///{tmp_path}/lake.db", tmp_path / "warehouse") as made:
        other = made.stage(
            con, "shop.eu.stock", "SELECT i::INTEGER AS id, 1 AS left FROM range(3) r(i)", on="main"
        )
        made.commit("main", [made.stage(con, "s.orders", ORDERS, on="main"), other], message="tables")
        yield made


def rows(lake: Lake, name: str) -> list[tuple[Any, ...]]:
    """What a query at Ingot gives."""
    with duckdb.connect() as con:
        found = mount(con, lake.at(), "mounted")
        assert found.broken == {}
        con.execute("USE mounted")
        schema, _, table = name.rpartition(".")
        return sorted(con.execute(f'FROM "{schema}"."{table}"').fetchall())


def stored(lake: Lake, query: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """What is stored of a view of Ingot: its SQL by dialect, and its summary."""
    with duckdb.connect() as con:
        mount(con, lake.at(), "mounted")
        con.execute("USE mounted")
        columns = [(row[0], row[1]) for row in con.execute(f"DESCRIBE {query}").fetchall()]
    staged = lake.stage_view("s.v", query, on="main", columns=columns)
    assert staged.content is not None
    version = current_version(read_json(staged.content.metadata_location))
    return {one["dialect"]: one["sql"] for one in version["representations"]}, version["summary"]


def foreign(
    lake: Lake,
    name: str,
    sql: str,
    columns: Mapping[str, str],
    *,
    dialect: str,
    catalog: str | None = None,
    namespace: str = "s",
) -> None:
    """Puts a view into the lake as another engine leaves it there; `columns` are names and Iceberg types."""
    fields = [
        {"id": at, "name": column, "required": False, "type": kind}
        for at, (column, kind) in enumerate(columns.items(), 1)
    ]
    version: Json = {
        "version-id": 1,
        "timestamp-ms": 1,
        "schema-id": 0,
        "summary": {"engine-name": dialect},
        "default-namespace": namespace.split("."),
        "representations": [{"type": "sql", "sql": sql, "dialect": dialect}],
    }
    if catalog is not None:
        version["default-catalog"] = catalog
    document = new_view(
        uuid=str(uuid4()),
        location=f"{lake.warehouse}/{name}",
        schema={"type": "struct", "fields": fields},
        version=version,
    )
    at = Path(lake.warehouse) / f"{name}.metadata.json"
    at.write_bytes(orjson.dumps(document))
    content = view_content(document, str(at), str(uuid4()))
    lake.catalog.commit("main", [Put(tuple(name.split(".")), content)], message=name)


def read_by(sql: str, dialect: str) -> set[tuple[str, ...]]:
    tree = sqlglot.parse_one(sql, dialect=dialect)
    return {tuple(part.name for part in table.parts) for table in tree.find_all(exp.Table)}


def test_a_view_is_stored_for_each_engine_with_the_names_that_it_knows(lake: Lake) -> None:
    query = 'SELECT o.id, t."left" FROM S.Orders o JOIN "shop.eu".stock t ON o.id = t.id'
    found, summary = stored(lake, query)
    assert list(found) == ["duckdb", "trino", "spark"]
    assert found["duckdb"] == query
    assert read_by(found["trino"], "trino") == {("s", "orders"), ("shop.eu", "stock")}
    assert read_by(found["spark"], "spark") == {("s", "orders"), ("shop", "eu", "stock")}
    assert set(summary) == {"engine-name"}


def test_moments_and_unnamed_columns_keep_what_they_are(lake: Lake) -> None:
    found, _ = stored(lake, "SELECT count(*), max(moment) AS last FROM s.orders")
    assert 'COUNT(*) AS "count_star()"' in found["trino"]
    assert 'CAST("last" AS TIMESTAMP(6))' in found["trino"]
    assert "CAST(`last` AS TIMESTAMP_NTZ)" in found["spark"]


@pytest.mark.parametrize(
    "what",
    [
        "list_sum(many) AS x",
        "many[1] AS x",
        "* EXCLUDE (id)",
        "COLUMNS('i.*')",
        "least(id, amount) AS x",
        "CAST(ratio AS INTEGER) AS x",
        "CAST(ratio AS VARCHAR) AS x",
        "CAST(moment AS VARCHAR) AS x",
        "CAST(ratio AS VARCHAR) || name AS x",
        "id || name AS x",
        "name LIKE 'a\\_%' AS x",
        "name LIKE name AS x",
        "substring(name, -1) AS x",
        "extract('dow' FROM day) AS x",
        "count(DISTINCT id) FILTER (WHERE even) + median(id) AS x",
        "DISTINCT ON (even) id",
        "avg(DISTINCT id) AS x",
    ],
)
def test_what_may_mean_something_else_to_another_engine_is_not_given_to_it(lake: Lake, what: str) -> None:
    found, summary = stored(lake, f"SELECT {what} FROM s.orders")
    assert list(found) == ["duckdb"]
    assert set(summary) == {"engine-name", "ingot.no-trino", "ingot.no-spark"}


@pytest.mark.parametrize(
    "query",
    [
        "SELECT i FROM range(5) r(i)",
        "SELECT even, count(*) AS n FROM s.orders GROUP BY ALL",
        "SELECT id FROM s.orders ORDER BY ALL",
        'SELECT * FROM s.orders JOIN "shop.eu".stock USING (id)',
        'SELECT id FROM s.orders o SEMI JOIN "shop.eu".stock t ON o.id = t.id',
        "SELECT id FROM s.orders USING SAMPLE 2 ROWS",
        "SELECT id FROM s.orders UNION BY NAME SELECT id FROM s.orders",
        "WITH RECURSIVE x AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM x WHERE a < 3) SELECT a FROM x",
        "SELECT id FROM s.orders LIMIT 10%",
        "SELECT *, id AS other FROM s.orders QUALIFY row_number() OVER (ORDER BY id) = 1",
    ],
)
def test_a_query_of_a_shape_that_others_do_not_have_is_not_given_to_them(lake: Lake, query: str) -> None:
    found, _ = stored(lake, query)
    assert list(found) == ["duckdb"]


def test_a_type_that_an_engine_lacks_keeps_the_view_from_that_engine_only(lake: Lake) -> None:
    found, summary = stored(lake, "SELECT clock FROM s.orders")
    assert list(found) == ["duckdb", "trino"]
    assert "TIME" in summary["ingot.no-spark"]


@pytest.mark.parametrize(
    ("query", "sure"),
    [
        ("SELECT CAST(id AS VARCHAR) AS x FROM s.orders", True),
        ("SELECT CAST(day AS VARCHAR) || '!' AS x FROM s.orders", True),
        ("SELECT CAST(amount + id AS INTEGER) AS x FROM s.orders", True),
        # The name is given to something else inside.
        ("SELECT CAST(id AS VARCHAR) AS x FROM (SELECT ratio AS id FROM s.orders)", False),
        ("SELECT CAST(id AS VARCHAR) AS x FROM (SELECT ratio FROM s.orders) t(id)", False),
        ("WITH t(id) AS (SELECT ratio FROM s.orders) SELECT CAST(id AS VARCHAR) AS x FROM t", False),
    ],
)
def test_a_cast_depends_on_the_column_that_it_is_of(lake: Lake, query: str, sure: bool) -> None:
    found, _ = stored(lake, query)
    assert ("trino" in found, "spark" in found) == (sure, sure)


def test_a_table_that_is_not_in_the_lake_is_nobody_elses(lake: Lake) -> None:
    columns = [("a", "INTEGER")]
    staged = lake.stage_view("s.v", "SELECT a FROM other.s.orders2", on="main", columns=columns)
    assert staged.content is not None
    version = current_version(read_json(staged.content.metadata_location))
    assert [one["dialect"] for one in version["representations"]] == ["duckdb"]
    assert "other.s.orders2" in version["summary"]["ingot.no-trino"]


@pytest.mark.parametrize(
    ("dialect", "sql", "catalog"),
    [
        ("trino", 'SELECT id, left FROM x."shop.eu".stock', None),
        ("trino", 'SELECT id, left FROM "shop.eu".stock', "x"),
        ("trino", "SELECT id, left FROM stock", "x"),
        ("trino", 'SELECT s.id, left FROM x."shop.eu".stock s WHERE left > 0', "x"),
        ("spark", "SELECT id, `left` FROM x.shop.eu.stock", None),
        ("spark", "SELECT id, `left` FROM shop.eu.stock", None),
        ("spark", "SELECT id, `left` FROM stock", None),
        ("spark", "SELECT stock.id, stock.`left` FROM SHOP.EU.stock", None),
        ("spark", "SELECT id, `left` FROM x.shop.eu.stock", "spark_catalog"),
        ("duckdb", 'SELECT id, "left" FROM stock', None),
    ],
)
def test_the_names_of_another_engine_mean_the_tables_of_the_lake(
    lake: Lake, dialect: str, sql: str, catalog: str | None
) -> None:
    columns = {"id": "int", "left": "int"}
    foreign(
        lake,
        "shop.eu.v",
        sql.replace(" left", ' "left"') if dialect == "trino" else sql,
        columns,
        dialect=dialect,
        catalog=catalog,
        namespace="shop.eu",
    )
    assert rows(lake, "shop.eu.v") == [(0, 1), (1, 1), (2, 1)]
    assert lake.at().reads("shop.eu.v") == ("shop.eu.stock",)


def test_whole_numbers_are_divided_as_trino_does(lake: Lake) -> None:
    columns = {"a": "long", "b": "double", "c": "double"}
    sql = "SELECT amount / 2 AS a, ratio / 2 AS b, id / 2e0 AS c FROM x.s.orders"
    foreign(lake, "s.v", sql, columns, dialect="trino")
    # Amounts are 0, 7, 14, 21; ratios 0 to 0.75.
    assert rows(lake, "s.v") == [(0, 0.0, 0.0), (3, 0.125, 0.5), (7, 0.25, 1.0), (10, 0.375, 1.5)]


def test_columns_have_the_names_and_types_that_the_engine_gave_them(lake: Lake) -> None:
    columns = {"_col0": "long", "Total": "decimal(38, 2)"}
    foreign(lake, "s.v", "SELECT count(*), sum(price) FROM s.orders", columns, dialect="spark")
    with duckdb.connect() as con:
        mount(con, lake.at(), "mounted")
        found = [row[:2] for row in con.execute("DESCRIBE mounted.s.v").fetchall()]
    assert found == [("_col0", "BIGINT"), ("Total", "DECIMAL(38,2)")]


@pytest.mark.parametrize(
    ("dialect", "sql", "catalog", "told"),
    [
        ("trino", "SELECT many[1] / id AS a FROM x.s.orders", None, "whole"),
        ("trino", 'SELECT o.id AS a FROM x.s.orders o, y."shop.eu".stock t', None, "'x' and 'y'"),
        ("trino", 'SELECT o.id AS a FROM s.orders o, y."shop.eu".stock t', "x", "'x' and 'y'"),
        ("spark", "SELECT id AS a FROM s.orders", "spark_catalog", "spark_catalog"),
        ("spark", "SELECT id AS a FROM spark_catalog.s.orders", "spark_catalog", "spark_catalog"),
        ("spark", "SELECT FROM WHERE", None, "cannot be translated"),
        ("spark", "DROP TABLE s.orders", None, "one SELECT"),
        ("spark", "SELECT 1 AS a; SELECT 2 AS a", None, "one SELECT"),
        ("spark", "SELECT id, name FROM s.orders", None, "2 columns"),
        ("esperanto", "SELECT id AS a FROM s.orders", None, "esperanto"),
        ("spark", "SELECT id AS a FROM elsewhere.orders", None, "elsewhere"),
        ("spark", "SELECT no_such_function(id) AS a FROM s.orders", None, "no_such_function"),
        ("spark", "SELECT " + "(" * 3000 + "1" + ")" * 3000 + " AS a", None, "deep"),
    ],
)
def test_a_view_that_cannot_be_read_says_why_and_harms_no_other(
    lake: Lake, con: Con, dialect: str, sql: str, catalog: str | None, told: str
) -> None:
    foreign(lake, "s.theirs", sql, {"a": "int"}, dialect=dialect, catalog=catalog)
    lake.commit(
        "main",
        [lake.stage_view("s.ours", "SELECT id FROM s.orders", on="main", columns=[("id", "INTEGER")])],
        message="v",
    )
    found = mount(con, lake.at(), "mounted")
    assert list(found.broken) == ["s.theirs"]
    assert told.lower() in found.broken["s.theirs"].lower()
    assert con.execute("SELECT sum(id) FROM mounted.s.ours").fetchall() == [(6,)]


def test_a_view_that_cannot_be_translated_is_refused_by_name(lake: Lake) -> None:
    foreign(lake, "s.theirs", "SELECT FROM WHERE", {"a": "int"}, dialect="spark")
    with pytest.raises(SchemaError, match="dialect 'spark' only"):
        _ = lake.at().view("s.theirs").sql
