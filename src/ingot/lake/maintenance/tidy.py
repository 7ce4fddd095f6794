"""Manifest rewrite: many small manifests, as frequent appends leave them, become few; no data is touched."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ingot.lake import entries, manifest_list, metadata, names
from ingot.lake.entries import Source
from ingot.lake.maintenance import rewrite
from ingot.lake.model import Key
from ingot.lake.staged import Staged
from ingot.lake.state import Table

TARGET_BYTES = 8 * 1024 * 1024
_FEW = 8
"""So many manifests of one kind are no burden."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Manifests of one table that would be joined."""

    key: Key
    table: Table
    sources: tuple[Source, ...]
    groups: tuple[tuple[Source, ...], ...]

    @property
    def before(self) -> int:
        """How many manifests are joined."""
        return sum(map(len, self.groups))


def plan(table: Table, *, few: int = _FEW) -> Plan | None:
    """What there is to gain, or None."""
    snapshot = metadata.current_snapshot(table.metadata)
    if snapshot is None:
        return None
    sources = tuple(entries.read(manifest_list.rows_of(snapshot)))
    kinds: dict[str, list[Source]] = defaultdict(list)
    for source in sources:
        if source.entries and source.row["manifest_length"] < TARGET_BYTES:
            # One Avro schema and one header for all: what readers conclude from them must stay true.
            kinds[json.dumps([source.content, source.schema, dict(source.about)], sort_keys=True)].append(
                source
            )
    groups = [group for alike in kinds.values() if len(alike) > few for group in _cut(alike)]
    if not groups:
        return None
    return Plan(names.key(table.name), table, sources, tuple(groups))


def _cut(alike: Sequence[Source]) -> list[tuple[Source, ...]]:
    groups: list[list[Source]] = [[]]
    size = 0
    for source in alike:
        if groups[-1] and size + source.row["manifest_length"] > TARGET_BYTES:
            groups.append([])
            size = 0
        groups[-1].append(source)
        size += source.row["manifest_length"]
    return [tuple(group) for group in groups if len(group) > 1]


def stage(what: Plan) -> Staged:
    """Writes the joined manifests and the snapshot that has them; moves no ref."""
    return rewrite.stage(
        what.key,
        what.table.content,
        what.table.metadata,
        what.sources,
        rewrite.Replacement(merged=what.groups),
    )
