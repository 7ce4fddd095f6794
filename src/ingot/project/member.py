"""Dimensions, measures, segments, hierarchies and what stands in them: Cube's grammar in snake_case."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from ingot.project.spec import Frozen, Identifier, Named, Options, Some, Spec, Text, TextOr, Word
from ingot.project.tree import Float, Int, Map


def _written(value: Any) -> Any:
    """Filter values are text for the planner: true, 7 and 1.50 as they are written; null stays null."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Int | Float):
        return value.text
    return str(value) if isinstance(value, int | float) else value


FilterValue = Annotated[
    Text | None, BeforeValidator(_written, json_schema_input_type=str | float | bool | None)
]


def _value_list(value: Any) -> Any:
    return [value] if isinstance(value, str | int | float) else value


Values = Annotated[
    tuple[FilterValue, ...],
    BeforeValidator(
        _value_list, json_schema_input_type=str | float | bool | tuple[str | float | bool | None, ...]
    ),
]

Operator = Literal[
    "equals", "notEquals", "contains", "notContains", "startsWith", "notStartsWith", "endsWith", "notEndsWith",
    "in", "notIn", "gt", "gte", "lt", "lte", "set", "notSet", "inDateRange", "notInDateRange", "onTheDate",
    "beforeDate", "beforeOrOnDate", "afterDate", "afterOrOnDate", "measureFilter",
]  # fmt: skip


class Filter(Spec):
    """A condition on a member, or `and`/`or` of conditions, as in a query."""

    kind: ClassVar[str] = "filter"
    rules: ClassVar[Mapping[str, Any]] = {
        "oneOf": [
            {"required": ["member", "operator"]},
            {"required": ["dimension", "operator"]},
            {"required": ["and"]},
            {"required": ["or"]},
        ]
    }
    renames: ClassVar[Mapping[str, str]] = {"dimension": "member"}

    member: Word | None = Field(None, description="The member that is compared, such as orders.status.")
    operator: Operator | None = Field(None, description="How the member is compared with the values.")
    values: Values = Field((), description="The values to compare with.")
    and_: tuple["Filter", ...] = Field((), alias="and", description="All of these conditions hold.")
    or_: tuple["Filter", ...] = Field((), alias="or", description="At least one of these conditions holds.")

    @classmethod
    def inspect(cls, data: Map, report: Callable[..., None]) -> None:
        groups = [key for key in ("and", "or") if key in data]
        if len(groups) + ("member" in data) != 1:
            report(
                None, "a filter has one of 'member', 'and' and 'or'", expected="member, operator and values"
            )
        elif groups:
            for key in data.keys() - set(groups):
                report(key, f"'{key}' cannot stand beside '{groups[0]}'")
        elif "operator" not in data:
            report(None, "the filter has no 'operator'", expected="the key 'operator'")


class Sql(Spec):
    """A condition or value in SQL."""

    kind: ClassVar[str] = "entry"

    sql: Word = Field(description="SQL; {CUBE} is this cube, {member} another member.")


class CaseWhen(Spec):
    """One branch of a case."""

    kind: ClassVar[str] = "branch"

    sql: Word | None = Field(None, description="The condition; in a case with switch, the result.")
    label: TextOr[Sql] | None = Field(
        None, description="The value where the condition holds: a text or {sql: …}."
    )
    value: Word | None = Field(None, description="In a case with switch: the value of the switch.")


class CaseElse(Spec):
    """What a case is where no branch holds."""

    kind: ClassVar[str] = "else"

    label: TextOr[Sql] | None = Field(None, description="The value: a text or {sql: …}.")
    sql: Word | None = Field(None, description="In a case with switch: the result.")


class Case(Spec):
    """A value that depends on conditions."""

    kind: ClassVar[str] = "case"

    switch: Word | None = Field(
        None, description="The dimension of type switch that the branches compare with."
    )
    when: tuple[CaseWhen, ...] = Field(min_length=1, description="The branches, first match wins.")
    else_: CaseElse | None = Field(None, alias="else", description="What holds otherwise.")


