"""Questions from Python, beside the files and against a server: the same answers, with their types."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import ingot
from ingot.errors import IngotError
from ingot.project import ProjectError
from ingot.session import Session
from tests.semantic.lakes import ROWS

ORDERS = ROWS["orders"]


def test_measures_by_dimensions_are_what_the_rows_say(session: Session) -> None:
    answer = session.query(["orders.total", "orders.count"], by="orders.status", order="orders.status")
    expected = [
        {
            "orders.status": status,
            "orders.total": sum(row["amount"] for row in ORDERS if row["status"] == status),
            "orders.count": sum(row["status"] == status for row in ORDERS),
        }
        for status in ("done", "new")
    ]
    assert answer.rows() == expected
    assert answer.columns == ("orders.status", "orders.total", "orders.count")
    assert len(answer.commit) == 64


def test_a_time_by_month_is_a_datetime(session: Session) -> None:
    answer = session.query("orders.count", by="orders.created_at.month")
    assert answer.rows() == [
        {"orders.created_at.month": datetime(2026, 1, 1), "orders.count": 1},  # noqa: DTZ001 - times in tables have no zone
        {"orders.created_at.month": datetime(2026, 2, 1), "orders.count": 2},  # noqa: DTZ001
    ]


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ({"orders.status": "done"}, [1, 3]),
        ({"orders.status": ["done", "new"], "orders.paid": True}, [1, 3]),
        ({"orders.amount": {">": 5, "<": 10}}, [3]),
        ({"orders.amount": {"!=": Decimal(7)}}, [1, 2]),
        ({"customers.city": None}, []),
        ({"customers.city": {"!=": None}}, [1, 2, 3]),
        ({"orders.created_at": {"during": ["2026-02-01", "2026-02-28"]}}, [2, 3]),
        ({"orders.created_at": {">=": date(2026, 2, 2)}}, [3]),
        (
            [
                {
                    "or": [
                        {"member": "orders.id", "operator": "equals", "values": ["1"]},
                        {"member": "orders.id", "operator": "equals", "values": ["2"]},
                    ]
                }
            ],
            [1, 2],
        ),
    ],
)
def test_where_takes_values_lists_operators_and_cubes_filters(
    session: Session, where: Any, ids: list[int]
) -> None:
    answer = session.query(by="orders.id", where=where, order="orders.id")
    assert [row["orders.id"] for row in answer] == ids


def test_order_limit_and_segments(session: Session) -> None:
    answer = session.query(by=["orders.id"], segments="orders.large", order="-orders.id", limit=1)
    assert answer.rows() == [{"orders.id": 3}]


def test_a_ref_may_be_asked_each_time_or_always(session: Session) -> None:
    assert session.query("orders.total").scalar() == 22
    assert session.query("orders.total", ref="dev").scalar() == 122
    assert session.at("dev").query("orders.total").scalar() == 122


def test_sql_reads_the_lakes_tables_at_a_ref(session: Session) -> None:
    text = "SELECT sum(amount) AS total FROM gold.orders"
    assert session.sql(text).rows() == [{"total": 22}]
    assert session.sql(text, ref="dev").scalar() == 122


def test_a_table_is_its_rows(session: Session) -> None:
    assert session.table("gold.customers", columns=["id", "city"]).rows() == [
        {"id": row["id"], "city": row["city"]} for row in ROWS["customers"]
    ]
    assert len(session.table("gold.orders", limit=2)) == 2


def test_the_metrics_are_listed_without_hidden_ones(session: Session) -> None:
    found = {one.name: one for one in session.metrics()}
    assert set(found) == {"orders.count", "orders.total"}
    assert (found["orders.count"].kind, found["orders.count"].description) == ("measure", "How many.")
    assert "customers.city" in {one.name for one in session.dimensions()}


def test_a_branch_is_made_and_asked(session: Session, request: pytest.FixtureRequest) -> None:
    name = f"from-{request.node.callspec.params['session']}"
    assert session.branch(name, "dev").query("orders.total").scalar() == 122
    assert session.refs()[name] == session.refs()["dev"]


def test_frames_of_other_libraries(session: Session) -> None:
    answer = session.query("orders.total", by="orders.status", order="orders.status")
    assert answer.pandas()["orders.total"].tolist() == [17, 5]
    assert answer.polars()["orders.total"].to_list() == [17, 5]
    assert answer.arrow().num_rows == 2


def test_a_notebook_shows_rows_and_nothing_that_they_smuggle(session: Session) -> None:
    html = session.sql("SELECT '<script>alert(1)</script>' AS \"<b>\"")._repr_html_()
    assert "<script>" not in html
    assert "<b>" not in html
    assert "1 row of main" in html


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda s: s.query("orders.totl"), "orders.total"),
        (lambda s: s.query("orders.hidden"), "hidden"),
        (lambda s: s.query("orders.total", where={"orders.status": {"equal": 1}}), "no operator 'equal'"),
        (lambda s: s.query("orders.total", ref="nowhere"), "nowhere"),
        (lambda s: s.sql("DELETE FROM gold.orders"), "Only SELECT"),
        (lambda s: s.sql("SELECT * FROM read_csv('/etc/passwd')"), "only the tables of the lake"),
        (lambda s: s.table("gold.order"), "gold.orders"),
        (lambda s: s.query(by="orders.id").scalar(), "3 rows and 1 columns"),
    ],
)
def test_mistakes_are_explained_the_same_way_on_both_sides(session: Session, ask: Any, said: str) -> None:
    with pytest.raises(IngotError) as caught:
        ask(session)
    assert said in f"{caught.value.message} {caught.value.hint}"


def test_a_folder_without_a_project_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises((ProjectError, IngotError), match=r"ingot\.yml"):
        ingot.open(tmp_path)


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(IngotError, match=r"No answer from http://127\.0\.0\.1:1"):
        ingot.open("http://127.0.0.1:1").tables()


def test_whole_numbers_beyond_64_bits_stay_exact(session: Session) -> None:
    # A sum of BIGINTs is a HUGEINT in DuckDB, which Parquet does not know.
    text = "SELECT sum(i) AS total FROM (VALUES (9007199254740993), (9223372036854775807)) t(i)"
    assert session.sql(text).scalar() == 9007199254740993 + 9223372036854775807
