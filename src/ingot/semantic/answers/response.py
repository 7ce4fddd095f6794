"""Answers in the shapes of Cube's REST API."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from ingot.semantic.answers.annotation import annotation, normalized
from ingot.semantic.answers.cache import Answer
from ingot.semantic.answers.execution import Part
from ingot.semantic.answers.rows import Extra
from ingot.semantic.planner.plan import Plan
from ingot.semantic.planner.writing import aliases
from ingot.semantic.query import Query
from ingot.semantic.rollups.shown import match_results, pre_aggregations, used


def loaded(part: Part, answer: Answer, dialect: str) -> dict[str, Any]:
    """`/load` of one query; `data` is JSON text still."""
    return {
        "query": part.filled,
        "data": answer.data,
        "lastRefreshTime": part.at.time,
        "annotation": annotation(part.plan.query),
        "dataSource": "default",
        "dbType": dialect,
        "external": False,
        "slowQuery": False,
        "total": answer.total,
        "usedPreAggregations": used(part.plan.choice),
        "refreshKeyValues": [],
        "ref": part.at.ref,
        "commit": part.at.state.hash,
    }


def together(kind: str, results: list[dict[str, Any]]) -> dict[str, Any]:
    """`/load` with `queryType: multi`."""
    pivot = pivot_query(kind, [one["query"] for one in results])
    return {"queryType": kind, "results": results, "pivotQuery": pivot, "slowQuery": False}


def pivot_query(kind: str, queries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The one query by which Cube's clients arrange the rows of all."""
    if kind == "blendingQuery":
        members = {
            key: list(dict.fromkeys(name for one in queries for name in one[key]))
            for key in ("measures", "dimensions")
        }
        periods = [one["timeDimensions"][0].get("granularity") for one in queries if one["timeDimensions"]]
        period = next((each for each in periods if each), None)
        time = {"dimension": "time"} | ({"granularity": period} if period else {})
        return {**members, "timeDimensions": [time], "queryType": kind}
    first = dict(queries[0])
    if kind == "compareDateRangeQuery":
        first["dimensions"] = ["compareDateRange", *first["dimensions"]]
    return first


def compared(kind: str, query: Mapping[str, Any]) -> Extra | None:
    """What the rows of several queries have beside their columns, so that clients can put them together."""
    times = query["timeDimensions"]
    if kind == "compareDateRangeQuery":
        return Extra("compareDateRange", " - ".join(times[0]["dateRange"]))
    if kind == "blendingQuery" and times and "granularity" in times[0]:
        period = times[0]["granularity"]
        return Extra(f"time.{period}", column=f"{times[0]['dimension']}.{period}")
    return None


def fragments(answer: dict[str, Any]) -> dict[str, Any]:
    """`answer` with each `data`, which is JSON text, as a part of the JSON that it becomes."""
    for one in answer.get("results", [answer]):
        one["data"] = orjson.Fragment(one["data"])
    return answer


def dry_run(kind: str, queries: Sequence[Query], plans: Sequence[Plan]) -> dict[str, Any]:
    """`/dry-run`."""
    filled = [normalized(one, made.query, kind) for one, made in zip(queries, plans, strict=True)]
    return {
        "queryType": kind,
        "normalizedQueries": filled,
        "queryOrder": [
            {each["id"]: "desc" if each["desc"] else "asc" for each in one["order"]} for one in filled
        ],
        "transformedQueries": [_transformed(one) for one in filled],
        "pivotQuery": pivot_query(kind, filled),
    }


def sql(query: Query, plan: Plan) -> dict[str, Any]:
    """`/sql` of one query."""
    names = aliases(plan.query.columns)
    members = [column.key for column in plan.query.columns]
    times = [column for column in plan.query.dimensions if column.is_time]
    first = (
        {"timeDimensionAlias": names[times[0].key], "timeDimensionField": times[0].found.name}
        if times
        else {}
    )
    return {
        "sql": {
            "status": "ok",
            "sql": [plan.sql, list(plan.parameters)],
            **first,
            "order": [{"id": key, "desc": descending} for key, descending in plan.query.order],
            "cacheKeyQueries": [],
            "preAggregations": pre_aggregations(plan.choice),
            "dataSource": "default",
            "memberNames": members,
            "aliasNameToMember": {names[key]: key for key in members},
            "rollupMatchResults": match_results(plan.choice),
            "canUseTransformedQuery": _transformed(normalized(query, plan.query)),
            "external": False,
        }
    }


def _transformed(query: dict[str, Any]) -> dict[str, Any]:
    times = [
        [one["dimension"], one["granularity"]] for one in query["timeDimensions"] if "granularity" in one
    ]
    return {
        "sortedDimensions": sorted(query["dimensions"]),
        "sortedTimeDimensions": sorted(times),
        "timeDimensions": times,
        "measures": query["measures"],
        "leafMeasures": query["measures"],
        "sortedUsedCubePrimaryKeys": [],
        "ownedDimensions": sorted(query["dimensions"]),
    }
