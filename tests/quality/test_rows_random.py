"""The rows that differ, held against a comparison in plain Python on random tables."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingot import quality
from ingot.engines.duckdb import connect
from ingot.engines.sql import quote_identifier
from ingot.lake import Lake
from ingot.lake.shape import Mode

pytestmark = pytest.mark.slow

Row = tuple[Any, ...]

KEY, NUMBER, FLOAT, TEXT, NESTED = "id", 'a "b".c', "f", "ünï'code", "n"
TYPES = {
    KEY: "INTEGER",
    NUMBER: "INTEGER",
    FLOAT: "DOUBLE",
    TEXT: "VARCHAR",
    NESTED: "STRUCT(x INTEGER, y INTEGER[])",
}
WIDER = {
    NUMBER: ["BIGINT", "DECIMAL(30,2)", "VARCHAR", "DOUBLE"],
    FLOAT: ["DOUBLE"],
    KEY: ["BIGINT", "VARCHAR"],
}

_nested = st.none() | st.fixed_dictionaries(
    {"x": st.none() | st.integers(0, 1), "y": st.none() | st.lists(st.none() | st.integers(0, 1), max_size=2)}
)
_rows = st.lists(
    st.tuples(
        st.none() | st.integers(0, 5),
        st.none() | st.integers(0, 2),
        st.none() | st.sampled_from([0.0, -0.0, 1.5, math.nan, math.inf]),
        st.none() | st.sampled_from(["", "x", "it's", "NULL"]),
        _nested,
    ),
    max_size=8,
)


def frozen(value: Any) -> Any:
    """A value that equals what SQL's `IS NOT DISTINCT FROM` takes for the same."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else value + 0.0
    if isinstance(value, dict):
        return tuple((name, frozen(value[name])) for name in sorted(value))
    if isinstance(value, list):
        return ("list", *map(frozen, value))
    return value


def expected(before: Sequence[Row], after: Sequence[Row], key: int | None) -> dict[str, Any]:
    """Counts of added, removed and changed rows, by nothing but dictionaries."""
    one = Counter(tuple(map(frozen, row)) for row in before)
    other = Counter(tuple(map(frozen, row)) for row in after)
    gone, new = list((one - other).elements()), list((other - one).elements())
    if key is None:
        return {"added": len(new), "removed": len(gone), "changed": 0, "columns": {}}
    pairs = []
    for value in {row[key] for row in gone}:
        old_rows = [row for row in gone if row[key] == value]
        new_rows = [row for row in new if row[key] == value]
        if len(old_rows) == len(new_rows) == 1:
            pairs.append((old_rows[0], new_rows[0]))
    columns: Counter[int] = Counter()
    for old, now in pairs:
        columns.update(at for at in range(len(old)) if at != key and old[at] != now[at])
    return {
        "added": len(new) - len(pairs),
        "removed": len(gone) - len(pairs),
        "changed": len(pairs),
        "columns": dict(columns),
    }


def values(rows: Sequence[Row], types: dict[str, str]) -> tuple[str, list[Any]]:
    """A query that gives the rows in the columns of `types`, and its parameters."""
    names = list(TYPES)
    chosen = ", ".join(
        f"CAST(CAST(c{at} AS {TYPES[name]}) AS {types[name]}) AS {quote_identifier(name)}"
        for at, name in enumerate(names)
        if name in types
    )
    if not rows:
        nothing = ", ".join(f"NULL AS c{at}" for at in range(len(names)))
        return f"SELECT {chosen} FROM (SELECT {nothing}) WHERE false", []
    marks = ", ".join("(" + ", ".join("?" for _ in names) + ")" for _ in rows)
    columns = ", ".join(f"c{at}" for at in range(len(names)))
    return f"SELECT {chosen} FROM (VALUES {marks}) v({columns})", [value for row in rows for value in row]


@dataclass
class Workshop:
    """One lake for all examples, each of which has a table and a branch of its own."""

    lake: Lake
    con: duckdb.DuckDBPyConnection
    number: Iterator[int]

    def write(self, table: str, branch: str, rows: Sequence[Row], types: dict[str, str], mode: Mode) -> None:
        query, parameters = values(rows, types)
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE given AS {query}", parameters or None)
        staged = self.lake.stage(self.con, table, "SELECT * FROM given", on=branch, mode=mode)
        self.lake.commit(branch, [staged], message="rows")


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    folder = tmp_path_factory.mktemp("random")
    with connect(threads=1) as con, Lake(f"sqlite:///{folder}/lake.db", folder / "w") as lake:
        yield Workshop(lake, con, count())


@pytest.mark.parametrize("keyed", [False, True], ids=["whole rows", "by key"])
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_random_changes_are_counted_as_plain_python_counts_them(
    workshop: Workshop, keyed: bool, data: st.DataObject
) -> None:
    number = next(workshop.number)
    table, branch = f"s.t{number}", f"dev{number}"
    before: list[Row] = []
    for batch in data.draw(st.lists(_rows, min_size=1, max_size=3), "main"):
        workshop.write(table, "main", batch, TYPES, "append")
        before += batch
    workshop.lake.branch(branch)
    after = list(before)
    types = dict(TYPES)
    for kind in data.draw(st.lists(st.sampled_from(["append", "overwrite"]), max_size=2), "dev"):
        if kind == "append":
            batch = data.draw(_rows, "appended")
            workshop.write(table, branch, batch, types, "append")
            after += batch
        else:
            kept = [row for row in after if data.draw(st.integers(0, 3), "keep")]
            after = [*kept, *data.draw(_rows, "written")]
            left = data.draw(st.sets(st.sampled_from([FLOAT, TEXT, NESTED]), max_size=2), "left out")
            types = {name: kind for name, kind in TYPES.items() if name not in left}
            wider = {name: data.draw(st.sampled_from(each), name) for name, each in WIDER.items()}
            types |= {name: kind for name, kind in wider.items() if name in types}
            workshop.write(table, branch, after, types, "overwrite")
    keys = {table: [KEY]} if keyed else None
    found = quality.diff(workshop.lake, "main", branch, tables=[table], keys=keys, limit=1000)
    both = [at for at, name in enumerate(TYPES) if name in types]
    wanted = expected(
        [tuple(row[at] for at in both) for row in before],
        [tuple(row[at] for at in both) for row in after],
        0 if keyed else None,
    )
    if not found.tables:
        assert wanted == {"added": 0, "removed": 0, "changed": 0, "columns": {}}
        return
    rows = found.tables[0].rows
    assert rows is not None
    names = [name for name in TYPES if name in types]
    assert set(rows.columns) == set(names)
    counted = {names.index(name): number for name, number in rows.changed_columns.items()}
    assert {
        "added": rows.added,
        "removed": rows.removed,
        "changed": rows.changed,
        "columns": counted,
    } == wanted
    shown = Counter[str]()
    for row in rows.sample:
        shown[row.kind] += row.copies
        if row.kind == "changed":
            assert row.before is not None
            assert row.after is not None
            # Text of a number keeps the sign of zero, which no comparison sees.
            old, new = (
                {name: "0.0" if value == "-0.0" else value for name, value in side.items()}
                for side in (row.before, row.after)
            )
            assert {name for name in names if old[name] != new[name]} == set(row.columns)
    assert (shown["added"], shown["removed"], shown["changed"]) == (rows.added, rows.removed, rows.changed)
