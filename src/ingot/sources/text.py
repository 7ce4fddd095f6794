"""Prepares the load of text tables (CSV, and Excel as CSV): heads, types, the guarded query.

Types are inferred over all rows at the price of a sample: the first rows suggest a type, the query checks
every value against it while loading, and only where one does not fit are all rows looked at and the load
done again. The result is the same as if all had been looked at first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import duckdb
from duckdb import DuckDBPyConnection

from ingot.errors import IngotError
from ingot.sources.errors import SourceError
from ingot.sources.files.csv_sql import CsvPart, columns_of, explain, relation
from ingot.sources.files.csv_text import line_of, read_head
from ingot.sources.files.inference import MISFIT, Guess, converted, declared_type, guarded, infer
from ingot.sources.files.parts import Opened
from ingot.sources.model import LoadState, Plan
from ingot.sources.reading import (
    Reading,
    check_columns,
    declared_types,
    does_not_fit,
    kept_types,
    known_columns,
)

_SAMPLE_ROWS = 8_000
_SAMPLE_VALUES = 4_000_000
_SAMPLE = "ingot_sample"


@dataclass(frozen=True)
class _Text:
    """What does not change between two tries."""

    con: DuckDBPyConnection
    plan: Plan
    parts: tuple[CsvPart, ...]
    columns: tuple[str, ...]
    declared: Mapping[str, str]
    kept: Mapping[str, str]
    known: LoadState | None

    @property
    def source(self) -> str:
        return relation(self.parts, self.columns, self.plan.table.options)

    @property
    def open(self) -> list[str]:
        """Columns whose type is still to be found."""
        return [name for name in self.columns if name not in self.declared and name not in self.kept]


def prepare(con: DuckDBPyConnection, plan: Plan, opened: Opened, known: LoadState | None) -> Reading:
    """A reading of CSV parts. Raises `SourceError` for heads, columns or rows that are not right."""
    options = plan.table.options
    for part in opened.parts:
        if part.scan.nul_line is not None:
            raise SourceError(
                "The file holds a zero byte, so it is no text of this encoding, or damaged.",
                file=part.shown,
                line=part.scan.nul_line,
                hint="If it is UTF-16, say options: {encoding: utf-16}.",
            )
    parts = tuple(CsvPart(part, read_head(con, part.path, part.shown, options)) for part in opened.parts)
    columns = columns_of(parts)
    declared = declared_types(plan.table, (*columns, *known_columns(known)), declared_type)
    check_columns(plan, known, [(each.part, each.head.columns) for each in parts])
    text = _Text(con, plan, parts, columns, declared, kept_types(known), known)
    guess, whole = _sampled(text)
    return _reading(text, guess, whole=whole)


def _sampled(text: _Text) -> tuple[Guess, bool]:
    """What the first rows say of the open columns, and whether these were all rows."""
    if not text.open:
        return Guess({}, frozenset()), True
    size = max(200, min(_SAMPLE_ROWS, _SAMPLE_VALUES // len(text.columns)))
    options = text.plan.table.options
    try:
        text.con.execute(
            f"CREATE OR REPLACE TEMP TABLE {_SAMPLE} AS SELECT * FROM {text.source} LIMIT {size}"
        )
        guess = infer(text.con, _SAMPLE, text.open, options)
        rows = (text.con.execute(f"SELECT count(*) FROM {_SAMPLE}").fetchone() or (0,))[0]
        text.con.execute(f"DROP TABLE {_SAMPLE}")
        return guess, rows < size
    except duckdb.Error as error:
        raise explain(error, text.parts) from error


def _reading(text: _Text, guess: Guess, *, whole: bool) -> Reading:
    options = text.plan.table.options
    if guess.empty and not whole:
        # No value among the first rows: what is further down decides.
        guess = _merged(guess, _all_rows(text, sorted(guess.empty)))
    types = {
        name: text.declared.get(name) or text.kept.get(name) or guess.types[name] for name in text.columns
    }
    if text.known is not None and text.plan.kind == "append":
        # Columns that this file lacks stay what they are.
        types = {**{name: kind for name, kind in text.known.types.items() if name not in types}, **types}
    seen = set(guess.types) if whole else set()
    chosen = [
        converted(name, types[name], options)
        if name in seen
        else guarded(name, types[name], number, options, declared=name in text.declared)
        for number, name in enumerate(text.columns)
    ]
    counted = _by_lines(text)
    return Reading(
        query=f"SELECT {', '.join(chosen)} FROM {text.source}",
        types=types,
        empty=guess.empty | (frozenset(text.known.open) - set(text.columns) if text.known else frozenset()),
        reopened=frozenset(
            name
            for name in (text.known.open if text.known else ())
            if guess.types.get(name, "VARCHAR") != "VARCHAR"
        ),
        rows=counted if counted is not None else _counted(text),
        recount=lambda: _counted(text),
        refine=lambda error: _refined(text, guess, types, error, whole=whole),
    )


def _refined(
    text: _Text, guess: Guess, types: Mapping[str, str], error: IngotError, *, whole: bool
) -> Reading:
    options = text.plan.table.options
    cause = error.__cause__
    if not isinstance(cause, duckdb.Error):
        raise error
    _, marked, rest = str(cause).partition(MISFIT)
    if not marked:
        raise explain(cause, text.parts) from cause if _is_about_files(cause, text) else error
    number, _, value = rest.partition(MISFIT)
    column = text.columns[int(number)]
    if column in guess.types and not whole:
        return _reading(text, _all_rows(text, text.open), whole=True)
    why = f"there is the value {_short(value)}"
    for each in text.parts:
        line = line_of(each.part.path, each.head, column, value, options)
        if line is not None:
            raise does_not_fit(text.plan, column, types[column], why, part=each.part, line=line)
    only = text.parts[0].part if len(text.parts) == 1 else None
    raise does_not_fit(text.plan, column, types[column], why, part=only)


def _is_about_files(error: duckdb.Error, text: _Text) -> bool:
    message = str(error)
    return "CSV" in message or any(str(each.part.path) in message for each in text.parts)


def _all_rows(text: _Text, columns: Sequence[str]) -> Guess:
    try:
        return infer(text.con, text.source, columns, text.plan.table.options)
    except duckdb.Error as error:
        raise explain(error, text.parts) from error


def _merged(first: Guess, more: Guess) -> Guess:
    return replace(first, types={**first.types, **more.types}, empty=more.empty)


def _by_lines(text: _Text) -> dict[str, int] | None:
    """Rows of each file by its lines; None where lines and rows are not the same."""
    rows: dict[str, int] = {}
    for each in text.parts:
        lines = each.part.scan.lines
        if lines is None or not each.part.scan.simple:
            return None
        rows[each.part.file.key] = rows.get(each.part.file.key, 0) + max(lines - each.head.lines, 0)
    return rows


def _counted(text: _Text) -> dict[str, int]:
    source = relation(text.parts, text.columns, text.plan.table.options, named=True)
    try:
        found = text.con.execute(f"SELECT filename, count(*) FROM {source} GROUP BY ALL").fetchall()
    except duckdb.Error as error:
        raise explain(error, text.parts) from error
    keys = {str(each.part.path): each.part.file.key for each in text.parts}
    rows = dict.fromkeys(keys.values(), 0)
    for path, count in found:
        rows[keys[path]] += count
    return rows


def _short(value: str) -> str:
    return repr(value if len(value) <= 80 else value[:77] + "...")
