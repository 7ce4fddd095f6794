"""Members that show their `mask` instead of their value.

Each stands in for the member under a name that no file can give, so that other members that are made of the
member keep their own values. A mask is for all that the asker does with the member: it is grouped, filtered and
ordered by the mask.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from ingot.semantic.compiler.members import aggregation, no_measure
from ingot.semantic.compiler.scope import Scope
from ingot.semantic.compiler.snippet import SnippetError
from ingot.semantic.model import Aggregate, Dimension, Found, Label, Measure, Path

if TYPE_CHECKING:
    from ingot.semantic.compiler.members import CompiledMembers

MARK = "#mask."
_TYPES = {"string": "text", "number": "double", "boolean": "boolean", "time": "timestamp"}


def masks(
    members: "CompiledMembers", wanted: Iterable[str], found: Mapping[str, Found]
) -> dict[str, Dimension | Measure]:
    """A stand-in for each member of cubes that `wanted` (full names of cubes or views) may need, by its own name."""
    made: dict[str, Dimension | Measure] = {}
    for asked in sorted(wanted):
        member = found[asked].member
        if not isinstance(member, Dimension | Measure) or member.full_name in made:
            continue
        if (found_one := _stand_in(members, member)) is not None:
            made[member.full_name] = found_one
    return made


def stand_in(measure: Measure) -> Found:
    """Where the planner finds a masked measure; nobody can ask for it by this name."""
    return Found(measure.full_name, measure, (measure.cube,), Label("", "", public=False))


def _stand_in(members: "CompiledMembers", member: Dimension | Measure) -> Dimension | Measure | None:
    spec = _spec(members, member)
    mask = getattr(spec, "mask", None)
    try:
        if isinstance(member, Dimension):
            return _dimension(members, member, spec, mask)
        return _measure(members, member, spec, mask)
    except SnippetError as error:
        if spec is not None:
            members.declared.report(spec, f"the mask of {member.full_name}: {error}")
        return None


def _spec(members: "CompiledMembers", member: Dimension | Measure) -> Any:
    """What the files say of a member; a view's own is named by the view and its name there."""
    own = members.declared.members.get(member.cube, {}).get(member.name)
    if own is not None or "." not in member.name:
        return own
    view, _, name = member.name.partition(".")
    for one in reversed(members.declared.view_lineages.get(view, [])):
        for each in (*one.dimensions, *one.measures):
            if each.name == name:
                return each
    return None


def _dimension(members: "CompiledMembers", member: Dimension, spec: Any, mask: Any) -> Dimension:
    paths: tuple[Path, ...] = member.paths
    if hasattr(mask, "sql"):
        if "." in member.name:
            raise SnippetError("a mask in SQL belongs to a member of a cube; a view's own has a value")
        scope = Scope(members, member.cube, spec)
        tree = scope.read(mask.sql)
        no_measure(tree, "a mask of a dimension")
        paths = tuple(dict.fromkeys((*paths, *scope.paths())))
    else:
        tree = _constant(mask, member.type)
    own = {
        name: one if one.sql is None else replace(one, sql=tree.copy())
        for name, one in member.granularities.items()
    }
    return replace(member, sql=tree, paths=paths, granularities=own, primary_key=False, sub_query=None)


def _measure(members: "CompiledMembers", member: Measure, spec: Any, mask: Any) -> Measure:
    name = f"{MARK}{member.name}"
    paths: tuple[Path, ...] = ((member.cube,),)
    leaves: tuple[str, ...] = (f"{member.cube}.{name}",)
    aggregate: Aggregate
    # The greatest of equal values is that value, and null where the measure has no rows.
    tree, aggregate = _constant(mask, member.type), "max"
    if hasattr(mask, "sql"):
        if "." in member.name:
            raise SnippetError("a mask in SQL belongs to a member of a cube; a view's own has a value")
        scope = Scope(members, member.cube, spec)
        read = scope.read(mask.sql)
        if any(read.find_all(exp.Column, exp.AggFunc)):
            written = SimpleNamespace(
                sql=mask.sql, case=None, filters=(), type="number", format=None, multi_stage=False
            )
            scope = Scope(members, member.cube, spec)
            made, _, kind = aggregation(scope, written)
            assert made is not None
            if any(one.staged for one in scope.measures):
                raise SnippetError("it refers to a measure that is computed in several steps")
            inner = tuple(dict.fromkeys(leaf for one in scope.measures for leaf in one.leaves))
            tree, aggregate = made, kind
            leaves = inner if kind == "calculated" else leaves
            paths = tuple(
                dict.fromkeys(
                    (
                        *scope.paths(),
                        *(p for one in scope.measures if one.cube == member.cube for p in one.paths),
                    )
                )
            )
        else:
            tree = read
    return replace(
        member,
        name=name,
        aggregate=aggregate,
        sql=tree,
        condition=None,
        paths=paths,
        leaves=leaves,
        window=None,
        stage=None,
        staged=False,
    )


def _constant(mask: Any, kind: str) -> exp.Expr:
    """A value of the member's type."""
    target = _TYPES.get(kind, "text")
    if mask is None:
        tree: exp.Expr = exp.null()
    elif target == "text":
        tree = exp.Literal.string(str(mask).lower() if isinstance(mask, bool) else str(mask))
    elif target == "boolean":
        if str(mask).lower() not in ("true", "false"):
            raise SnippetError(f"it is true or false for a member of type boolean, not '{mask}'")
        tree = exp.Boolean(this=str(mask).lower() == "true")
    elif target == "double":
        tree = _number(mask)
        return exp.Paren(this=tree) if isinstance(tree, exp.Neg) else tree
    else:
        tree = exp.Literal.string(_time(mask))
    return exp.Cast(this=tree, to=exp.DataType.build(target))


def _number(mask: Any) -> exp.Expr:
    text = str(mask).strip()
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if isinstance(mask, bool) or not math.isfinite(value):
        raise SnippetError(f"it is a number for a member of type number, not '{mask}'")
    return exp.convert(int(text) if text.lstrip("+-").isdigit() else value)


def _time(mask: Any) -> str:
    try:
        return datetime.fromisoformat(str(mask)).replace(tzinfo=None).isoformat(sep=" ")
    except ValueError:
        raise SnippetError(f"it is a date or time for a member of type time, not '{mask}'") from None


def shown_name(full_name: str) -> str:
    """A member's name as its files give it, of a stand-in, too."""
    return full_name.replace(MARK, "", 1)
