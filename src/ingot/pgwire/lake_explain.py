"""EXPLAIN of a SELECT over tables: the engine's plan, in PostgreSQL's form, with what reaches each database.

Addresses and paths are left out: who may read a table need not know where it is.
"""

import re
from collections.abc import Iterator, Mapping
from time import perf_counter
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_SHOWN = (
    "Table", "Function", "Join Type", "Conditions", "Order By", "Top", "Groups", "Aggregates", "Projections",
    "Expression", "Filters", "CTE Name", "Limit", "Offset", "Window",
)  # fmt: skip
"""What is told of a step; everything else may hold a path."""
_LIMIT = re.compile(r" LIMIT (\d+)\s*\Z")
_LIMITS = frozenset({"Limit", "Streaming Limit", "Top N", "Limit Percent"})
_PLAIN = {"POSTGRES_SCAN": "Postgres Scan", "SQLITE_SCAN": "Sqlite Scan", "READ_PARQUET": "Parquet Scan"}


def asked(cursor: "DuckDBPyConnection", sql: str, *, analyze: bool) -> str:
    """What DuckDB tells of a statement as JSON; `analyze`: it is executed, and told what that took."""
    how = "(ANALYZE, FORMAT JSON)" if analyze else "(FORMAT JSON)"
    rows = cursor.execute(f"EXPLAIN {how} {sql}").fetchall()
    text = str(rows[0][1])
    if not analyze or "children" in orjson.loads(text):
        return text
    # Of what it knows without reading, DuckDB has no profile.
    began = perf_counter()
    cursor.execute(sql).fetchall()
    took = perf_counter() - began
    plain = cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}").fetchall()
    return orjson.dumps({"latency": took, "children": orjson.loads(plain[0][1])}).decode()


def plan(text: str, about: Mapping[str, Any], sql: str) -> dict[str, Any]:
    """The plan that DuckDB tells of `sql`, as one tree; `about` stands before it."""
    found = orjson.loads(text)
    if isinstance(found, list):
        return {**about, "Plans": _limited([_step(one) for one in found], sql)}
    steps = found["children"]
    if steps and steps[0].get("operator_type") == "EXPLAIN_ANALYZE":
        steps = steps[0]["children"]
    took = round(found["latency"] * 1000, 3)
    return {**about, "Execution Time": took, "Plans": _limited([_step(one) for one in steps], sql)}


def _limited(steps: list[dict[str, Any]], sql: str) -> list[dict[str, Any]]:
    """The steps; a LIMIT that has none of its own is what the database's server was asked for."""
    limit = _LIMIT.search(sql)
    every = list(_all(steps))
    if limit is not None and not any(one["Node Type"] in _LIMITS for one in every):
        servers = [one for one in every if one["Node Type"] == "Postgres Scan"]
        if len(servers) == 1:
            servers[0]["Limit"] = limit[1]
    return steps


def _all(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for one in steps:
        yield one
        yield from _all(one.get("Plans", []))


def written(told: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a plan."""
    for one in told["Plans"]:
        yield from _lines(one, 0)
    for key, value in told.items():
        if key != "Plans":
            unit = " ms" if key == "Execution Time" else ""
            yield f"{key}: {', '.join(value) if isinstance(value, list) else value}{unit}"


def _step(node: Mapping[str, Any]) -> dict[str, Any]:
    extra = node.get("extra_info") or {}
    name = str(node.get("operator_name") or node.get("operator_type") or node.get("name") or "").strip()
    made: dict[str, Any] = {"Node Type": _PLAIN.get(name, name.replace("_", " ").title())}
    if "Estimated Cardinality" in extra:
        made["Plan Rows"] = int(extra["Estimated Cardinality"])
    if "operator_cardinality" in node:
        made["Actual Rows"] = node["operator_cardinality"]
        made["Actual Total Time"] = round(node["operator_timing"] * 1000, 3)
    made |= {key: extra[key] for key in _SHOWN if extra.get(key)}
    if node.get("children"):
        made["Plans"] = [_step(one) for one in node["children"]]
    return made


def _lines(step: Mapping[str, Any], depth: int) -> Iterator[str]:
    pad = "  " * (3 * depth - 2) if depth else ""
    numbers = []
    if "Plan Rows" in step:
        numbers.append(f"(rows={step['Plan Rows']})")
    if "Actual Rows" in step:
        numbers.append(f"(actual time={step['Actual Total Time']} rows={step['Actual Rows']})")
    table = f" on {step['Table']}" if "Table" in step else ""
    head = "  ".join([f"{step['Node Type']}{table}", *numbers])
    yield f"{pad}->  {head}" if depth else head
    inner = pad + ("      " if depth else "  ")
    for key in _SHOWN:
        if key in step and key != "Table":
            value = step[key]
            yield f"{inner}{key}: {', '.join(value) if isinstance(value, list) else str(value).replace(chr(10), ', ')}"
    for one in step.get("Plans", ()):
        yield from _lines(one, depth + 1)
