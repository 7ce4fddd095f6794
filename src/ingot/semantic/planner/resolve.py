"""First pass: a query's names -> members, its date ranges -> times, its order -> columns.

The result is all that the later passes look at; two queries that mean the same give equal results, which
makes them share plans and cached answers.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ingot.semantic.compiler import default_filters
from ingot.semantic.errors import MemberError, QueryError
from ingot.semantic.model import Dimension, Found, Measure, Model, Path, Segment
from ingot.semantic.planner import dates, opened
from ingot.semantic.planner.times import GRANULARITIES
from ingot.semantic.query import Filter, Query
from ingot.semantic.stages import Granularity

RANGES = frozenset(
    {
        "inDateRange",
        "notInDateRange",
        "onTheDate",
        "beforeDate",
        "beforeOrOnDate",
        "afterDate",
        "afterOrOnDate",
    }
)
"""Operators that compare a time with a whole period."""
_TIMES = frozenset({"equals", "notEquals", "gt", "gte", "lt", "lte"})


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the answer. `key` is its key in a row: `orders.created_at.month`."""

    key: str
    found: Found
    granularity: str | None = None
    is_time: bool = False
    """Asked for as a time dimension, not as a dimension."""

    @property
    def period(self) -> str | Granularity | None:
        """The granularity: one that every time has, or one of the model's own."""
        if self.granularity is None or not isinstance(self.found.member, Dimension):
            return None
        return self.found.member.granularities.get(self.granularity, self.granularity)

    @property
    def alias(self) -> str:
        """Its name in SQL, as in Cube."""
        return self.key.replace(".", "__", 1).replace(".", "_")


