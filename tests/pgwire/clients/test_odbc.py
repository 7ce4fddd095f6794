"""psqlODBC through pyodbc: what Excel, Power BI and Tableau's generic connector speak."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.pgwire.clients.missing import missing
from tests.pgwire.clients.questions import QUESTIONS, REFUSED, TYPED
from tests.pgwire.clients.sides import Side, Sides
from tests.pgwire.clients.test_drivers import same

pytestmark = pytest.mark.slow

MODES = {
    "as it comes": "",
    "UseDeclareFetch": "UseDeclareFetch=1;Fetch=100",
    "no server side prepare": "UseServerSidePrepare=0",
    "Excel's own": "ByteaAsLongVarBinary=1;BoolsAsChar=0;MaxVarcharSize=255;UnknownsAsLongVarchar=0",
}


def driver() -> str:
    """The driver by the name or the file under which this machine has it; skips without one."""
    try:
        import pyodbc  # type: ignore[import-not-found]  # noqa: PLC0415 - it needs unixODBC's library
    except ImportError:
        missing("unixODBC or pyodbc is not installed")
    for name in pyodbc.drivers():
        if "PostgreSQL" in name and "Unicode" in name:
            return f"{{{name}}}"
    found = next(iter(Path("/usr/lib").glob("*/odbc/psqlodbcw.so")), None)
    return str(found) if found and shutil.which("odbcinst") else missing("psqlODBC is not installed")


@contextmanager
def connected(side: Side, mode: str = "") -> Iterator[Any]:
    """A connection; its cursors are closed with it."""
    import pyodbc  # noqa: PLC0415

    where = (
        f"Server={side.host};Port={side.port};Database={side.database};UID={side.user};PWD=x;SSLmode=disable"
    )
    con = pyodbc.connect(f"Driver={driver()};{where};{mode}", timeout=20)
    try:
        yield con
    finally:
        con.close()


def rows(cursor: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in cursor.fetchall()]


@pytest.mark.parametrize("mode", MODES)
def test_questions_are_answered_as_by_postgresql(sides: Sides, mode: str) -> None:
    found = []
    for side in sides:
        with connected(side, MODES[mode]) as con:
            cursor = con.cursor()
            answers = []
            for name, text in QUESTIONS.items():
                cursor.execute(text)
                answers.append((name, [one[0] for one in cursor.description], rows(cursor)))
            found.append(answers)
    for judge, ours in zip(*found, strict=True):
        assert ours[:2] == judge[:2]
        same(ours[2], judge[2])


@pytest.mark.parametrize("mode", MODES)
def test_types_and_many_rows_arrive(sides: Sides, mode: str) -> None:
    found = []
    for side in sides:
        with connected(side, MODES[mode]) as con:
            cursor = con.execute(TYPED)
            # The last of a column says whether it may be null, which an answer of ours leaves open.
            first = ([one[:6] for one in cursor.description], rows(cursor))
            cursor = con.execute("SELECT item_id, line_total FROM order_items ORDER BY item_id")
            cursor.fetchmany(10)
            cursor.skip(1000)
            found.append((*first, rows(cursor)))
            con.commit()
    assert found[1] == found[0]
    assert len(found[0][2]) == 30889 - 1010


@pytest.mark.parametrize("mode", MODES)
def test_parameters_are_given(sides: Sides, mode: str) -> None:
    found = []
    for side in sides:
        with connected(side, MODES[mode]) as con:
            found.append([
                rows(con.execute("SELECT order_number FROM orders WHERE order_id = ?", 17)),
                rows(con.execute("SELECT COUNT(*) FROM orders WHERE order_status = ? AND order_date >= ?",
                                 "completed", datetime(2026, 1, 1))),  # noqa: DTZ001 - times in tables have no zone
                rows(con.execute("SELECT COUNT(*) FROM orders WHERE total_amount > ? AND coupon_code IS NOT NULL", 99.5)),
            ])  # fmt: skip
    assert found[1] == found[0]


CATALOG = {
    "tables": lambda cursor: cursor.tables(),
    "tables of public": lambda cursor: cursor.tables(schema="public", tableType="TABLE"),
    "views": lambda cursor: cursor.tables(tableType="VIEW", schema="public"),
    "table types": lambda cursor: cursor.tables(catalog="", schema="", table="", tableType="%"),
    "columns": lambda cursor: cursor.columns(table="orders"),
    "columns of a view": lambda cursor: cursor.columns(table="sales", schema="public"),
    "primary keys": lambda cursor: cursor.primaryKeys("orders"),
    "foreign keys": lambda cursor: cursor.foreignKeys(table="orders"),
    "foreign keys of others": lambda cursor: cursor.foreignKeys(foreignTable="orders"),
    "statistics": lambda cursor: cursor.statistics("orders"),
    "row id": lambda cursor: cursor.rowIdColumns("orders"),
    "row version": lambda cursor: cursor.rowVerColumns("orders"),
    "types": lambda cursor: cursor.getTypeInfo(),
    "procedures": lambda cursor: cursor.procedures(schema="public"),
}


@pytest.mark.parametrize("mode", ["as it comes", "UseDeclareFetch"])
@pytest.mark.parametrize("what", CATALOG)
def test_the_catalog_is_as_postgresqls(sides: Sides, what: str, mode: str) -> None:
    found = []
    for side in sides:
        with connected(side, MODES[mode]) as con:
            cursor = CATALOG[what](con.cursor())
            names = [one[0] for one in cursor.description]
            told = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            # The newer PostgreSQL of ours has tables in its own schemas that 15 has not, and other OIDs.
            mine = [row for row in told if row.get("table_schem", "public") in {"public", "", None}]
            found.append((names, [{k: v for k, v in row.items() if k not in _NUMBERS} for row in mine]))
    assert found[1] == found[0]


_NUMBERS = {
    "table oid",
    "TABLE_OID",
    "table_oid",
    "CARDINALITY",
    "PAGES",
    "cardinality",
    "pages",
    "base typeid",
    "typmod",
}


@pytest.mark.parametrize("name", REFUSED)
def test_errors_have_their_state(sides: Sides, name: str) -> None:
    import pyodbc  # noqa: PLC0415

    text, state = REFUSED[name]
    for side in sides:
        with connected(side) as con:
            con.execute("SET default_transaction_read_only = on")
            con.commit()
            with pytest.raises(pyodbc.Error) as raised:
                con.execute(text)
            assert raised.value.args[0] == state
            con.rollback()
            assert rows(con.execute("SELECT 1")) == [(1,)]


def test_the_driver_tells_what_it_is_connected_to(sides: Sides) -> None:
    import pyodbc  # noqa: PLC0415

    with connected(sides.ours) as con:
        assert con.getinfo(pyodbc.SQL_DBMS_NAME) == "PostgreSQL"
        assert con.getinfo(pyodbc.SQL_DATABASE_NAME) == "storefront"
        assert int(con.getinfo(pyodbc.SQL_DBMS_VER).split(".")[0]) >= 15


def test_isql_of_unixodbc_connects(sides: Sides) -> None:
    isql = shutil.which("isql")
    if isql is None:
        missing("isql is not installed")
    side = sides.ours
    name = f"Driver={driver()};Server={side.host};Port={side.port};Database={side.database};UID={side.user};SSLmode=disable"
    told = subprocess.run(
        [isql, "-k", "-b", "-v", name], input="SELECT COUNT(*) AS n FROM campaigns\n",
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr
    assert "25" in told.stdout


def test_columns_may_be_null_where_they_are_no_keys(sides: Sides) -> None:
    """The driver looks the table and the column up, by the numbers that an answer has of them."""
    found = []
    for side in sides:
        with connected(side) as con:
            cursor = con.cursor().execute("SELECT order_id, coupon_code, order_id + 1 FROM orders")
            found.append([(one[0], one[6]) for one in cursor.description])
    assert found[0] == found[1] == [("order_id", False), ("coupon_code", True), ("?column?", True)]
