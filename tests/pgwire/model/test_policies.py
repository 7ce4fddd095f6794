"""What a policy hides is not there: not in rows, counts, errors or EXPLAIN, nor by the way that an error takes."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.pgwire.answering import Running

HIDDEN = ("secret", "margin", "salaries")


@pytest.fixture(scope="module")
def clerk(guarded: Running) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(guarded.dsn.replace("user=ann", "user=clerk"), autocommit=True) as made:
        yield made


@pytest.fixture(scope="module")
def boss(guarded: Running) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(guarded.dsn.replace("user=ann", "user=boss"), autocommit=True) as made:
        yield made


def told(con: psycopg.Connection[Any], text: str) -> tuple[str | None, str, str | None]:
    """The error of a statement, without the name that it is about."""
    with pytest.raises(psycopg.Error) as caught:
        con.execute(text)
    one = caught.value.diag
    said = " ".join(str(part) for part in (one.message_primary, one.message_detail, one.message_hint))
    # What is near to a name depends on its letters, whether it is there or not.
    return one.sqlstate, re.sub(r" \(did you mean [^)]*\)", "", said), one.statement_position


def test_rows_are_those_of_the_user(boss: Any, clerk: Any) -> None:
    text = "SELECT status, COUNT(*) FROM orders GROUP BY 1 ORDER BY 1"
    everything = dict(boss.execute(text).fetchall())
    assert set(everything) > {"new"}
    assert clerk.execute(text).fetchall() == [("new", everything["new"])]
    assert clerk.execute("SELECT COUNT(*) FROM orders").fetchall() == [(everything["new"],)]
    assert boss.execute("SELECT COUNT(*) FROM orders").fetchall() == [(sum(everything.values()),)]


def test_a_kept_answer_of_one_user_is_not_anothers(boss: Any, clerk: Any) -> None:
    text = "SELECT SUM(total) FROM orders WHERE amount > 5"
    found = [one.execute(text).fetchone() for one in (boss, clerk, boss, clerk)]
    assert found[0] == found[2] != found[1] == found[3]


@pytest.mark.parametrize(
    ("hidden", "unknown"),
    [
        ("SELECT secret FROM orders", "SELECT sicret FROM orders"),
        ("SELECT status FROM orders WHERE secret = 'x'", "SELECT status FROM orders WHERE sicret = 'x'"),
        ("SELECT SUM(margin) FROM orders", "SELECT SUM(mirgin) FROM orders"),
        ("SELECT orders.margin FROM orders", "SELECT orders.mirgin FROM orders"),
        ("SELECT COUNT(*) FROM salaries", "SELECT COUNT(*) FROM silaries"),
        ("SELECT * FROM public.salaries", "SELECT * FROM public.silaries"),
        ("EXPLAIN SELECT COUNT(*) FROM salaries", "EXPLAIN SELECT COUNT(*) FROM silaries"),
        ("EXPLAIN ANALYZE SELECT secret FROM orders", "EXPLAIN ANALYZE SELECT sicret FROM orders"),
        ("SELECT (SELECT MAX(secret) FROM orders)", "SELECT (SELECT MAX(sicret) FROM orders)"),
    ],
)
def test_a_hidden_name_is_as_an_unknown_one(hidden: str, unknown: str, boss: Any, clerk: Any) -> None:
    boss.execute(hidden)
    names = {"secret": "sicret", "margin": "mirgin", "salaries": "silaries"}
    state, said, position = told(clerk, hidden)
    for one, other in names.items():
        said = said.replace(one, other)
    assert (state, said, position) == told(clerk, unknown)


def test_no_star_and_no_list_has_what_is_hidden(boss: Any, clerk: Any) -> None:
    names = [one.name for one in clerk.execute("SELECT * FROM orders LIMIT 1").description]
    assert not set(HIDDEN) & set(names)
    assert {"secret"} < {one.name for one in boss.execute("SELECT * FROM orders LIMIT 1").description}


def test_tables_that_cannot_be_joined_are_as_unknown_where_one_is_hidden(clerk: Any) -> None:
    state, said, position = told(clerk, "SELECT * FROM orders CROSS JOIN salaries")
    assert (state, said.replace("salaries", "silaries"), position) == told(
        clerk, "SELECT * FROM orders CROSS JOIN silaries"
    )


def test_errors_suggest_nothing_that_is_hidden(clerk: Any) -> None:
    for text in ("SELECT secre FROM orders", "SELECT SUM(margi) FROM orders", "SELECT * FROM salarie"):
        with pytest.raises(psycopg.Error) as caught:
            clerk.execute(text)
        assert not any(name in f"{caught.value} {caught.value.diag.message_hint}" for name in HIDDEN)


def test_an_explain_tells_a_clerk_that_rows_are_limited_and_not_how(boss: Any, clerk: Any) -> None:
    text = "EXPLAIN ANALYZE SELECT status, SUM(total) FROM orders GROUP BY 1"
    lines = "\n".join(row[0] for row in clerk.execute(text).fetchall())
    assert "rows are limited" in lines
    assert "SELECT" not in lines
    assert "gold." not in lines
    assert "'new'" not in lines
    assert not any(name in lines for name in HIDDEN)


def test_parameters_do_not_reach_what_is_hidden(boss: Any, clerk: Any) -> None:
    assert boss.execute("SELECT COUNT(*) FROM orders WHERE secret = %s", ["s1"]).fetchone() == (1,)
    with pytest.raises(psycopg.errors.UndefinedColumn):
        clerk.execute("SELECT COUNT(*) FROM orders WHERE secret = %s", ["s1"])
    everything = boss.execute("SELECT COUNT(*) FROM orders WHERE status <> %s", ["new"]).fetchone()
    assert everything[0] > 0
    assert clerk.execute("SELECT COUNT(*) FROM orders WHERE status <> %s", ["new"]).fetchone() == (0,)
