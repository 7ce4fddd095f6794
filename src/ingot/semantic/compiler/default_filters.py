"""Default filters of views: conditions that hold unless the query itself says otherwise."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ingot.semantic.compiler.declared import Declared
from ingot.semantic.model import DefaultFilter, Found, Model, Segment, ViewMember
from ingot.semantic.query import Filter, Query

_WITHOUT_VALUES = ("set", "notSet")


def default_filters(
    declared: Declared, lineage: list[Any], members: Mapping[str, ViewMember]
) -> tuple[DefaultFilter, ...]:
    """Those of a view and of the views that it extends, by full names of its members."""
    found = []
    for view in lineage:
        for spec in view.default_filters:
            member, *unless = (
                _member(declared, lineage[-1], spec, name, members) for name in (spec.member, *spec.unless)
            )
            if spec.operator == "measureFilter":
                declared.report(spec, f"a default filter of view '{view.name}' cannot be a measureFilter")
            elif not spec.values and spec.operator not in _WITHOUT_VALUES:
                declared.report(spec, f"the default filter on '{spec.member}' has no 'values'")
            elif member is not None:
                released = tuple(name for name in unless if name is not None)
                found.append(DefaultFilter(member, spec.operator, tuple(spec.values), released))
    return tuple(found)


def _member(
    declared: Declared, view: Any, spec: Any, written: str, members: Mapping[str, ViewMember]
) -> str | None:
    owner, _, name = written.strip("{} ").rpartition(".")
    for one in members.values():
        if owner in ("", "CUBE", "TABLE", view.name):
            fits = one.name == name
        else:
            path = tuple(owner.split("."))
            fits = one.member.name == name and one.path[-len(path) :] == path
        if fits and isinstance(one.member, Segment):
            declared.report(spec, f"default filter of view '{view.name}': '{written}' is a segment")
            return None
        if fits:
            return one.full_name
    what = f"default filter of view '{view.name}': there is no '{written}'"
    declared.report(spec, what, known=members, name=name)
    return None


def asked(model: Model, query: Query) -> Iterator[tuple[Found, str, tuple[str | None, ...]]]:
    """The default filters that hold for a query: member, operator and values."""
    filtered = {*_filtered(query.filters), *(t.dimension for t in query.time_dimensions if _ranged(t))}
    views = dict.fromkeys(name.partition(".")[0] for name in (*_selected(query), *filtered))
    # What one asker sees may lack a member that a filter of the view is on, or mask it.
    whole = model.whole or model
    given = {whole.members[name].member for name in filtered if name in whole.members}
    for name in views:
        view = model.views.get(name)
        if view is None:
            continue
        for one in view.default_filters:
            if not any(whole.members[member].member in given for member in one.unless):
                yield whole.members[one.member], one.operator, one.values


def _ranged(time: Any) -> bool:
    return time.date_range is not None or time.compare_date_range is not None


def _selected(query: Query) -> Iterable[str]:
    times = (time.dimension for time in query.time_dimensions)
    return (*query.measures, *query.dimensions, *query.segments, *times)


def _filtered(filters: Iterable[Filter]) -> Iterator[str]:
    for one in filters:
        if one.member is not None:
            yield one.member
        yield from _filtered(one.and_ or ())
        yield from _filtered(one.or_ or ())
