"""One table in PostgreSQL and in the engine, and what both say to the same SQL over it."""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import psycopg
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect

from ingot.engines.duckdb import connect
from ingot.engines.duckdb.errors import translate
from ingot.errors import IngotError
from ingot.pgwire.sqlstates import sqlstate
from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.parsing import parsed
from ingot.semantic.sql.postgres import kinds
from ingot.semantic.sql.postgres.calls import Meant
from ingot.semantic.sql.postgres.casts import as_text
from ingot.semantic.sql.postgres.input import Clock
from ingot.semantic.sql.postgres.writing import output_types
from ingot.semantic.sql.rows.plain import Relation
from tests.lake import postgres
from tests.semantic.sql.plain import translated

CASES = Path(__file__).parent / "cases"
COLUMNS = {
    "k": "int4", "i": "int4", "b": "int8", "s": "int2", "n": "numeric", "f": "float8", "x": "text", "y": "text",
    "d": "date", "ts": "timestamp", "tz": "timestamptz", "o": "bool", "iv": "interval",
}  # fmt: skip
DECLARED = ", ".join(
    f"{name} {'numeric(12, 3)' if kind == 'numeric' else kind}" for name, kind in COLUMNS.items()
)
ROWS = [
    "(0, 1, 10, 2, 12.345, 2.5, 'Hello World', 'a,b,c', '2026-03-01', '2026-03-01 13:14:15.25', '2026-03-01 13:14:15.25+00', true, '1 month 2 days 03:04:05')",
    "(1, -7, 3000000000, -3, -0.005, -3.5, 'häß ''q''', 'x', '2024-02-29', '2024-02-29 00:00:00', '2024-10-27 01:30:00+00', false, '-1 day')",
    "(2, 42, -5, 7, 1234567.895, 1e10, '', '12', '1999-12-31', '1999-12-31 23:59:59.999999', '1999-12-31 23:59:59.999999+00', true, '14 months 45 days 100:00:00')",
    "(3, 0, 0, 0, 0, 0, '  pad  ', 'A_b%c\\d', '2000-01-01', '2000-01-01 12:00:00', '2026-07-01 00:00:00+00', null, '0 days')",
    "(4, null, null, null, null, null, null, null, null, null, null, null, null)",
]
OURS_ALONE = frozenset({"0A000", "54000"})
"""What this refuses and PostgreSQL does not need to."""
NEAR = frozenset({("22003", "22P02"), ("22008", "22003"), ("22007", "22P02"), ("22008", "22P02")})
"""PostgreSQL's code and the one that the engine's words come to: where the engine itself says that a value is none."""


def cases(name: str) -> list[str]:
    """The lines of a file of cases."""
    lines = (CASES / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


@dataclass
class Judged:
    """Both databases, with the table `t` in them."""

    real: "psycopg.Connection[Any]"
    engine: duckdb.DuckDBPyConnection
    zone: str = "UTC"

    def differs(self, text: str) -> str | None:
        """How a SELECT differs: in rows, types or error; None where it does not."""
        wanted = self.theirs(text)
        found = self.ours(text)
        if isinstance(wanted, str):
            if not isinstance(found, str):
                return f"PostgreSQL raises {wanted}, and here is {found[1]}"
            return (
                None
                if found == wanted or found in OURS_ALONE or (wanted, found) in NEAR
                else f"PostgreSQL raises {wanted}, this {found}"
            )
        if isinstance(found, str):
            return f"this raises {found}, PostgreSQL gives {wanted[1]}"
        if wanted[0] != found[0]:
            return f"types {found[0]}, in PostgreSQL {wanted[0]}"
        ordered = re.search(r"order by (?!.*\))", text.lower()) is not None
        ours, theirs = found[1], wanted[1]
        if not ordered:
            ours, theirs = sorted(ours, key=str), sorted(theirs, key=str)
        if len(ours) == len(theirs) and all(
            len(a) == len(b) and all(map(_same, a, b, wanted[0])) for a, b in zip(ours, theirs, strict=True)
        ):
            return None
        return f"gives {ours}, in PostgreSQL {theirs}"

    def theirs(self, text: str) -> "str | tuple[list[str], list[tuple[Any, ...]]]":
        """Types and rows as texts, or the code of an error."""
        try:
            shape = self.real.execute(f"SELECT * FROM ({text}) AS q LIMIT 0")
            described = shape.description or []
            names = [f"c{n}" for n in range(len(described))]
            types = [
                row[0]
                for row in self.real.execute(
                    "SELECT format_type(o, NULL) FROM unnest(%s::oid[]) WITH ORDINALITY AS u(o, n) ORDER BY n",
                    ([one.type_code for one in described],),
                ).fetchall()
            ]
            listed = ", ".join(f"{one}::text" for one in names)
            rows = self.real.execute(f"SELECT {listed} FROM ({text}) AS q({', '.join(names)})").fetchall()
        except psycopg.Error as error:
            return str(error.sqlstate)
        return types, rows

    def ours(self, text: str) -> "str | tuple[list[str], list[tuple[Any, ...]]]":
        """The same of this."""
        clock = Clock(datetime.now(UTC), self.zone)
        try:
            made, _ = translated(parsed(text), _find, zone=self.zone)
            types = output_types(made)
            names = [f"c{n}" for n in range(len(types))]
            shown = [
                as_text(Meant(exp.column(name), kind), clock) for name, kind in zip(names, types, strict=True)
            ]
            alias = exp.TableAlias(this=exp.to_identifier("q"), columns=[exp.to_identifier(n) for n in names])
            outer = exp.Select(expressions=shown).from_(exp.Subquery(this=made, alias=alias), copy=False)
            generator: Any = Dialect.get_or_raise("duckdb").generator()
            return [kinds.spoken(kind) for kind in types], self.engine.execute(
                generator.generate(outer)
            ).fetchall()
        except SqlError as error:
            return error.sqlstate
        except IngotError as error:
            return type(error).__name__
        except duckdb.Error as error:
            return sqlstate(translate(error))


def _same(ours: Any, theirs: Any, kind: str) -> bool:
    if ours == theirs:
        return True
    if ours is None or theirs is None or kind not in ("numeric", "double precision", "real"):
        return False
    return math.isclose(float(ours), float(theirs), rel_tol=1e-12, abs_tol=1e-12)


def _find(node: exp.Table) -> Relation | None:
    if node.name.casefold() != "t":
        return None
    return Relation(
        {name: kinds.engine(kind) for name, kind in COLUMNS.items()} | {"n": "DECIMAL(12, 3)"}, ("t",)
    )


@contextmanager
def judged(zone: str = "UTC") -> Iterator[Judged]:
    """Both, with the table filled."""
    with (
        postgres.server() as url,
        connect(extensions=("icu",)) as engine,
        psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as real,
    ):
        real.execute(f"SET timezone = '{zone}'")
        for con in (real, engine):
            con.execute(f"CREATE TABLE t ({DECLARED})")
            for row in ROWS:
                con.execute(f"INSERT INTO t VALUES {row}")
        yield Judged(real, engine, zone)
