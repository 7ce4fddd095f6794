"""What the files declare of each cube and view once `extends` is followed; nothing is parsed yet."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from sqlglot import exp

from ingot.project import Problem, problem
from ingot.semantic.model import Join

if TYPE_CHECKING:
    from ingot.project import Cube, View
    from ingot.project.spec import Spec

Extending = TypeVar("Extending", "Cube", "View")


class Declared:
    """The specs of all cubes by name. Problems that they have as a whole are added to `problems`."""

    def __init__(self, cubes: "Sequence[Cube]", views: "Sequence[View]", dialect: str = "duckdb") -> None:
        self.dialect = dialect
        self.problems: list[Problem] = []
        self.cubes: dict[str, Cube] = {}
        self.views: dict[str, View] = {}
        used: set[str] = set()
        for cube in cubes:
            if self._new(cube, used):
                self.cubes[cube.name] = cube
        for view in views:
            if self._new(view, used):
                self.views[view.name] = view
        self.names = frozenset((*self.cubes, *self.views))
        self.members: dict[str, dict[str, Any]] = {}
        """Specs of members by cube and name, in the order of the files."""
        self.kinds: dict[str, dict[str, str]] = {}
        self.joins: dict[str, dict[str, Any]] = {}
        self.lineages: dict[str, list[Cube]] = {}
        for name in self.cubes:
            self._gather(name)
        self.view_lineages = {name: self._lineage(name, self.views, "view") for name in self.views}
        self.edges: dict[str, tuple[Join, ...]] = {name: self._edges(name) for name in self.cubes}
        """The joins of each cube without their SQL: enough to find paths."""

    def report(self, spec: "Spec", message: str, **more: Any) -> None:
        """Adds a problem at the place of `spec`."""
        self.problems.append(problem(spec.place, message, **more))

    def _new(self, spec: "Cube | View", used: set[str]) -> bool:
        # SQL does not tell Orders from orders, and each is an alias there.
        if spec.name.casefold() in used:
            self.report(spec, f"the name '{spec.name}' is used twice by cubes and views")
            return False
        used.add(spec.name.casefold())
        return True

    def _lineage(self, name: str, among: "Mapping[str, Extending]", kind: str) -> "list[Extending]":
        """The specs that make up a cube or view, the most general first."""
        chain: list[Extending] = [among[name]]
        while chain[-1].extends is not None:
            parent: str = chain[-1].extends
            if parent not in among:
                what = f"{kind} '{chain[-1].name}' extends '{parent}', which is not a {kind}"
                self.report(chain[-1], what, known=among, name=parent)
                break
            if any(one.name == parent for one in chain):
                steps = " -> ".join([*(one.name for one in chain), parent])
                self.report(chain[-1], f"{kind} '{name}' extends itself: {steps}")
                break
            chain.append(among[parent])
        return chain[::-1]

    def _gather(self, name: str) -> None:
        members: dict[str, Any] = {}
        kinds: dict[str, str] = {}
        joins: dict[str, Any] = {}
        self.lineages[name] = self._lineage(name, self.cubes, "cube")
        for spec in self.lineages[name]:
            own: set[str] = set()
            groups: tuple[tuple[str, Sequence[Any]], ...] = (
                ("dimension", spec.dimensions), ("measure", spec.measures), ("segment", spec.segments),
            )  # fmt: skip
            for kind, items in groups:
                for item in items:
                    if item.name in own:
                        self.report(item, f"cube '{name}' has two members named '{item.name}'")
                    own.add(item.name)
                    members[item.name] = item
                    kinds[item.name] = kind
            joins.update({join.name: join for join in spec.joins})
        self.members[name], self.kinds[name], self.joins[name] = members, kinds, joins

    def _edges(self, name: str) -> tuple[Join, ...]:
        edges = []
        for join in self.joins[name].values():
            if join.name not in self.cubes:
                what = f"cube '{name}' joins '{join.name}', which is not a cube"
                self.report(join, what, known=self.cubes, name=join.name)
            elif join.name == name:
                what = (
                    f"cube '{name}' joins itself: give the other role a cube of its own that extends '{name}'"
                )
                self.report(join, what)
            else:
                edges.append(Join(name, join.name, join.relationship, exp.true()))
        return tuple(edges)
