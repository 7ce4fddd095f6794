"""pgcli: what it asks to complete names, and its commands that begin with a backslash."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from pgcli.pgexecute import PGExecute  # type: ignore[import-untyped]
from pgspecial.main import PGSpecial  # type: ignore[import-untyped]

from tests.pgwire.clients.sides import Side, Sides

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def programs(sides: Sides) -> Iterator[list[PGExecute]]:
    found = [_connected(side) for side in sides]
    yield found
    for program in found:
        program.conn.close()


def _connected(side: Side) -> PGExecute:
    return PGExecute(side.database, side.user, "", side.host, str(side.port), side.uri())


def _said(program: PGExecute, text: str) -> list[Any]:
    told = []
    for title, rows, headers, status, _sql, works, *_ in program.run(text, PGSpecial()):
        told.append((title, None if rows is None else [tuple(row) for row in rows], headers, status, works))
    return told


@pytest.mark.parametrize(
    "what", ["search_path", "schemata", "tables", "table_columns", "foreignkeys", "datatypes", "casing"]
)
def test_names_are_completed_as_at_postgresql(programs: list[PGExecute], what: str) -> None:
    """PostgreSQL's own schemas differ between its versions."""
    judge, ours = (
        sorted(
            str(one) for one in getattr(program, what)() if one[0] not in ("pg_catalog", "information_schema")
        )
        for program in programs
    )
    assert ours == judge
    assert judge or what in ("datatypes", "casing")


def test_functions_and_databases_are_completed(programs: list[PGExecute]) -> None:
    judge, ours = ({str(one.func_name) for one in program.functions()} for program in programs)
    assert len(judge) > 1000
    assert len(judge - ours) < 20  # another version's
    assert {"storefront", "storefront@dev"} <= set(programs[1].databases())


@pytest.mark.parametrize(
    "text",
    [
        "SELECT order_status, COUNT(*) FROM orders GROUP BY 1 ORDER BY 1",
        "SELECT 1; SELECT 2",
        r"\dt",
        r"\d orders",
        r"\d sales",
        r"\d+ campaigns",
        r"\dv",
        r"\di",
        r"\dn",
        r"\df abs",
        r"\dT",
        r"\dx",
        r"\dD",
        r"\dE",
    ],
)
def test_commands_tell_what_they_tell_at_postgresql(programs: list[PGExecute], text: str) -> None:
    judge, ours = (_said(program, text) for program in programs)
    assert ours == judge
    assert all(told[-1] for told in ours)


def test_its_errors_are_the_servers(programs: list[PGExecute]) -> None:
    for program in programs:
        with pytest.raises(psycopg.errors.UndefinedColumn):
            _said(program, "SELECT nothing_here FROM orders")
        assert _said(program, "SELECT 1")[0][1] == [(1,)]
