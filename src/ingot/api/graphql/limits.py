"""What a document may cost, found out before it is validated: checking it must not be work that hurts.

Fragments are counted as often as they are spread, so that a few lines cannot stand for a million fields.
"""

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from ingot.errors import UsageError

MAX_TEXT = 64 * 1024
MAX_TOKENS = 8_000
MAX_FIELDS = 1_000
MAX_DEPTH = 20
MAX_ALIASES = 250
MAX_QUERIES = 10
"""Times that `cube` may stand in one operation."""


def check(document: DocumentNode) -> None:
    """Raises `UsageError` for a document that is too large, too deep, or asks for too much at once."""
    _Count(document).check()


class _Count:
    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {
            one.name.value: one.selection_set
            for one in document.definitions
            if isinstance(one, FragmentDefinitionNode)
        }
        self._operations = [
            one.selection_set for one in document.definitions if isinstance(one, OperationDefinitionNode)
        ]
        self._aliases = 0
        self._known: dict[str, tuple[int, int]] = {}
        self._open: set[str] = set()

    def check(self) -> None:
        sizes = [self._size(one) for one in [*self._operations, *self._fragments.values()]]
        fields, depth = sum(size for size, _ in sizes), max((deep for _, deep in sizes), default=0)
        if fields > MAX_FIELDS:
            raise UsageError(f"A document asks for at most {MAX_FIELDS} fields.")
        if depth > MAX_DEPTH:
            raise UsageError(f"A document's fields are nested at most {MAX_DEPTH} deep.")
        if self._aliases > MAX_ALIASES:
            raise UsageError(f"A document has at most {MAX_ALIASES} aliases.")

    def _size(self, of: SelectionSetNode) -> tuple[int, int]:
        """Fields, and how deep they are nested."""
        fields = depth = 0
        for one in of.selections:
            size = deep = 0
            if isinstance(one, FragmentSpreadNode):
                size, deep = self._fragment(one.name.value)
            elif isinstance(one, InlineFragmentNode):
                size, deep = self._size(one.selection_set)
            elif isinstance(one, FieldNode):
                self._aliases += one.alias is not None
                if one.selection_set is not None:
                    size, deep = self._size(one.selection_set)
                size, deep = size + 1, deep + 1
            fields, depth = min(fields + size, 10**9), max(depth, deep)
        return fields, depth

    def _fragment(self, name: str) -> tuple[int, int]:
        if name not in self._known:
            if name in self._open or name not in self._fragments:
                return 0, 0  # validation says what is wrong
            self._open.add(name)
            self._known[name] = self._size(self._fragments[name])
            self._open.discard(name)
        return self._known[name]
