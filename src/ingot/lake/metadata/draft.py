"""A table while a commit changes it: the document so far, and what this commit has added.

The document is a shallow copy whose values are replaced and never changed in place, so that the metadata
that it started from stays what it was.
"""

from dataclasses import dataclass, field
from typing import Any

from ingot.lake.metadata.document import Json
from ingot.lake.metadata.errors import InvalidMetadataError

LAST_ADDED = -1
"""In an update: the schema, spec or order that this commit has added last."""


@dataclass
class Draft:
    """The state of one commit in progress."""

    document: Json
    now_ms: int
    asserted: frozenset[str] = frozenset()
    """Refs whose snapshot the commit has asserted."""
    renamed: dict[str, dict[int, int]] = field(default_factory=dict)
    """Per list: the id that the client gave to what it added -> the id that it has got."""
    last: dict[str, int] = field(default_factory=dict)
    """Per list: the id added last."""
    snapshots: set[int] = field(default_factory=set)
    """Snapshots added by this commit."""
    cleared: set[str] = field(default_factory=set)
    """Refs removed by this commit."""

    def __getitem__(self, key: str) -> Any:
        return self.document[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.document[key] = value

    def append(self, key: str, item: Json) -> None:
        """Adds the item to the list under `key`."""
        self.document[key] = [*self.document[key], item]

    def added(self, items: str, asked: int | None, given: int) -> None:
        """Notes that the thing that the client calls `asked` has got the id `given`."""
        self.last[items] = given
        if asked is not None:
            self.renamed.setdefault(items, {})[asked] = given

    def chosen(self, items: str, key: str, wanted: int) -> int:
        """The id that the client means by `wanted`, found in the list."""
        if wanted == LAST_ADDED:
            if items not in self.last:
                raise InvalidMetadataError(
                    f"-1 means the one added last, but this commit adds none to '{items}'."
                )
            return self.last[items]
        wanted = self.renamed.get(items, {}).get(wanted, wanted)
        known = [item[key] for item in self.document[items]]
        if wanted not in known:
            there = ", ".join(map(str, known)) or "none"
            raise InvalidMetadataError(f"'{key}' {wanted} is not among '{items}', which has {there}.")
        return wanted
