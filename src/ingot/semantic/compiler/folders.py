"""Folders of views: groups of members, for browsing."""

from collections.abc import Mapping
from typing import Any

from ingot.project import problem
from ingot.project.place import Place
from ingot.semantic.compiler.declared import Declared
from ingot.semantic.model import Folder, ViewMember


def folders(
    declared: Declared, view: Any, lineage: list[Any], members: Mapping[str, ViewMember]
) -> tuple[Folder, ...]:
    """The folders of a view and of those that it extends; a member that is not there is reported."""
    specs = {one.name: one for spec in lineage for one in spec.folders}
    return tuple(_folder(declared, view, one, members) for one in specs.values())


def flat(folder: Folder) -> list[str]:
    """All members of a folder and of those in it, each once."""
    found: dict[str, None] = {}
    for part in folder.parts:
        found |= dict.fromkeys(flat(part)) if isinstance(part, Folder) else {part: None}
    return list(found)


def _folder(declared: Declared, view: Any, spec: Any, members: Mapping[str, ViewMember]) -> Folder:
    parts: list[str | Folder] = []
    if spec.join_path is not None:
        parts += _of_cube(declared, view, spec, spec.join_path, members)
    elif spec.includes in ("*", ("*",)):
        parts += [one.full_name for one in members.values()]
    written = () if isinstance(spec.includes, str) else spec.includes
    for item in written:
        if not isinstance(item, str):
            parts.append(_folder(declared, view, item, members))
        elif item != "*":
            parts += _named(declared, view, spec, item, members)
    return Folder(spec.name, tuple(dict.fromkeys(parts)))


def _of_cube(
    declared: Declared, view: Any, spec: Any, join_path: str, members: Mapping[str, ViewMember]
) -> list[str]:
    path = tuple(join_path.split("."))
    found = [one.full_name for one in members.values() if not one.own and one.path[-len(path) :] == path]
    if not found:
        known = [".".join(one.path) for one in members.values()]
        _report(
            declared,
            spec,
            f"folder '{spec.name}' of view '{view.name}': no members come from '{join_path}'",
            known,
            join_path,
        )
    return found


def _named(
    declared: Declared, view: Any, spec: Any, item: str, members: Mapping[str, ViewMember]
) -> list[str]:
    owner, _, name = item.strip("{} ").rpartition(".")
    if owner in ("", "CUBE", "TABLE", view.name):
        if name in members:
            return [members[name].full_name]
    else:
        path = tuple(owner.split("."))
        for one in members.values():
            if one.member.name == name and one.path[-len(path) :] == path:
                return [one.full_name]
    _report(
        declared, spec, f"folder '{spec.name}' of view '{view.name}': there is no '{item}'", members, name
    )
    return []


def _report(declared: Declared, spec: Any, message: str, known: Any, name: str) -> None:
    place: Place = spec.place_of("includes")
    declared.problems.append(problem(place, message, known=known, name=name))
