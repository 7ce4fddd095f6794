"""Why somebody sees a member or does not: every entry of the policies that it is under, and what results."""

from typing import Any

from ingot.errors import UsageError, did_you_mean
from ingot.semantic.context import Context
from ingot.semantic.model import Model
from ingot.semantic.policy.access import access
from ingot.semantic.policy.expression import Expression
from ingot.semantic.policy.policies import Entry, RowCondition, RowTree


def explained(model: Model, seen: Model, name: str, context: Context) -> dict[str, Any]:
    """What `context` sees of a member, and which entries of which policies say so.

    Raises:
        UsageError: where the model has no such member.
    """
    found = model.members.get(name)
    if found is None or name.partition(".")[0] not in {*model.cubes, *model.views}:
        raise UsageError(f"There is no member '{name}'{did_you_mean(name, model.members)}.")
    owner, _, own = name.partition(".")
    rules = [_policy(model, owner, own, context)]
    view = model.views.get(owner)
    if view is not None and not view.members[own].own:
        inner = view.members[own].member
        rules.append(_policy(model, inner.cube, inner.name, context))
    there = seen.members.get(name)
    if there is None:
        result = "hidden"
    elif there.member is not found.member and there.member in model.policies.masks.values():
        result = "masked"
    else:
        result = "visible" if there.label.public else "hidden by public: false"
    return {"member": name, "result": result, "policies": [one for one in rules if one is not None]}


def _policy(model: Model, owner: str, name: str, context: Context) -> dict[str, Any] | None:
    policy = model.policies.by_owner.get(owner)
    if policy is None:
        return None
    mine = access(model.policies, context).by_owner[owner].entries
    return {
        "of": owner,
        "entries": [_entry(one, name, context, is_mine=one in mine) for one in policy.entries],
    }


def _entry(entry: Entry, name: str, context: Context, *, is_mine: bool) -> dict[str, Any]:
    shows = "all of it" if name in entry.full else "its mask" if name in entry.masked else "nothing"
    told: dict[str, Any] = {
        "at": str(entry.place),
        "groups": list(entry.groups),
        "matches": is_mine,
        "shows": shows,
        "rows": "all" if entry.rows is None else _tree(entry.rows),
    }
    if entry.conditions:
        told["conditions"] = {one.text: one.holds(context) for one in entry.conditions}
    return told


def _tree(tree: RowTree) -> str:
    if isinstance(tree, RowCondition):
        values = (
            "null"
            if one is None
            else "".join(f"{{{p.text.strip()}}}" if isinstance(p, Expression) else p for p in one)
            for one in tree.values
        )
        return f"{tree.found.name} {tree.operator} {', '.join(values)}".strip()
    if not tree.parts:
        return "none"
    parts = [_tree(part) for part in tree.parts]
    word = " and " if tree.every else " or "
    return parts[0] if len(parts) == 1 else f"({word.join(parts)})"
