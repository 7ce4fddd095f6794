"""Partition and sort terms: `month(ordered_at)`, `bucket(16, id)`, `amount desc`; their SQL and their values."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from ingot.errors import did_you_mean
from ingot.lake import bounds, murmur
from ingot.lake.errors import SchemaError
from ingot.lake.sql import identifier
from ingot.lake.types import Json

_TERM = re.compile(r"\s*(?:(?P<name>\w+)\s*\((?P<args>.*)\)|(?P<column>.+?))\s*", re.DOTALL)
_DIRECTION = re.compile(r"\s+(asc|desc)(?:\s+nulls\s+(first|last))?\s*$", re.IGNORECASE)
_KNOWN = re.compile(r"identity|year|month|day|hour|(?:bucket|truncate)\[\d+\]")
_UNITS = {
    "year": ("date", "timestamp", "timestamptz"),
    "month": ("date", "timestamp", "timestamptz"),
    "day": ("date", "timestamp", "timestamptz"),
    "hour": ("timestamp", "timestamptz"),
}
_HASHED_AS_LONG = {
    "int": "{}::BIGINT",
    "long": "{}",
    "date": "date_diff('day', DATE '1970-01-01', {})",
    "time": "epoch_us({})",
    "timestamp": "epoch_us({})",
    "timestamptz": "epoch_us({})",
}
_IDENTITY = ("boolean", "int", "long", "date", "time", "timestamp", "timestamptz", "string", "uuid", "binary")


@dataclass(frozen=True, slots=True)
class Term:
    """A transform of one column, as Iceberg writes it (`bucket[16]`)."""

    transform: str
    field: Json

    @property
    def result(self) -> str:
        """The Iceberg type of the transform's values."""
        if self.transform == "identity" or self.transform.startswith("truncate"):
            return str(self.field["type"])
        # The specification says int for `day`; every implementation writes a date, which is the same number.
        return "date" if self.transform == "day" else "int"

    def sql(self) -> str:
        """The value as an expression over the column, in a form that `value` reads back exactly."""
        column, kind = identifier(self.field["name"]), str(self.field["type"])
        if self.transform in _UNITS:
            moment = f"({column} AT TIME ZONE 'UTC')" if kind == "timestamptz" else column
            # Counts the boundaries passed since 1970, thus rounds down before it as well.
            return f"date_diff('{self.transform}', TIMESTAMP '1970-01-01', {moment})"
        if self.transform.startswith("bucket"):
            return f"({_hash(column, kind)} & 2147483647) % {self._parameter}"
        if self.transform.startswith("truncate"):
            column = _truncated(column, kind, self._parameter)
        if kind == "binary":
            return f"hex({column})"
        return f"({column} AT TIME ZONE 'UTC')" if kind == "timestamptz" else column

    def value(self, text: str | None) -> Any:
        """The partition value for DuckDB's text of it, as the manifest stores it."""
        if text is None:
            return None
        if self.result == "date" and self.transform == "day":
            return int(text)
        found = bounds.parse(self.result, text)
        if found is None:
            raise SchemaError(
                f"The value {text} of '{self.field['name']}' cannot be a partition: it is outside of the years 1 to 9999."
            )
        return found

    @property
    def _parameter(self) -> int:
        return int(self.transform.partition("[")[2].rstrip("]"))


def apply(transform: str, kind: str, value: Any) -> Any:  # noqa: PLR0911 (one case a transform)
    """The transform of a value in the form in which Iceberg stores both; None where it cannot be told."""
    name, _, argument = transform.partition("[")
    width = int(argument.rstrip("]") or 0)
    if name == "bucket":
        content = _hashed(kind, value)
        return None if content is None else (murmur.hashed(content) & 0x7FFFFFFF) % width
    if name == "truncate":
        if isinstance(value, str | bytes):
            return value[:width]
        if isinstance(value, Decimal):
            number = _whole(value, kind)
            if number is None:
                return None
            number -= number % width
            return Decimal((int(number < 0), tuple(map(int, str(abs(number)))), -_scale(kind)))
        return value - value % width
    if name == "identity":
        return value
    if kind != "date":
        seconds = value // 1_000_000
        if name == "hour":
            return seconds // 3600
        value = seconds // 86_400
    if name == "day":
        return value
    try:
        day = date(1970, 1, 1) + timedelta(days=value)
    except OverflowError:
        return None
    return day.year - 1970 if name == "year" else (day.year - 1970) * 12 + day.month - 1


