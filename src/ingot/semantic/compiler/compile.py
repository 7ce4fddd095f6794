"""Project specs -> `Model`: names resolved, snippets parsed, every mistake collected and reported at once."""

from collections.abc import Mapping
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from ingot.project import ProjectError
from ingot.semantic import marks
from ingot.semantic.compiler import snippet
from ingot.semantic.compiler.again import Again, Kept, edges_of
from ingot.semantic.compiler.declared import Declared
from ingot.semantic.compiler.drill import drilled
from ingot.semantic.compiler.hierarchies import hierarchies
from ingot.semantic.compiler.members import CompiledMembers, has_measure
from ingot.semantic.compiler.scope import Scope
from ingot.semantic.compiler.snippet import SnippetError
from ingot.semantic.compiler.sources import Sources
from ingot.semantic.compiler.sub_queries import with_sub_queries
from ingot.semantic.compiler.switches import with_switches
from ingot.semantic.compiler.views import Views
from ingot.semantic.labels import inherited
from ingot.semantic.model import Cube, Dimension, Found, Join, Measure, Member, Model
from ingot.semantic.policy.compile import policies
from ingot.semantic.policy.masks import stand_in

if TYPE_CHECKING:
    from ingot.project import Project

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def compile_model(
    project: "Project", *, compiled: Mapping[str, Any] = _NOTHING, dialect: str = "duckdb"
) -> Model:
    """The model of a project's cubes and views, whose SQL is `dialect`'s; `compiled` is the COMPILE_CONTEXT.

    Raises:
        ProjectError: with every problem of every cube and view, each with its file and line.
    """
    return ModelCache(compiled=compiled, dialect=dialect).model(project)


class ModelCache:
    """Compiles models, and of each one only the cubes that are not as they were in the one before.

    Nothing is kept of a model with problems. Safe to use from several threads.
    """

    def __init__(self, *, compiled: Mapping[str, Any] = _NOTHING, dialect: str = "duckdb") -> None:
        self._compiled = compiled
        self._dialect = dialect
        self._kept: dict[str, Kept] = {}
        self._lock = Lock()

    def for_context(self, compiled: Mapping[str, Any]) -> "ModelCache":
        """A cache for another COMPILE_CONTEXT that begins with the cubes of this one, whose SQL must read none."""
        made = ModelCache(compiled=compiled, dialect=self._dialect)
        with self._lock:
            made._kept = self._kept
        return made

    def model(self, project: "Project") -> Model:
        """The model of a project's cubes and views.

        Raises:
            ProjectError: with every problem of every cube and view, each with its file and line.
        """
        with self._lock:
            declared = Declared(project.cubes, project.views, self._dialect)
            again = Again(declared, self._compiled, _kept)
            kept = again.after(self._kept)
            if kept is None:  # with problems, or too much has changed: everything from the start
                declared = Declared(project.cubes, project.views, self._dialect)
                kept = Again(declared, self._compiled, _kept).everything()
            model = _whole(declared, kept, self._compiled)
            self._kept = kept
            return model


def _whole(declared: Declared, kept: Mapping[str, Kept], compiled: Mapping[str, Any]) -> Model:
    cubes = {name: one.cube for name, one in kept.items()}
    _check_keys(declared, cubes)
    _refuse_sources(declared)
    found = {one.name: one for each in kept.values() for one in each.found}
    asked: dict[str, Any] = {}
    for one in kept.values():
        asked |= one.asked
    compiler = Views(declared, cubes, compiled)
    views = compiler.all()
    for view in views.values():
        for member in view.members.values():
            found[member.full_name] = Found(member.full_name, member.member, member.path, member.label)
    found |= compiler.hidden
    _check_asked(declared, asked | compiler.asked, found)
    rules = policies(declared, compiled, cubes, views, found)
    if declared.problems:
        raise ProjectError(declared.problems)
    edges, sub_queries = with_sub_queries(cubes.values())
    cubes, edges = with_switches(cubes, edges)
    found |= {one.full_name: stand_in(one) for one in rules.masks.values() if isinstance(one, Measure)}
    return Model(cubes, views, found, edges, sub_queries, policies=rules, dialect=declared.dialect)


