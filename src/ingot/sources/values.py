"""Prepares the load of JSON and Parquet tables, whose values have types of their own."""

from collections.abc import Mapping, Sequence
from typing import NoReturn

import duckdb
from duckdb import DuckDBPyConnection

from ingot.engines.sql import quote_identifier
from ingot.errors import IngotError
from ingot.sources.files import digits, typed
from ingot.sources.files.inference import declared_type
from ingot.sources.files.parts import Opened, Part
from ingot.sources.model import LoadState, Plan
from ingot.sources.reading import (
    Reading,
    check_columns,
    declared_types,
    does_not_fit,
    kept_types,
    known_columns,
)


def prepare(con: DuckDBPyConnection, plan: Plan, opened: Opened, known: LoadState | None) -> Reading:
    """A reading of JSON or Parquet parts. Raises `SourceError` for files or columns that are not right."""
    kind, parts = opened.format, opened.parts
    found = _types(con, opened, parts)
    declared = declared_types(plan.table, (*found, *known_columns(known)), declared_type)
    if plan.kind == "append":
        check_columns(plan, known, [(part, tuple(typed.types_of(con, kind, [part]))) for part in parts])
    empty = _empty(con, opened, found)
    types: dict[str, str] = {}
    for name, own in found.items():
        wanted = declared.get(name) or kept_types(known).get(name)
        if wanted and name not in declared and name not in empty and not _takes(kind, wanted, own):
            _refuse(con, plan, opened, name, wanted)
        types[name] = wanted or own
    if known is not None and plan.kind == "append":
        types = {**{name: each for name, each in known.types.items() if name not in types}, **types}
    read = {name: each for name, each in types.items() if name in found}
    counted = _counted(con, opened)
    return Reading(
        query=f"SELECT * FROM {typed.relation(kind, parts, read)}",
        types={name: typed.stored_type(each) for name, each in types.items()},
        empty=empty | (frozenset(known.open) - set(found) if known else frozenset()),
        reopened=frozenset(
            name
            for name in (known.open if known else ())
            if name in found and name not in empty and typed.stored_type(types[name]) != "VARCHAR"
        ),
        rows=counted,
        recount=lambda: _counted(con, opened),
        refine=lambda error: _failed(error, parts),
    )


def _types(con: DuckDBPyConnection, opened: Opened, parts: Sequence[Part]) -> dict[str, str]:
    found = typed.types_of(con, opened.format, parts)
    return digits.kept(con, parts, found) if opened.format == "json" else found


def _takes(kind: str, kept: str, own: str) -> bool:
    # A number or a truth value in a JSON column of text is the text that stands in the file.
    return typed.accepts(kept, typed.stored_type(own)) or (
        kind == "json" and kept == "VARCHAR" and own.isupper()
    )


def _empty(con: DuckDBPyConnection, opened: Opened, found: Mapping[str, str]) -> frozenset[str]:
    """The columns without a value; JSON is what DuckDB calls the type of nothing."""
    doubtful = [name for name, each in found.items() if each == "JSON"]
    if not doubtful:
        return frozenset()
    counts = ", ".join(f"count({quote_identifier(name)})" for name in doubtful)
    chosen = dict.fromkeys(doubtful, "JSON")
    try:
        row = (
            con.execute(
                f"SELECT {counts} FROM {typed.relation(opened.format, opened.parts, chosen)}"
            ).fetchone()
            or ()
        )
    except duckdb.Error as error:
        raise typed.explain(error, opened.parts) from error
    return frozenset(name for name, count in zip(doubtful, row, strict=True) if not count)


def _refuse(con: DuckDBPyConnection, plan: Plan, opened: Opened, name: str, kept: str) -> NoReturn:
    """Raises the error that names the file, and the line where the reader can say it."""
    for part in opened.parts:
        own = _types(con, opened, [part]).get(name)
        if own is None or _takes(opened.format, kept, own):
            continue
        line = None
        if opened.format == "json":
            try:
                con.execute(
                    f"SELECT max({quote_identifier(name)}) FROM {typed.relation('json', [part], {name: kept})}"
                ).fetchall()
            except duckdb.Error as error:
                line = typed.explain(error, [part]).line
        raise does_not_fit(plan, name, kept, f"the file has {own}", part=part, line=line)
    raise does_not_fit(plan, name, kept, "the files differ in its type")


def _counted(con: DuckDBPyConnection, opened: Opened) -> dict[str, int]:
    try:
        found = typed.counts(con, opened.format, opened.parts)
    except duckdb.Error as error:
        raise typed.explain(error, opened.parts) from error
    rows: dict[str, int] = {}
    for part in opened.parts:
        rows[part.file.key] = rows.get(part.file.key, 0) + found.get(str(part.path), 0)
    return rows


def _failed(error: IngotError, parts: tuple[Part, ...]) -> NoReturn:
    cause = error.__cause__
    if isinstance(cause, duckdb.Error):
        raise typed.explain(cause, parts) from cause
    raise error
