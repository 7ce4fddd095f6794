"""Project specs -> `Model`: names resolved, snippets parsed, every mistake collected and reported at once.

Members are compiled on demand, each once, so that references may stand in any order; a member that leads
back to itself is a cycle. Views are in `compile_views`.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sqlglot import exp

from ingot.project import Problem, ProjectError, problem
from ingot.semantic import marks, snippet
from ingot.semantic.compile_views import compile_view
from ingot.semantic.joins import shortest, to_many
from ingot.semantic.labels import label
from ingot.semantic.model import Aggregate, Cube, Dimension, Found, Join, Measure, Model, Path, Segment, View
from ingot.semantic.snippet import Alias, SnippetError
from ingot.semantic.times import GRANULARITIES, truncated

if TYPE_CHECKING:
    from ingot.project import Project

_RELATIONSHIPS = {"belongs_to": "many_to_one", "has_many": "one_to_many", "has_one": "one_to_one"}
_OWN_SQL = frozenset({"number", "string", "boolean", "time"})
_LATER = {
    "rolling_window": "rolling windows are",
    "multi_stage": "multi-stage members are",
    "time_shift": "time shifts are",
    "sub_query": "subquery dimensions are",
}

Compiled = TypeVar("Compiled", Dimension, Measure, Segment)


def compile_model(project: "Project") -> Model:
    """The model of a project's cubes and views.

    Raises:
        ProjectError: with every problem of every cube and view, each with its file and line.
    """
    return _Compiler(project.cubes, project.views).model()


class _Compiler:
    def __init__(self, cubes: Sequence[Any], views: Sequence[Any]) -> None:
        self.problems: list[Problem] = []
        self.specs: dict[str, Any] = {}
        self.view_specs = views
        folded: dict[str, str] = {}
        for spec in [*cubes, *views]:
            # SQL does not tell Orders from orders, and each is an alias there.
            first = folded.setdefault(spec.name.casefold(), spec.name)
            if first in self.specs or (spec in views and first != spec.name):
                self.report(spec, f"the name '{spec.name}' is used twice by cubes and views")
            elif spec in cubes:
                self.specs[spec.name] = spec
        self.members: dict[str, dict[str, Any]] = {}
        self.kinds: dict[str, dict[str, str]] = {}
        self.joins: dict[str, tuple[Any, ...]] = {}
        for name in self.specs:
            self.gather(name)
        self.edges = {name: self.edge_specs(name) for name in self.specs}
        self.made: dict[tuple[str, str], Any] = {}
        self.open: list[str] = []

    def report(self, spec: Any, message: str, **more: Any) -> None:
        self.problems.append(problem(spec.place, message, **more))

    # --- what each cube has, with what it extends -----------------------------------------------------

    def lineage(self, name: str) -> list[Any]:
        """The specs that make up a cube, the most general first."""
        chain: list[Any] = []
        at: str | None = name
        while at is not None:
            spec = self.specs[at]
            if spec in chain:
                self.report(
                    spec, f"cube '{name}' extends itself: {' -> '.join(s.name for s in chain)} -> {at}"
                )
                break
            chain.append(spec)
            parent = spec.extends
            if parent is not None and parent not in self.specs:
                self.report(
                    spec,
                    f"cube '{at}' extends '{parent}', which is not a cube",
                    known=self.specs,
                    name=parent,
                )
                break
            at = parent
        return chain[::-1]

    def gather(self, name: str) -> None:
        members: dict[str, Any] = {}
        kinds: dict[str, str] = {}
        joins: dict[str, Any] = {}
        for spec in self.lineage(name):
            own: set[str] = set()
            for kind, items in (
                ("dimension", spec.dimensions),
                ("measure", spec.measures),
                ("segment", spec.segments),
            ):
                for item in items or ():
                    if item.name in own:
                        self.report(item, f"cube '{name}' has two members named '{item.name}'")
                    own.add(item.name)
                    members[item.name] = item
                    kinds[item.name] = kind
            for join in spec.joins or ():
                joins[join.name] = join
        self.members[name], self.kinds[name], self.joins[name] = members, kinds, tuple(joins.values())

    def edge_specs(self, name: str) -> tuple[Join, ...]:
        """The joins of a cube without their SQL: enough to find paths."""
        edges = []
        for join in self.joins[name]:
            if join.name not in self.specs:
                self.report(
                    join,
                    f"cube '{name}' joins '{join.name}', which is not a cube",
                    known=self.specs,
                    name=join.name,
                )
            elif join.name == name:
                self.report(
                    join,
                    f"cube '{name}' joins itself: give the other role a cube of its own that extends '{name}'",
                )
            else:
                relationship = _RELATIONSHIPS.get(join.relationship, join.relationship)
                edges.append(Join(name, join.name, cast("Any", relationship), exp.true()))
        return tuple(edges)

    # --- members ----------------------------------------------------------------------------------------

    def once(self, cube: str, name: str, make: Callable[[], Compiled | None]) -> Compiled | None:
        key = (cube, name)
        full = f"{cube}.{name}"
        if full in self.open:
            steps = [*self.open[self.open.index(full) :], full]
            self.report(self.members[cube][name], f"'{full}' is defined by itself: {' -> '.join(steps)}")
            return None
        if key not in self.made:
            self.open.append(full)
            try:
                self.made[key] = make()
            except SnippetError as error:
                self.report(self.members[cube][name], f"{full}: {error}")
                self.made[key] = None
            finally:
                self.open.pop()
        return cast("Compiled | None", self.made[key])

    def dimension(self, cube: str, name: str) -> Dimension | None:
        return self.once(cube, name, lambda: self.make_dimension(cube, self.members[cube][name]))

    def measure(self, cube: str, name: str) -> Measure | None:
        return self.once(cube, name, lambda: self.make_measure(cube, self.members[cube][name]))

    def segment(self, cube: str, name: str) -> Segment | None:
        return self.once(cube, name, lambda: self.make_segment(cube, self.members[cube][name]))

    def make_dimension(self, cube: str, spec: Any) -> Dimension | None:
        self.refuse_later(cube, spec)
        scope = _Scope(self, cube)
        case = getattr(spec, "case", None)
        if spec.type in ("geo", "switch"):
            raise SnippetError(f"dimensions of type '{spec.type}' are not supported yet")
        if case is not None:
            if getattr(case, "switch", None) is not None:
                raise SnippetError("a case with 'switch' is not supported yet")
            tree: exp.Expr = exp.Case(
                ifs=[
                    exp.If(this=scope.read(when.sql), true=self.case_label(scope, when.label))
                    for when in case.when
                ],
                default=self.case_label(scope, case.else_.label)
                if getattr(case, "else_", None) is not None
                else None,
            )
        elif spec.sql is None:
            raise SnippetError("a dimension needs 'sql' or 'case'")
        else:
            tree = scope.read(spec.sql)
        if marks_in(tree):
            raise SnippetError("a dimension cannot refer to a measure")
        paths = scope.paths()
        return Dimension(
            cube,
            spec.name,
            spec.type,
            tree,
            paths,
            label(spec, self.specs[cube]),
            primary_key=bool(spec.primary_key),
        )

    def case_label(self, scope: "_Scope", value: Any) -> exp.Expr:
        sql = getattr(value, "sql", None)
        return scope.read(sql) if sql is not None else exp.Literal.string(str(value))

    def make_segment(self, cube: str, spec: Any) -> Segment | None:
        scope = _Scope(self, cube)
        tree = scope.read(spec.sql)
        if marks_in(tree):
            raise SnippetError("a segment cannot refer to a measure")
        return Segment(cube, spec.name, tree, scope.paths(), label(spec, self.specs[cube]))

    def make_measure(self, cube: str, spec: Any) -> Measure | None:
        self.refuse_later(cube, spec)
        full = f"{cube}.{spec.name}"
        scope = _Scope(self, cube)
        tree = scope.read(spec.sql) if spec.sql is not None else None
        conditions = [scope.read(one.sql) for one in spec.filters or ()]
        condition = exp.and_(*conditions) if conditions else None
        if condition is not None and marks_in(condition):
            raise SnippetError("the filters of a measure cannot refer to a measure")
        aggregate: Aggregate
        if spec.type in _OWN_SQL:
            aggregate = self.own_sql(spec, tree, condition, scope)
        else:
            if tree is None and spec.type != "count":
                raise SnippetError(f"a measure of type '{spec.type}' needs 'sql': what to aggregate")
            if tree is not None and marks_in(tree):
                raise SnippetError(
                    f"'{spec.type}' of another measure is not supported: only a measure of type number may refer to measures"
                )
            if tree is not None and tree.find(exp.AggFunc):
                raise SnippetError(
                    f"'{spec.type}' of an aggregate: an expression that aggregates by itself has type number"
                )
            if spec.type in ("sum", "avg") and isinstance(tree, exp.Literal) and tree.is_string:
                raise SnippetError(f"'{spec.type}' of text")
            aggregate = spec.type
        self.to_one(cube, scope)
        inner = tuple(dict.fromkeys(leaf for one in scope.measures for leaf in one.leaves))
        if aggregate == "raw" and any(leaf.rpartition(".")[0] != cube for leaf in inner):
            raise SnippetError(
                "an expression that aggregates by itself may refer only to measures of its own cube"
            )
        return Measure(
            cube,
            spec.name,
            spec.type if spec.type in _OWN_SQL else "number",
            aggregate,
            tree,
            condition,
            tuple(
                dict.fromkeys(
                    [*scope.paths(), *(p for one in scope.measures if one.cube == cube for p in one.paths)]
                )
            ),
            inner if aggregate == "calculated" else (full,),
            label(spec, self.specs[cube]),
            tuple(self.drill(cube, spec)),
        )

    def own_sql(
        self, spec: Any, tree: exp.Expr | None, condition: exp.Expr | None, scope: "_Scope"
    ) -> Aggregate:
        if tree is None:
            raise SnippetError(f"a measure of type '{spec.type}' needs 'sql'")
        if condition is not None:
            raise SnippetError(
                f"a measure of type '{spec.type}' takes no filters: put them on the measures that it is made of"
            )
        columns = any(marks.measure_name(node) is None for node in tree.find_all(exp.Column))
        if columns or tree.find(exp.AggFunc):
            if not tree.find(exp.AggFunc, exp.Anonymous):
                raise SnippetError(
                    f"a measure of type '{spec.type}' must aggregate: neither an aggregate nor a measure is in its sql"
                )
            return "raw"
        if not scope.measures:
            raise SnippetError(f"a measure of type '{spec.type}' must refer to a measure or aggregate")
        return "calculated"

    def drill(self, cube: str, spec: Any) -> list[str]:
        names = []
        for name in getattr(spec, "drill_members", None) or ():
            owner, _, member = name.rpartition(".")
            owner = cube if owner in ("", "CUBE") else owner
            if member not in self.members.get(owner, {}):
                known = [f"{c}.{m}" for c, ms in self.members.items() for m in ms]
                self.report(
                    spec,
                    f"{cube}.{spec.name}: unknown drill member '{name}'",
                    known=known,
                    name=f"{owner}.{member}",
                )
            names.append(f"{owner}.{member}")
        return names

    def refuse_later(self, cube: str, spec: Any) -> None:
        for key, words in _LATER.items():
            if getattr(spec, key, None):
                raise SnippetError(f"{words} not supported yet")

    def to_one(self, cube: str, scope: "_Scope") -> None:
        """A measure is computed from rows of its own cube: what it refers to must not multiply them."""
        for path in scope.paths():
            for left, right in itertools.pairwise(path):
                if to_many(self.edges, left, right):
                    raise SnippetError(
                        f"it refers to cube '{right}', of which one row of '{left}' can have many: "
                        f"define the measure in '{right}'"
                    )

    # --- the whole ----------------------------------------------------------------------------------------

    def model(self) -> Model:
        cubes = {name: cube for name in self.specs if (cube := self.cube(name)) is not None}
        self.check_keys(cubes)
        members = {
            member.full_name: Found(member.full_name, member, (cube.name,), member.label)
            for cube in cubes.values()
            for group in (cube.dimensions, cube.measures, cube.segments)
            for member in cast("Mapping[str, Dimension]", group).values()
        }
        views: dict[str, View] = {}
        for spec in self.view_specs:
            view = compile_view(spec, cubes, self.edges, self.problems)
            views[view.name] = view
            for one in view.members.values():
                members[one.full_name] = Found(one.full_name, one.member, one.path, one.label)
        if self.problems:
            raise ProjectError(self.problems)
        return Model(cubes, views, members, {name: cube.joins for name, cube in cubes.items()})

    def cube(self, name: str) -> Cube | None:
        spec = self.specs[name]
        kinds = self.kinds[name]
        dimensions = {n: m for n, k in kinds.items() if k == "dimension" and (m := self.dimension(name, n))}
        measures = {n: m for n, k in kinds.items() if k == "measure" and (m := self.measure(name, n))}
        segments = {n: m for n, k in kinds.items() if k == "segment" and (m := self.segment(name, n))}
        joins = []
        for edge in self.edges[name]:
            join = next(one for one in self.joins[name] if one.name == edge.right)
            if (sql := self.join_sql(name, join)) is not None:
                joins.append(Join(edge.left, edge.right, edge.relationship, sql))
        source = self.source(name)
        if source is None:
            return None
        return Cube(
            name,
            source,
            snippet.tables(source),
            dimensions,
            measures,
            segments,
            tuple(joins),
            label(spec, None),
        )

    def source(self, name: str) -> exp.Expr | None:
        spec = self.specs[name]
        sql, table = None, None
        for one in reversed(self.lineage(name)):
            if one.sql is not None or one.sql_table is not None:
                sql, table = one.sql, one.sql_table
                break
        try:
            if (sql is None) == (table is None):
                raise SnippetError("needs either 'sql_table' or 'sql'")
            return snippet.table(table) if table is not None else exp.Subquery(this=snippet.query(sql))
        except SnippetError as error:
            self.report(spec, f"cube '{name}': {error}")
            return None

    def join_sql(self, cube: str, spec: Any) -> exp.Expr | None:
        scope = _Scope(self, cube)
        try:
            tree = scope.read(spec.sql, own=None)
            if marks_in(tree):
                raise SnippetError("a join cannot refer to a measure")
            if others := sorted(scope.cubes() - {cube, spec.name}):
                raise SnippetError(f"it refers to cube '{others[0]}', which is not part of it")
        except SnippetError as error:
            self.report(spec, f"join of '{cube}' to '{spec.name}': {error}")
            return None
        return tree

    def check_keys(self, cubes: Mapping[str, Cube]) -> None:
        joined = {edge.right for edges in self.edges.values() for edge in edges} | {
            n for n, e in self.edges.items() if e
        }
        for name in sorted(joined & cubes.keys()):
            if cubes[name].measures and not cubes[name].primary_key:
                if any(
                    self.members[name][n].primary_key for n, k in self.kinds[name].items() if k == "dimension"
                ):
                    continue  # the key has a problem of its own
                self.report(
                    self.specs[name],
                    f"cube '{name}' has joins and measures but no primary key, so that joined rows cannot be counted once",
                    expected="a dimension with primary_key: true",
                )


class _Scope:
    """Reads the snippets of one member of `cube`, and remembers what they refer to."""

    def __init__(self, compiler: _Compiler, cube: str) -> None:
        self.compiler = compiler
        self.cube = cube
        self.aliases: list[str] = []
        self.dimensions: list[Dimension] = []
        self.measures: list[Measure] = []

    def read(self, text: str, *, own: str | None = "") -> exp.Expr:
        return snippet.expression(text, self.resolve, own=self.cube if own == "" else own)

    def resolve(self, reference: str) -> "exp.Expr | Alias":
        names = reference.split(".")
        specs, members = self.compiler.specs, self.compiler.members
        if names[0] in ("CUBE", "TABLE"):
            names[0] = self.cube
        elif names[0] in members[self.cube]:
            names.insert(0, self.cube)
        if names[0] not in specs:
            known = [*members[self.cube], *specs]
            near = problem(self.compiler.specs[self.cube].place, "", known=known, name=names[0]).nearest
            also = f"; did you mean '{near}'?" if near else ""
            raise SnippetError(f"'{{{reference}}}' is neither a member of '{self.cube}' nor a cube{also}")
        cube = names[0]
        if len(names) == 1:
            self.aliases.append(cube)
            return Alias(cube)
        if names[1] not in members[cube] or len(names) > 3:
            near = problem(self.compiler.specs[cube].place, "", known=members[cube], name=names[1]).nearest
            also = f"; did you mean '{near}'?" if near else ""
            raise SnippetError(f"'{{{reference}}}': cube '{cube}' has no member '{names[1]}'{also}")
        return self.member(cube, names[1], names[2] if len(names) == 3 else None, reference)

    def member(self, cube: str, name: str, granularity: str | None, reference: str) -> exp.Expr:
        kind = self.compiler.kinds[cube][name]
        if kind == "segment":
            raise SnippetError(f"'{{{reference}}}' is a segment and cannot stand in an expression")
        if kind == "measure":
            measure = self.compiler.measure(cube, name)
            if measure is None:
                raise _Broken(reference)
            if granularity:
                raise SnippetError(f"'{{{reference}}}': a measure has no granularity")
            self.measures.append(measure)
            return marks.measure(measure.full_name)
        dimension = self.compiler.dimension(cube, name)
        if dimension is None:
            raise _Broken(reference)
        self.dimensions.append(dimension)
        if granularity is None:
            return dimension.sql.copy()
        if dimension.type != "time" or granularity not in GRANULARITIES:
            raise SnippetError(f"'{{{reference}}}': '{granularity}' is not a granularity of a time dimension")
        return truncated(marks.local(dimension.sql.copy()), granularity)

    def cubes(self) -> set[str]:
        return {*self.aliases, *(cube for one in self.dimensions for path in one.paths for cube in path)}

    def paths(self) -> tuple[Path, ...]:
        """The joins that the member needs, each beginning at its own cube."""
        ends = [(alias,) for alias in self.aliases] + [path for one in self.dimensions for path in one.paths]
        found: list[Path] = [(self.cube,)]
        for end in ends:
            if end[0] == self.cube:
                found.append(end)
                continue
            ways = shortest(self.compiler.edges, self.cube, end[0])
            if not ways:
                raise SnippetError(f"it refers to cube '{end[0]}', to which no join leads from '{self.cube}'")
            if len(ways) > 1:
                raise SnippetError(
                    f"it refers to cube '{end[0]}', to which two joins of the same length lead: "
                    f"{' -> '.join(ways[0])} and {' -> '.join(ways[1])}"
                )
            found.append(ways[0] + end[1:])
        return tuple(dict.fromkeys(found))


class _Broken(SnippetError):
    def __init__(self, reference: str) -> None:
        super().__init__(f"it refers to '{{{reference}}}', which has a problem of its own")


def marks_in(tree: exp.Expr) -> bool:
    """Whether a measure stands in the tree."""
    return any(marks.measure_name(node) for node in tree.find_all(exp.Column))
