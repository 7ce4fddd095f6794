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
_FRACTION, _MOMENT, _ZONED_TIME = "a fraction", "a moment", "TIMESTAMP WITH TIME ZONE"
"""Kinds of values; `DOUBLE` and `TIMESTAMP` as types of columns take whole numbers and dates as well."""
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
    fits = _declared_fits(name, kind, options) if declared else _shape(name, kind, options)
    failure = f"error({quote_literal(f'{MISFIT}{number}{MISFIT}')} || {name})"
    value = f"coalesce(CASE WHEN {fits} THEN {_cast(name, kind, options)} END, {failure})"
    return f"CASE WHEN {name} IS NOT NULL THEN {value} END AS {name}"


def declared_type(text: str) -> str:
    """The name of the DuckDB type that somebody wrote. Raises `ValueError` where there is no such type."""
    try:
        return str(duckdb.sqltype(text))
    except duckdb.Error as error:
        raise ValueError(str(error).splitlines()[0]) from error


def _class_of(value: str, options: FileOptions) -> str:
    kinds = ((_INT, "BIGINT"), (_DOUBLE, _FRACTION), (_DATE, "DATE"), (_TIME, _MOMENT), (_ZONED, _ZONED_TIME))
    cases = " ".join(f"WHEN {_fits(value, kind, options)} THEN {bit}" for bit, kind in kinds)
    words = f"CASE WHEN {_shape(value, 'BOOLEAN', options)} THEN {_BOOL} ELSE {_TEXT} END"
    # What begins with a letter is neither number nor time, unless somebody said how times are written;
    # a cast that fails is slow.
    first = "" if options.date_format or options.timestamp_format else f"WHEN {value} >= ':' THEN {words}"
    return f"CASE WHEN {value} IS NULL THEN 0 {first} {cases} ELSE {words} END"


def _fits(value: str, kind: str, options: FileOptions) -> str:
    """Whether a value that is not NULL is of an inferred `kind`."""
    cast = {_FRACTION: "DOUBLE", _MOMENT: "TIMESTAMP"}.get(kind, kind)
    return f"({_shape(value, kind, options)} AND {_cast(value, cast, options)} IS NOT NULL)"


def _shape(value: str, kind: str, options: FileOptions) -> str:
    """Whether a value is written as values of the `kind` are; its cast must succeed as well."""
    day = "true" if options.date_format else f"{value} LIKE '____-__-__'"
    shapes = {
        "BOOLEAN": f"lower({value}) IN ('true', 'false')",
        # Only a text that the number is written as in turn: no leading zero, sign, space or fraction.
        "BIGINT": f"coalesce(TRY_CAST({value} AS BIGINT)::VARCHAR = {value}, false)",
        _FRACTION: _fraction(value, options),
        "DATE": day,
        _MOMENT: _moment(value, options),
        _ZONED_TIME: f"regexp_full_match({value}, {quote_literal(_CLOCK + _ZONE)})",
    }
    shapes["DOUBLE"] = f"({shapes['BIGINT']} OR {shapes[_FRACTION]})"
    shapes["TIMESTAMP"] = f"({shapes[_MOMENT]} OR {day})"
    return shapes.get(kind) or _declared_fits(value, kind, options)


def _fraction(value: str, options: FileOptions) -> str:
    dot = f"[{options.decimal_separator or '.'}]"
    pattern = rf"-?((0|[1-9]\d*)({dot}\d+)?|{dot}\d+)([eE][+-]\d+)?"
    number = _number(value, options)
    # Up to 15 digits are exact in a DOUBLE; more only where it is written the same in turn.
    exact = f"(length({value}) <= 16 OR TRY_CAST({number} AS DOUBLE)::VARCHAR IN ({number}, rtrim({number}, '0')))"
    return f"(regexp_full_match({value}, {quote_literal(pattern)}) AND {exact})"


def _moment(value: str, options: FileOptions) -> str:
    if options.timestamp_format:
        return f"TRY_STRPTIME({value}, {quote_literal(options.timestamp_format)}) IS NOT NULL"
    usual = f"{value} LIKE '____-__-__ __:__:__'"
    return f"({usual} OR regexp_full_match({value}, {quote_literal(_CLOCK)}))"


def _declared_fits(value: str, kind: str, options: FileOptions) -> str:
    number = _number(value, options)
    if kind in _WHOLE:
        return _matches(value, r"\s*[+-]?\d+\s*", kind)
    if kind.startswith("DECIMAL("):
        scale = int(kind.rpartition(",")[2].rstrip(")"))
        return _matches(number, rf"\s*[+-]?\d*(\.\d{{0,{scale}}}0*)?\s*", kind)
    if kind == "DATE":
        return (
            _fits(value, kind, options)
            if options.date_format
            else _matches(value, r"\d{4}-\d\d?-\d\d?", "DATE")
        )
    if kind == "TIMESTAMP":
        return f"({_fits(value, 'TIMESTAMP', options)} OR {_matches(value, _CLOCK + 'Z', 'TIMESTAMP')})"
    return f"TRY_CAST({number if kind in ('DOUBLE', 'FLOAT') else value} AS {kind}) IS NOT NULL"


def _cast(value: str, kind: str, options: FileOptions) -> str:
    """The value as `kind`, NULL where that cannot be."""
    number = kind in ("DOUBLE", "FLOAT") or kind.startswith("DECIMAL(")
    plain = f"TRY_CAST({_number(value, options) if number else value} AS {kind})"
    day = f"TRY_STRPTIME({value}, {quote_literal(options.date_format)})" if options.date_format else ""
    if kind == "DATE" and day:
        return f"{day}::DATE"
    if kind == "TIMESTAMP" and (day or options.timestamp_format):
        moment = (
            f"TRY_STRPTIME({value}, {quote_literal(options.timestamp_format)})"
            if options.timestamp_format
            else plain
        )
        return f"coalesce({moment}, {day or plain})"
    return plain


def _number(value: str, options: FileOptions) -> str:
    return f"replace({value}, ',', '.')" if options.decimal_separator == "," else value


def _matches(value: str, pattern: str, kind: str, as_text: str | None = None) -> str:
    cast = f"TRY_CAST({as_text or value} AS {kind}) IS NOT NULL"
    return f"(regexp_full_match({value}, {quote_literal(pattern)}) AND {cast})"
