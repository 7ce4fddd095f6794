"""The `pre_aggregations` of cubes -> rollups, with every mistake reported at its file and line."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ingot.project import Problem, ProjectError, problem
from ingot.semantic.errors import QueryError
from ingot.semantic.model import Cube, Dimension, Found, Measure, Model, Segment
from ingot.semantic.planner.fanout import Grain, Leaf, facts, leaf_path
from ingot.semantic.planner.resolve import Column
from ingot.semantic.planner.writing import aliases
from ingot.semantic.rollups import periods
from ingot.semantic.rollups.definition import Part, Rollup, StoredDimension, StoredFact, flag, parts_of

if TYPE_CHECKING:
    from ingot.project import Project


class Cubes(Protocol):
    """What is read of a project: its cubes, with a name, what they extend, and their pre-aggregations."""

    @property
    def cubes(self) -> Sequence[Any]: ...


class _MistakeError(Exception):
    """A pre-aggregation cannot be compiled; `known` are the names that could have stood there."""

    def __init__(self, message: str, *, known: Sequence[str] = (), expected: str | None = None) -> None:
        super().__init__(message)
        self.known = known
        self.expected = expected


def declared_rollups(project: "Project | Cubes", model: Model) -> tuple[Rollup, ...]:
    """The rollups of all cubes, in the order of their definition.

    Raises:
        ProjectError: with every problem of every pre-aggregation.
    """
    reader = _Reader(model)
    by_name = {spec.name: spec for spec in project.cubes}
    for spec in project.cubes:
        if spec.name in model.cubes:
            reader.cube(spec.name, list(_own_and_inherited(spec, by_name)))
    reader.lambdas()
    if reader.problems:
        raise ProjectError(reader.problems)
    return tuple(reader.found.values())


def _own_and_inherited(spec: Any, by_name: dict[str, Any]) -> Iterator[Any]:
    """The pre-aggregations of a cube and of those that it extends; its own win."""
    lineage = [spec]
    while (parent := by_name.get(lineage[-1].extends or "")) is not None and parent not in lineage:
        lineage.append(parent)
    merged: dict[str, Any] = {}
    for one in reversed(lineage):
        for each in one.pre_aggregations:
            merged[each.name] = each
    yield from merged.values()


class _Reader:
    def __init__(self, model: Model) -> None:
        self.model = model
        self.problems: list[Problem] = []
        self.found: dict[str, Rollup] = {}
        self.waiting: list[tuple[str, Any]] = []
        self.mentioned: list[tuple[str, Any, str]] = []

    def cube(self, cube: str, specs: Sequence[Any]) -> None:
        for spec in specs:
            full_name = f"{cube}.{spec.name}"
            if spec.type == "rollup_lambda":
                self.waiting.append((cube, spec))
                continue
            try:
                self.found[full_name] = self._one(cube, spec)
            except _MistakeError as error:
                self._report(cube, spec, error)

    def lambdas(self) -> None:
        for cube, spec in self.waiting:
            try:
                self.found[f"{cube}.{spec.name}"] = self._lambda(cube, spec)
            except _MistakeError as error:
                self._report(cube, spec, error)

        for cube, spec, name in self.mentioned:
            if name not in self.found:
                unknown = _MistakeError(f"there is no rollup '{name}'", known=tuple(self.found))
                self._report(cube, spec, unknown)

    def _report(self, cube: str, spec: Any, error: _MistakeError) -> None:
        self.problems.append(
            problem(
                spec.place,
                f"pre-aggregation '{cube}.{spec.name}': {error}",
                known=error.known,
                name=_quoted(str(error)),
                expected=error.expected,
            )
        )

    def _one(self, cube: str, spec: Any) -> Rollup:
        if spec.type == "auto_rollup":
            raise _MistakeError(
                "the type 'auto_rollup' is not built: 'ingot rollup suggest' proposes rollups from what was asked",
                expected="rollup, original_sql, rollup_join or rollup_lambda",
            )
        if spec.type == "original_sql":
            return self._original(cube, spec)
        return self._rollup(cube, spec)

    def _original(self, cube: str, spec: Any) -> Rollup:
        return Rollup(
            cube,
            spec.name,
            "original_sql",
            spec.place,
            self.model,
            scheduled=bool(spec.scheduled_refresh),
        )

    def _rollup(self, cube: str, spec: Any) -> Rollup:
        dimensions = self._dimensions(cube, spec)
        leaves = self._leaves(cube, spec)
        if not dimensions and not leaves:
            raise _MistakeError("it has neither measures nor dimensions")
        if spec.type == "rollup_join":
            self.mentioned += [(cube, spec, self._named(cube, name)) for name in spec.rollups]
        grain = Grain(tuple(one.column for one in dimensions))
        try:
            made = facts(self.model, grain, leaves)
        except QueryError as error:
            raise _MistakeError(error.message) from None
        stored: list[StoredFact] = []
        used = {one.name.casefold() for one in dimensions}
        for number, fact in enumerate(made):
            columns: dict[str, dict[Part, str]] = {}
            same: dict[object, str] = {}
            for name, _ in fact.leaves:
                measure = self.model.measure(name)
                columns[name] = {}
                for part in parts_of(measure):
                    key = _stored_as(measure, part)
                    if key not in same:
                        same[key] = self._column_name(name, part, used)
                    columns[name][part] = same[key]
            stored.append(StoredFact(number, fact, columns))
        time = self._time(dimensions, spec)
        partition = spec.partition_granularity
        if partition is not None and time is None:
            raise _MistakeError("it has a partition_granularity and no time dimension")
        if partition is not None and partition not in periods.UNITS:
            raise _MistakeError(f"'{partition}' is no partition_granularity", known=periods.UNITS)
        if time is not None and partition is not None and not periods.fits(time, partition):
            # Weeks cut months in two: one file holds all of them.
            partition = None
        for key in ("build_range_start", "build_range_end"):
            if getattr(spec, key) is not None and (
                time is None or time.granularity not in (None, *periods.UNITS)
            ):
                raise _MistakeError(f"it has a {key} and no time dimension with a usual granularity")
        return Rollup(
            cube,
            spec.name,
            spec.type,
            spec.place,
            self.model,
            dimensions,
            tuple(stored),
            time,
            partition,
            _range_sql(spec.build_range_start),
            _range_sql(spec.build_range_end),
            bool(spec.allow_non_strict_date_range_match),
            bool(spec.scheduled_refresh),
            self._sort(cube, spec, dimensions),
        )

    def _dimensions(self, cube: str, spec: Any) -> tuple[StoredDimension, ...]:
        found: dict[str, tuple[Column, bool]] = {}
        times = [(spec.time_dimension, spec.granularity)] if spec.time_dimension else []
        times += [(one.dimension, one.granularity) for one in spec.time_dimensions]
        for name, granularity in times:
            one = self._member(cube, name, Dimension, "time dimension")
            assert isinstance(one.member, Dimension)
            if one.member.type != "time":
                raise _MistakeError(f"'{one.name}' is not a time dimension")
            known = periods.names(one.member)
            if granularity is not None and granularity not in known:
                raise _MistakeError(f"'{granularity}' is no granularity of '{one.name}'", known=tuple(known))
            key = one.name if granularity is None else f"{one.name}.{granularity}"
            found[key] = (Column(key, one, granularity, is_time=granularity is not None), False)
        for name in spec.dimensions:
            one = self._member(cube, name, Dimension, "dimension")
            found.setdefault(one.name, (Column(one.name, one), False))
        for name in spec.segments:
            one = self._member(cube, name, Segment, "segment")
            found.setdefault(one.name, (flag(one), True))
        names = aliases([column for column, _ in found.values()])
        return tuple(StoredDimension(names[key], *pair) for key, pair in found.items())

    def _leaves(self, cube: str, spec: Any) -> tuple[Leaf, ...]:
        found: dict[Leaf, None] = {}
        for name in spec.measures:
            one = self._member(cube, name, Measure, "measure")
            assert isinstance(one.member, Measure)
            for leaf in one.member.leaves:
                found.setdefault((leaf, leaf_path(one.path, leaf)), None)
        return tuple(found)

    def _time(self, dimensions: Sequence[StoredDimension], spec: Any) -> StoredDimension | None:
        times = [one for one in dimensions if one.is_time]
        wants = spec.time_dimension or spec.time_dimensions or spec.partition_granularity
        return times[0] if times and wants else None

    def _sort(self, cube: str, spec: Any, dimensions: Sequence[StoredDimension]) -> tuple[str, ...]:
        """The order of the rows in the files: as the first index says, else by time."""
        for index in spec.indexes:
            names = [_plain(name, cube) for name in index.columns]
            by_name = {one.column.found.name: one.name for one in dimensions}
            for name in names:
                if name not in by_name:
                    raise _MistakeError(
                        f"index '{index.name}': '{name}' is none of its dimensions", known=tuple(by_name)
                    )
            if names:
                return tuple(by_name[name] for name in names)
        return tuple(one.name for one in sorted(dimensions, key=lambda one: not one.is_time))

    def _member(self, cube: str, text: str, kind: type, what: str) -> Found:
        path = _plain(text, cube).split(".")
        owner, name = path[-2], path[-1]
        for part in path[:-1]:
            if part not in self.model.cubes:
                raise _MistakeError(
                    f"{what} '{text}': there is no cube '{part}'", known=tuple(self.model.cubes)
                )
        holder: Cube = self.model.cubes[owner]
        members: dict[str, Any] = {**holder.dimensions, **holder.measures, **holder.segments}
        fitting = [name for name, one in members.items() if isinstance(one, kind)]
        if name not in members:
            raise _MistakeError(f"cube '{owner}' has no {what} '{name}'", known=fitting)
        if not isinstance(members[name], kind):
            is_a = type(members[name]).__name__.lower()
            raise _MistakeError(f"'{owner}.{name}' is a {is_a}, not a {what}", known=fitting)
        member = members[name]
        return Found(member.full_name, member, tuple(path[:-1]), member.label)

    def _column_name(self, leaf: str, part: Part, used: set[str]) -> str:
        wanted = leaf.replace(".", "__", 1) + ("" if part == "value" else f"__{part}")
        name, n = wanted, 1
        while name.casefold() in used:
            n += 1
            name = f"{wanted}_{n}"
        used.add(name.casefold())
        return name

    def _named(self, cube: str, text: str) -> str:
        """The full name of a pre-aggregation that another one names; it must be declared somewhere."""
        name = _plain(text, cube)
        owner, _, own = name.rpartition(".")
        return f"{owner}.{own}"

    def _lambda(self, cube: str, spec: Any) -> Rollup:
        if not spec.rollups:
            raise _MistakeError("a rollup_lambda needs 'rollups': what it is made of")
        parts = []
        for text in spec.rollups:
            name = self._named(cube, text)
            if name not in self.found:
                raise _MistakeError(f"there is no rollup '{name}'", known=tuple(self.found))
            part = self.found[name]
            if part.kind not in ("rollup", "rollup_join"):
                raise _MistakeError(f"'{name}' is an {part.kind}, not a rollup")
            parts.append(part)
        first = parts[0]
        for part in parts[1:]:
            if _shape(part) != _shape(first):
                raise _MistakeError(
                    f"'{part.full_name}' does not store the same members as '{first.full_name}'",
                    expected="rollups with the same measures, dimensions, segments and granularities",
                )
        if len(parts) > 1 and first.time is None:
            raise _MistakeError(
                f"'{first.full_name}' has no time dimension, which tells what comes from where"
            )
        return Rollup(
            cube,
            spec.name,
            "rollup_lambda",
            spec.place,
            self.model,
            first.dimensions,
            first.facts,
            first.time,
            loose=first.loose,
            scheduled=False,
            parts=tuple(parts),
            with_source=bool(spec.union_with_source_data),
        )


def _stored_as(measure: Measure, part: Part) -> object:
    """What a column holds; the sum of an average and the sum beside it are one column."""
    kind = measure.aggregate if part == "value" else part
    texts = [None if tree is None else tree.sql() for tree in (measure.sql, measure.condition)]
    return (measure.cube, kind, *texts)


def _shape(rollup: Rollup) -> object:
    return (
        [(one.column.key, one.name, one.segment) for one in rollup.dimensions],
        [(one.number, one.leaves) for one in rollup.facts],
        rollup.time is not None and rollup.time.name,
    )


def _plain(text: str, cube: str) -> str:
    """A reference as a full name: `CUBE.status`, `status` and `{status}` are members of the cube."""
    name = text.strip().strip("{}").strip()
    parts = name.split(".")
    if parts[0] in ("CUBE", "TABLE"):
        parts[0] = cube
    return ".".join(parts) if len(parts) > 1 else f"{cube}.{name}"


def _quoted(text: str) -> str | None:
    parts = text.split("'")
    return parts[-2] if len(parts) > 2 else None


def _range_sql(value: Any) -> str | None:
    """The SQL of one end of the build range; it may be written as text or as an object with `sql`."""
    text = getattr(value, "sql", value)
    return None if text is None else str(text)
