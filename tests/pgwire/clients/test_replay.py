"""Statements that clients send are answered as PostgreSQL answers them: the same columns, types and rows.

`captured/` is what the clients of the tests beside this sent (see `capture`); `tools` is what other tools are known to
send. Our catalog is a newer PostgreSQL than the judge: where rows are about PostgreSQL itself the columns are compared.
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

import pytest

from tests.pgwire.clients.recording import Sent
from tests.pgwire.clients.replaying import FOLDER, columns, comparable, oids, replayed
from tests.pgwire.clients.sides import Sides
from tests.pgwire.clients.tools import ASKING, STARTING
from tests.pgwire.clients.wire import Reply, Wire

pytestmark = pytest.mark.slow

CAPTURED: list[tuple[str, Sent]] = [
    (file.stem, one) for file in sorted(FOLDER.glob("*.json")) for one in json.loads(file.read_text())
]
Both = tuple[tuple[Wire, dict[str, int]], tuple[Wire, dict[str, int]]]


@pytest.fixture(scope="module")
def both(sides: Sides) -> Iterator[Both]:
    with Wire(sides.judge) as judge, Wire(sides.ours) as ours:
        yield (judge, oids(sides.judge)), (ours, oids(sides.ours))


@pytest.fixture(autouse=True)
def _unset(both: Both) -> Iterator[None]:
    """What a statement has set holds for no other."""
    yield
    for wire, _ in both:
        assert wire.simple("RESET ALL").error is None


def test_every_client_was_captured() -> None:
    assert {client for client, _ in CAPTURED} >= {
        "psql",
        "psycopg-and-asyncpg",
        "sqlalchemy",
        "odbc",
        "jdbc",
        "node",
    }
    assert len(CAPTURED) > 200


@pytest.mark.parametrize(
    ("client", "one"), CAPTURED, ids=[f"{client} {number}" for number, (client, _) in enumerate(CAPTURED)]
)
def test_a_captured_statement_is_answered_as_by_postgresql(both: Both, client: str, one: Sent) -> None:
    (judge, there), (ours, here) = ((replayed(wire, one, known), known) for wire, known in both)
    assert judge.error is None
    assert ours.error is None, (ours.error, one["sql"])
    # Which databases, roles and settings there are is each server's own.
    own = re.search(r"pg_database|pg_roles|current_setting", one["sql"])
    if one["same"] == "rows" and not own:
        assert comparable(ours, here) == comparable(judge, there), one["sql"]
    elif one["same"] != "nothing":
        assert columns(ours) == columns(judge), one["sql"]
    else:
        assert [len(result.fields) for result in ours.results] == [
            len(result.fields) for result in judge.results
        ]


TOOLS = [(tool, text) for tool, texts in STARTING.items() for text in texts]


@pytest.mark.parametrize(
    ("tool", "text"), TOOLS, ids=[f"{tool} {number}" for number, (tool, _) in enumerate(TOOLS)]
)
@pytest.mark.parametrize("protocol", ["simple", "extended"])
def test_a_tool_starts_as_at_postgresql(both: Both, tool: str, text: str, protocol: str) -> None:
    if protocol == "extended" and ";" in text:
        pytest.skip("several statements are one message of the simple protocol only")
    (judge, there), (ours, here) = ((_asked(wire, text, protocol), known) for wire, known in both)
    if judge.error is not None:
        assert ours.error is not None
        assert ours.error["C"] == judge.error["C"]
        return
    assert ours.error is None, (ours.error, text)
    assert columns(ours) == columns(judge)
    if tool != "Power BI" or "information_schema" in text.lower():
        assert comparable(ours, here) == comparable(judge, there)


QUESTIONS = [(tool, text) for tool, texts in ASKING.items() for text in texts]


@pytest.mark.parametrize(
    ("tool", "text"), QUESTIONS, ids=[f"{tool} {number}" for number, (tool, _) in enumerate(QUESTIONS)]
)
@pytest.mark.parametrize("protocol", ["simple", "extended"])
def test_a_question_of_a_tool_is_answered_as_by_postgresql(
    both: Both, tool: str, text: str, protocol: str
) -> None:
    judge, ours = (_asked(wire, text, protocol) for wire, _ in both)
    assert judge.error is None, judge.error
    assert ours.error is None, (ours.error, text)
    assert [name for name, _ in ours.results[0].fields] == [name for name, _ in judge.results[0].fields]
    there, here = (_numbers(reply.results[0].rows) for reply in (judge, ours))
    if "ORDER BY" not in text.upper():
        there, here = sorted(there, key=repr), sorted(here, key=repr)
    assert here == there


def _asked(wire: Wire, text: str, protocol: str) -> Reply:
    return wire.simple(text) if protocol == "simple" else wire.extended(text, [], [])


def _numbers(rows: list[list[str | None]]) -> list[list[Any]]:
    return [[_number(value) for value in row] for row in rows]


def _number(value: str | None) -> Any:
    if value is None or not re.fullmatch(r"-?\d+(\.\d+)?(e[+-]\d+)?", value):
        return value
    try:
        return round(Decimal(value), 6).normalize()
    except InvalidOperation:
        return value


def test_tableau_reads_through_a_cursor_that_is_held(sides: Sides) -> None:
    found = []
    for side in sides:
        with Wire(side) as wire:
            replies = [wire.simple(text) for text in (
                '''BEGIN;declare "SQL_CUR0x7fd8" cursor with hold for SELECT "orders"."order_id" AS "order_id",
                "orders"."order_date" AS "order_date" FROM "public"."orders" "orders" ORDER BY 1;fetch 100 in "SQL_CUR0x7fd8"''',
                'fetch 2000 in "SQL_CUR0x7fd8"',
                "COMMIT",
                'fetch 3 in "SQL_CUR0x7fd8"',
                'close "SQL_CUR0x7fd8"',
            )]  # fmt: skip
        assert [reply.error for reply in replies] == [None] * 5
        found.append(
            [[(result.fields, result.rows, result.tag) for result in reply.results] for reply in replies]
        )
    assert found[1] == found[0]
    assert len(found[0][1][0][1]) == 2000


def test_tableau_is_told_that_it_cannot_have_temporary_tables(sides: Sides) -> None:
    with Wire(sides.ours) as wire:
        reply = wire.simple(
            'CREATE LOCAL TEMPORARY TABLE "#Tableau_1_Connect" ("COL" INTEGER) ON COMMIT PRESERVE ROWS'
        )
        assert reply.error is not None
        assert reply.error["C"] == "25006"
        assert wire.simple("SELECT 1").results[0].rows == [["1"]]