def _kept(members: CompiledMembers, sources: Sources, name: str) -> Kept | None:
    others, members.asked = members.asked, {}
    cube = _cube(members, sources, name)
    asked, members.asked = members.asked, {**others, **members.asked}
    if cube is None:
        return None
    kinds = members.declared.kinds
    own: list[Member] = [*cube.dimensions.values(), *cube.measures.values(), *cube.segments.values()]
    found = tuple(Found(one.full_name, one, (name,), drilled(one, one.label, kinds)) for one in own)
    needs = frozenset(members.used.get(name, ()))
    return Kept(cube, edges_of(members.declared, name), needs, asked, found)


def _cube(members: CompiledMembers, sources: Sources, name: str) -> Cube | None:
    declared = members.declared
    kinds = declared.kinds[name]
    dimensions = {n: m for n, k in kinds.items() if k == "dimension" and (m := members.dimension(name, n))}
    measures = {n: v for n, k in kinds.items() if k == "measure" and (v := members.measure(name, n))}
    segments = {n: c for n, k in kinds.items() if k == "segment" and (c := members.segment(name, n))}
    joins = []
    for edge in declared.edges[name]:
        members.needs(name, edge.right)
        sql = _join_sql(members, name, declared.joins[name][edge.right])
        if sql is not None:
            joins.append(Join(edge.left, edge.right, edge.relationship, sql))
    source = sources.of(name)
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
        inherited(declared.lineages[name], name),
        hierarchies(members, name),
        marks.has_marks(source),
        tuple(declared.lineages[name]),
    )


def _join_sql(members: CompiledMembers, cube: str, spec: Any) -> exp.Expr | None:
    scope = Scope(members, cube, spec)
    try:
        tree = scope.read(spec.sql, bare=False)
        if has_measure(tree):
            raise SnippetError("a join cannot refer to a measure")
        if others := sorted(scope.cubes() - {cube, spec.name}):
            raise SnippetError(f"it refers to cube '{others[0]}', which is not part of it")
    except SnippetError as error:
        members.declared.report(spec, f"join of '{cube}' to '{spec.name}': {error}")
        return None
    return tree


def _check_asked(declared: Declared, asked: Mapping[str, Any], found: Mapping[str, Found]) -> None:
    """FILTER_PARAMS ask for filters on dimensions: those on measures hold for groups, not for rows."""
    for name, spec in asked.items():
        one = found.get(name)
        owner, _, member = name.partition(".")
        if one is None and member in declared.members.get(owner, {}):
            continue  # it has a problem of its own
        if one is None:
            declared.report(spec, f"FILTER_PARAMS: there is no '{name}'", known=found, name=name)
        elif not isinstance(one.member, Dimension):
            kind = type(one.member).__name__.lower()
            declared.report(spec, f"FILTER_PARAMS: '{name}' is a {kind}, not a dimension")


def _check_keys(declared: Declared, cubes: Mapping[str, Cube]) -> None:
    """Joined rows are counted once by their primary key, so that every joined cube with measures needs one."""
    edges = [edge for some in declared.edges.values() for edge in some]
    for name in sorted({cube for edge in edges for cube in (edge.left, edge.right)} & cubes.keys()):
        written = any(getattr(one, "primary_key", False) for one in declared.members[name].values())
        if cubes[name].measures and not written:
            declared.report(
                declared.cubes[name],
                f"cube '{name}' has joins and measures but no primary key, so joined rows cannot be counted once",
                expected="a dimension with primary_key: true",
            )


def _refuse_sources(declared: Declared) -> None:
    for cube in declared.cubes.values():
        if cube.data_source not in (None, "default"):
            declared.report(
                cube, f"cube '{cube.name}': the data source '{cube.data_source}' is not supported yet"
            )