class Described(Spec):
    """What all members have in common."""

    name: Identifier = Field(description="The name, unique in its cube.")
    title: Text | None = Field(
        None, description="The name that people see. Default: the name, spaced and capitalised."
    )
    description: Text | None = Field(None, description="What exactly it is, in a sentence.")
    public: bool = Field(True, description="Whether surfaces show it.")
    meta: Options = Field(default_factory=Frozen, description="Anything for other tools.")

    renames: ClassVar[Mapping[str, str]] = {"shown": "public"}


class Granularity(Spec):
    """A granularity of one's own for a time dimension, such as a fiscal year."""

    kind: ClassVar[str] = "granularity"
    rules: ClassVar[Mapping[str, Any]] = {
        "oneOf": [{"required": ["interval"]}, {"required": ["sql"]}],
        "not": {"required": ["origin", "offset"]},
    }

    name: Identifier = Field(description="The granularity's name.")
    title: Text | None = Field(None, description="The name that people see.")
    interval: Word | None = Field(None, description="Length, such as '1 year' or '2 weeks'.")
    origin: Word | None = Field(None, description="A point in time where an interval begins.")
    offset: Word | None = Field(None, description="How far the intervals are moved, such as '1 month'.")
    sql: Word | None = Field(None, description="SQL of the interval's start.")

    @classmethod
    def inspect(cls, data: Map, report: Callable[..., None]) -> None:
        if ("interval" in data) == ("sql" in data):
            report(None, f"{cls.called(data)} needs 'interval' or 'sql'", expected="one of the two")
        if "origin" in data and "offset" in data:
            report("offset", f"{cls.called(data)} has both 'origin' and 'offset'", expected="one of the two")


class Coordinate(Spec):
    """Half of a geographic point."""

    kind: ClassVar[str] = "coordinate"

    sql: Word = Field(description="SQL of the number.")


class Link(Spec):
    """A link that a surface may offer for a value."""

    kind: ClassVar[str] = "link"

    name: Identifier | None = Field(None, description="The link's name.")
    label: Text | None = Field(None, description="What the link says.")
    url: Word | None = Field(None, description="SQL or text of the address.")
    sql: Word | None = Field(None, description="SQL of the address.")
    icon: Text | None = Field(None, description="Icon of the link.")
    target: Text | None = Field(None, description="Where the link opens.")


class FormatSpec(Spec):
    """A format with a label, as links have."""

    kind: ClassVar[str] = "format"

    type: Literal["link", "imageUrl", "id", "percent", "currency", "custom-time", "custom-numeric"] = Field(
        description="The kind of format."
    )
    label: Text | None = Field(None, description="What a link says.")
    value: Text | None = Field(None, description="The pattern of a custom format.")


class TimeShift(Spec):
    """A measure's value at another time."""

    kind: ClassVar[str] = "time shift"

    time_dimension: Word | None = Field(
        None, description="The time dimension that is moved. Default: each of the query."
    )
    interval: Word | None = Field(None, description="How far, such as '1 year'.")
    type: Literal["prior", "next"] | None = Field(None, description="Back or forward.")
    name: Identifier | None = Field(None, description="A named shift of a calendar cube.")
    sql: Word | None = Field(None, description="SQL of the shifted date, in a calendar cube.")


Mask = TextOr[Sql | int | float | bool]
Format = TextOr[FormatSpec]


