"""The filters that a multi-stage measure adds for its inner steps, as conditions."""

from datetime import UTC, datetime
from typing import Any

from ingot.semantic.model import Found, Model, Path
from ingot.semantic.planner.fanout import leaf_path
from ingot.semantic.planner.resolve import Condition, Group, Tree, ValueReader
from ingot.semantic.stages import StageFilter

_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
"""The clock is not asked: the model is compiled with dates only, no words such as `last week`."""


def included(model: Model, rule: StageFilter, path: Path, zone: str) -> list[Tree]:
    """The conditions in `rule.include`, seen from a measure at `path`."""
    reader = ValueReader(model, _NO_TIME, zone)

    def tree(one: Any) -> Tree:
        if one.and_ or one.or_:
            return Group(bool(one.and_), tuple(tree(part) for part in one.and_ or one.or_))
        found = model.members[one.member]
        here = Found(found.name, found.member, leaf_path(path, one.member), found.label)
        operator = {"in": "equals", "notIn": "notEquals"}.get(one.operator, one.operator)
        return Condition(here, operator, reader.values(here, operator, tuple(one.values)))

    return [tree(one) for one in rule.include]
