"""Which rollups answered a query, in the shapes of Cube's REST API, and why the others did not."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingot.semantic.rollups.library import Choice

SCHEMA = "rollups"


def used(choice: "Choice | None") -> dict[str, Any]:
    """`usedPreAggregations` of `/load`."""
    if choice is None:
        return {}
    return {
        f"{SCHEMA}.{rollup.cube}_{rollup.name}": {
            "targetTableName": f"{SCHEMA}.{build.table}",
            "preAggregationId": rollup.full_name,
            "refreshKeyValues": [],
            "lastUpdatedAt": int(build.built.timestamp() * 1000),
            "rows": build.rows,
        }
        for rollup, build in choice.used
    }


def pre_aggregations(choice: "Choice | None") -> list[dict[str, Any]]:
    """`preAggregations` of `/sql`."""
    if choice is None:
        return []
    return [
        {
            "preAggregationId": rollup.full_name,
            "cube": rollup.cube,
            "preAggregationName": rollup.name,
            "type": "originalSql" if rollup.kind == "original_sql" else "rollup",
            "preAggregationsSchema": SCHEMA,
            "tableName": f"{SCHEMA}.{build.table}",
            "external": False,
        }
        for rollup, build in choice.used
    ]


def match_results(choice: "Choice | None") -> list[dict[str, Any]]:
    """`rollupMatchResults` of `/sql`: for each part of the query every rollup, and why it is not read."""
    if choice is None:
        return []
    found: list[dict[str, Any]] = []
    for leaves, tried in choice.tried:
        for one in tried:
            line = {
                "preAggregation": one.rollup.full_name,
                "measures": list(leaves),
                "used": one.used,
                "matched": one.matched,
                "reasons": [sentence(one.rollup.full_name, reason) for reason in one.reasons],
            }
            if line not in found:
                found.append(line)
    return found


def sentence(name: str, reason: str) -> str:
    """A reason as a sentence for people."""
    return f"rollup {name} {reason}"
