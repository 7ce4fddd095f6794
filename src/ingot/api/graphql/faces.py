"""The names that the model's cubes and members have in GraphQL, made from what `/meta` shows to the asker.

As with Cube: the first letter of a cube's name is small, members keep their names. Types are named after the cube
in camel case. What GraphQL cannot say (a name that begins with `__`) or what would have another's name is told apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["measures", "dimensions"]

GRANULARITIES = ("second", "minute", "hour", "day", "week", "month", "quarter", "year")
_TAKEN = (
    "Query", "Result", "RootWhereInput", "RootOrderByInput", "TimeDimension", "DateTime", "DateTimeFilter",
    "FloatFilter", "StringFilter", "OrderBy", "String", "Float", "Int", "Boolean", "ID",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Member:
    """A measure or dimension. `granularities` are those of the model's own."""

    name: str
    full_name: str
    kind: Kind
    type: str
    description: str | None
    granularities: tuple[str, ...] = ()

    @property
    def is_time_dimension(self) -> bool:
        return self.kind == "dimensions" and self.type == "time"


@dataclass(frozen=True, slots=True)
class Face:
    """A cube or view: its field's name, the stem of its types' names, and its members by field."""

    name: str
    field: str
    stem: str
    description: str | None
    members: Mapping[str, Member]


def faces(cubes: list[dict[str, Any]]) -> dict[str, Face]:
    """The cubes and views by the name of their field; those without members are left out."""
    found: dict[str, Face] = {}
    exact = {cube["name"] for cube in cubes}
    stems = {one.lower() for one in _TAKEN}
    for cube in cubes:
        members = {member.name: member for member in _members(cube)}
        name = cube["name"]
        if not members or name.startswith("__"):
            continue
        field = name[0].lower() + name[1:]
        if field != name and field in exact:  # `Orders` beside `orders`: each by its own name
            field = name
        stem = _stem(name, stems)
        found[field] = Face(name, field, stem, cube.get("description"), members)
    return found


def fingerprint(found: Mapping[str, Face]) -> int:
    """The same for the same names, types and descriptions."""
    return hash(
        tuple(
            (one.name, one.field, one.stem, one.description, *one.members.values()) for one in found.values()
        )
    )


def _members(cube: dict[str, Any]) -> list[Member]:
    kinds: tuple[Kind, ...] = ("measures", "dimensions")
    found = []
    for kind in kinds:
        for one in cube[kind]:
            name = one["name"].partition(".")[2]
            if name.startswith("__"):
                continue
            own = tuple(each["name"] for each in one.get("granularities", ()))
            own = tuple(each for each in own if not each.startswith("__") and each != "value")
            found.append(Member(name, one["name"], kind, one["type"], one.get("description"), own))
    return found


def _stem(name: str, taken: set[str]) -> str:
    """`line_items` -> `LineItems`, with a number where another type would have the same name."""
    stem = "".join(part[:1].upper() + part[1:] for part in name.split("_")) or name
    if stem[0].isdigit():
        stem = f"_{stem}"
    number = 1
    numbered = stem
    while any(f"{numbered}{end}".lower() in taken for end in ENDINGS):
        number += 1
        numbered = f"{stem}{number}"
    taken |= {f"{numbered}{end}".lower() for end in ENDINGS}
    return numbered


ENDINGS = ("Members", "WhereInput", "OrderByInput")
