"""Members that a view defines itself, over the members that it takes from cubes.

The planner knows members of cubes at the end of paths. So a view's own aggregate becomes a hidden member of
the cube whose rows it is computed from, its own dimension one of the first cube of the path, and a measure
that it refers to is named by its path.
"""

from collections.abc import Callable, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from sqlglot import exp

from ingot.errors import did_you_mean
from ingot.semantic import marks
from ingot.semantic.compiler import snippet
from ingot.semantic.compiler.calling import Calling
from ingot.semantic.compiler.declared import Declared
from ingot.semantic.compiler.members import OWN_SQL, aggregation, no_measure, refuse_later, row_value
from ingot.semantic.compiler.snippet import SnippetError
from ingot.semantic.labels import label
from ingot.semantic.model import (
    Cube,
    Dimension,
    Found,
    Label,
    Measure,
    Path,
    Segment,
    ViewMember,
)
from ingot.semantic.planner.fanout import leaf_name
from ingot.semantic.planner.joins import to_many
from ingot.semantic.planner.times import GRANULARITIES, truncated

_HIDDEN = Label("", "", public=False, details=MappingProxyType({}))


class Known(NamedTuple):
    """What is known when views are compiled."""

    declared: Declared
    cubes: Mapping[str, Cube]
    compiled: Mapping[str, Any]


class OwnMembers:
    """A view's own members by name; those with a problem are left out, and the problem is reported."""

    def __init__(
        self,
        view: Any,
        included: Mapping[str, ViewMember],
        specs: Mapping[str, tuple[str, Any]],
        known: Known,
    ) -> None:
        self.declared, self._cubes, self.compiled = known
        self.view = view
        self.included = included
        self.specs = specs
        self.asked: dict[str, Any] = {}
        self.hidden: dict[str, Found] = {}
        self._made: dict[str, ViewMember | None] = {}
        self._open: list[str] = []

    def all(self) -> dict[str, ViewMember]:
        """All of them."""
        return {name: made for name in self.specs if (made := self.member(name)) is not None}

    def member(self, name: str) -> ViewMember | None:
        """The member `name`, included or the view's own."""
        if name not in self.specs:
            return self.included.get(name)
        kind, spec = self.specs[name]
        if name in self._open:
            steps = " -> ".join([*self._open[self._open.index(name) :], name])
            self.declared.report(spec, f"'{self.view.name}.{name}' is defined by itself: {steps}")
            return None
        if name not in self._made:
            self._open.append(name)
            try:
                self._made[name] = self._compile(kind, spec)
            except SnippetError as error:
                self.declared.report(spec, f"{self.view.name}.{name}: {error}")
                self._made[name] = None
            finally:
                self._open.pop()
        return self._made[name]

    def cube_measure(self, cube: str, name: str) -> Measure:
        """A measure of a cube, or a hidden one of the view's own."""
        found = self._cubes[cube].measures.get(name)
        return found or cast("Measure", self.hidden[f"{cube}.{name}"].member)

    def _compile(self, kind: str, spec: Any) -> ViewMember:
        makers: Mapping[str, Callable[[Any, ViewScope], tuple[Dimension | Measure | Segment, Path]]]
        makers = {"dimension": self._dimension, "measure": self._measure, "segment": self._segment}
        member, path = makers[kind](spec, ViewScope(self, spec))
        self.hidden[member.full_name] = Found(member.full_name, member, path, _HIDDEN)
        return ViewMember(self.view.name, spec.name, member, path, member.label, own=True)

    def _dimension(self, spec: Any, scope: "ViewScope") -> tuple[Dimension, Path]:
        refuse_later(spec)
        if spec.granularities or spec.sub_query:
            raise SnippetError("'granularities' and 'sub_query' belong to a dimension of a cube")
        tree = row_value(scope, spec)
        root = scope.root()
        return Dimension(root, self._hidden(spec), spec.type, tree, scope.paths(root), self._label(spec)), (
            root,
        )

    def _segment(self, spec: Any, scope: "ViewScope") -> tuple[Segment, Path]:
        tree = scope.read(spec.sql)
        no_measure(tree, "a segment")
        root = scope.root()
        return Segment(root, self._hidden(spec), tree, scope.paths(root), self._label(spec)), (root,)

    def _measure(self, spec: Any, scope: "ViewScope") -> tuple[Measure, Path]:
        refuse_later(spec)
        if getattr(spec, "multi_stage", False) or spec.rolling_window is not None:
            raise SnippetError("measures in several steps and over time belong to a cube")
        tree, condition, aggregate = aggregation(scope, spec)
        if aggregate == "raw":
            raise SnippetError(f"a measure of type '{spec.type}' in a view is made of the view's measures")
        kind = spec.type if spec.type in OWN_SQL else "number"
        name, named, drill = self._hidden(spec), self._label(spec), self._drill(spec)
        if aggregate == "calculated":
            root = scope.root()
            paths = scope.paths(root)
            leaves = tuple(dict.fromkeys(scope.leaves))
            return Measure(root, name, kind, aggregate, tree, None, paths, leaves, named, drill), (root,)
        anchor = scope.anchor(self.declared)
        cube = anchor[-1]
        paths = tuple(dict.fromkeys([(cube,), *(path[len(anchor) - 1 :] for path in scope.found)]))
        leaves = (f"{cube}.{name}",)
        return Measure(cube, name, kind, aggregate, tree, condition, paths, leaves, named, drill), anchor

    def _hidden(self, spec: Any) -> str:
        return f"{self.view.name}.{spec.name}"  # a name with a dot is none that a cube's member can have

    def _label(self, spec: Any) -> Label:
        return label(spec, self.view)

    def _drill(self, spec: Any) -> tuple[str, ...]:
        found = []
        for written in spec.drill_members:
            owner, _, name = written.strip("{} ").rpartition(".")
            if owner not in ("", "CUBE", "TABLE", self.view.name) or not self._has(name):
                known = [*self.included, *self.specs]
                what = f"{self.view.name}.{spec.name}: unknown drill member '{written}'"
                self.declared.report(spec, what, known=known, name=name)
            found.append(f"{self.view.name}.{name}")
        return tuple(found)

    def _has(self, name: str) -> bool:
        return name in self.included or name in self.specs