class Dimension(Described):
    """Something to group and filter by."""

    kind: ClassVar[str] = "dimension"
    rules: ClassVar[Mapping[str, Any]] = {
        "if": {"properties": {"type": {"enum": ["string", "number", "boolean", "time"]}}},
        "then": {"anyOf": [{"required": ["sql"]}, {"required": ["case"]}]},
    }

    type: Literal["string", "number", "boolean", "time", "geo", "switch"] = Field(
        description="The type of its values."
    )
    sql: Word | None = Field(
        None, description="SQL of the value; {CUBE} is this cube, {name} another member."
    )
    primary_key: bool = Field(False, description="Whether it names a row; needed where joins multiply rows.")
    format: Format | None = Field(
        None,
        description="How values are shown: percent, currency, id, link, imageUrl, a d3 or strftime pattern.",
    )
    currency: Word | None = Field(None, description="ISO code of the currency, for format currency.")
    case: Case | None = Field(None, description="Values by conditions, instead of sql.")
    sub_query: bool = Field(
        False, description="Whether sql refers to a measure of another cube, brought here as a dimension."
    )
    propagate_filters_to_sub_query: bool = Field(
        False, description="Whether the query's filters hold inside the sub-query too."
    )
    granularities: Named[Granularity] = Field((), description="Granularities of one's own, for type time.")
    latitude: Coordinate | None = Field(None, description="For type geo.")
    longitude: Coordinate | None = Field(None, description="For type geo.")
    links: Named[Link] = Field((), description="Links that surfaces may offer.")
    mask: Mask | None = Field(None, description="What is shown instead to those who may not see it.")
    aliases: Some[Word] = Field((), description="Older names.")
    key: Word | None = Field(
        None, description="The dimension that identifies a value, where values are labels."
    )
    values: Some[Text] = Field((), description="All possible values, for type switch.")
    order: Literal["asc", "desc"] | None = Field(None, description="How values are usually ordered.")
    suggest_filter_values: bool = Field(True, description="Whether surfaces may list the values in a filter.")
    multi_stage: bool = Field(False, description="Whether it is computed from the result of an inner query.")
    add_group_by: Some[Word] = Field((), description="Dimensions that the inner query groups by as well.")
    time_shift: tuple[TimeShift, ...] = Field((), description="Named shifts, in a calendar cube.")

    @classmethod
    def inspect(cls, data: Map, report: Callable[..., None]) -> None:
        kind = data.get("type")
        if kind == "geo":
            for key in ("latitude", "longitude"):
                if key not in data:
                    report(
                        None, f"{cls.called(data)} of type geo has no '{key}'", expected=f"{key}: {{sql: …}}"
                    )
        elif kind != "switch" and not ({"sql", "case"} & data.keys()):
            report(
                None,
                f"{cls.called(data)} has neither 'sql' nor 'case'",
                expected="sql: the column or expression",
            )
        if "granularities" in data and kind in ("string", "number", "boolean", "geo", "switch"):
            report(
                "granularities",
                f"{cls.called(data)} is of type {kind}",
                expected="type time for granularities",
            )


class RollingWindow(Spec):
    """The window of a measure that runs over time."""

    kind: ClassVar[str] = "rolling window"

    type: Literal["fixed", "to_date", "year_to_date", "quarter_to_date", "month_to_date"] = Field(
        "fixed", description="fixed, or to_date with a granularity."
    )
    trailing: Word | None = Field(None, description="How far back: '<n> day', … or unbounded.")
    leading: Word | None = Field(None, description="How far ahead: '<n> day', … or unbounded.")
    offset: Literal["start", "end"] | None = Field(
        None, description="Which end of the interval the window is counted from."
    )
    granularity: Word | None = Field(None, description="For to_date: where the window begins.")

    @classmethod
    def inspect(cls, data: Map, report: Callable[..., None]) -> None:
        if data.get("type") == "to_date" and "granularity" not in data:
            report(
                None,
                "a rolling window of type to_date has no 'granularity'",
                expected="the key 'granularity'",
            )


class Grain(Spec):
    """Which dimensions a multi-stage measure is computed at."""

    kind: ClassVar[str] = "grain"

    include: Some[Word] = Field((), description="Dimensions that are added.")
    exclude: Some[Word] = Field((), description="Dimensions that are left out.")
    keep_only: Some[Word] = Field((), description="The only dimensions that are kept.")


