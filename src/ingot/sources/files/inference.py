"""The types of text columns: found from every value, and guarded while loading so that no value changes.

A value counts as a number, date, truth value or time only where its text says exactly that: `007`, `+49`,
`1_000`, `1,000` and numbers with more digits than a DOUBLE holds stay text. So the type of a column follows
from the *set* of classes that its values belong to, whatever their order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb
from duckdb import DuckDBPyConnection

from ingot.engines.sql import quote_identifier, quote_literal
from ingot.project.source import FileOptions

MISFIT = "\x01misfit\x01"
"""Begins the message of the error that the guard raises."""

_CHUNK = 200
"""Columns a query: DuckDB's planning time grows faster than their number."""

_INT, _DOUBLE, _DATE, _TIME, _ZONED, _BOOL, _TEXT = (1 << n for n in range(7))
_TYPES = (
    (_BOOL, "BOOLEAN"),
    (_INT, "BIGINT"),
    (_INT | _DOUBLE, "DOUBLE"),
    (_DATE, "DATE"),
    (_DATE | _TIME, "TIMESTAMP"),
    (_ZONED, "TIMESTAMP WITH TIME ZONE"),
)
_CLOCK = r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?"
_ZONE = r" ?(Z|[+-]\d\d(:?\d\d)?)"
_WHOLE = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
)


@dataclass(frozen=True, slots=True)
class Guess:
    """What the values of some columns say."""

    types: Mapping[str, str]
    empty: frozenset[str]
    """Columns without any value; their type is VARCHAR until there is one."""


def infer(con: DuckDBPyConnection, relation: str, columns: Sequence[str], options: FileOptions) -> Guess:
    """The narrowest type that every value of each column fits, over all rows of `relation` (all VARCHAR)."""
    types: dict[str, str] = {}
    empty: set[str] = set()
    for start in range(0, len(columns), _CHUNK):
        chunk = columns[start : start + _CHUNK]
        sums = ", ".join(f"bit_or({_class_of(quote_identifier(name), options)})" for name in chunk)
        row = con.execute(f"SELECT {sums} FROM {relation}").fetchone() or ()
        for name, seen in zip(chunk, row, strict=True):
            if not seen:
                empty.add(name)
            types[name] = next((kind for fits, kind in _TYPES if seen and not seen & ~fits), "VARCHAR")
    return Guess(types, frozenset(empty))


def guarded(column: str, kind: str, number: int, options: FileOptions, *, declared: bool = False) -> str:
    """SQL that gives the column as `kind` and fails with `MISFIT`, `number` and the value where one does not fit.

    A declared type takes what its name promises (`007` as INTEGER); an inferred one only what inference
    would have given the same type.
    """
    name = quote_identifier(column)
    if kind == "VARCHAR":
        return name
    fits = _declared_fits(name, kind, options) if declared else _fits(name, kind, options)
    failure = f"error({quote_literal(f'{MISFIT}{number}{MISFIT}')} || {name})"
    return f"CASE WHEN {name} IS NULL THEN NULL WHEN {fits} THEN {_cast(name, kind, options)} ELSE {failure} END AS {name}"


def declared_type(text: str) -> str:
    """The name of the DuckDB type that somebody wrote. Raises `ValueError` where there is no such type."""
    try:
        return str(duckdb.sqltype(text))
    except duckdb.Error as error:
        raise ValueError(str(error).splitlines()[0]) from error


def _class_of(value: str, options: FileOptions) -> str:
    classes = (
        (_INT, _fits(value, "BIGINT", options)),
        (_DOUBLE, _is_double(value, options)),
        (_DATE, _fits(value, "DATE", options)),
        (_TIME, _is_time(value, options)),
        (_ZONED, _fits(value, "TIMESTAMP WITH TIME ZONE", options)),
        (_BOOL, _fits(value, "BOOLEAN", options)),
    )
    cases = " ".join(f"WHEN {test} THEN {bit}" for bit, test in classes)
    return f"CASE WHEN {value} IS NULL THEN 0 {cases} ELSE {_TEXT} END"


