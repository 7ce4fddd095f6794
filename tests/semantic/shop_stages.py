"""The shop with measures that are computed in several steps, dimensions with sub-queries, and granularities of its own."""

import copy
from typing import Any

from ingot.semantic import Model
from tests.semantic import shop

_ROLLING: list[dict[str, Any]] = [
    {"name": "roll_total", "type": "sum", "sql": "amount", "rolling_window": {"trailing": "2 month"}},
    {"name": "roll_week", "type": "sum", "sql": "amount", "rolling_window": {"trailing": "1 week", "leading": "1 day", "offset": "start"}},
    {"name": "roll_before", "type": "count", "rolling_window": {"trailing": "1 month", "offset": "start"}},
    {"name": "roll_hours", "type": "max", "sql": "amount", "rolling_window": {"trailing": "36 hour", "leading": "-1 hour"}},
    {"name": "cumulative", "type": "count", "rolling_window": {"trailing": "unbounded"}},
    {"name": "to_come", "type": "count", "rolling_window": {"leading": "unbounded", "offset": "start"}},
    {"name": "ever", "type": "count_distinct", "sql": "customer_id", "rolling_window": {"trailing": "unbounded", "leading": "unbounded"}},
    {"name": "roll_buyers", "type": "count_distinct", "sql": "customer_id", "rolling_window": {"trailing": "3 month"}},
    {"name": "roll_mean", "type": "avg", "sql": "amount", "rolling_window": {"trailing": "1 quarter"}},
    {"name": "roll_done", "type": "sum", "sql": "amount", "filters": [{"sql": "{status} = 'done'"}, {"sql": "{CUBE}.paid"}], "rolling_window": {"trailing": "1 year"}},
    {"name": "ytd", "type": "number", "sql": "{total}", "rolling_window": {"type": "to_date", "granularity": "year"}},
    {"name": "qtd", "type": "count", "rolling_window": {"type": "quarter_to_date"}},
    {"name": "roll_ratio", "type": "number", "sql": "{ytd} * 1.0 / NULLIF({cumulative}, 0)"},
]  # fmt: skip

_STAGES: list[dict[str, Any]] = [
    {"name": "month_ago", "type": "number", "sql": "{total}", "time_shift": [{"interval": "1 month", "type": "prior"}]},
    {"name": "day_ahead", "type": "number", "sql": "{count}", "time_shift": [{"time_dimension": "created_at", "interval": "1 day", "type": "next"}]},
    {"name": "hours_ago", "type": "number", "sql": "{count}", "time_shift": [{"interval": "5 hours", "type": "prior"}]},
    {"name": "two_ago", "type": "number", "sql": "{month_ago}", "time_shift": [{"interval": "1 month", "type": "prior"}]},
    {"name": "ytd_ago", "type": "number", "sql": "{ytd}", "time_shift": [{"interval": "1 year", "type": "prior"}]},
    {"name": "growth", "type": "number", "sql": "{total} - {month_ago}"},
    {"name": "of_status", "type": "sum", "sql": "{total}", "group_by": ["status"]},
    {"name": "share", "type": "number", "sql": "{total} * 1.0 / NULLIF({of_status}, 0)"},
    {"name": "no_city", "type": "number", "sql": "{count} + 1", "reduce_by": ["customers.city"]},
    {"name": "mean_of_cities", "type": "avg", "sql": "{total}", "add_group_by": ["customers.city"]},
    {"name": "big_cities", "type": "count", "sql": "CASE WHEN {count} > 1 THEN 1 END", "grain": {"include": ["customers.city"]}},
    {"name": "most_of_status", "type": "max", "sql": "{total}", "grain": {"keep_only": ["customers.size"], "include": ["status"]}},
    {"name": "nested", "type": "sum", "sql": "{mean_of_cities}", "add_group_by": ["status"]},
    {"name": "place", "type": "rank", "order_by": [{"sql": "{total}", "dir": "desc"}], "reduce_by": ["customers.city"]},
    {"name": "any_status", "type": "number", "sql": "{count}", "filter": {"exclude": ["status"]}},
    {"name": "city_only", "type": "number", "sql": "{total}", "filter": {"keep_only": ["customers.city"], "mode": "fixed"}},
    {"name": "only_done", "type": "number", "sql": "{count}", "filter": {"exclude": ["status"], "include": [{"member": "status", "operator": "equals", "values": ["done"]}]}},
    {"name": "spread_of", "type": "number_agg", "sql": "MAX({total}) - MIN({total})", "add_group_by": ["customers.city"]},
    {"name": "done_cities", "type": "sum", "sql": "{total}", "filters": [{"sql": "{count} >= 2"}], "add_group_by": ["customers.city"]},
]  # fmt: skip

_SUB_QUERIES: list[dict[str, Any]] = [
    {"name": "spent", "type": "number", "sql": "{orders.total}", "sub_query": True},
    {"name": "order_count", "type": "number", "sql": "{orders.count} + 1", "sub_query": True},
    {"name": "spent_here", "type": "number", "sql": "{orders.total}", "sub_query": True, "propagate_filters_to_sub_query": True},
]  # fmt: skip

GRANULARITIES: list[dict[str, Any]] = [
    {"name": "fiscal", "interval": "1 year", "origin": "2025-04-06"},
    {"name": "fortnight", "interval": "2 weeks", "origin": "2026-01-04T12:00:00.000"},
    {"name": "late_month", "interval": "1 month", "offset": "-1 day"},
    {"name": "sunday_week", "interval": "1 week", "offset": "-1 day"},
    {"name": "ten_minutes", "interval": "10 minutes"},
    {"name": "half_year", "interval": "6 months"},
]


def cubes() -> list[dict[str, Any]]:
    """The shop's cubes with more in them."""
    found: list[dict[str, Any]] = copy.deepcopy(shop.CUBES)
    orders, customers = found[0], found[1]
    orders["measures"] += _ROLLING + [{"multi_stage": True} | one for one in _STAGES]
    for one in orders["dimensions"]:
        if one["name"] == "created_at":
            one["granularities"] = GRANULARITIES
    customers["dimensions"] += _SUB_QUERIES
    customers["measures"] += [
        {"name": "mean_spent", "type": "avg", "sql": "{spent}"},
        {"name": "spenders", "type": "count", "filters": [{"sql": "{spent} >= 5"}]},
    ]
    return found


def model() -> Model:
    """The compiled model."""
    return shop.model(cubes())