@dataclass(frozen=True, slots=True)
class Condition:
    """A filter on one member. Values are text, or None for null.

    Of a time dimension they are local ISO times: beginning and end for the operators in `RANGES`.
    """

    found: Found
    operator: str
    values: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions of which all (`and`) or at least one (`or`) must hold."""

    every: bool
    parts: tuple["Condition | Group", ...]


Tree = Condition | Group


@dataclass(frozen=True, slots=True)
class Resolved:
    """A query with everything looked up."""

    dimensions: tuple[Column, ...]
    measures: tuple[Column, ...]
    where: tuple[Tree, ...]
    having: tuple[Tree, ...]
    segments: tuple[Found, ...]
    order: tuple[tuple[str, bool], ...]
    """Keys of columns; True where descending."""
    limit: int
    offset: int
    timezone: str
    ungrouped: bool
    total: bool
    ranges: tuple[tuple[str, tuple[str, str]], ...] = field(default=())
    """The date range of each time dimension that has one, as text."""
    range_members: tuple[Found, ...] = ()
    """These time dimensions."""
    join_hints: tuple[Path, ...] = ()
    rows: tuple[tuple[str, Tree], ...] = ()
    """By cube what its rows must fulfil to be there at all: policies say so, and no step can lift it."""
    limits: tuple[Tree, ...] = ()
    """The same of the joined rows, where a view is asked for."""

    @property
    def columns(self) -> tuple[Column, ...]:
        return (*self.dimensions, *self.measures)


def resolve(model: Model, query: Query, *, now: datetime | None = None) -> Resolved:
    """The query's meaning in the model.

    Raises:
        MemberError: for a name that is not in the model.
        QueryError: for a member that cannot be used in this way.
    """
    at = now or datetime.now(UTC)
    dimensions = [_dimension(model, name) for name in query.dimensions]
    ranges: list[Tree] = []
    texts = []
    ranged = []
    for time in query.time_dimensions:
        found = _find(model, time.dimension)
        if not isinstance(found.member, Dimension) or found.member.type != "time":
            raise QueryError(f"'{found.name}' is not a time dimension.")
        if time.granularity is not None:
            _check_granularity(time.granularity, found)
            dimensions.append(
                Column(f"{found.name}.{time.granularity}", found, time.granularity, is_time=True)
            )
        if time.date_range is not None:
            span = dates.span(time.date_range, now=at, zone=query.timezone)
            texts.append((found.name, span.texts()))
            ranged.append(found)
            ranges.append(Condition(found, "inDateRange", (span.start.isoformat(), span.end.isoformat())))
    columns = tuple({column.key: column for column in dimensions}.values())
    measures = tuple({name: _measure(model, name) for name in query.measures}.values())
    segments = tuple(_segment(model, name) for name in dict.fromkeys(query.segments))
    segments += tuple(_opened(model, query.filters))
    reader = ValueReader(model, at, query.timezone)
    where, having = _filters(reader, query.filters)
    for one, operator, values in default_filters.asked(model, query):
        always = _condition(reader, one, operator, values)
        where, having = (
            (where, (*having, always)) if isinstance(one.member, Measure) else ((*where, always), having)
        )
    if query.ungrouped and having:
        raise QueryError("An ungrouped query cannot filter by a measure.")
    return Resolved(
        columns,
        measures,
        (*ranges, *where),
        having,
        segments,
        _order(query, columns, measures),
        query.rows,
        query.offset or 0,
        query.timezone,
        query.ungrouped,
        query.total,
        tuple(texts),
        tuple(ranged),
        tuple(dict.fromkeys(query.join_hints)),
    )


def _find(model: Model, name: str) -> Found:
    found = model.members.get(name)
    if found is None:
        raise _missing(model, name)
    if not found.label.public or not _owner_public(model, name):
        raise QueryError(f"'{name}' is hidden: its model says public: false.")
    return found


def _owner_public(model: Model, name: str) -> bool:
    owner = name.partition(".")[0]
    view = model.views.get(owner)
    return view.label.public if view is not None else model.cubes[owner].label.public


def _missing(model: Model, name: str) -> MemberError:
    owner, dot, _ = name.partition(".")
    if not dot:
        return MemberError("member", name, model.members)
    if owner not in model.cubes and owner not in model.views:
        return MemberError("cube or view", owner, [*model.cubes, *model.views])
    return MemberError("member", name, [one for one in model.members if one.startswith(owner + ".")])


def _check_granularity(name: str, found: Found) -> None:
    assert isinstance(found.member, Dimension)
    own = found.member.granularities
    if name not in GRANULARITIES and name not in own:
        raise MemberError(f"granularity of '{found.name}'", name, [*GRANULARITIES, *own])


def _dimension(model: Model, name: str) -> Column:
    whole, dot, granularity = name.rpartition(".")
    if dot and name not in model.members and whole in model.members:
        found = _find(model, whole)
        if not isinstance(found.member, Dimension) or found.member.type != "time":
            raise QueryError(f"'{whole}' is not a time dimension, so '{name}' means nothing.")
        _check_granularity(granularity, found)
        return Column(name, found, granularity)
    found = _find(model, name)
    if not isinstance(found.member, Dimension):
        raise QueryError(f"'{name}' is a {_kind(found)}, not a dimension.")
    return Column(name, found)


def _measure(model: Model, name: str) -> Column:
    found = _find(model, name)
    if not isinstance(found.member, Measure):
        raise QueryError(f"'{name}' is a {_kind(found)}, not a measure.")
    return Column(name, found)


def _segment(model: Model, name: str) -> Found:
    found = _find(model, name)
    if not isinstance(found.member, Segment):
        raise QueryError(f"'{name}' is a {_kind(found)}, not a segment.")
    return found


def _opened(model: Model, filters: tuple[Filter, ...]) -> Iterator[Found]:
    for name in dict.fromkeys(opened.asked(filters)):
        found = opened.opened(_measure(model, name).found)
        if found is not None:
            yield found


def _kind(found: Found) -> str:
    return type(found.member).__name__.lower()


@dataclass(frozen=True, slots=True)
class ValueReader:
    """What the values of conditions are read with."""

    model: Model
    now: datetime
    zone: str

    def values(self, found: Found, operator: str, values: tuple[str | None, ...]) -> tuple[str | None, ...]:
        """The values, with times in whatever form as local ISO times."""
        if operator in RANGES:
            texts = [text for text in values if text is not None]
            if isinstance(found.member, Segment) or found.member.type != "time":
                raise QueryError(
                    f"The filter '{operator}' is for time dimensions, and '{found.name}' is none."
                )
            if not texts or len(texts) != len(values) or len(texts) > 2:
                raise QueryError(
                    f"The filter '{operator}' on '{found.name}' takes a date, two dates, or words as 'last week'."
                )
            span = dates.span(texts[0] if len(texts) == 1 else texts, now=self.now, zone=self.zone)
            return (span.start.isoformat(), span.end.isoformat())
        if operator in _TIMES and not isinstance(found.member, Segment) and found.member.type == "time":
            return tuple(text if text is None else self.time(text) for text in values)
        return values

    def time(self, text: str) -> str:
        return dates.span((text,), now=self.now, zone=self.zone).start.isoformat()


def _filters(reader: ValueReader, filters: tuple[Filter, ...]) -> tuple[tuple[Tree, ...], tuple[Tree, ...]]:
    where: list[Tree] = []
    having: list[Tree] = []
    for one in filters:
        if one.and_ is not None:
            inner_where, inner_having = _filters(reader, one.and_)
            where += inner_where
            having += inner_having
            continue
        if one.operator == opened.OPERATOR:
            continue
        tree = _tree(reader, one)
        if tree is None:
            continue
        kinds = {isinstance(condition.found.member, Measure) for condition in conditions(tree)}
        if kinds == {True, False}:
            raise QueryError("An 'or' cannot join conditions on measures with conditions on dimensions.")
        (having if kinds == {True} else where).append(tree)
    return tuple(where), tuple(having)


def _tree(reader: ValueReader, one: Filter) -> Tree | None:
    inner = one.or_ if one.or_ is not None else one.and_
    if inner is not None:
        parts = tuple(part for each in inner if (part := _tree(reader, each)) is not None)
        return Group(one.and_ is not None, parts) if parts else None
    assert one.member is not None
    assert one.operator is not None
    found = _find(reader.model, one.member)
    if one.operator == opened.OPERATOR:
        raise QueryError(f"The filter '{opened.OPERATOR}' on '{found.name}' cannot stand in an 'or'.")
    if isinstance(found.member, Segment):
        raise QueryError(f"'{found.name}' is a segment: put it into \"segments\".")
    return _condition(reader, found, one.operator, one.values or ())


def _condition(reader: ValueReader, found: Found, written: str, values: tuple[str | None, ...]) -> Condition:
    operator = {"in": "equals", "notIn": "notEquals"}.get(written, written)
    return Condition(found, operator, reader.values(found, operator, values))


def without(tree: Tree, stays: Callable[[str], bool]) -> Tree | None:
    """The tree where conditions that do not stay hold always; None where the whole does."""
    if isinstance(tree, Condition):
        return tree if stays(tree.found.member.full_name) else None
    parts = [without(part, stays) for part in tree.parts]
    if not tree.every and None in parts:
        return None
    kept = tuple(part for part in parts if part is not None)
    return Group(tree.every, kept) if kept else None


def conditions(tree: Tree) -> list[Condition]:
    """The conditions in a tree, from left to right."""
    if isinstance(tree, Condition):
        return [tree]
    return [condition for part in tree.parts for condition in conditions(part)]


def _order(
    query: Query, dimensions: tuple[Column, ...], measures: tuple[Column, ...]
) -> tuple[tuple[str, bool], ...]:
    if query.order is not None:
        keys = {column.key: column.key for column in (*dimensions, *measures)}
        for column in dimensions:
            if column.is_time:
                keys.setdefault(column.found.name, column.key)
        found: dict[str, bool] = {}
        for name, direction in query.order:
            if name not in keys:
                raise MemberError("column of this query to order by", name, keys)
            if direction != "none":
                found.setdefault(keys[name], direction == "desc")
        return tuple(found.items())
    times = [column for column in dimensions if column.is_time]
    if times:
        return ((times[0].key, False),)
    if measures and dimensions:
        return ((measures[0].key, True),)
    return ((dimensions[0].key, False),) if dimensions else ()


def member_paths(found: Found) -> tuple[Path, ...]:
    """The joins that a member needs, from where its name says that they begin."""
    return tuple(found.path[:-1] + path for path in found.member.paths)
