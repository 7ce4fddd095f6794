"""The GraphQL schema of a model: Cube's types, and Ingot's `ref` beside them.

Its one resolver only collects: what is asked of `cube` is answered later, for all of a document at once.
"""

from collections.abc import Mapping
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLFieldResolver,
    GraphQLFloat,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
)

from ingot.api.graphql.faces import GRANULARITIES, Face, Member

DATE_TIME = GraphQLScalarType("DateTime", description="A time in UTC, such as 2026-01-31T23:00:00.000Z.")
ORDER = GraphQLEnumType("OrderBy", {"asc": "asc", "desc": "desc"})


def _input(type_: Any) -> GraphQLInputField:
    return GraphQLInputField(type_)


_TEXTS = GraphQLList(GraphQLString)
_NUMBERS = GraphQLList(GraphQLFloat)
FLOAT_FILTER = GraphQLInputObjectType(
    "FloatFilter",
    {
        **{name: _input(GraphQLFloat) for name in ("equals", "notEquals")},
        **{name: _input(_NUMBERS) for name in ("in", "notIn")},
        "set": _input(GraphQLBoolean),
        **{name: _input(GraphQLFloat) for name in ("gt", "lt", "gte", "lte")},
    },
)
STRING_FILTER = GraphQLInputObjectType(
    "StringFilter",
    {
        **{name: _input(GraphQLString) for name in ("equals", "notEquals")},
        **{
            name: _input(_TEXTS)
            for name in (
                "in", "notIn", "contains", "notContains", "startsWith", "notStartsWith", "endsWith", "notEndsWith",
            )
        },
        "set": _input(GraphQLBoolean),
    },
)  # fmt: skip
DATE_TIME_FILTER = GraphQLInputObjectType(
    "DateTimeFilter",
    {
        **{
            name: _input(_TEXTS)
            for name in ("equals", "notEquals", "in", "notIn", "inDateRange", "notInDateRange")
        },
        **{
            name: _input(GraphQLString)
            for name in ("beforeDate", "beforeOrOnDate", "afterDate", "afterOrOnDate", "onTheDate")
        },
        "set": _input(GraphQLBoolean),
    },
)
_FILTERS = {"number": FLOAT_FILTER, "time": DATE_TIME_FILTER}


def schema(found: Mapping[str, Face], resolve: GraphQLFieldResolver) -> GraphQLSchema:
    """The schema of cubes and views by field, whose `cube` is resolved by `resolve`."""
    plain = _times("TimeDimension", ())
    fields: dict[str, GraphQLField] = {}
    wheres: dict[str, GraphQLInputField] = {}
    orders: dict[str, GraphQLInputField] = {}
    for name, face in found.items():
        where, order = _where(face), _order(face)
        fields[name] = GraphQLField(
            GraphQLNonNull(_members(face, plain)),
            {"where": GraphQLArgument(where), "orderBy": GraphQLArgument(order)},
            description=face.description,
        )
        wheres[name], orders[name] = _input(where), _input(order)
    if not found:
        fields["nothing"] = GraphQLField(
            GraphQLString, description="The model has no members that you may see."
        )
    root: GraphQLInputObjectType = GraphQLInputObjectType("RootWhereInput", lambda: {**_both(root), **wheres})
    arguments = {
        "where": GraphQLArgument(root),
        "limit": GraphQLArgument(GraphQLInt),
        "offset": GraphQLArgument(GraphQLInt),
        "timezone": GraphQLArgument(GraphQLString),
        "renewQuery": GraphQLArgument(GraphQLBoolean, description="Accepted; no answer is ever stale."),
        "cache": GraphQLArgument(GraphQLString, description="Accepted; no answer is ever stale."),
        "ungrouped": GraphQLArgument(GraphQLBoolean),
        "ref": GraphQLArgument(GraphQLString, description="A branch, tag, commit or time; main without it."),
    }
    if orders:
        arguments["orderBy"] = GraphQLArgument(GraphQLInputObjectType("RootOrderByInput", orders))
    result = GraphQLObjectType("Result", fields)
    rows = GraphQLNonNull(GraphQLList(GraphQLNonNull(result)))
    query = GraphQLObjectType("Query", {"cube": GraphQLField(rows, arguments, resolve=resolve)})
    return GraphQLSchema(query)


def _members(face: Face, plain: GraphQLObjectType) -> GraphQLObjectType:
    return GraphQLObjectType(
        f"{face.stem}Members",
        {
            name: GraphQLField(_type(face, member, plain), description=member.description)
            for name, member in face.members.items()
        },
    )


def _type(face: Face, member: Member, plain: GraphQLObjectType) -> GraphQLOutputType:
    if member.is_time_dimension:
        if not set(member.granularities) - set(GRANULARITIES):
            return plain
        return _times(f"{face.stem}_{member.name}_TimeDimension", member.granularities)
    return {"number": GraphQLFloat, "time": DATE_TIME}.get(member.type, GraphQLString)


def _times(name: str, own: tuple[str, ...]) -> GraphQLObjectType:
    periods = dict.fromkeys(("value", *GRANULARITIES, *own))
    return GraphQLObjectType(name, {each: GraphQLField(DATE_TIME) for each in periods})


def _where(face: Face) -> GraphQLInputObjectType:
    filters: dict[str, GraphQLInputField] = {
        name: _input(_FILTERS.get(member.type, STRING_FILTER)) for name, member in face.members.items()
    }
    made: GraphQLInputObjectType = GraphQLInputObjectType(
        f"{face.stem}WhereInput", lambda: {**_both(made), **filters}
    )
    return made


def _both(type_: GraphQLInputObjectType) -> dict[str, GraphQLInputField]:
    listed = GraphQLList(GraphQLNonNull(type_))
    return {"AND": _input(listed), "OR": _input(listed)}


def _order(face: Face) -> GraphQLInputObjectType:
    return GraphQLInputObjectType(f"{face.stem}OrderByInput", {name: _input(ORDER) for name in face.members})
