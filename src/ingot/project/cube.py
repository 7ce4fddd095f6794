"""`semantic/cubes/*.yml` and `semantic/views/*.yml`: Cube's data model in its YAML grammar."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from ingot.project.environment import concealed
from ingot.project.member import (
    Described,
    Dimension,
    Format,
    Hierarchy,
    Measure,
    Operator,
    Segment,
    Values,
)
from ingot.project.place import Marks
from ingot.project.policy import Policy
from ingot.project.rollup import PreAggregation, RefreshKey
from ingot.project.spec import Frozen, Identifier, Named, Options, Some, Spec, Text, TextOr, Word
from ingot.project.tree import Map, Seq

_OLD_RELATIONSHIPS = {
    "belongs_to": "many_to_one", "belongsTo": "many_to_one", "has_many": "one_to_many", "hasMany": "one_to_many",
    "has_one": "one_to_one", "hasOne": "one_to_one",
}  # fmt: skip


def _relationship(value: Any) -> Any:
    return _OLD_RELATIONSHIPS.get(value, value) if isinstance(value, str) else value


_RelationshipName = Literal["one_to_one", "one_to_many", "many_to_one"]
_OldRelationshipName = Literal["belongs_to", "belongsTo", "has_many", "hasMany", "has_one", "hasOne"]
Relationship = Annotated[
    _RelationshipName,
    BeforeValidator(_relationship, json_schema_input_type=_RelationshipName | _OldRelationshipName),
]


class Join(Spec):
    """How another cube's rows belong to this one's; this cube is the left side."""

    kind: ClassVar[str] = "join"

    name: Identifier = Field(description="The other cube.")
    relationship: Relationship = Field(description="How many rows of this cube meet how many of the other.")
    sql: Word = Field(description="The condition; {CUBE} is this cube, {name} the other.")
    meta: Options = Field(default_factory=Frozen, description="Anything for other tools.")


class Model(Described):
    """What cubes and views have in common."""

    extends: Word | None = Field(None, description="The cube or view whose members it takes over.")
    dimensions: Named[Dimension] = Field((), description="What to group and filter by.")
    measures: Named[Measure] = Field((), description="What is counted, summed or computed.")
    segments: Named[Segment] = Field((), description="Named conditions on rows.")
    hierarchies: Named[Hierarchy] = Field((), description="Dimensions from coarse to fine.")
    access_policy: tuple[Policy, ...] = Field((), description="Who may see which members and rows.")

    @classmethod
    def inspect(cls, data: Map, report: Callable[..., None]) -> None:
        seen: dict[str, tuple[str, Any]] = {}
        for kind in ("dimensions", "measures", "segments"):
            own: set[str] = set()
            for name, place in names(data.get(kind)):
                if name in seen and name not in own:
                    other, first = seen[name]
                    report(
                        place,
                        f"the {kind[:-1]} '{concealed(name)}' of {cls.called(data)} has the name of a {other}, first at {first}",
                    )
                own.add(name)
                seen.setdefault(name, (kind[:-1], place))


class Cube(Model):
    """Rows of one table or query, with their dimensions and measures."""

    kind: ClassVar[str] = "cube"
    rules: ClassVar[Mapping[str, Any]] = {
        "anyOf": [{"required": ["sql_table"]}, {"required": ["sql"]}, {"required": ["extends"]}],
        "not": {"required": ["sql", "sql_table"]},
    }

    sql_table: Word | None = Field(None, description="The table, such as gold.fact_orders.")
    sql: Word | None = Field(None, description="A query instead of a table.")
    sql_alias: Word | None = Field(None, description="A shorter name in SQL.")
    data_source: Word | None = Field(None, description="Another database, by its configured name.")
    refresh_key: RefreshKey | None = Field(None, description="When cached results are computed again.")
    rewrite_queries: bool | None = Field(
        None, description="Whether queries are rewritten to use pre-aggregations."
    )
    calendar: bool = Field(False, description="Whether the cube is a calendar of its own.")
    joins: Named[Join] = Field((), description="How other cubes' rows belong to this one's.")
    pre_aggregations: Named[PreAggregation] = Field((), description="What is stored beforehand.")

    @classmethod
    def inspect(cls, data: Map, report: Callable[..., None]) -> None:
        super().inspect(data, report)
        if "sql" in data and "sql_table" in data:
            report("sql", f"{cls.called(data)} has both 'sql' and 'sql_table'", expected="one of the two")
        elif not ({"sql", "sql_table", "extends"} & data.keys()):
            report(
                None,
                f"{cls.called(data)} has neither 'sql_table' nor 'sql'",
                expected="sql_table: the table it reads",
            )


class Include(Spec):
    """A member that a view takes, perhaps under another name."""

    kind: ClassVar[str] = "include"

    name: Word = Field(description="The member's name in its cube.")
    alias: Identifier | None = Field(None, description="Its name in the view.")
    title: Text | None = Field(None, description="The name that people see.")
    description: Text | None = Field(None, description="What exactly it is.")
    format: Format | None = Field(None, description="How values are shown.")
    meta: Options = Field(default_factory=Frozen, description="Anything for other tools.")


def _plain_includes(value: Any) -> Any:
    """`[a, b]` as `[{name: a}, {name: b}]`."""
    if not isinstance(value, Seq):
        if not isinstance(value, list | tuple):
            return value
        return [{"name": item} if isinstance(item, str) else item for item in value]
    made = Seq(value.file, value.at)
    for item, at in zip(value, value.marks, strict=True):
        entry = item
        if isinstance(item, str):
            entry = Map(Marks(value.file, at, {"name": at}, {"name": at}), {"name": item})
        made.append(entry)
        made.marks.append(at)
    return made


_IncludeList = Annotated[
    tuple[Include, ...], BeforeValidator(_plain_includes, json_schema_input_type=tuple[str | Include, ...])
]
Includes = Annotated[
    Annotated[Literal["*"], Tag("<all>")] | Annotated[_IncludeList, Tag("<list>")],
    Discriminator(lambda value: "<all>" if isinstance(value, str) else "<list>"),
]


class ViewCube(Spec):
    """A cube in a view, reached by a path of joins."""

    kind: ClassVar[str] = "cube of a view"

    join_path: Word = Field(description="The cubes on the way, such as orders.customers.")
    includes: Includes = Field((), description="'*' or the members that the view takes.")
    excludes: Some[Word] = Field((), description="Members that '*' leaves out.")
    prefix: bool = Field(False, description="Whether the members' names begin with the cube's name.")
    alias: Identifier | None = Field(None, description="The name used for the prefix.")
    split: bool = Field(False, description="Whether the members become a view of their own.")


class Folder(Spec):
    """A group of a view's members, for browsing."""

    kind: ClassVar[str] = "folder"

    name: Word = Field(description="The folder's name.")
    includes: TextOr[tuple[TextOr["Folder"], ...]] = Field((), description="'*', or members and folders.")
    join_path: Word | None = Field(None, description="All members of this cube.")


