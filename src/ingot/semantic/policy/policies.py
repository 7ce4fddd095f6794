"""Compiled policies: immutable, every name resolved. What they mean for who asks is in `access` and `rows`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from ingot.semantic.context import Context
from ingot.semantic.policy.expression import Expression

if TYPE_CHECKING:
    from ingot.project.place import Place
    from ingot.semantic.model import Dimension, Found, Measure

EVERYBODY = "*"
Piece = str | Expression


@dataclass(frozen=True, slots=True, eq=False)
class RowCondition:
    """A condition on the rows that may be seen. A value is pieces of text and of what is known of who asks."""

    found: "Found"
    operator: str
    values: tuple[tuple[Piece, ...] | None, ...]
    place: "Place"


@dataclass(frozen=True, slots=True, eq=False)
class RowGroup:
    """Conditions of which all (`every`) or at least one must hold."""

    every: bool
    parts: tuple["RowCondition | RowGroup", ...]


RowTree = RowCondition | RowGroup


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One entry of an `access_policy`: for whom it is, which members it shows, masks, and on which rows.

    `rows` None: all rows.
    """

    groups: tuple[str, ...]
    conditions: tuple[Expression, ...]
    full: frozenset[str]
    masked: frozenset[str]
    rows: RowTree | None
    place: "Place"

    def matches(self, context: Context) -> bool:
        """Whether it is for who asks."""
        mine = EVERYBODY in self.groups or any(group in self.groups for group in context.groups)
        return mine and all(one.holds(context) for one in self.conditions)

    @property
    def grants(self) -> frozenset[str]:
        """The members that it shows, masked or not."""
        return self.full | self.masked


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """The access policy of a cube or a view: what no entry shows is hidden."""

    owner: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Policies:
    """All policies by cube or view, and the masked stand-ins of members by the name that is asked for."""

    by_owner: Mapping[str, Policy] = field(default_factory=lambda: MappingProxyType({}))
    masks: Mapping[str, "Dimension | Measure"] = field(default_factory=lambda: MappingProxyType({}))

    def __bool__(self) -> bool:
        return bool(self.by_owner)


NONE = Policies()
