"""Joins of cubes over the wire: values, parameters, EXPLAIN, and the keys that the catalog shows."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import psycopg
import pytest

from ingot.engines.duckdb import connect
from ingot.pgwire.catalog import wheel
from tests.pgwire.model.conftest import Con
from tests.pgwire.model.serving import serving
from tests.pgwire.model.whole import whole
from tests.semantic import shop
from tests.semantic.sql.keyed_shop import ALL, cubes, kept
from tests.semantic.sql.test_forms import plain
from tests.semantic.sql.tool_joins import WRITTEN


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Con]:
    with (
        kept(tmp_path_factory.mktemp("joins"), cubes(), shop.VIEWS) as made,
        serving(made.service) as running,
        psycopg.connect(running.dsn, autocommit=True) as con,
    ):
        yield con


@pytest.fixture(scope="module")
def raw() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect() as con:
        shop.fill(con, ALL)
        yield con


@pytest.mark.parametrize(("name", "text", "by_hand"), WRITTEN, ids=[name for name, _, _ in WRITTEN])
def test_a_tools_join_gives_the_same_over_the_wire(
    joined: Con, raw: duckdb.DuckDBPyConnection, name: str, text: str, by_hand: str
) -> None:
    assert plain(joined.execute(text).fetchall()) == plain(raw.execute(by_hand).fetchall()), name


def test_parameters_stand_in_on_and_where(joined: Con, raw: duckdb.DuckDBPyConnection) -> None:
    text = (
        "SELECT c.city, SUM(o.total) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id AND o.status = {} "
        "WHERE c.id < {} GROUP BY 1"
    )
    by_hand = (
        text.replace("SUM(o.total)", "sum(o.amount)")
        .replace("orders", "gold.orders")
        .replace("customers", "gold.customers")
    )
    for status, most in (("done", 4), ("new", 3), ("no'ne", 9)):
        found = joined.execute(text.format("%s", "%s"), [status, most], prepare=True).fetchall()
        assert plain(found) == plain(raw.execute(by_hand.format("?", "?"), [status, most]).fetchall())


def test_explain_tells_how_a_join_is_asked(joined: Con) -> None:
    text = (
        "SELECT c.city, SUM(c.score) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY 1"
    )
    told = "\n".join(str(row[0]) for row in joined.execute(f"EXPLAIN ANALYZE {text}").fetchall())
    assert "Measures: customers.score" in told
    assert "the rows that the statement joins" in told
    assert "keys of rows" in told
    assert "Tables: gold.customers, gold.orders" in told
    assert "LEFT JOIN" in told
    assert "Execution Time" in told
    alone = "\n".join(
        str(row[0]) for row in joined.execute(f"EXPLAIN {text.replace('LEFT JOIN', 'JOIN')}").fetchall()
    )
    assert alone.count("Question") == 1
    assert "orders.customer_id set" in alone


@pytest.mark.slow
@pytest.mark.skipif(wheel.find() is None, reason="the wheel of the catalog's PostgreSQL is not installed")
def test_the_catalogs_foreign_keys_are_joins_that_count_right(
    tmp_path: Path, raw: duckdb.DuckDBPyConnection
) -> None:
    with (
        kept(tmp_path, cubes(), shop.VIEWS) as made,
        whole(made, tmp_path / "sql") as running,
        psycopg.connect(running.dsn, autocommit=True) as con,
    ):
        keys = con.execute(
            "SELECT k.conrelid::regclass::text, a.attname, k.confrelid::regclass::text, f.attname FROM pg_constraint k "
            "JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1] "
            "JOIN pg_attribute f ON f.attrelid = k.confrelid AND f.attnum = k.confkey[1] WHERE k.contype = 'f'"
        ).fetchall()
        assert ("orders", "customer_id", "customers", "id") in keys
        for one, column, other, key in keys:
            for join in ("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"):
                on = f"AS a {join} {{}}{other} AS b ON a.{column} = b.{key}"
                found = con.execute(
                    f"SELECT COUNT(a.count), COUNT(b.count), COUNT(*) FROM {one} {on.format('')}"
                ).fetchall()
                by_hand = f"SELECT count(DISTINCT a.id), count(DISTINCT b.id), count(*) FROM gold.{one} {on.format('gold.')}"
                assert found == raw.execute(by_hand).fetchall(), (one, join, other)
        for name, text, by_hand in WRITTEN:
            assert plain(con.execute(text).fetchall()) == plain(raw.execute(by_hand).fetchall()), name
