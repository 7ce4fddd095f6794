"""A lake of two schemas on two branches, the same rows in PostgreSQL, and databases beside it."""

import asyncio
import sqlite3
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingot.engines.duckdb import DuckDBEngine, connect
from ingot.lake import Lake
from ingot.pgwire.federation import Federation
from ingot.pgwire.lake_source import LakeReader, LakeSource
from ingot.pgwire.ports import Rows, SessionInfo
from ingot.project.loading import load
from ingot.semantic.answers.states import States
from ingot.semantic.context import ANYONE

TABLES: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
    "gold.orders": (
        "id int, customer_id int, amount numeric(12,2), qty int, ordered date, at timestamp, note text",
        [
            (1, 10, "19.90", 3, "2026-01-05", "2026-01-05 10:00:00", "plain"),
            (2, 10, "5.00", 7, "2026-01-31", "2026-01-31 23:59:59", None),
            (3, 11, "100.00", -7, "2026-02-01", "2026-02-01 00:00:00", "50% off"),
            (4, 12, "0.01", 2, "2026-03-15", "2026-03-15 12:30:00", "Ünïcode 'quoted'"),
            (5, None, "77.77", 0, None, None, ""),
        ],
    ),
    "raw.customers": (
        'id int, name text, country text, "Full Name" text',
        [(10, "ann", "de", "Ann A"), (11, "bob", "fr", "Bob B"), (13, "cid", None, "Cid C")],
    ),
    "raw.events": (
        "id bigint, seen timestamptz, score float8, ok boolean, big bigint",
        [
            (1, "2026-03-29 00:30:00+00", "1.5", "true", 9007199254740993),
            (2, "2026-03-29 01:30:00+00", "-0.1", "false", -5),
            (3, "2026-10-25 00:30:00+00", "1e20", None, 0),
            (4, "2026-12-31 23:30:00+00", None, "true", None),
        ],
    ),
}
_ENGINE = {
    "int": "INTEGER",
    "text": "VARCHAR",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMPTZ",
    "float8": "DOUBLE",
}


def values(rows: Sequence[Sequence[Any]]) -> str:
    """Rows as SQL that both databases read."""

    def one(value: Any) -> str:
        if value is None:
            return "NULL"
        return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"

    return ", ".join("(" + ", ".join(one(each) for each in row) + ")" for row in rows)


def columns(declared: str) -> list[tuple[str, str]]:
    """Names and PostgreSQL's types of declared columns."""
    found = []
    for part in declared.replace("(12,2)", "(12;2)").split(", "):
        name, _, kind = part.rpartition(" ")
        found.append((name.strip('"'), kind.replace(";", ",")))
    return found


def create(sql: str) -> list[str]:
    """The statements that make the tables, with types as `sql` (postgres or sqlite) has them."""
    made = []
    for name, (declared, rows) in TABLES.items():
        table = name if sql == "postgres" else name.partition(".")[2]
        if sql == "postgres":
            made.append(f"CREATE SCHEMA IF NOT EXISTS {name.partition('.')[0]}")
        made += [f"CREATE TABLE {table} ({declared})", f"INSERT INTO {table} VALUES {values(rows)}"]
    return made


def fill(lake: Lake) -> None:
    """Puts the tables on `main`, and one row more on `dev`."""
    with connect() as con:
        staged = []
        for name, (declared, rows) in TABLES.items():
            names = columns(declared)
            casts = ", ".join(
                f'CAST("{column}" AS {_ENGINE.get(kind, kind)}) AS "{column}"' for column, kind in names
            )
            listed = ", ".join(f'"{column}"' for column, _ in names)
            query = f"SELECT {casts} FROM (VALUES {values(rows)}) t({listed})"
            staged.append(lake.stage(con, name, query, on="main"))
        lake.commit("main", staged, message="tables")
        view = lake.stage_view(
            "gold.big",
            "SELECT id, amount FROM gold.orders WHERE amount > 50",
            on="main",
            columns=[("id", "INTEGER"), ("amount", "DECIMAL(12,2)")],
        )
        lake.commit("main", [view], message="view")
        lake.branch("dev")
        more = lake.stage(
            con,
            "gold.orders",
            "SELECT 6 AS id, 10 AS customer_id, 1.00::DECIMAL(12,2) AS amount",
            on="dev",
            mode="append",
        )
        lake.commit("dev", [more], message="one more")


def sqlite(path: Path) -> Path:
    """The same tables as a SQLite file."""
    with sqlite3.connect(path) as con:
        for statement in create("sqlite"):
            con.execute(statement)
        con.execute(
            "CREATE VIEW countries AS SELECT DISTINCT country FROM customers WHERE country IS NOT NULL"
        )
    con.close()
    return path


@dataclass
class Shop:
    """A lake with what reads it."""

    lake: Lake
    reader: LakeReader
    opened: list[LakeSource] = field(default_factory=list)

    def source(self, ref: str = "main", *, lake: bool = True, **settings: str) -> LakeSource:
        """A session's source."""
        database = "shop" if ref == "main" else f"shop@{ref}"
        given: Mapping[str, str] = {"timezone": "UTC", "search_path": '"$user", public', **settings}
        return self.reader.source(SessionInfo("ann", database, ref, ANYONE, lake, given))

    def ask(self, sql: str, ref: str = "main", **settings: Any) -> list[tuple[str | None, ...]]:
        """The rows of a statement as text."""
        return asyncio.run(answered(self.source(ref, **settings), sql))[1]

    def names(self, sql: str, ref: str = "main") -> list[str]:
        """The names of a statement's columns."""
        return asyncio.run(answered(self.source(ref), sql))[0]


async def answered(source: LakeSource, sql: str) -> tuple[list[str], list[tuple[str | None, ...]]]:
    """Names and rows of a statement."""
    statement = await source.prepare(sql)
    rows = await statement.run((), ())
    found = await fetched(rows)
    return [one.name for one in rows.fields], found


async def fetched(rows: Rows, most: int = 0) -> list[tuple[str | None, ...]]:
    """All rows that are left."""
    found: list[tuple[str | None, ...]] = []
    while (chunk := await rows.fetch(most)) is not None:
        made = list(data_rows(bytes(chunk.data)))
        assert len(made) == chunk.rows
        found += made
    return found


def data_rows(data: bytes) -> Iterator[tuple[str | None, ...]]:
    """The values of DataRow messages in text format."""
    at = 0
    while at < len(data):
        assert data[at : at + 1] == b"D"
        size, count = struct.unpack_from("!ih", data, at + 1)
        here = at + 7
        row: list[str | None] = []
        for _ in range(count):
            (length,) = struct.unpack_from("!i", data, here)
            here += 4
            row.append(None if length < 0 else data[here : here + length].decode())
            here += max(length, 0)
        assert here == at + 1 + size
        yield tuple(row)
        at = here


@contextmanager
def opened(folder: Path, sources: Mapping[str, str] | None = None, **environ: str) -> Iterator[Shop]:
    """A project in `folder` with these files of sources, its lake filled."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ingot.yml").write_text("name: shop\n")
    (folder / "sources").mkdir()
    for name, text in (sources or {}).items():
        (folder / "sources" / f"{name}.yml").write_text(text)
    project = load(folder, environ=environ)
    with Lake.open(project) as lake:
        fill(lake)
        engine = DuckDBEngine(lake, threads=2)
        federation = Federation(project, lake)
        try:
            yield Shop(
                lake, LakeReader(engine, States(lake), federation, lambda _: ("sales", "customers_cube"))
            )
        finally:
            federation.close()
            engine.close()
