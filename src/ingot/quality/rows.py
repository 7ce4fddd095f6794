"""Which rows differ, computed in DuckDB over `before.rows` and `after.rows`.

First the multiset difference: every row that one side has more often, and how much more often. Rows that
both sides have fall out there, whatever the size of the tables. Then, where a key is known, a removed and an
added row of one key are one changed row. NULL equals NULL and NaN equals NaN.
"""

from collections.abc import Sequence
from typing import Any

from duckdb import DuckDBPyConnection

from ingot.quality.compared import Pair
from ingot.quality.model import RowChange, RowDiff


def compare(
    con: DuckDBPyConnection,
    pairs: Sequence[Pair],
    key: Sequence[str],
    *,
    limit: int,
    notes: Sequence[str] = (),
) -> RowDiff:
    """The difference of the mounted sides; `key` are names (of the later side) among the pairs.

    At most `limit` rows of each kind (removed, added, changed) are given as a sample, ordered by key.
    """
    names = [pair.after for pair in pairs]
    columns = [f"c{at}" for at in range(len(pairs))]
    listed = ", ".join(columns)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE differing AS
        SELECT {listed}, sum(n)::BIGINT AS n FROM (
            SELECT {listed}, 1 AS n FROM before.rows UNION ALL SELECT {listed}, -1 AS n FROM after.rows
        ) GROUP BY {listed} HAVING sum(n) <> 0"""
    )
    if not key:
        removed, added = _fetch(
            con,
            "SELECT coalesce(sum(n) FILTER (n > 0), 0), coalesce(-sum(n) FILTER (n < 0), 0) FROM differing",
        )[0]
        order = listed
        con.execute("CREATE OR REPLACE TEMP VIEW single AS SELECT * FROM differing")
        return RowDiff(
            added=int(added),
            removed=int(removed),
            changed=0,
            columns=tuple(names),
            sample=tuple(_single(con, pairs, order, limit)),
            notes=tuple(notes),
        )
    return _by_key(con, pairs, [names.index(one) for one in key], limit=limit, notes=notes)


def _by_key(
    con: DuckDBPyConnection, pairs: Sequence[Pair], at: Sequence[int], *, limit: int, notes: Sequence[str]
) -> RowDiff:
    names = [pair.after for pair in pairs]
    keys = ", ".join(f"c{one}" for one in at)
    rest = [one for one in range(len(pairs)) if one not in at]
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE keyed AS
        SELECT {keys}, coalesce(sum(n) FILTER (n > 0), 0) AS old, coalesce(-sum(n) FILTER (n < 0), 0) AS new
        FROM differing GROUP BY {keys}"""
    )
    removed, added, changed, twice = _fetch(
        con,
        """SELECT coalesce(sum(old) FILTER (old <> 1 OR new <> 1), 0), coalesce(sum(new) FILTER (old <> 1 OR new <> 1), 0),
        count(*) FILTER (old = 1 AND new = 1), count(*) FILTER (old > 1 OR new > 1) FROM keyed""",
    )[0]

    def same_key(one: str, other: str) -> str:
        return " AND ".join(f"{one}.c{each} IS NOT DISTINCT FROM {other}.c{each}" for each in at)

    unpaired = f"(SELECT {keys} FROM keyed WHERE old <> 1 OR new <> 1) k"
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW single AS SELECT d.* FROM differing d SEMI JOIN {unpaired} ON {same_key('d', 'k')}"
    )
    both = (
        f"(SELECT * FROM differing WHERE n = 1) b JOIN (SELECT * FROM differing WHERE n = -1) a ON {same_key('b', 'a')} "
        f"SEMI JOIN (SELECT {keys} FROM keyed WHERE old = 1 AND new = 1) k ON {same_key('b', 'k')}"
    )
    differs = [f"b.c{one} IS DISTINCT FROM a.c{one}" for one in rest]
    counted: tuple[Any, ...] = ()
    if changed and rest:
        counted = _fetch(
            con, f"SELECT {', '.join(f'count(*) FILTER ({one})' for one in differs)} FROM {both}"
        )[0]
    order = [*at, *rest]
    sample = [*_single(con, pairs, ", ".join(f"c{one}" for one in order), limit)]
    if changed and limit:
        shown = [_shown("b", one, pairs) for one in range(len(pairs))]
        shown += [_shown("a", one, pairs) for one in range(len(pairs))]
        found = _fetch(
            con,
            f"SELECT {', '.join([*shown, *differs])} FROM {both} ORDER BY {', '.join(f'b.c{one}' for one in at)} LIMIT {limit:d}",
        )
        width = len(pairs)
        sample += [
            RowChange(
                "changed",
                dict(zip(names, row[:width], strict=True)),
                dict(zip(names, row[width : 2 * width], strict=True)),
                tuple(names[one] for one, differs in zip(rest, row[2 * width :], strict=True) if differs),
            )
            for row in found
        ]
    if twice:
        several = "1 key has" if twice == 1 else f"{twice} keys have"
        notes = [
            *notes,
            f"({', '.join(names[one] for one in at)}) is no key: {several} several rows that differ, counted as removed and added.",
        ]
    return RowDiff(
        added=int(added),
        removed=int(removed),
        changed=int(changed),
        key=tuple(names[one] for one in at),
        columns=tuple(names),
        changed_columns={
            names[one]: int(number) for one, number in zip(rest, counted, strict=False) if number
        },
        sample=tuple(sample),
        notes=tuple(notes),
    )


def _single(con: DuckDBPyConnection, pairs: Sequence[Pair], order: str, limit: int) -> list[RowChange]:
    """Removed and added rows, each kind up to the limit."""
    if not limit:
        return []
    names = [pair.after for pair in pairs]
    shown = ", ".join(_shown("single", one, pairs) for one in range(len(pairs)))
    removed = _fetch(con, f"SELECT n, {shown} FROM single WHERE n > 0 ORDER BY {order} LIMIT {limit:d}")
    added = _fetch(con, f"SELECT -n, {shown} FROM single WHERE n < 0 ORDER BY {order} LIMIT {limit:d}")
    return [
        *(
            RowChange("removed", dict(zip(names, row[1:], strict=True)), None, copies=row[0])
            for row in removed
        ),
        *(RowChange("added", None, dict(zip(names, row[1:], strict=True)), copies=row[0]) for row in added),
    ]


def _shown(table: str, at: int, pairs: Sequence[Pair]) -> str:
    # DuckDB knows moments and numbers that Python does not; its text is exact for all of them.
    return f"{table}.c{at}" if pairs[at].native else f"CAST({table}.c{at} AS VARCHAR)"


def _fetch(con: DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return con.execute(sql).fetchall()
