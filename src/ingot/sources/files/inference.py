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
    if not columns:
        return Guess({}, frozenset())
    # One long column of all values, so that the tests are planned once and not once for every column.
    values = ", ".join(quote_identifier(name) for name in columns)
    long = f"SELECT unnest([{values}]) AS v, unnest(range({len(columns)})) AS i FROM {relation}"
    found = con.execute(f"SELECT i, bit_or({_class_of('v', options)}) FROM ({long}) GROUP BY i").fetchall()
    classes = {columns[index]: seen for index, seen in found}
    types: dict[str, str] = {}
    for name in columns:
        seen = classes.get(name, 0)
        types[name] = next((kind for fits, kind in _TYPES if seen and not seen & ~fits), "VARCHAR")
    return Guess(types, frozenset(name for name in columns if not classes.get(name)))


def converted(column: str, kind: str, options: FileOptions) -> str:
    """SQL that gives the column as `kind`, for values that are known to fit."""
    name = quote_identifier(column)
    return name if kind == "VARCHAR" else f"{_cast(name, kind, options)} AS {name}"


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
    tests = (
        (_INT, _is_whole(value)),
        (_DOUBLE, _is_double(value, options)),
        (_DATE, _is_date(value, options)),
        (_TIME, _is_time(value, options)),
        (_ZONED, _is_zoned(value)),
        (_BOOL, _is_truth(value)),
    )
    cases = " ".join(f"WHEN {test} THEN {bit}" for bit, test in tests)
    return f"CASE WHEN {value} IS NULL THEN 0 {cases} ELSE {_TEXT} END"


def _fits(value: str, kind: str, options: FileOptions) -> str:
    """Whether a value that is not NULL is of an inferred `kind`: in one of the classes that make it."""
    whole, date = _is_whole(value), _is_date(value, options)
    tests = {
        "BOOLEAN": _is_truth(value),
        "BIGINT": whole,
        "DOUBLE": f"({whole} OR {_is_double(value, options)})",
        "DATE": date,
        "TIMESTAMP": f"({_is_time(value, options)} OR {date})",
        "TIMESTAMP WITH TIME ZONE": _is_zoned(value),
    }
    return tests.get(kind) or _declared_fits(value, kind, options)


def _is_whole(value: str) -> str:
    # Only a text that the number is written as in turn: no leading zero, sign, space or fraction.
    return f"coalesce(TRY_CAST({value} AS BIGINT)::VARCHAR = {value}, false)"


def _is_date(value: str, options: FileOptions) -> str:
    if options.date_format:
        return f"TRY_STRPTIME({value}, {quote_literal(options.date_format)}) IS NOT NULL"
    return f"coalesce(TRY_CAST({value} AS DATE)::VARCHAR = {value}, false)"


def _is_zoned(value: str) -> str:
    return _matches(value, _CLOCK + _ZONE, "TIMESTAMPTZ")


def _is_truth(value: str) -> str:
    return f"(lower({value}) IN ('true', 'false'))"


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
    if kind == "DATE":
        return (
            _is_date(value, options) if options.date_format else _matches(value, r"\d{4}-\d\d?-\d\d?", "DATE")
        )
    if kind == "TIMESTAMP":
        return f"({_fits(value, 'TIMESTAMP', options)} OR {_matches(value, _CLOCK + 'Z', 'TIMESTAMP')})"
    return f"TRY_CAST({number if kind in ('DOUBLE', 'FLOAT') else value} AS {kind}) IS NOT NULL"


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
