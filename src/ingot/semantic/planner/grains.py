"""What a multi-stage measure does to the grain of a query: dimensions, filters and times of its inner steps."""

from collections.abc import Iterable
from dataclasses import replace

from ingot.semantic.errors import QueryError
from ingot.semantic.intervals import Interval
from ingot.semantic.model import Dimension, Found, Measure, Model, Path
from ingot.semantic.planner.fanout import Grain, leaf_path
from ingot.semantic.planner.filters import Value
from ingot.semantic.planner.included import included
from ingot.semantic.planner.resolve import Column, Condition, conditions, without
from ingot.semantic.stages import Stage, StageFilter


def entered(model: Model, measure: Measure, path: Path, grain: Grain, *, top: Grain, zone: str) -> Grain:
    """The grain at which a multi-stage measure has its values, seen from `grain`."""
    stage = measure.stage
    assert stage is not None
    shifts = _shifts(stage, grain)
    if stage.filter is not None:
        grain = _refiltered(model, stage.filter, path, grain, top=top, zone=zone)
    kept = grain.dimensions if measure.aggregate == "rank" else partition(measure, grain)
    return replace(grain, dimensions=kept, shifts=shifts)


def partition(measure: Measure, grain: Grain) -> tuple[Column, ...]:
    """The dimensions of the grain that the measure keeps."""
    stage = measure.stage
    assert stage is not None
    return tuple(
        one
        for one in grain.dimensions
        if (stage.keep is None or _named(one, stage.keep)) and not _named(one, stage.drop)
    )


def inner(model: Model, measure: Measure, path: Path, grain: Grain) -> Grain:
    """The grain at which the measures that a multi-stage measure aggregates are computed."""
    stage = measure.stage
    assert stage is not None
    there = {(one.found.member.full_name, one.granularity) for one in grain.dimensions}
    added = [_column(model, name, path) for name in stage.add]
    for one in added:
        for other in grain.dimensions:
            if (
                one.found.member.full_name == other.found.member.full_name
                and one.found.member is not other.found.member
            ):
                raise QueryError(
                    f"'{measure.full_name}' is computed by '{one.found.name}', which is masked: they cannot be asked together."
                )
    more = [one for one in added if (one.found.member.full_name, one.granularity) not in there]
    return replace(grain, dimensions=(*grain.dimensions, *more))


def dimension_column(measure: Measure, name: str, grain: Grain) -> Column | Value:
    """The column, or the one value that the filters leave, of a dimension that a measure's SQL refers to.

    Raises:
        QueryError: where the query neither groups by it nor filters it to one value.
    """
    for one in grain.dimensions:
        if _is(one, name):
            return one
    for each in grain.where:
        if (
            isinstance(each, Condition)
            and each.found.member.full_name == name
            and each.operator == "equals"
            and len(each.values) == 1
            and each.values[0] is not None
        ):
            return each.values[0]
    raise QueryError(
        f"'{measure.full_name}' depends on '{name}', by which it is not grouped.",
        hint=f"Add '{name}' to the query's dimensions, or a filter that equals one value.",
    )


def _named(column: Column, names: Iterable[str]) -> bool:
    return any(_is(column, name) for name in names)


def _is(column: Column, name: str) -> bool:
    full = column.found.member.full_name
    return name in (full, f"{full}.{column.granularity}")


def _column(model: Model, name: str, path: Path) -> Column:
    found, granularity = model.members.get(name), None
    if found is None:
        whole, _, granularity = name.rpartition(".")
        found = model.members[whole]
    here = leaf_path(path, found.member.full_name)
    return Column(name, Found(found.name, found.member, here, found.label), granularity)


def _shifts(stage: Stage, grain: Grain) -> tuple[tuple[str, Interval], ...]:
    if not stage.shifts:
        return grain.shifts
    found = dict(grain.shifts)
    times = {
        one.member.full_name
        for one in _members(grain)
        if isinstance(one.member, Dimension) and one.member.type == "time"
    }
    for shift in stage.shifts:
        for name in sorted(times) if shift.time is None else [shift.time]:
            if name in times:
                found[name] = found.get(name, Interval()) + shift.by
    return tuple(sorted(found.items()))


def _members(grain: Grain) -> Iterable[Found]:
    yield from (one.found for one in grain.dimensions)
    yield from (one.found for tree in grain.where for one in conditions(tree))


def _refiltered(model: Model, rule: StageFilter, path: Path, grain: Grain, *, top: Grain, zone: str) -> Grain:
    where, segments = (top.where, top.segments) if rule.fixed else (grain.where, grain.segments)

    def stays(name: str) -> bool:
        return name not in rule.drop and (rule.keep is None or name in rule.keep)

    trees = [kept for tree in where if (kept := without(tree, stays)) is not None]
    trees += included(model, rule, path, zone)
    return replace(
        grain, where=tuple(trees), segments=tuple(one for one in segments if stays(one.member.full_name))
    )
