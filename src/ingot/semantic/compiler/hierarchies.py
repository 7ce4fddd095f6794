"""Hierarchies of cubes, and those that views take over."""

from collections.abc import Mapping
from typing import Any

from ingot.semantic.compiler.declared import Declared
from ingot.semantic.compiler.members import CompiledMembers
from ingot.semantic.labels import humanized
from ingot.semantic.model import Dimension, Hierarchy, ViewMember


def hierarchies(members: CompiledMembers, cube: str) -> tuple[Hierarchy, ...]:
    """The hierarchies of a cube; a level that is no dimension is reported."""
    declared = members.declared
    specs: dict[str, Any] = {one.name: one for spec in declared.lineages[cube] for one in spec.hierarchies}
    found = []
    for spec in specs.values():
        levels = []
        for written in spec.levels:
            owner, _, name = written.strip("{} ").rpartition(".")
            owner = owner.rpartition(".")[2]
            owner = cube if owner in ("", "CUBE", "TABLE") else owner
            if owner != cube:
                members.needs(cube, owner)
            kind = declared.kinds.get(owner, {}).get(name)
            if kind == "dimension":
                levels.append(f"{owner}.{name}")
                continue
            what = f"hierarchy '{cube}.{spec.name}': '{written}' is {f'a {kind}, not' if kind else 'not'} a dimension"
            known = [n for n, k in declared.kinds.get(owner, {}).items() if k == "dimension"]
            declared.report(spec, what, known=known, name=name)
        found.append(Hierarchy(spec.name, spec.title or humanized(spec.name), tuple(levels), spec.public))
    return tuple(found)


def own_hierarchies(
    declared: Declared, lineage: list[Any], members: Mapping[str, ViewMember]
) -> tuple[Hierarchy, ...]:
    """The hierarchies that a view declares over its members."""
    specs: dict[str, Any] = {one.name: one for spec in lineage for one in spec.hierarchies}
    view = lineage[-1].name
    found = []
    for spec in specs.values():
        levels = []
        for written in spec.levels:
            owner, _, name = written.strip("{} ").rpartition(".")
            one = members.get(name) if owner in ("", "CUBE", "TABLE", view) else None
            if one is None or not isinstance(one.member, Dimension):
                what = f"hierarchy '{view}.{spec.name}': '{written}' is not a dimension of the view"
                declared.report(spec, what, known=members, name=name)
                continue
            levels.append(one.full_name)
        found.append(Hierarchy(spec.name, spec.title or humanized(spec.name), tuple(levels), spec.public))
    return tuple(found)


def of_view(found: Mapping[str, Hierarchy], members: Mapping[str, ViewMember]) -> tuple[Hierarchy, ...]:
    """Hierarchies of cubes under the names that the view has for them, as far as it has their levels."""
    names: dict[str, str] = {}
    for member in members.values():
        names.setdefault(member.member.full_name, member.full_name)
    made: dict[str, Hierarchy] = {}
    for full_name, one in found.items():
        levels = tuple(names[level] for level in one.levels if level in names)
        if levels and one.public:
            name = one.name if one.name not in made else full_name.replace(".", "_")
            made[name] = Hierarchy(name, one.title, levels, one.public, full_name)
    return tuple(made.values())
