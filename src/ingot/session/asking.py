"""Python's arguments -> a query in Cube's JSON. Names of members are looked up by whoever answers."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from ingot.errors import UsageError, did_you_mean

Where = Mapping[str, Any] | Sequence[Mapping[str, Any]]
"""By member: a value, several values, None, or `{operator: value}`; or filters as Cube has them."""

_OPERATORS = {
    "=": "equals",
    "==": "equals",
    "!=": "notEquals",
    ">": "gt",
    ">=": "gte",
    "<": "lt",
    "<=": "lte",
    "in": "equals",
    "not in": "notEquals",
    "during": "inDateRange",
    "not during": "notInDateRange",
    "before": "beforeDate",
    "after": "afterDate",
}
_CUBES = frozenset(
    {"equals", "notEquals", "contains", "notContains", "startsWith", "notStartsWith", "endsWith", "notEndsWith",
     "gt", "gte", "lt", "lte", "set", "notSet", "inDateRange", "notInDateRange", "onTheDate", "beforeDate",
     "beforeOrOnDate", "afterDate", "afterOrOnDate", "notIn"}
)  # fmt: skip


def query(
    measures: str | Iterable[str],
    by: str | Iterable[str],
    where: Where,
    *,
    segments: str | Iterable[str] = (),
    order: str | Iterable[str] = (),
    limit: int | None = None,
    timezone: str | None = None,
) -> dict[str, Any]:
    """The query. `by` may end in a granularity (`orders.created_at.month`); `-` before a name in `order` descends.

    Raises `UsageError` for an operator that does not exist.
    """
    dimensions, times = [], []
    for name in _names(by):
        whole, _, granularity = name.rpartition(".")
        if whole.count(".") == 1:
            times.append({"dimension": whole, "granularity": granularity})
        else:
            dimensions.append(name)
    asked: dict[str, Any] = {
        "measures": _names(measures),
        "dimensions": dimensions,
        "timeDimensions": times,
        "segments": _names(segments),
        "filters": filters(where),
    }
    ordered = [(name.removeprefix("-"), "desc" if name.startswith("-") else "asc") for name in _names(order)]
    if ordered:
        asked["order"] = [[_ordered(name), way] for name, way in ordered]
    if limit is not None:
        asked["limit"] = limit
    if timezone is not None:
        asked["timezone"] = timezone
    return {key: value for key, value in asked.items() if value != []}


def filters(where: Where) -> list[dict[str, Any]]:
    """The conditions, in Cube's form. Raises `UsageError`."""
    if not isinstance(where, Mapping):
        return [dict(one) for one in where]
    return [one for member, given in where.items() for one in _of_member(member, given)]


def _of_member(member: str, given: Any) -> list[dict[str, Any]]:
    if given is None:
        return [{"member": member, "operator": "notSet"}]
    if isinstance(given, Mapping):
        return [_compared(member, operator, value) for operator, value in given.items()]
    return [_compared(member, "equals", given)]


def _compared(member: str, operator: str, value: Any) -> dict[str, Any]:
    name = _OPERATORS.get(operator, operator)
    if name not in _CUBES:
        near = did_you_mean(operator, [*_OPERATORS, *_CUBES])
        raise UsageError(f"There is no operator '{operator}' to compare '{member}' with{near}.")
    if value is None and name in ("equals", "notEquals"):
        return {"member": member, "operator": "notSet" if name == "equals" else "set"}
    if name in ("set", "notSet"):
        return {"member": member, "operator": name}
    values = [value] if isinstance(value, str) or not isinstance(value, Iterable) else list(value)
    return {"member": member, "operator": name, "values": [_text(one) for one in values]}


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, int | float | Decimal):
        return str(value)
    raise UsageError(
        f"A value to compare with is text, a number, a time, true or false, not {type(value).__name__}."
    )


def _ordered(name: str) -> str:
    """A time by a granularity is ordered by its own name, as in Cube."""
    whole = name.rpartition(".")[0]
    return whole if whole.count(".") == 1 else name


def _names(given: str | Iterable[str]) -> list[str]:
    return [given] if isinstance(given, str) else list(given)
