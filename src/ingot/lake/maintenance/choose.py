"""Which files of a table are worth writing anew: small ones that become fewer, and those with deleted rows."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

from ingot.lake import files
from ingot.lake.entries import POSITION_DELETES, Entry, Source
from ingot.lake.manifests import DATA
from ingot.lake.sql import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_SMALL = 0.75
"""A file of at least this part of the target size is large enough."""
_NEGLIGIBLE = 16
"""Files below a 16th of the target are always worth joining, however large the others are."""
_GREATEST = 2
"""A file more than twice as large as all smaller ones together waits until there are more of them."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Files of one partition that are read and written together."""

    spec_id: int
    partition: tuple[Any, ...]
    chosen: tuple[Entry, ...]

    @property
    def bytes(self) -> int:
        """What is read."""
        return sum(one.bytes for one in self.chosen)


def batches(
    sources: Sequence[Source], deleted: frozenset[str], target: int, partitions: frozenset[str] | None
) -> list[Batch]:
    """What to compact; `deleted` are the data files that delete files speak of.

    `partitions` limits it to partitions that are named so (`Entry.shown`).
    """
    groups: dict[tuple[int, tuple[Any, ...]], list[Entry]] = defaultdict(list)
    for source in sources:
        for one in source.entries:
            if one.content == DATA and (partitions is None or one.shown in partitions):
                groups[one.spec_id, one.partition].append(one)
    found = []
    for (spec_id, partition), entries in groups.items():
        chosen = _chosen(entries, deleted, target)
        if chosen:
            found.append(Batch(spec_id, partition, tuple(chosen)))
    return found


def _chosen(entries: Sequence[Entry], deleted: frozenset[str], target: int) -> list[Entry]:
    dirty = [one for one in entries if one.path in deleted]
    small = sorted(
        (one for one in entries if one.path not in deleted and one.bytes < target * _SMALL),
        key=lambda one: one.bytes,
    )
    # Without this, every small append would cost writing the largest file again.
    total = sum(one.bytes for one in small)
    while len(small) > 1 and small[-1].bytes > max(
        _GREATEST * (total - small[-1].bytes), target // _NEGLIGIBLE
    ):
        total -= small.pop().bytes
    fewer = ceil((total + sum(one.bytes for one in dirty)) / target)
    if len(small) + len(dirty) <= fewer or len(small) + bool(dirty) < 2:
        small = []
    return [*dirty, *small]


def speaking_of(con: "DuckDBPyConnection", sources: Sequence[Source]) -> dict[str, frozenset[str]]:
    """For each delete file or vector, by its id, the data files that it takes rows from."""
    data = [one for source in sources for one in source.entries if one.content == DATA]
    found: dict[str, frozenset[str]] = {}
    for source in sources:
        for one in source.entries:
            if one.content == POSITION_DELETES:
                found[one.id] = _positions(con, one)
            elif one.content != DATA:
                # By value: any older file may hold such rows.
                found[one.id] = frozenset(each.path for each in data if each.sequence < one.sequence)
    return found


def _positions(con: "DuckDBPyConnection", delete: Entry) -> frozenset[str]:
    if named := delete.file.get("referenced_data_file"):
        return frozenset([str(named)])
    path = files.as_read(delete.path)
    rows = con.execute(f"SELECT DISTINCT file_path FROM read_parquet({literal(path)})").fetchall()
    return frozenset(str(row[0]) for row in rows)
