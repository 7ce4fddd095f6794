"""Arguments as they were written: numbers keep their digits, and what a variable does not say is seen.

The library's own coercion turns every number of a filter into a float, and leaves out a condition whose variable is
missing; a question would then quietly be another one.
"""

from collections.abc import Mapping
from typing import Any

from graphql import (
    BooleanValueNode,
    EnumValueNode,
    FieldNode,
    FloatValueNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
    VariableNode,
)

from ingot.semantic.errors import QueryError


def argument(node: FieldNode, name: str, variables: Mapping[str, Any]) -> Any:
    """The argument of a field; None where it is not given, or is a variable that is not."""
    for one in node.arguments or ():
        if one.name.value == name:
            if isinstance(one.value, VariableNode):
                return variables.get(one.value.name.value)
            return _plain(one.value, variables)
    return None


def _plain(value: ValueNode, variables: Mapping[str, Any]) -> Any:
    match value:
        case NullValueNode():
            return None
        case ListValueNode():
            return [_plain(one, variables) for one in value.values]
        case ObjectValueNode():
            return {one.name.value: _plain(one.value, variables) for one in value.fields}
        case VariableNode():
            name = value.name.value
            if name not in variables:
                raise QueryError(f"The variable ${name} is not given, but a condition is made of it.")
            return variables[name]
        case BooleanValueNode() | EnumValueNode() | FloatValueNode() | IntValueNode() | StringValueNode():
            return value.value
        case _:
            raise QueryError("There is a value of an unknown kind.")
