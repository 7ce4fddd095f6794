"""The compiled semantic model: immutable, fully resolved, shared by all threads.

Expressions are sqlglot trees with every dimension reference already inlined. What still stands in them
for the planner to fill are the marks of `marks.py` (a measure, a local time). Nobody may change a tree
in place: take a copy. Each thing exists once, so that sameness is identity (and hashing is cheap).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from types import MappingProxyType
from typing import Any, Literal

from sqlglot import exp

from ingot.semantic.policy.policies import NONE, Policies
from ingot.semantic.stages import Granularity, Stage, SubQuery, Window

Path = tuple[str, ...]
"""Cubes from where a join starts to where it ends, each step one declared join."""

Relationship = Literal["one_to_one", "one_to_many", "many_to_one"]
Aggregate = Literal[
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "count_distinct",
    "count_distinct_approx",
    "raw",
    "calculated",
    "rank",
]
"""`raw`: the author's SQL aggregates by itself. `calculated`: arithmetic over other measures only."""


@dataclass(frozen=True, slots=True)
class Label:
    """What people see of a member."""

    title: str
    short_title: str
    description: str | None = None
    format: Any = None
    meta: Any = None
    public: bool = True
    currency: str | None = None
    details: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """What else `/meta` tells: granularities, links, values, …"""


@dataclass(frozen=True, slots=True, eq=False)
class Dimension:
    """A value of each row. `paths` are the joins that its expression needs, beginning at its cube."""

    cube: str
    name: str
    type: str
    sql: exp.Expr
    paths: tuple[Path, ...]
    label: Label
    primary_key: bool = False
    granularities: Mapping[str, Granularity] = field(default_factory=dict)
    """Those of the model's own, by name."""
    sub_query: SubQuery | None = None

    @property
    def full_name(self) -> str:
        return f"{self.cube}.{self.name}"


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """An aggregate over the rows of its cube, or a calculation over other measures.

    `sql` is the operand of the aggregate (None: count rows), or for `raw` and `calculated` the whole
    expression with marks for measures. `leaves` are the full names of the aggregates it is made of
    (itself, where it is one). `condition` is its filters, joined by AND. With a `stage`, both stand over other
    measures' values and may have marks for dimensions, too. `staged`: it is computed in several steps, or made
    of something that is.
    """

    cube: str
    name: str
    type: str
    aggregate: Aggregate
    sql: exp.Expr | None
    condition: exp.Expr | None
    paths: tuple[Path, ...]
    leaves: tuple[str, ...]
    label: Label
    drill_members: tuple[str, ...] = ()
    window: Window | None = None
    stage: Stage | None = None
    staged: bool = False

    @property
    def full_name(self) -> str:
        return f"{self.cube}.{self.name}"


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """A named condition on the rows of a cube."""

    cube: str
    name: str
    sql: exp.Expr
    paths: tuple[Path, ...]
    label: Label

    @property
    def full_name(self) -> str:
        return f"{self.cube}.{self.name}"


Member = Dimension | Measure | Segment


@dataclass(frozen=True, slots=True, eq=False)
class Join:
    """A declared join: every row of `left` keeps its place, matched rows of `right` are put beside it."""

    left: str
    right: str
    relationship: Relationship
    sql: exp.Expr

    @property
    def many_to_right(self) -> bool:
        """Whether a row of `left` can meet several of `right`."""
        return self.relationship == "one_to_many"

    @property
    def many_to_left(self) -> bool:
        """Whether a row of `right` can meet several of `left`."""
        return self.relationship == "many_to_one"


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Dimensions from coarse to fine, by full name."""

    name: str
    title: str
    levels: tuple[str, ...]
    public: bool = True
    alias: str | None = None
    """Full name of the cube's hierarchy that a view took over."""


@dataclass(frozen=True, slots=True, eq=False)
class Cube:
    """A table (or query) with its members. `tables` are the lake's tables that it reads.

    `marked`: whether marks stand in `source` (the query's filters, or who asks). `specs` are what the files say,
    of the cubes that it extends first.
    """

    name: str
    source: exp.Expr
    tables: tuple[str, ...]
    dimensions: Mapping[str, Dimension]
    measures: Mapping[str, Measure]
    segments: Mapping[str, Segment]
    joins: tuple[Join, ...]
    label: Label
    hierarchies: tuple[Hierarchy, ...] = ()
    marked: bool = False
    specs: tuple[Any, ...] = field(default=(), repr=False)

    @property
    def primary_key(self) -> tuple[Dimension, ...]:
        return tuple(found for found in self.dimensions.values() if found.primary_key)


@dataclass(frozen=True, slots=True, eq=False)
class ViewMember:
    """A member under a view's name for it, and the path that leads to its cube."""

    view: str
    name: str
    member: Member
    path: Path
    label: Label
    own: bool = False
    """Defined by the view itself; else taken from a cube."""

    @property
    def full_name(self) -> str:
        return f"{self.view}.{self.name}"


@dataclass(frozen=True, slots=True)
class Folder:
    """A group of a view's members, by full name, and folders in it."""

    name: str
    parts: tuple["str | Folder", ...]


@dataclass(frozen=True, slots=True)
class DefaultFilter:
    """A condition on a view that holds unless the query filters by one of the members in `unless`."""

    member: str
    operator: str
    values: tuple[str | None, ...]
    unless: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A face of the model: chosen members of cubes along fixed join paths, and members of its own."""

    name: str
    members: Mapping[str, ViewMember]
    label: Label
    folders: tuple[Folder, ...] = ()
    hierarchies: tuple[Hierarchy, ...] = ()
    default_filters: tuple[DefaultFilter, ...] = ()
    groups: tuple[str, ...] = ()
    specs: tuple[Any, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a full name in a query means: the member, how to get to its cube, and its label there."""

    name: str
    member: Member
    path: Path
    label: Label


@dataclass(frozen=True, eq=False)
class Model:
    """All cubes, views and joins, and the full name of every member."""

    cubes: Mapping[str, Cube]
    views: Mapping[str, View]
    members: Mapping[str, Found] = field(repr=False)
    edges: Mapping[str, tuple[Join, ...]] = field(repr=False)
    """Joins by the cube that declares them, in the order of declaration."""
    sub_queries: Mapping[str, SubQuery] = field(default_factory=dict, repr=False)
    """Sources of dimensions with `sub_query`, which stand in joins like cubes."""

    serial: int = field(default_factory=count().__next__, repr=False)
    """Unlike that of any other model: what is kept for a model is kept under this."""

    policies: Policies = field(default=NONE, repr=False)
    whole: "Model | None" = field(default=None, repr=False)
    """The model that this is a part of, where it is what one asker sees."""
    dialect: str = "duckdb"
    """Whose SQL its files are written in."""

    def measure(self, full_name: str) -> Measure:
        """The measure of a cube by full name."""
        found = self.members[full_name].member
        assert isinstance(found, Measure)
        return found
