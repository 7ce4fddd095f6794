"""Columns of an answer -> the nested rows that a selection asked for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from ingot.semantic.errors import QueryError


@dataclass(frozen=True, slots=True)
class Leaf:
    """A column, by its key in the answer."""

    key: str
    type: str


@dataclass(frozen=True, slots=True)
class Constant:
    """The same for each row: a type's name."""

    value: str


@dataclass(frozen=True, slots=True)
class Group:
    """An object in each row."""

    parts: Mapping[str, "Leaf | Constant | Group"]


def rows(shape: Group, answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of an answer in the columnar format. `QueryError` where a number's values are no numbers."""
    data = answer["data"]
    columns = dict(zip(data["members"], data["columns"], strict=True))
    count = len(data["columns"][0]) if data["columns"] else 0
    convert = _Converted(columns, ZoneInfo(answer["query"]["timezone"]))
    return _assembled(shape, convert, count)


def _assembled(part: Leaf | Constant | Group, convert: "_Converted", count: int) -> list[Any]:
    if isinstance(part, Constant):
        return [part.value] * count
    if isinstance(part, Leaf):
        return convert(part)
    names = list(part.parts)
    columns = [_assembled(one, convert, count) for one in part.parts.values()]
    return [dict(zip(names, line, strict=True)) for line in zip(*columns, strict=True)]


class _Converted:
    def __init__(self, columns: Mapping[str, Sequence[Any]], zone: ZoneInfo) -> None:
        self._columns = columns
        self._times: dict[str, str] = {}
        self._zone = zone

    def __call__(self, leaf: Leaf) -> list[Any]:
        convert: Callable[[Any], Any] = {"number": _number, "time": self._time}.get(leaf.type, _text)
        try:
            return [None if value is None else convert(value) for value in self._columns[leaf.key]]
        except (ValueError, TypeError):
            kind = "a time" if leaf.type == "time" else "a number"
            raise QueryError(f"'{leaf.key}' is {kind} in the model, but not all of its values are.") from None

    def _time(self, value: str) -> str:
        """As Cube's: the moment in UTC. A time that the zone has twice is the earlier one."""
        found = self._times.get(value)
        if found is None:
            moment = datetime.fromisoformat(value).replace(tzinfo=self._zone).astimezone(UTC)
            found = moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
            self._times[value] = found
        return found


def _number(value: Any) -> int | float:
    if isinstance(value, str):
        if value.lstrip("-").isdigit() and len(value) < 19:
            return int(value)
        return float(value)
    if isinstance(value, bool | int | float):
        return int(value) if isinstance(value, bool) else value
    raise TypeError


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