def _hashed(kind: str, value: Any) -> bytes | None:
    if kind in _HASHED_AS_LONG:
        return int(value).to_bytes(8, "little", signed=True)
    if kind.startswith("decimal"):
        number = _whole(value, kind)
        return None if number is None else bounds.unscaled_bytes(number)
    return bounds.encode(kind, value) if kind in ("string", "uuid", "binary") else None


def _whole(value: Decimal, kind: str) -> int | None:
    """A decimal as the whole number that Iceberg stores; None where the column has fewer digits."""
    exponent = value.as_tuple().exponent
    fits = isinstance(exponent, int) and -exponent <= _scale(kind)
    return bounds.unscaled(value, kind) if fits else None


def _hash(column: str, kind: str) -> str:
    if kind in _HASHED_AS_LONG:
        return murmur.of_long(_HASHED_AS_LONG[kind].format(column))
    if kind == "string":
        return murmur.of_bytes(f"encode({column})")
    if kind == "uuid":
        return murmur.of_bytes(f"unhex(replace({column}::VARCHAR, '-', ''))")
    return murmur.of_bytes(column)


def _truncated(column: str, kind: str, width: int) -> str:
    if kind == "string":
        return f"substring({column}, 1, {width})"
    if kind == "binary":
        return f"unhex(substring(hex({column}), 1, {2 * width}))"
    if kind.startswith("decimal"):
        step = f"({width}::{_decimal(kind)} / 1)" if _scale(kind) == 0 else _scaled(width, kind)
        rest = f"(({column} % {step}) + {step}) % {step}"
        return f"CAST({column} - {rest} AS {_decimal(kind)})"
    rest = f"((({column} % {width}) + {width}) % {width})"
    return f"({column} - {rest})"


def _decimal(kind: str) -> str:
    return kind.upper().replace(" ", "")


def _scale(kind: str) -> int:
    return int(kind.rstrip(")").split(",")[1])


def _scaled(width: int, kind: str) -> str:
    digits = str(width).rjust(_scale(kind) + 1, "0")
    whole, fraction = digits[: -_scale(kind)], digits[-_scale(kind) :]
    return f"CAST('{whole}.{fraction}' AS {_decimal(kind)})"


def partition_terms(terms: Sequence[str], fields: Sequence[Json]) -> list[Term]:
    """The parsed terms; `SchemaError` names the term and what was expected."""
    found = [_partition_term(term, fields) for term in terms]
    for index, one in enumerate(found):
        if one in found[:index]:
            raise SchemaError(f"The partition term '{terms[index]}' is given twice.")
    return found


def _partition_term(text: str, fields: Sequence[Json]) -> Term:
    match = _TERM.fullmatch(text)
    if match is None:
        raise SchemaError(
            f"'{text}' is not a partition term; write a column or, for example, month(ordered_at)."
        )
    if match["column"]:
        field = _field(match["column"], text, fields)
        return _checked(Term("identity", field), text)
    name = match["name"].lower()
    name = name[:-1] if name in ("years", "months", "days", "hours") else name
    arguments = [one.strip() for one in match["args"].split(",")]
    if name in _UNITS and len(arguments) == 1:
        return _checked(Term(name, _field(arguments[0], text, fields)), text)
    if name in ("bucket", "truncate") and len(arguments) == 2:
        number, column = arguments if arguments[0].isdecimal() else arguments[::-1]
        if number.isdecimal() and 0 < int(number) < 2**31:
            return _checked(Term(f"{name}[{int(number)}]", _field(column, text, fields)), text)
    if name == "identity" and len(arguments) == 1:
        return _checked(Term("identity", _field(arguments[0], text, fields)), text)
    known = ("identity", "year", "month", "day", "hour", "bucket", "truncate")
    raise SchemaError(
        f"'{text}' is not a partition term{did_you_mean(name, known)}; known are a column, year(c), month(c), "
        "day(c), hour(c), bucket(16, c) and truncate(4, c)."
    )