class StageFilter(Spec):
    """Which of the query's filters a multi-stage measure keeps."""

    kind: ClassVar[str] = "filter"

    mode: Literal["relative", "fixed"] | None = Field(
        None, description="Relative: it changes the filters of what refers to it; fixed: those of the query."
    )
    exclude: Some[Word] = Field((), description="Members whose filters do not hold.")
    keep_only: Some[Word] = Field((), description="The only members whose filters hold.")
    include: tuple[Filter, ...] = Field((), description="Filters that hold besides.")


class OrderBy(Spec):
    """The order inside a multi-stage measure."""

    kind: ClassVar[str] = "order"

    sql: Word = Field(description="SQL to order by.")
    dir: Literal["asc", "desc"] = Field("asc", description="The direction.")


_AGGREGATED = (
    "count_distinct", "count_distinct_approx", "sum", "avg", "min", "max", "number", "string", "boolean", "time", "number_agg",
)  # fmt: skip


class Measure(Described):
    """Something that is counted, summed or computed."""

    kind: ClassVar[str] = "measure"
    rules: ClassVar[Mapping[str, Any]] = {
        "if": {"properties": {"type": {"not": {"enum": ["count", "rank"]}}}},
        "then": {"anyOf": [{"required": ["sql"]}, {"required": ["case"]}]},
    }

    type: Literal[
        "count", "count_distinct", "count_distinct_approx", "sum", "avg", "min", "max", "number", "string", "boolean",
        "time", "number_agg", "rank",
    ] = Field(description="How rows become one value.")  # fmt: skip
    sql: Word | None = Field(
        None, description="SQL of what is aggregated; for number, an expression of other measures."
    )
    filters: tuple[Sql, ...] = Field((), description="Conditions on the rows that count, all of which hold.")
    rolling_window: RollingWindow | None = Field(
        None, description="The window of a measure that runs over time."
    )
    format: Format | None = Field(
        None, description="How values are shown: percent, currency, number, abbr, … or a d3 pattern."
    )
    currency: Word | None = Field(None, description="ISO code of the currency, for format currency.")
    drill_members: Some[Word] = Field((), description="The members shown when the value is opened.")
    drill_filters: tuple[Sql, ...] = Field((), description="Conditions of the opened rows.")
    mask: Mask | None = Field(None, description="What is shown instead to those who may not see it.")
    aliases: Some[Word] = Field((), description="Older names.")
    case: Case | None = Field(None, description="Values by conditions, instead of sql.")
    multi_stage: bool = Field(False, description="Whether it is computed from the result of an inner query.")
    group_by: Some[Word] = Field(
        (), description="Multi-stage: the only dimensions the inner query groups by."
    )
    reduce_by: Some[Word] = Field((), description="Multi-stage: dimensions the inner query leaves out.")
    add_group_by: Some[Word] = Field((), description="Multi-stage: dimensions the inner query adds.")
    grain: Grain | None = Field(None, description="Multi-stage: the dimensions of the inner query.")
    filter: StageFilter | None = Field(None, description="Multi-stage: the filters of the inner query.")
    time_shift: tuple[TimeShift, ...] = Field((), description="Multi-stage: the value at another time.")
    order_by: tuple[OrderBy, ...] = Field((), description="Multi-stage: the order, for rank.")

    @classmethod
    def inspect(cls, data: Map, report: Callable[..., None]) -> None:
        if data.get("type") in _AGGREGATED and not ({"sql", "case"} & data.keys()):
            report(
                None,
                f"{cls.called(data)} has no 'sql'",
                expected="sql: what is aggregated (only count needs none)",
            )


class Segment(Described):
    """A named condition on rows."""

    kind: ClassVar[str] = "segment"

    sql: Word = Field(description="The condition; {CUBE} is this cube.")
    aliases: Some[Word] = Field((), description="Older names.")


class Hierarchy(Described):
    """Dimensions from coarse to fine."""

    kind: ClassVar[str] = "hierarchy"

    levels: Some[Word] = Field(min_length=1, description="The dimensions, coarsest first.")
