"""Specs of multi-stage and rolling measures -> `Measure`s with a stage or a window."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol, cast

from sqlglot import exp

from ingot.errors import did_you_mean
from ingot.semantic import marks, stage_marks
from ingot.semantic.compiler.cases import case
from ingot.semantic.compiler.scope import Members, Scope
from ingot.semantic.compiler.snippet import SnippetError
from ingot.semantic.intervals import Interval, IntervalError, interval
from ingot.semantic.labels import label
from ingot.semantic.model import Aggregate, Dimension, Measure
from ingot.semantic.planner.resolve import RANGES
from ingot.semantic.planner.times import GRANULARITIES
from ingot.semantic.stages import Shift, Stage, StageFilter, Window

_CALCULATED = frozenset({"number", "string", "boolean", "time"})
_STAGE_KEYS = ("group_by", "reduce_by", "add_group_by", "grain", "filter", "time_shift", "order_by")
_TO_DATE = {"year_to_date": "year", "quarter_to_date": "quarter", "month_to_date": "month"}


class StageScope(Scope):
    """Reads the snippets of a multi-stage measure: members in them are columns of an inner step."""

    def read_values(self, text: str) -> exp.Expr:
        """The tree of a snippet over values of groups: it has no columns of rows. Raises `SnippetError`."""
        tree = self.read(text, bare=False)
        for node in tree.find_all(exp.Column):
            if marks.measure_name(node) is None and stage_marks.dimension_name(node) is None:
                raise SnippetError(
                    f"it is computed from groups, which have no column '{node.sql()}': refer to members, {{name}}"
                )
        return tree

    def _member(self, cube: str, name: str, granularity: str | None, reference: str) -> exp.Expr:
        if self._declared.kinds[cube][name] != "dimension":
            return super()._member(cube, name, granularity, reference)
        super()._member(cube, name, granularity, reference)
        return stage_marks.dimension(".".join((cube, name, *([granularity] if granularity else []))))


class MeasureMaker(Protocol):
    """Compiles a measure without a window."""

    def __call__(self, cube: str, spec: Any) -> Measure: ...


def stage_measure(members: Members, cube: str, spec: Any, drill: Sequence[str]) -> Measure:
    """The measure that a spec with `multi_stage` means. Raises `SnippetError`."""
    scope = StageScope(members, cube, spec)
    tree = None
    if spec.case is not None:
        tree = case(scope.read_values, spec.case)
    elif spec.sql is not None:
        tree = scope.read_values(spec.sql)
    conditions = [scope.read_values(one.sql) for one in spec.filters]
    condition = exp.and_(*conditions) if conditions else None
    order = tuple((scope.read_values(one.sql), one.dir == "desc") for one in spec.order_by)
    stage = _stage(members, cube, spec, order)
    aggregate = _aggregate(spec, tree, condition, stage)
    if not scope.measures and tree is not None:
        raise SnippetError("a multi-stage measure refers to at least one other measure")
    return Measure(
        cube,
        spec.name,
        spec.type if spec.type in _CALCULATED else "number",
        aggregate,
        tree,
        condition,
        ((cube,),),
        (f"{cube}.{spec.name}",),
        label(spec, members.declared.cubes[cube]),
        tuple(drill),
        stage=stage,
        staged=True,
    )


def rolling_measure(members: Members, cube: str, spec: Any, make: MeasureMaker) -> Measure:
    """The measure that a spec with `rolling_window` means; `make` makes it without. Raises `SnippetError`."""
    for key in _STAGE_KEYS:
        if getattr(spec, key):
            raise SnippetError(
                f"'rolling_window' beside '{key}': put the window on a measure of its own and refer to that"
            )
    window = _window(spec.rolling_window)
    base = _base(members, cube, spec)
    if base is not None:
        named = replace(make(cube, spec.model_copy(update=_PLAIN)), name=spec.name)
        made = replace(
            named, aggregate=base.aggregate, sql=base.sql, condition=base.condition, paths=base.paths,
            type=base.type,
        )  # fmt: skip
    else:
        made = make(cube, spec)
    if made.aggregate == "calculated" or made.staged:
        raise SnippetError(
            "a calculation cannot roll: put the 'rolling_window' on the measures that it is made of"
        )
    return replace(made, window=window, staged=True, leaves=(f"{cube}.{spec.name}",))


_PLAIN = {"type": "count", "sql": None, "case": None, "filters": ()}


def _base(members: Members, cube: str, spec: Any) -> Measure | None:
    """The measure that a rolling one rolls, where its SQL is nothing but that measure."""
    if spec.sql is None or "{" not in spec.sql:
        return None
    scope = Scope(members, cube, spec)
    tree = scope.read(spec.sql)
    name = marks.measure_name(tree)
    if name is None:
        return None
    (base,) = scope.measures
    fits = spec.type in ("number", base.aggregate) or (spec.type == "sum" and base.aggregate == "count")
    if (
        base.cube != cube
        or base.staged
        or base.aggregate in ("calculated", "raw")
        or not fits
        or spec.filters
    ):
        raise SnippetError(
            f"'rolling_window' over {{{name}}}: that works for an aggregate of rows of the same cube, with the "
            "same type or type number, and without filters of its own"
        )
    return base


def dimension_name(members: Members, cube: str, text: str, what: str) -> str:
    """The full name of the dimension that a list of names means by `text`. Raises `SnippetError`."""
    names = text.strip().removeprefix("$").strip("{} ").split(".")
    declared = members.declared.members
    if names[0] in ("CUBE", "TABLE"):
        names[0] = cube
    elif names[0] in declared[cube]:
        names.insert(0, cube)
    owner, name = names[0], names[1] if len(names) > 1 else names[0]
    if owner not in declared or name not in declared[owner] or len(names) > 3:
        near = did_you_mean(name, declared.get(owner, declared[cube]))
        raise SnippetError(f"'{what}': there is no dimension '{text}'{near}")
    if owner != cube:
        members.needs(cube, owner)
    kind = members.declared.kinds[owner][name]
    if kind != "dimension":
        raise SnippetError(f"'{what}': '{text}' is a {kind}, not a dimension")
    if len(names) == 3:
        dimension = members.dimension(owner, name)
        known = [*GRANULARITIES, *(dimension.granularities if dimension is not None else ())]
        if dimension is None or dimension.type != "time" or names[2] not in known:
            raise SnippetError(f"'{what}': '{names[2]}' is no granularity of '{owner}.{name}'")
    return ".".join((owner, name, *names[2:]))


def _stage(members: Members, cube: str, spec: Any, order: tuple[tuple[exp.Expr, bool], ...]) -> Stage:
    def names(texts: Sequence[str], what: str) -> list[str]:
        return [dimension_name(members, cube, text, what) for text in texts]

    keep = names(spec.group_by, "group_by")
    drop = names(spec.reduce_by, "reduce_by")
    add = names(spec.add_group_by, "add_group_by")
    # An empty list keeps none: the value over all groups. Left out, all are kept.
    limited = "group_by" in spec.model_fields_set
    if spec.grain is not None:
        limited = limited or "keep_only" in spec.grain.model_fields_set
        keep += names(spec.grain.keep_only, "grain.keep_only")
        drop += names(spec.grain.exclude, "grain.exclude")
        add += names(spec.grain.include, "grain.include")
    if limited and drop:
        raise SnippetError("it both keeps only some dimensions and leaves some out: one of the two says it")
    rule = None if spec.filter is None else _filter(members, cube, spec.filter)
    shifts = _shifts(members, cube, spec)
    return Stage(frozenset(keep) if limited else None, frozenset(drop), tuple(add), shifts, rule, order)


def _aggregate(spec: Any, tree: exp.Expr | None, condition: exp.Expr | None, stage: Stage) -> Aggregate:
    if stage.order and spec.type != "rank":
        raise SnippetError("'order_by' is for measures of type rank")
    if spec.type == "rank":
        _check(bool(stage.order), "a measure of type rank needs 'order_by': what to rank by")
        plain = not stage.add and condition is None and tree is None
        _check(plain, "a measure of type rank takes no 'sql', 'filters' or added dimensions")
        return "rank"
    if spec.type in _CALCULATED:
        _check(tree is not None, f"a measure of type '{spec.type}' needs 'sql' or 'case'")
        _check(
            not stage.add,
            f"type '{spec.type}' with added dimensions: say how their values become one, by type sum, avg, …",
        )
        _check(condition is None, f"a measure of type '{spec.type}' takes no filters")
        _check(not _aggregates(tree), "an aggregate over other measures has type number_agg")
        return "calculated"
    if spec.type == "number_agg":
        _check(_aggregates(tree), "a measure of type number_agg needs 'sql' that aggregates")
        _check(condition is None, "a measure of type number_agg takes no filters: put them into its 'sql'")
        return "raw"
    _check(
        tree is not None or spec.type == "count",
        f"a measure of type '{spec.type}' needs 'sql': what to aggregate",
    )
    _check(not _aggregates(tree), f"'{spec.type}' of an aggregate: refer to a measure instead")
    return cast("Aggregate", spec.type)


def _check(holds: bool, message: str) -> None:
    if not holds:
        raise SnippetError(message)


def _aggregates(tree: exp.Expr | None) -> bool:
    return tree is not None and any(
        not isinstance(node.parent, exp.Window) for node in tree.find_all(exp.AggFunc)
    )


def _shifts(members: Members, cube: str, spec: Any) -> tuple[Shift, ...]:
    found = []
    for one in spec.time_shift:
        if one.name is not None or one.sql is not None:
            raise SnippetError(
                "'time_shift' by the name of a calendar's shift is not supported yet: give an interval"
            )
        if one.interval is None:
            raise SnippetError("'time_shift' needs an 'interval', such as 1 year")
        by = length(one.interval)
        time = None
        if one.time_dimension is not None:
            time = dimension_name(members, cube, one.time_dimension, "time_shift")
            owner, name = time.split(".")[:2]
            dimension = members.dimension(owner, name)
            if not isinstance(dimension, Dimension) or dimension.type != "time":
                raise SnippetError(f"'time_shift': '{one.time_dimension}' is no time dimension")
            time = dimension.full_name
        found.append(Shift(-by if one.type == "next" else by, time))
    if len(found) > 1 and any(one.time is None for one in found):
        raise SnippetError("several time shifts: each needs its 'time_dimension'")
    return tuple(found)


def _filter(members: Members, cube: str, spec: Any) -> StageFilter:
    def names(texts: Sequence[str]) -> list[str]:
        return [_member_name(members, cube, text) for text in texts]

    keep = names(spec.keep_only)
    include = tuple(_included(members, cube, one) for one in spec.include)
    limited = "keep_only" in spec.model_fields_set
    return StageFilter(
        frozenset(keep) if limited else None, frozenset(names(spec.exclude)), spec.mode == "fixed", include
    )


def _member_name(members: Members, cube: str, text: str) -> str:
    names = text.strip("{} ").split(".")
    owner, name = (
        (cube, names[0]) if len(names) == 1 or names[0] in ("CUBE", "TABLE") else (names[0], names[1])
    )
    name = names[-1] if names[0] in ("CUBE", "TABLE") else name
    if owner != cube:
        members.needs(cube, owner)
    if members.declared.kinds.get(owner, {}).get(name) == "segment":
        return f"{owner}.{name}"
    return dimension_name(members, cube, text, "filter")


def _included(members: Members, cube: str, one: Any) -> Any:
    if one.and_ or one.or_:
        key = "and_" if one.and_ else "or_"
        return one.model_copy(
            update={key: tuple(_included(members, cube, each) for each in getattr(one, key))}
        )
    name = dimension_name(members, cube, one.member, "filter.include")
    owner, short = name.split(".")[:2]
    dimension = members.dimension(owner, short)
    if one.operator == "measureFilter" or dimension is None:
        raise SnippetError(f"'filter.include': '{one.member}' cannot be filtered by '{one.operator}'")
    if dimension.type == "time" or one.operator in RANGES:
        words = [text for text in one.values if text is not None and not text[:4].isdigit()]
        if words:
            raise SnippetError(f"'filter.include' takes dates such as 2026-01-31, not '{words[0]}'")
    return one.model_copy(update={"member": name})


def _window(spec: Any) -> Window:
    if spec.type != "fixed":
        granularity = _TO_DATE.get(spec.type, spec.granularity)
        if granularity not in GRANULARITIES:
            raise SnippetError(f"'rolling_window': '{granularity}' is no granularity")
        return Window(to_date=granularity)
    if spec.trailing is None and spec.leading is None:
        raise SnippetError("'rolling_window' needs 'trailing' or 'leading'")

    def edge(text: str | None) -> Interval | None:
        if text is None:
            return Interval()
        return None if text.strip() == "unbounded" else length(text)

    return Window(edge(spec.trailing), edge(spec.leading), spec.offset == "start")


def length(text: str) -> Interval:
    """The interval that `text` says. Raises `SnippetError`."""
    try:
        return interval(text)
    except IntervalError as error:
        raise SnippetError(str(error)) from None
