"""Upsert by key: which data files hold keys of the new rows, and what is written in their place.

Copy on write: a file with a matching row is written anew without its matching rows, together with the new
ones; every other file stays. Files are ruled out by their statistics first, then by a look at their keys.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from ingot.errors import did_you_mean
from ingot.lake import bounds, conditions, entries, files, manifest_list, metadata, part, scan
from ingot.lake.conditions import Test
from ingot.lake.datafiles import LINEAGE
from ingot.lake.entries import Entry
from ingot.lake.errors import SchemaError, WriteError
from ingot.lake.sql import identifier
from ingot.lake.transforms import Term
from ingot.lake.types import Json

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_PATH = "__ingot_file"
_FEW = 1000
"""Up to so many keys are looked for one by one in the files' bounds; of more, only the range."""


@dataclass(frozen=True, slots=True)
class Upsert:
    """What is to be written, and the ids of the files that it replaces."""

    query: str
    gone: frozenset[str]
    numbered: bool = False
    """The query gives the numbers of rows too."""


def check_key(by: Sequence[str], fields: Sequence[Json], name: str) -> list[Json]:
    """The fields of the key; `SchemaError` where a column is missing, doubled or nested."""
    known = {field["name"].casefold(): field for field in fields}
    if not by:
        raise SchemaError(f"An upsert into {name} needs the columns of its key.", hint='Say by=("id",).')
    found = []
    for column in by:
        field = known.get(column.casefold())
        if field is None:
            names = [field["name"] for field in fields]
            raise SchemaError(f"{name} has no column '{column}' to be its key{did_you_mean(column, names)}.")
        if isinstance(field["type"], dict):
            raise SchemaError(f"'{column}' of {name} is a {field['type']['type']}, which cannot be a key.")
        if field in found:
            raise SchemaError(f"The key of {name} names '{column}' twice.")
        found.append(field)
    return found


@contextmanager
def prepared(
    con: "DuckDBPyConnection",
    query: str,
    *,
    name: str,
    key: Sequence[Json],
    before: Json | None,
    document: Json,
    location: str,
) -> Iterator[Upsert]:
    """The upsert of `query`, whose columns are the table's, kept in a temporary table for the `with` block.

    `before` is the table's metadata without, `document` with the columns that the new rows bring. Raises
    `WriteError` for a key that is NULL or comes twice, and shows it.
    """
    import duckdb  # noqa: PLC0415 (heavy)

    made = identifier(f"ingot_upsert_{uuid4().hex}")
    try:
        con.execute(f"CREATE TEMPORARY TABLE {made} AS {query}")
    except duckdb.Error as error:
        raise WriteError(f"The query of {name} cannot be run: {error}") from error
    try:
        new = f"temp.main.{made}"
        _check_rows(con, new, key, name)
        try:
            with _replaced(
                con, new, key=key, before=before, document=document, location=location, name=name
            ) as change:
                yield change
        except duckdb.Error as error:
            raise WriteError(f"Looking for the keys of {name} failed: {error}") from error
    finally:
        con.execute(f"DROP TABLE temp.main.{made}")


def _check_rows(con: "DuckDBPyConnection", new: str, key: Sequence[Json], name: str) -> None:
    columns = [identifier(field["name"]) for field in key]
    listed = ", ".join(columns)
    for column, field in zip(columns, key, strict=True):
        row = con.execute(f"SELECT count(*) FROM {new} WHERE {column} IS NULL").fetchone()
        if row and row[0]:
            raise WriteError(
                f"{row[0]:,} of the new rows of {name} have no value in '{field['name']}', which is in its key."
            )
    texts = ", ".join(f"{column}::VARCHAR" for column in columns)
    twice = f"SELECT {listed} FROM {new} GROUP BY {listed} HAVING count(*) > 1"
    found = con.execute(f"SELECT {texts}, count(*) OVER () FROM ({twice}) ORDER BY ALL LIMIT 3").fetchall()
    if found:
        shown = "; ".join(
            ", ".join(f"{field['name']} = {text}" for field, text in zip(key, row[:-1], strict=True))
            for row in found
        )
        count = found[0][-1]
        more = f" and {count - len(found):,} more" if count > len(found) else ""
        raise WriteError(
            f"The new rows of {name} have {count:,} {'key' if count == 1 else 'keys'} more than once: {shown}{more}.",
            hint="Keep one row a key, for example with QUALIFY row_number() OVER (PARTITION BY …) = 1.",
        )