class DefaultFilter(Spec):
    """A condition that holds unless the query says otherwise."""

    kind: ClassVar[str] = "default filter"

    member: Word = Field(description="The member that is compared.")
    operator: Operator = Field(description="How it is compared.")
    values: Values = Field((), description="The values to compare with.")
    unless: Some[Word] = Field(
        (), description="Members of which a filter in the query switches the condition off."
    )


class View(Model):
    """Members of several cubes under one name: what people are meant to query."""

    kind: ClassVar[str] = "view"
    renames: ClassVar[Mapping[str, str]] = {"shown": "public", "filters": "default_filters"}

    cubes: tuple[ViewCube, ...] = Field((), description="The cubes and the members taken from them.")
    folders: tuple[Folder, ...] = Field((), description="Groups of members, for browsing.")
    default_filters: tuple[DefaultFilter, ...] = Field(
        (), description="Conditions that hold unless the query says otherwise."
    )
    view_group: Word | None = Field(None, description="The group of views it belongs to.")
    view_groups: Some[Word] = Field((), description="The groups of views it belongs to.")


class ModelFile(Spec):
    """A file of the semantic model."""

    kind: ClassVar[str] = "file of the semantic model"

    cubes: Named[Cube] = Field((), description="Cubes.")
    views: Named[View] = Field((), description="Views.")


def names(items: Any) -> list[tuple[str, Any]]:
    """The names in a list of members or a mapping by name, with their places."""
    if isinstance(items, Map):
        return [(name, items.marks.key(name)) for name in items]
    if isinstance(items, Seq):
        return [
            (i["name"], i.marks.value("name"))
            for i in items
            if isinstance(i, Map) and isinstance(i.get("name"), str)
        ]
    return []