def _field(column: str, text: str, fields: Sequence[Json]) -> Json:
    name = column[1:-1].replace('""', '"') if column.startswith('"') and column.endswith('"') else column
    for field in fields:
        if field["name"].casefold() == name.casefold():
            return field
    known = [field["name"] for field in fields]
    raise SchemaError(
        f"'{text}' names no column of the table: there is no '{name}'{did_you_mean(name, known)}."
    )


def _checked(term: Term, text: str) -> Term:
    kind = term.field["type"]
    name = term.transform.partition("[")[0]
    if isinstance(kind, dict):
        raise SchemaError(f"'{text}' is over a {kind['type']}; only simple columns can partition a table.")
    if name in _UNITS:
        fits = kind in _UNITS[name]
    elif name == "truncate":
        fits = kind in ("int", "long", "string", "binary") or kind.startswith("decimal")
    elif name == "bucket":
        fits = kind in _HASHED_AS_LONG or kind in ("string", "uuid", "binary")
    else:
        fits = kind in _IDENTITY or kind.startswith("decimal")
    if not fits:
        raise SchemaError(
            f"'{text}' cannot partition the table: {name} does not take a column of type {kind}."
        )
    return term


def spec(terms: Sequence[Term], fields: Sequence[Json]) -> Json:
    """The partition spec of these terms, without field ids."""
    taken = {field["name"].casefold() for field in fields}
    parts = []
    for term in terms:
        source, kind = term.field["name"], term.transform.partition("[")[0]
        name = source if kind == "identity" else f"{source}_{'trunc' if kind == 'truncate' else kind}"
        while kind != "identity" and name.casefold() in taken:
            name += "_part"
        taken.add(name.casefold())
        parts.append({"name": name, "transform": term.transform, "source-id": term.field["id"]})
    return {"fields": parts}


def terms_of(spec: Json, fields: Sequence[Json]) -> list[Term]:
    """The terms of a table's spec; `SchemaError` where a column of it is gone or its transform is unknown."""
    by_id = {field["id"]: field for field in fields}
    found = []
    for part in spec["fields"]:
        if not _KNOWN.fullmatch(part["transform"]):
            raise SchemaError(
                f"The partition transform '{part['transform']}' of '{part['name']}' cannot be written."
            )
        field = by_id.get(part["source-id"])
        if field is None:
            raise SchemaError(
                f"The partition field '{part['name']}' is over a column that is not in the data."
            )
        found.append(_checked(Term(part["transform"], field), part["name"]))
    return found


def sort_order(terms: Sequence[str], fields: Sequence[Json]) -> Json:
    """The Iceberg sort order of terms such as `amount desc nulls last`."""
    parts = []
    for text in terms:
        direction = _DIRECTION.search(text)
        field = _field((text[: direction.start()] if direction else text).strip(), text, fields)
        if isinstance(field["type"], dict):
            raise SchemaError(
                f"'{text}' is over a {field['type']['type']}; only simple columns can sort a table."
            )
        down = bool(direction and direction[1].lower() == "desc")
        nulls = (direction[2] if direction else None) or ("last" if down else "first")
        parts.append(
            {
                "transform": "identity",
                "source-id": field["id"],
                "direction": "desc" if down else "asc",
                "null-order": f"nulls-{nulls.lower()}",
            }
        )
    return {"fields": parts}


def order_by(order: Json, fields: Sequence[Json]) -> str:
    """The `ORDER BY` list of a sort order over plain columns; empty where there is none."""
    by_id = {field["id"]: field["name"] for field in fields}
    parts = [
        f"{identifier(by_id[part['source-id']])} {part['direction'].upper()} {part['null-order'].replace('-', ' ').upper()}"
        for part in order["fields"]
        if part["source-id"] in by_id and part["transform"] == "identity"
    ]
    return ", ".join(parts)
