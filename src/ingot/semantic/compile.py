"""Project specs -> `Model`: names resolved, snippets parsed, every mistake collected and reported at once."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from ingot.project import ProjectError
from ingot.semantic import marks, snippet
from ingot.semantic.compile_members import CompiledMembers, has_measure
from ingot.semantic.compile_sub_queries import with_sub_queries
from ingot.semantic.compile_views import Views
from ingot.semantic.declared import Declared
from ingot.semantic.drill import drilled
from ingot.semantic.hierarchies import hierarchies
from ingot.semantic.labels import inherited
from ingot.semantic.model import Cube, Dimension, Found, Join, Member, Model
from ingot.semantic.scope import Scope
from ingot.semantic.snippet import SnippetError
from ingot.semantic.sources import Sources

if TYPE_CHECKING:
    from ingot.project import Project

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def compile_model(project: "Project", *, compiled: Mapping[str, Any] = _NOTHING) -> Model:
    """The model of a project's cubes and views; `compiled` is the COMPILE_CONTEXT.

    Raises:
        ProjectError: with every problem of every cube and view, each with its file and line.
    """
    declared = Declared(project.cubes, project.views)
    members = CompiledMembers(declared, compiled)
    sources = Sources(members)
    cubes = {name: cube for name in declared.cubes if (cube := _cube(members, sources, name)) is not None}
    _check_keys(declared, cubes)
    _refuse_policies(declared)
    found: dict[str, Found] = {}
    for cube in cubes.values():
        own: list[Member] = [*cube.dimensions.values(), *cube.measures.values(), *cube.segments.values()]
        for member in own:
            named = drilled(member, member.label, declared.kinds)
            found[member.full_name] = Found(member.full_name, member, (cube.name,), named)
    compiler = Views(declared, cubes, compiled)
    views = compiler.all()
    for view in views.values():
        for one in view.members.values():
            found[one.full_name] = Found(one.full_name, one.member, one.path, one.label)
    found |= compiler.hidden
    members.asked |= compiler.asked
    _check_asked(members, found)
    if declared.problems:
        raise ProjectError(declared.problems)
    edges, sub_queries = with_sub_queries(cubes.values())
    return Model(cubes, views, found, edges, sub_queries)


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


def _check_asked(members: CompiledMembers, found: Mapping[str, Found]) -> None:
    """FILTER_PARAMS ask for filters on dimensions: those on measures hold for groups, not for rows."""
    for name, spec in members.asked.items():
        one = found.get(name)
        owner, _, member = name.partition(".")
        if one is None and member in members.declared.members.get(owner, {}):
            continue  # it has a problem of its own
        if one is None:
            members.declared.report(spec, f"FILTER_PARAMS: there is no '{name}'", known=found, name=name)
        elif not isinstance(one.member, Dimension):
            kind = type(one.member).__name__.lower()
            members.declared.report(spec, f"FILTER_PARAMS: '{name}' is a {kind}, not a dimension")


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


def _refuse_policies(declared: Declared) -> None:
    for spec in [*declared.cubes.values(), *declared.views.values()]:
        # A policy that is read and not enforced would show what it is meant to hide.
        if spec.access_policy:
            declared.report(spec, f"'{spec.name}' has an access_policy, which is not enforced yet")
    for cube in declared.cubes.values():
        if cube.data_source not in (None, "default"):
            declared.report(
                cube, f"cube '{cube.name}': the data source '{cube.data_source}' is not supported yet"
            )
