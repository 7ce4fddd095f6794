# ruff: noqa: DTZ001 - times in tables have no zone
"""What a query of the shop means, by nested loops over Python rows. Knows no SQL and nothing of the planner.

By definition: each row of a measure's cube is taken once for every group that it meets in the joined rows
that pass the filters; the value is the aggregate over these rows. Groups of several measures are put together.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Row = dict[str, Any]
Rows = dict[str, list[Row]]
Joined = dict[str, Row | None]

# (declaring cube, other cube, column here, column there)
LINKS = [
    ("orders", "customers", "customer_id", "id"),
    ("orders", "items", "id", "order_id"),
    ("customers", "regions", "region_id", "id"),
    ("items", "products", "product_id", "id"),
    ("tickets", "customers", "customer_id", "id"),
]


class UnreachableError(Exception):
    """No cube of the query reaches all the others."""


@dataclass
class Asked:
    measures: list[str] = field(default_factory=list)
    dimensions: list[str] = field(default_factory=list)
    filters: list[tuple[str, str, list[Any]]] = field(default_factory=list)
    having: list[tuple[str, str, float]] = field(default_factory=list)
    segments: list[str] = field(default_factory=list)
    zone: str = "UTC"


def get(row: Row | None, column: str) -> Any:
    return None if row is None else row[column]


def size(customer: Row | None) -> str:
    score = get(customer, "score")
    return "none" if score is None else "big" if score >= 5 else "small"


DIMENSIONS: dict[str, tuple[list[str], Callable[[Joined], Any]]] = {
    "orders.status": (["orders"], lambda j: get(j["orders"], "status")),
    "orders.paid": (["orders"], lambda j: get(j["orders"], "paid")),
    "orders.amount": (["orders"], lambda j: get(j["orders"], "amount")),
    "orders.created_at": (["orders"], lambda j: get(j["orders"], "created_at")),
    "customers.city": (["customers"], lambda j: get(j["customers"], "city")),
    "customers.size": (["customers"], lambda j: size(j["customers"])),
    "regions.name": (["regions"], lambda j: get(j["regions"], "name")),
    "items.qty": (["items"], lambda j: get(j["items"], "qty")),
    "items.kind": (["items", "products"], lambda j: get(j["products"], "kind")),
    "products.kind": (["products"], lambda j: get(j["products"], "kind")),
    "tickets.topic": (["tickets"], lambda j: get(j["tickets"], "topic")),
    "tickets.opened_at": (["tickets"], lambda j: get(j["tickets"], "opened_at")),
}
SEGMENTS = {"orders.large": ("orders", lambda j: (get(j["orders"], "amount") or 0) >= 5)}


def total(values: list[Any]) -> Any:
    known = [v for v in values if v is not None]
    return sum(known) if known else None


def mean(values: list[Any]) -> Any:
    return sum(values) / len(values) if values else None


def spread(values: list[Any]) -> Any:
    return max(values) - min(values) if values else None


def column(rows: list[Row], name: str) -> list[Any]:
    return [row[name] for row in rows]


def known(values: list[Any]) -> list[Any]:
    return [v for v in values if v is not None]


# An aggregate of the rows of one cube; `world` finds the rows that they refer to.
LEAVES: dict[str, Callable[[list[Row], Rows], Any]] = {
    "orders.count": lambda rows, _: len(rows),
    "orders.total": lambda rows, _: total(column(rows, "amount")),
    "orders.done_total": lambda rows, _: total(
        [r["amount"] for r in rows if r["status"] == "done" and r["paid"]]
    ),
    "orders.mean": lambda rows, _: mean(known(column(rows, "amount"))),
    "orders.least": lambda rows, _: min(known(column(rows, "amount")), default=None),
    "orders.most": lambda rows, _: max(known(column(rows, "amount")), default=None),
    "orders.buyers": lambda rows, _: len(set(known(column(rows, "customer_id")))),
    "orders.flat": lambda rows, _: len(rows) or None,
    "orders.unknown": lambda rows, _: sum(r["status"] is None for r in rows),
    "orders.spread": lambda rows, _: spread(known(column(rows, "amount"))),
    "customers.count": lambda rows, _: len(rows),
    "customers.score": lambda rows, _: total(column(rows, "score")),
    "customers.flat": lambda rows, _: total([1 if s is None else s for s in column(rows, "score")]),
    "regions.count": lambda rows, _: len(rows),
    "items.count": lambda rows, _: len(rows),
    "items.quantity": lambda rows, _: total(column(rows, "qty")),
    "items.value": lambda rows, world: total([times(r, world) for r in rows]),
    "products.count": lambda rows, _: len(rows),
    "products.price_sum": lambda rows, _: total(column(rows, "price")),
    "tickets.count": lambda rows, _: len(rows),
    "tickets.hours": lambda rows, _: total(column(rows, "hours")),
}


def times(item: Row, world: Rows) -> Any:
    price = next((p["price"] for p in world["products"] if p["id"] == item["product_id"]), None)
    return None if price is None or item["qty"] is None else price * item["qty"]


def divided(a: Any, b: Any) -> Any:
    return None if a is None or not b else a / b


CALCULATED: dict[str, tuple[list[str], Callable[..., Any]]] = {
    "orders.ratio": (["orders.total", "orders.count"], divided),
    "customers.per_order": (["orders.count", "customers.count"], divided),
}
EXTRA_CUBES = {"items.value": ["products"]}


def reach(start: str, end: str) -> list[str] | None:
    """The cubes from start to end along declared links."""
    if start == end:
        return [start]
    for left, right, _, _ in LINKS:
        if left == start and (rest := reach(right, end)) is not None:
            return [start, *rest]
    return None


def joined(needed: Sequence[str], world: Rows) -> list[Joined]:
    """All rows of the smallest join of the needed cubes."""
    best: tuple[int, str, set[str]] | None = None
    for root in dict.fromkeys(needed):
        ways = [reach(root, cube) for cube in needed]
        if all(way is not None for way in ways):
            cubes = {cube for way in ways for cube in way or []}
            if best is None or len(cubes) < best[0]:
                best = (len(cubes), root, cubes)
    if best is None:
        raise UnreachableError
    _, root, cubes = best
    found: list[Joined] = [{root: row} for row in world[root]]
    waiting = [root]
    while waiting:
        at = waiting.pop()
        for left, right, here, there in LINKS:
            if left == at and right in cubes:
                wider: list[Joined] = []
                for row in found:
                    value = get(row[left], here)
                    matches: list[Row | None] = [
                        r for r in world[right] if value is not None and r[there] == value
                    ]
                    wider += [{**row, right: match} for match in matches or [None]]
                found = wider
                waiting.append(right)
    return found


def period(value: datetime | None, granularity: str | None, zone: str) -> datetime | None:
    if value is None:
        return None
    local = value.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    if granularity is None:
        return local
    midnight = datetime(local.year, local.month, local.day)
    return {
        "hour": midnight + timedelta(hours=local.hour),
        "day": midnight,
        "week": midnight - timedelta(days=local.isoweekday() - 1),
        "month": datetime(local.year, local.month, 1),
        "quarter": datetime(local.year, 1 + 3 * ((local.month - 1) // 3), 1),
        "year": datetime(local.year, 1, 1),
    }[granularity]


def split(name: str) -> tuple[str, str | None]:
    return (name.rsplit(".", 1)[0], name.rsplit(".", 1)[1]) if name.count(".") == 2 else (name, None)


def dimension_value(name: str, row: Joined, zone: str) -> Any:
    base, granularity = split(name)
    value = DIMENSIONS[base][1](row)
    return period(value, granularity, zone) if base.endswith("_at") else value


def passes(value: Any, operator: str, values: list[Any]) -> bool:
    plain = [v for v in values if v is not None]
    if operator == "equals":
        return value in plain if value is not None else None in values
    if operator == "notEquals":
        return value not in plain if value is not None else None not in values
    if operator == "set":
        return value is not None
    if operator == "notSet":
        return value is None
    if operator in ("contains", "notContains"):
        if value is None:
            return (operator == "notContains") != (None in values)
        hit = any(v.lower() in value.lower() for v in plain)
        return hit == (operator == "contains")
    if operator in ("startsWith", "endsWith"):
        return value is not None and any(getattr(value.lower(), operator.lower())(v.lower()) for v in plain)
    if value is None:
        return False
    outcomes: dict[str, bool] = {
        "gt": value > plain[0],
        "gte": value >= plain[0],
        "lt": value < plain[0],
        "lte": value <= plain[0],
    }
    return outcomes[operator]


def leaves(measure: str) -> list[str]:
    return CALCULATED[measure][0] if measure in CALCULATED else [measure]


def answer(asked: Asked, world: Rows) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """The values of the measures by the values of the dimensions."""
    shared = [cube for name in asked.dimensions for cube in DIMENSIONS[split(name)[0]][0]]
    shared += [SEGMENTS[name][0] for name in asked.segments]
    shared += [cube for name, _, _ in asked.filters for cube in DIMENSIONS[name][0]]
    wanted = [leaf for name in [*asked.measures, *(h[0] for h in asked.having)] for leaf in leaves(name)]

    def groups(needed: list[str]) -> list[tuple[tuple[Any, ...], Joined]]:
        rows = joined(needed, world)
        kept = [
            row
            for row in rows
            if all(passes(DIMENSIONS[n][1](row), operator, values) for n, operator, values in asked.filters)
            and all(SEGMENTS[n][1](row) for n in asked.segments)
        ]
        return [(tuple(dimension_value(n, row, asked.zone) for n in asked.dimensions), row) for row in kept]

    keys: dict[tuple[Any, ...], None] = {} if asked.dimensions else {(): None}
    values: dict[str, dict[tuple[Any, ...], Any]] = {}
    for leaf in dict.fromkeys(wanted):
        cube = leaf.partition(".")[0]
        members: dict[tuple[Any, ...], dict[int, Row]] = {}
        for key, row in groups([cube, *EXTRA_CUBES.get(leaf, []), *shared]):
            keys.setdefault(key)
            inner = members.setdefault(key, {})
            if (own := row[cube]) is not None:
                inner[own["id"]] = own
        values[leaf] = {key: LEAVES[leaf](list(found.values()), world) for key, found in members.items()}
    if not wanted:
        for key, _ in groups(shared):
            keys.setdefault(key)

    def value(measure: str, key: tuple[Any, ...]) -> Any:
        if measure in CALCULATED:
            names, calculate = CALCULATED[measure]
            return calculate(*(value(name, key) for name in names))
        return values[measure].get(key, LEAVES[measure]([], world))

    return {
        key: tuple(value(name, key) for name in asked.measures)
        for key in keys
        if all(passes(value(name, key), operator, [bound]) for name, operator, bound in asked.having)
    }