@contextmanager
def _replaced(
    con: "DuckDBPyConnection",
    new: str,
    *,
    key: Sequence[Json],
    before: Json | None,
    document: Json,
    location: str,
    name: str,
) -> Iterator[Upsert]:
    live = scan.live_entries(before) if before is not None else []
    everything = f"SELECT * FROM {new}"
    if before is None or not live:
        yield Upsert(everything, frozenset())
        return
    using = ", ".join(identifier(field["name"]) for field in key)
    numbered = part.numbers_rows(document)
    whole = not scan.plain(before) or not scan.plain(document)
    if whole:
        # Deletions of other writers are only applied by DuckDB's Iceberg reader, which takes whole tables.
        gone = [one.id for one in live]
    else:
        gone = _holding(con, new, live, key=key, document=document, location=location, name=name)
    if not gone:
        yield Upsert(everything, frozenset())
    elif numbered:
        sources = entries.read(manifest_list.rows_of(metadata.current_snapshot(before)))
        chosen = {one.path for one in live if one.id in set(gone)}
        with part.only(document, location, sources, chosen, name=name, deletes=whole) as old:
            yield Upsert(_numbered(new, f"({old})", using), frozenset(gone), numbered=True)
    else:
        old = (
            scan.selection(before, location, None, name)
            if whole
            else scan.selection(document, location, None, name, only=gone)
        )
        kept = f"SELECT o.* FROM {old} AS o ANTI JOIN {new} AS n USING ({using})"
        yield Upsert(f"{everything} UNION ALL BY NAME ({kept})", frozenset(gone))


def _numbered(new: str, old: str, using: str) -> str:
    """New rows keep the number of the row that they replace, old ones also when they were last changed."""
    row, changed = (field["name"] for field in LINEAGE)
    ids = f"SELECT {using}, min({row}) AS {row} FROM {old} AS o GROUP BY {using}"
    updated = f"SELECT n.*, l.{row}, NULL::BIGINT AS {changed} FROM {new} AS n LEFT JOIN ({ids}) AS l USING ({using})"
    kept = f"SELECT o.* FROM {old} AS o ANTI JOIN {new} AS n USING ({using})"
    return f"({updated}) UNION ALL BY NAME ({kept})"


def _holding(
    con: "DuckDBPyConnection",
    new: str,
    live: Sequence[Entry],
    *,
    key: Sequence[Json],
    document: Json,
    location: str,
    name: str,
) -> list[str]:
    """The files with a row whose key is among the new ones."""
    tests = [test for field in key if (test := _test(con, new, field)) is not None]
    specs = {spec["spec-id"]: spec for spec in document["partition-specs"]}
    possible = {files.as_read(one.path): one.path for one in live if conditions.may_match(one, tests, specs)}
    if not possible:
        return []
    columns = [field["name"] for field in key]
    using = ", ".join(map(identifier, columns))
    old = scan.selection(document, location, columns, name, only=frozenset(possible.values()), path_as=_PATH)
    rows = con.execute(
        f"SELECT DISTINCT {identifier(_PATH)} FROM {old} AS o SEMI JOIN {new} AS n USING ({using})"
    ).fetchall()
    return [possible[row[0]] for row in rows]


def _test(con: "DuckDBPyConnection", new: str, field: Json) -> Test | None:
    """What a file must hold in this column to be of interest; None where any may be."""
    text = f"CAST({Term('identity', field).sql()} AS VARCHAR)"
    column = identifier(field["name"])
    distinct = f"SELECT DISTINCT {column} FROM {new} LIMIT {_FEW + 1}"
    rows = con.execute(f"SELECT {text} FROM ({distinct})").fetchall()
    if len(rows) > _FEW:
        ends = f"SELECT min({column}) AS {column} FROM {new} UNION ALL SELECT max({column}) FROM {new}"
        low, high = con.execute(f"SELECT {text} FROM ({ends}) ORDER BY {column}").fetchall()
        first, last = (bounds.parse(str(field["type"]), row[0]) for row in (low, high))
        if first is None or last is None or first != first or last != last:  # noqa: PLR0124 (NaN)
            return None
        return Test(field, low=first, high=last)
    points = tuple(bounds.parse(str(field["type"]), row[0]) for row in rows)
    if any(one is None or one != one for one in points):  # noqa: PLR0124 (NaN)
        return None
    return Test(field, points=points)
