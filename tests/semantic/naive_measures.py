"""The rolling and multi-stage measures of the shop as the naive evaluator knows them, one by one as documented."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.semantic import naive
from tests.semantic.naive_times import Length, floor, later

TIME = "orders.created_at"
NO_SHIFT: Length = (0, 0, 0)


@dataclass(frozen=True)
class Scope:
    dimensions: tuple[str, ...]
    filters: tuple[tuple[str, str, tuple[Any, ...]], ...]
    zone: str
    dates: tuple[datetime, datetime] | None = None
    """Local times of the date range: the first, and the first that is not in it."""
    shift: tuple[tuple[str, Length], ...] = ()

    def moved(self, member: str) -> Length:
        return dict(self.shift).get(member, NO_SHIFT)


@dataclass(frozen=True)
class Window:
    base: str
    trailing: Length | None = NO_SHIFT
    leading: Length | None = NO_SHIFT
    at_start: bool = False
    to_date: str | None = None

    def holds(self, time: datetime, start: datetime, end: datetime) -> bool:
        if self.to_date is not None:
            return floor(start, self.to_date) <= time < end
        edge = start if self.at_start else end
        return (self.trailing is None or time >= later(edge, self.trailing, -1)) and (
            self.leading is None or time < later(edge, self.leading)
        )


ROLLING = {
    "orders.roll_total": Window("orders.total", (2, 0, 0)),
    "orders.roll_week": Window("orders.total", (0, 7, 0), (0, 1, 0), at_start=True),
    "orders.roll_before": Window("orders.count", (1, 0, 0), at_start=True),
    "orders.roll_hours": Window("orders.most", (0, 0, 36 * 3600), (0, 0, -3600)),
    "orders.cumulative": Window("orders.count", None),
    "orders.to_come": Window("orders.count", NO_SHIFT, None, at_start=True),
    "orders.ever": Window("orders.buyers", None, None),
    "orders.roll_buyers": Window("orders.buyers", (3, 0, 0)),
    "orders.roll_mean": Window("orders.mean", (3, 0, 0)),
    "orders.roll_done": Window("orders.done_total", (12, 0, 0)),
    "orders.ytd": Window("orders.total", to_date="year"),
    "orders.qtd": Window("orders.count", to_date="quarter"),
}


@dataclass(frozen=True)
class Stage:
    of: tuple[str, ...]
    value: Callable[..., Any] = field(default=lambda value: value)
    fold: Callable[[list[Any]], Any] | None = None
    keep: tuple[str, ...] | None = None
    drop: tuple[str, ...] = ()
    add: tuple[str, ...] = ()
    shift: Length = NO_SHIFT
    only: str | None = None
    """The time dimension that is shifted; None: all."""
    filters: Callable[["Scope", "Scope"], tuple[Any, ...]] | None = None
    """The filters inside, from the scope and that of the whole query; the date range comes last."""
    rank: bool = False


def without(*names: str) -> Callable[[Scope, Scope], tuple[Any, ...]]:
    return lambda scope, _: (tuple(one for one in scope.filters if one[0] not in names), scope.dates)


def kept_only(*names: str) -> Callable[[Scope, Scope], tuple[Any, ...]]:
    return lambda _, top: (tuple(one for one in top.filters if one[0] in names), None)


def done(scope: Scope, top: Scope) -> tuple[Any, ...]:
    kept, dates = without("orders.status")(scope, top)
    return (*kept, ("orders.status", "equals", ("done",))), dates


def known(values: list[Any]) -> list[Any]:
    return [one for one in values if one is not None]


def total(values: list[Any]) -> Any:
    return sum(known(values)) if known(values) else None


def mean(values: list[Any]) -> Any:
    return sum(known(values)) / len(known(values)) if known(values) else None


def minus(a: Any, b: Any) -> Any:
    return None if a is None or b is None else a - b


STAGES = {
    "orders.month_ago": Stage(("orders.total",), shift=(1, 0, 0)),
    "orders.day_ahead": Stage(("orders.count",), shift=(0, -1, 0), only=TIME),
    "orders.hours_ago": Stage(("orders.count",), shift=(0, 0, 5 * 3600)),
    "orders.two_ago": Stage(("orders.month_ago",), shift=(1, 0, 0)),
    "orders.ytd_ago": Stage(("orders.ytd",), shift=(12, 0, 0)),
    "orders.growth": Stage(("orders.total", "orders.month_ago"), minus),
    "orders.of_status": Stage(("orders.total",), fold=total, keep=("orders.status",)),
    "orders.share": Stage(("orders.total", "orders.of_status"), naive.divided),
    "orders.no_city": Stage(("orders.count",), lambda count: count + 1, drop=("customers.city",)),
    "orders.mean_of_cities": Stage(("orders.total",), fold=mean, add=("customers.city",)),
    "orders.big_cities": Stage(
        ("orders.count",),
        lambda count: 1 if count > 1 else None,
        fold=lambda v: len(known(v)),
        add=("customers.city",),
    ),
    "orders.most_of_status": Stage(
        ("orders.total",),
        fold=lambda v: max(known(v), default=None),
        keep=("customers.size",),
        add=("orders.status",),
    ),
    "orders.nested": Stage(("orders.mean_of_cities",), fold=total, add=("orders.status",)),
    "orders.place": Stage(("orders.total",), drop=("customers.city",), rank=True),
    "orders.any_status": Stage(("orders.count",), filters=without("orders.status")),
    "orders.city_only": Stage(("orders.total",), filters=kept_only("customers.city")),
    "orders.only_done": Stage(("orders.count",), filters=done),
    "orders.spread_of": Stage(
        ("orders.total",),
        fold=lambda v: max(known(v)) - min(known(v)) if known(v) else None,
        add=("customers.city",),
    ),
    "orders.done_cities": Stage(
        ("orders.total", "orders.count"),
        lambda total_, count: (total_,) if count >= 2 else None,
        fold=lambda v: total([one[0] for one in known(v)]),
        add=("customers.city",),
    ),
}
CALCULATED = naive.CALCULATED | {"orders.roll_ratio": (["orders.ytd", "orders.cumulative"], naive.divided)}
