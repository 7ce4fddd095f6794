"""Messages of the planner, which knows the whole model, for askers from whom a part of it is hidden."""

import re

from ingot.semantic.context import Context
from ingot.semantic.errors import MemberError, QueryError
from ingot.semantic.model import Model
from ingot.semantic.planner.resolve import Resolved
from ingot.semantic.policy.access import access
from ingot.semantic.policy.seen import seen


def discreet(error: QueryError, model: Model, context: Context) -> QueryError:
    """`error`, or another one in its place where it names what is hidden from who asks."""
    if not model.policies:
        return error
    told = seen(model, access(model.policies, context))
    names = {*model.cubes, *model.views, *model.members} - {*told.cubes, *told.views, *told.members}
    said = f"{error.message} {error.hint or ''}"
    words = {*re.findall(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?", said), *re.findall(r"[A-Za-z_]\w*", said)}
    if not words & names:
        return error
    return QueryError(
        "This query has no sound answer for you: its members are not connected, or in more ways than one, or one of "
        "them is not made for this.",
        hint="Ask for fewer cubes at once, or a view.",
    )


def check_hints(told: Model, query: Resolved) -> None:
    """Raises `MemberError` for a cube in `joinHints` that is not there for who asks."""
    for name in dict.fromkeys(name for hint in query.join_hints for name in hint):
        if name not in told.cubes:
            raise MemberError("cube", name, told.cubes)