def _fits(value: str, kind: str, options: FileOptions) -> str:
    """Whether a value that is not NULL is of an inferred `kind`."""
    match kind:
        case "BIGINT":
            # Only a text that the number is written as in turn: no leading zero, sign, space or fraction.
            return f"coalesce(TRY_CAST({value} AS BIGINT)::VARCHAR = {value}, false)"
        case "DOUBLE":
            return f"({_fits(value, 'BIGINT', options)} OR {_is_double(value, options)})"
        case "DATE" if options.date_format:
            return f"TRY_STRPTIME({value}, {quote_literal(options.date_format)}) IS NOT NULL"
        case "DATE":
            return f"coalesce(TRY_CAST({value} AS DATE)::VARCHAR = {value}, false)"
        case "TIMESTAMP":
            return f"({_is_time(value, options)} OR {_fits(value, 'DATE', options)})"
        case "TIMESTAMP WITH TIME ZONE":
            return _matches(value, _CLOCK + _ZONE, "TIMESTAMPTZ")
        case "BOOLEAN":
            return f"(lower({value}) IN ('true', 'false'))"
        case _:
            return _declared_fits(value, kind, options)


def _is_double(value: str, options: FileOptions) -> str:
    point = options.decimal_separator or "."
    dot = f"[{point}]"
    pattern = rf"-?((0|[1-9]\d*)({dot}\d+)?|{dot}\d+)([eE][+-]\d+)?"
    number = _number(value, options)
    # Up to 15 digits are exact in a DOUBLE; more only where it is written the same in turn.
    exact = f"(length({value}) <= 16 OR TRY_CAST({number} AS DOUBLE)::VARCHAR IN ({number}, rtrim({number}, '0')))"
    return f"({_matches(value, pattern, 'DOUBLE', number)} AND {exact})"


def _is_time(value: str, options: FileOptions) -> str:
    if options.timestamp_format:
        return f"TRY_STRPTIME({value}, {quote_literal(options.timestamp_format)}) IS NOT NULL"
    return _matches(value, _CLOCK, "TIMESTAMP")


def _declared_fits(value: str, kind: str, options: FileOptions) -> str:
    number = _number(value, options)
    if kind in _WHOLE:
        return _matches(value, r"\s*[+-]?\d+\s*", kind)
    if kind.startswith("DECIMAL("):
        scale = int(kind.rpartition(",")[2].rstrip(")"))
        return _matches(number, rf"\s*[+-]?\d*(\.\d{{0,{scale}}}0*)?\s*", kind)
    if kind in ("DOUBLE", "FLOAT"):
        return f"TRY_CAST({number} AS {kind}) IS NOT NULL"
    if kind == "DATE":
        return (
            _fits(value, "DATE", options)
            if options.date_format
            else _matches(value, r"\d{4}-\d\d?-\d\d?", "DATE")
        )
    if kind == "TIMESTAMP":
        return f"({_fits(value, 'TIMESTAMP', options)} OR {_matches(value, _CLOCK + 'Z', 'TIMESTAMP')})"
    return f"TRY_CAST({value} AS {kind}) IS NOT NULL"


def _cast(value: str, kind: str, options: FileOptions) -> str:
    match kind:
        case "DATE" if options.date_format:
            return f"STRPTIME({value}, {quote_literal(options.date_format)})::DATE"
        case "TIMESTAMP" if options.timestamp_format:
            formats = [options.timestamp_format, *filter(None, [options.date_format]), "%Y-%m-%d"]
            return f"STRPTIME({value}, {quote_literal(formats)})"
        case "TIMESTAMP" if options.date_format:
            parsed = f"TRY_STRPTIME({value}, {quote_literal(options.date_format)})"
            return f"coalesce({parsed}, TRY_CAST({value} AS TIMESTAMP))"
        case "DOUBLE" | "FLOAT":
            return f"CAST({_number(value, options)} AS {kind})"
        case _ if kind.startswith("DECIMAL("):
            return f"CAST({_number(value, options)} AS {kind})"
        case _:
            return f"CAST({value} AS {kind})"


def _number(value: str, options: FileOptions) -> str:
    return f"replace({value}, ',', '.')" if options.decimal_separator == "," else value


def _matches(value: str, pattern: str, kind: str, as_text: str | None = None) -> str:
    cast = f"TRY_CAST({as_text or value} AS {kind}) IS NOT NULL"
    return f"(regexp_full_match({value}, {quote_literal(pattern)}) AND {cast})"
