"""Which fields a selection asks for: fragments opened, `@skip` and `@include` obeyed, same names brought together."""

from collections.abc import Mapping
from typing import Any

from graphql import (
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionSetNode,
    VariableNode,
)

Fragments = Mapping[str, FragmentDefinitionNode]


class Selection:
    """The selections of one operation."""

    def __init__(self, fragments: Fragments, variables: Mapping[str, Any]) -> None:
        """`variables` are the operation's, with their defaults."""
        self._fragments = fragments
        self._variables = variables

    def under(self, nodes: list[FieldNode]) -> dict[str, list[FieldNode]]:
        """The fields below nodes of one response name, by response name, in the order of the document."""
        found: dict[str, list[FieldNode]] = {}
        for node in nodes:
            if node.selection_set is not None:
                self._collect(node.selection_set, found)
        return found

    def _collect(self, of: SelectionSetNode, found: dict[str, list[FieldNode]]) -> None:
        for one in of.selections:
            if not self._wanted(one.directives or ()):
                continue
            if isinstance(one, FieldNode):
                name = one.alias.value if one.alias else one.name.value
                found.setdefault(name, []).append(one)
            elif isinstance(one, FragmentSpreadNode):
                self._collect(self._fragments[one.name.value].selection_set, found)
            elif isinstance(one, InlineFragmentNode):
                self._collect(one.selection_set, found)

    def _wanted(self, directives: tuple[DirectiveNode, ...]) -> bool:
        for one in directives:
            if one.name.value in ("skip", "include"):
                value = one.arguments[0].value if one.arguments else None
                said = (
                    self._variables.get(value.name.value)
                    if isinstance(value, VariableNode)
                    else getattr(value, "value", None)
                )
                if bool(said) is (one.name.value == "skip"):
                    return False
        return True
