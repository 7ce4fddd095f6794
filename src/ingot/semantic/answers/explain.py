"""Why an answer is what it is: what each pass of the planner decided for one query, in plain JSON."""

from typing import TYPE_CHECKING, Any

from ingot.semantic.planner.fanout import Fact, Grain
from ingot.semantic.planner.resolve import Column, Condition, Group, Resolved, Tree
from ingot.semantic.planner.rows_of import Reader, Rows
from ingot.semantic.rollups.shown import match_results

if TYPE_CHECKING:
    from ingot.semantic.answers.execution import Part
    from ingot.semantic.planner.joins import Tree as JoinTree
    from ingot.semantic.planner.writing import Writing


class Recorder:
    """A reader of facts that remembers them; how each is read is decided by another reader."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.facts: list[tuple[Fact, Grain]] = []

    def __call__(self, writing: "Writing", fact: Fact, grain: Grain) -> Rows:
        """See `Reader`."""
        self.facts.append((fact, grain))
        return self._reader(writing, fact, grain)


def explained(part: "Part", recorder: Recorder, *, kept: bool) -> dict[str, Any]:
    """What was decided, pass by pass; `kept` says whether the answer is in the cache."""
    plan = part.plan
    return {
        "query": part.filled,
        "ref": part.at.ref,
        "commit": part.at.state.hash,
        "members": _members(plan.query),
        "filters": [_condition(one) for one in plan.query.where],
        "measureFilters": [_condition(one) for one in plan.query.having],
        "facts": [_fact(fact, grain) for fact, grain in recorder.facts],
        "rollups": match_results(plan.choice),
        "sql": plan.sql,
        "parameters": list(plan.parameters),
        "tables": list(plan.tables),
        "cache": _cache(part, kept=kept),
    }


def _members(query: Resolved) -> list[dict[str, Any]]:
    segments = [
        {"name": one.name, "kind": "segment", "member": one.member.full_name, "path": list(one.path)}
        for one in query.segments
    ]
    return [
        *(_column(one, "dimension") for one in query.dimensions),
        *(_column(one, "measure") for one in query.measures),
        *segments,
    ]


def _column(column: Column, kind: str) -> dict[str, Any]:
    found = {
        "name": column.key,
        "kind": kind,
        "member": column.found.member.full_name,
        "path": list(column.found.path),
    }
    return found if column.granularity is None else found | {"granularity": column.granularity}


def _condition(one: Tree) -> dict[str, Any]:
    if isinstance(one, Group):
        return {"and" if one.every else "or": [_condition(each) for each in one.parts]}
    assert isinstance(one, Condition)
    return {"member": one.found.name, "operator": one.operator, "values": list(one.values)}


def _fact(fact: Fact, grain: Grain) -> dict[str, Any]:
    found: dict[str, Any] = {
        "aggregates": [name for name, _ in fact.leaves],
        "by": [column.key for column in grain.dimensions],
        **_joins(fact.tree),
        "why": "each row counts once as joined",
    }
    if fact.keyed is not None:
        found["why"] = (
            f"a join repeats rows of '{fact.keyed}': they are found by their distinct primary keys first"
        )
    if grain.shifts:
        found["shifted"] = {name: str(by) for name, by in grain.shifts}
    if grain.rolling is not None:
        found["rolling"] = grain.rolling.time.name
    return found


def _joins(tree: "JoinTree") -> dict[str, Any]:
    return {
        "root": tree.root,
        "joins": [
            {"from": join.left, "to": join.right, "relationship": join.relationship} for join in tree.joins
        ],
    }


def _cache(part: "Part", *, kept: bool) -> dict[str, Any]:
    if not part.kept:
        why = "the model's SQL asks for the clock, chance or what is outside of the lake: no answer is kept"
        return {"keeps": False, "kept": False, "why": why}
    return {"keeps": True, "kept": kept, "why": "an answer is kept until one of its tables changes"}