class ViewScope:
    """Reads the snippets of one own member, and remembers what they refer to, and along which paths."""

    def __init__(self, members: OwnMembers, spec: Any) -> None:
        self._members = members
        self._view: str = members.view.name
        self._resolver = Calling(
            self._view,
            self._resolve,
            asked=lambda name: members.asked.setdefault(name, spec),
            source=self._no_source,
            compiled=members.compiled,
            dialect=members.declared.dialect,
        ).resolver
        self.measures: list[Measure] = []
        self.leaves: list[str] = []
        self.found: list[Path] = []

    def read(self, text: str, *, bare: bool = True) -> exp.Expr:
        """The tree of a snippet, in which nothing but members of the view can stand."""
        del bare
        tree = snippet.expression(text, self._resolver, own=None)
        for node in tree.find_all(exp.Column):
            if not node.table and not node.find_ancestor(exp.Select, exp.Lambda):
                near = did_you_mean(node.name, [*self._members.included, *self._members.specs])
                raise SnippetError(f"a view has no column '{node.name}': refer to a member, {{name}}{near}")
        return tree

    def root(self) -> str:
        """The cube that all paths begin at, or the first one's."""
        if self.found:
            return self.found[0][0]
        first = next(iter(self._members.included.values()), None)
        if first is None:
            raise SnippetError("it refers to no member, and the view takes none from a cube")
        return first.path[0]

    def paths(self, root: str) -> tuple[Path, ...]:
        """All paths, the root's own among them."""
        return tuple(dict.fromkeys([*self.found, *([] if self.found else [(root,)])]))

    def anchor(self, declared: Declared) -> Path:
        """The path to the cube whose rows a measure is computed from: what it refers to is one row for each."""
        if not self.found:
            raise SnippetError("it refers to no member, so that nothing says which rows it is computed from")
        first = self.found[0]
        for size in range(len(first), 0, -1):
            anchor = first[:size]
            if all(path[:size] == anchor and _to_one(declared, path[size - 1 :]) for path in self.found):
                return anchor
        raise SnippetError(
            "it refers to cubes of which none has one row of each of the others for every row of its own"
        )

    def _no_source(self, cube: str) -> exp.Expr:
        raise SnippetError(f"'{{{cube}.sql()}}' can stand in a cube's sql only")

    def _resolve(self, reference: str) -> exp.Expr | snippet.Alias:
        names = reference.split(".")
        if names[0] in ("CUBE", "TABLE", self._view) and not self._named(names[0]):
            del names[0]
        if not names:
            raise SnippetError(f"'{{{reference}}}': a view has no columns of its own; refer to its members")
        granularity = None
        if len(names) == 2 and self._named(names[0]):
            granularity = names.pop()
        member = self._member(names, reference)
        if isinstance(member.member, Segment):
            raise SnippetError(f"'{{{reference}}}' is a segment and cannot stand in an expression")
        self.found += [member.path[:-1] + path for path in member.member.paths]
        if isinstance(member.member, Measure):
            return self._measure(member, granularity, reference)
        if granularity is None:
            return member.member.sql.copy()
        if member.member.type != "time" or granularity not in GRANULARITIES:
            raise SnippetError(f"'{{{reference}}}': '{granularity}' is no granularity of a time dimension")
        return truncated(marks.local(member.member.sql.copy()), granularity)

    def _measure(self, member: ViewMember, granularity: str | None, reference: str) -> exp.Expr:
        measure = cast("Measure", member.member)
        if granularity is not None:
            raise SnippetError(f"'{{{reference}}}': a measure has no granularity")
        if getattr(measure, "staged", False):
            raise SnippetError(
                f"'{{{reference}}}' is computed in several steps: define the measure in its cube"
            )
        self.measures.append(measure)
        own = member.path[-1]
        for leaf in measure.leaves:
            cube, _, name = leaf.partition(".")
            self.leaves.append(self._at(member.path, name) if cube == own else leaf)
        return marks.measure(self._at(member.path, measure.name))

    def _at(self, path: Path, name: str) -> str:
        """The name of a measure at the end of a path, under which the planner finds it."""
        full_name = leaf_name(path, name)
        if len(path) > 1:
            measure = self._members.cube_measure(path[-1], name)
            self._members.hidden.setdefault(full_name, Found(full_name, measure, path, _HIDDEN))
        return full_name

    def _named(self, name: str) -> bool:
        return name in self._members.included or name in self._members.specs

    def _member(self, names: list[str], reference: str) -> ViewMember:
        if len(names) == 1:
            if not self._named(names[0]):
                near = did_you_mean(names[0], [*self._members.included, *self._members.specs])
                raise SnippetError(f"'{{{reference}}}' is no member of the view '{self._view}'{near}")
            member = self._members.member(names[0])
            if member is None:
                raise SnippetError(f"it refers to '{{{reference}}}', which has a problem of its own")
            return member
        path, name = tuple(names[:-1]), names[-1]
        for one in self._members.included.values():
            if one.member.name == name and one.path[-len(path) :] == path:
                return one
        known = [one.member.full_name for one in self._members.included.values()]
        near = did_you_mean(".".join(names[-2:]), known)
        raise SnippetError(
            f"'{{{reference}}}' is not among the members that the view '{self._view}' takes{near}"
        )


def _to_one(declared: Declared, path: Path) -> bool:
    return not any(to_many(declared.edges, left, right) for left, right in pairwise(path))
