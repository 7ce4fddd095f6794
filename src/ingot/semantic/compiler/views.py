"""View specs -> `View`s: which members of which cubes along which path, and what views add of their own."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ingot.project import problem
from ingot.semantic.compiler.declared import Declared
from ingot.semantic.compiler.default_filters import default_filters
from ingot.semantic.compiler.drill import translated
from ingot.semantic.compiler.folders import folders
from ingot.semantic.compiler.hierarchies import of_view, own_hierarchies
from ingot.semantic.compiler.view_members import Known, OwnMembers
from ingot.semantic.formats import described
from ingot.semantic.labels import humanized, inherited
from ingot.semantic.model import Cube, Found, Hierarchy, Label, Member, Path, View, ViewMember
from ingot.semantic.planner.joins import edge


class Views:
    """The views of all declared specs. `hidden` are the names under which the planner finds their own members."""

    def __init__(self, declared: Declared, cubes: Mapping[str, Cube], compiled: Mapping[str, Any]) -> None:
        self._declared = declared
        self._cubes = cubes
        self._compiled = compiled
        self.asked: dict[str, Any] = {}
        self.hidden: dict[str, Found] = {}

    def all(self) -> dict[str, View]:
        """Every view by name, those that are split off among them; adds what is wrong to the problems."""
        made = {}
        for spec in self._declared.views.values():
            for view in self._of(spec):
                if view.name in made or (view.name != spec.name and view.name in self._declared.names):
                    what = f"view '{spec.name}': the name '{view.name}' of a part that is split off is taken"
                    self._declared.report(spec, what, expected="an alias")
                    continue
                made[view.name] = view
        return made

    def _of(self, spec: Any) -> Iterator[View]:
        lineage = self._declared.view_lineages[spec.name]
        label = inherited(lineage, spec.name)
        members: dict[str, ViewMember] = {}
        carried: dict[str, Hierarchy] = {}
        splits: dict[str, dict[str, ViewMember]] = {}
        own: dict[str, tuple[str, Any]] = {}
        for one in lineage:
            here: dict[str, ViewMember] = {}
            for part in one.cubes:
                path = self._path(spec, part)
                if path is None:
                    continue
                target, view = here, spec.name
                if part.split:
                    view = f"{spec.name}_{part.alias or path[-1]}"
                    target = splits.setdefault(view, {})
                self._include(spec, part, path, label, (view, target))
                carried |= {f"{path[-1]}.{each.name}": each for each in self._cubes[path[-1]].hierarchies}
            members |= here
            for kind in ("dimension", "measure", "segment"):
                for member in getattr(one, f"{kind}s"):
                    if member.name in here:
                        first = here[member.name].member.full_name
                        self._twice(member, spec, member.name, f"{first} and of its own")
                    own[member.name] = (kind, member)
        yield self._finished(lineage, label, members, own, carried)
        for name, split in splits.items():
            title = humanized(name)
            named = replace(label, title=title, short_title=title)
            yield View(name, translated(split), named, (), of_view(carried, split), specs=tuple(lineage))

    def _finished(
        self,
        lineage: list[Any],
        label: Label,
        members: dict[str, ViewMember],
        own: dict[str, tuple[str, Any]],
        carried: dict[str, Hierarchy],
    ) -> View:
        spec = lineage[-1]
        made = OwnMembers(spec, members, own, Known(self._declared, self._cubes, self._compiled))
        members = translated({**members, **made.all()})
        self.asked |= made.asked
        self.hidden |= made.hidden
        groups = [name for one in lineage for name in (one.view_group, *one.view_groups) if name]
        return View(
            spec.name,
            members,
            label,
            folders(self._declared, spec, lineage, members),
            own_hierarchies(self._declared, lineage, members) + of_view(carried, members),
            default_filters(self._declared, lineage, members),
            tuple(dict.fromkeys(groups)),
            tuple(lineage),
        )

    def _path(self, spec: Any, part: Any) -> Path | None:
        path = tuple(part.join_path.split("."))
        edges = self._declared.edges
        for cube in path:
            if cube in self._cubes:
                continue
            if cube not in edges:  # a cube with problems of its own was reported already
                what = f"view '{spec.name}' joins '{cube}', which is not a cube"
                self._declared.report(part, what, known=self._cubes, name=cube)
            return None
        for left, right in itertools.pairwise(path):
            if edge(edges, left, right) is None:
                known = [join.right for join in edges[left]]
                what = f"view '{spec.name}': cube '{left}' declares no join to '{right}'"
                self._declared.report(part, what, known=known, name=right)
                return None
        return path

    def _include(
        self, spec: Any, part: Any, path: Path, label: Label, into: tuple[str, dict[str, ViewMember]]
    ) -> None:
        view, members = into
        prefix = f"{part.alias or path[-1]}_" if part.prefix else ""
        for member, item in self._included(spec, part, self._cubes[path[-1]]):
            name = prefix + (getattr(item, "alias", None) or member.name)
            if name in members:
                self._twice(part, spec, name, f"{members[name].member.full_name} and {member.full_name}")
                continue
            members[name] = ViewMember(view, name, member, path, _label(label, member, item, name))

    def _twice(self, at: Any, spec: Any, name: str, both: str) -> None:
        what = f"view '{spec.name}' gets '{name}' twice: from {both}"
        self._declared.report(at, what, expected="an alias, a prefix, or an exclude")

    def _included(self, spec: Any, part: Any, cube: Cube) -> Iterator[tuple[Member, Any]]:
        known: dict[str, Member] = {**cube.dimensions, **cube.measures, **cube.segments}
        hierarchies = {one.name for one in cube.hierarchies}
        excluded = {name.rpartition(".")[2] for name in part.excludes}
        for name in excluded - known.keys() - hierarchies:
            what = f"view '{spec.name}' excludes '{name}', which cube '{cube.name}' does not have"
            self._declared.report(part, what, known=known, name=name)
        if part.includes in ("*", ("*",)):
            yield from ((member, None) for name, member in known.items() if name not in excluded)
            return
        for item in part.includes:
            name = item.name.rpartition(".")[2]
            if name in known and name not in excluded:
                yield known[name], item
            elif name not in known and name not in hierarchies:
                what = f"view '{spec.name}' includes '{name}', which cube '{cube.name}' does not have"
                declared = self._declared.members.get(cube.name, {})
                if name not in declared:  # else it has a problem of its own
                    place = item.place if item.place.line > 1 else part.place
                    self._declared.problems.append(problem(place, what, known=known, name=name))


def _label(view: Label, member: Member, item: Any, name: str) -> Label:
    own = member.label
    renamed = name != member.name
    short = getattr(item, "title", None) or (humanized(name) if renamed else own.short_title)
    return Label(
        f"{view.title} {short}",
        short,
        getattr(item, "description", None) or own.description,
        described(getattr(item, "format", None)) or own.format,
        getattr(item, "meta", None) or own.meta,
        own.public,
        own.currency,
        own.details,
    )
