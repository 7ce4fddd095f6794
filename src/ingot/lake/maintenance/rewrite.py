"""A `replace` snapshot: some files of a table give way to others that hold the same rows.

Manifests without a removed file are kept as they are; the others are written anew with their own schema and
header, so that nothing that another writer recorded is lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from ingot.lake import entries, files, manifest_list, manifests, metadata, transforms
from ingot.lake.entries import EQUALITY_DELETES, POSITION_DELETES, Entry, Source
from ingot.lake.errors import SchemaError
from ingot.lake.manifests import DATA, DataFile
from ingot.lake.model import Content, Key
from ingot.lake.part import advance
from ingot.lake.same_rows import SAME_ROWS, origin
from ingot.lake.staged import Staged, table_content, write_metadata
from ingot.lake.types import Json


@dataclass(frozen=True, slots=True)
class Replacement:
    """What a snapshot takes away and what it puts there."""

    removed: frozenset[str] = frozenset()
    """Ids of data and delete files."""
    added: Sequence[DataFile] = ()
    merged: Sequence[Sequence[Source]] = field(default=())
    """Manifests of which each group becomes one."""


def stage(key: Key, before: Content, document: Json, sources: Sequence[Source], what: Replacement) -> Staged:
    """Writes the snapshot and the metadata file that has it; `before` is the table as it was read.

    Whatever fails, the files written here are gone again; the new data files are the caller's.
    """
    written: list[str] = []
    try:
        snapshot = _snapshot(document, sources, what, written)
        after = advance(document, snapshot, before.metadata_location)
        at = write_metadata(after, before.metadata_location)
    except BaseException:
        files.remove(written)
        raise
    rows, size = sum(one.rows for one in what.added), sum(one.bytes for one in what.added)
    content = table_content(after, at, before.id)
    return Staged(key, content, before, rows=rows, bytes=size, files=(*written, at))


def _snapshot(document: Json, sources: Sequence[Source], what: Replacement, written: list[str]) -> Json:
    parent = metadata.current_snapshot(document)
    assert parent is not None
    schema = metadata.current_schema(document)
    version, sequence = document["format-version"], manifest_list.sequence_of(document)
    snapshot_id = uuid4().int >> 65
    folder = f"{document['location']}/metadata"
    rows: list[Json] = []

    def keep(content: bytes) -> str:
        at = f"{folder}/{uuid4()}-m{len(rows)}.avro"
        written.append(at)
        files.write(at, content)
        return at

    if what.added:
        spec = metadata.default_spec(document)
        terms = transforms.terms_of(spec, schema["fields"])
        content = manifests.manifest(
            what.added,
            snapshot_id=snapshot_id,
            schema=schema,
            spec=spec,
            terms=terms,
            version=version,
            extra=version > 2,
        )
        rows.append(
            manifests.listed(
                keep(content),
                len(content),
                what.added,
                snapshot_id=snapshot_id,
                sequence=sequence,
                spec=spec,
                terms=terms,
            )
        )

    def rewrite(group: Sequence[Source]) -> None:
        done = entries.rewritten(group, what.removed, snapshot_id, version)
        oldest = done.row["min_sequence_number"]
        row = {
            **done.row,
            "manifest_path": keep(done.content),
            "manifest_length": len(done.content),
            "sequence_number": sequence,
            "min_sequence_number": sequence if oldest is None else oldest,
        }
        if len(group) > 1:
            kept = [one for source in group for one in source.entries if one.id not in what.removed]
            row["partitions"] = _partitions(document, row["partition_spec_id"], kept)
        rows.append(row)

    merged = {source.row["manifest_path"] for group in what.merged for source in group}
    for group in what.merged:
        rewrite(group)
    for source in sources:
        if source.row["manifest_path"] in merged or not source.entries:
            continue
        if any(one.id in what.removed for one in source.entries):
            rewrite([source])
        else:
            rows.append(source.row)
    summary = _summary(parent, [one for source in sources for one in source.entries], what)
    return manifest_list.snapshot(document, rows, snapshot_id=snapshot_id, summary=summary, written=written)


def _partitions(document: Json, spec_id: int, kept: Sequence[Entry]) -> list[Json] | None:
    """The bounds of a manifest's partitions; None, which is never wrong, where the spec cannot be read."""
    spec = next(one for one in document["partition-specs"] if one["spec-id"] == spec_id)
    try:
        terms = transforms.terms_of(spec, metadata.current_schema(document)["fields"])
    except SchemaError:
        return None
    named = [DataFile(one.path, one.rows, one.bytes, entries.partition_values(one, terms)) for one in kept]
    row = manifests.listed("", 0, named, snapshot_id=0, sequence=0, spec=spec, terms=terms)
    found: list[Json] = row["partitions"]
    return found


def _summary(parent: Json, live: Sequence[Entry], what: Replacement) -> dict[str, str]:
    gone = _counted([one for one in live if one.id in what.removed])
    total = _counted([one for one in live if one.id not in what.removed])
    added = {
        "data-files": len(what.added),
        "records": sum(one.rows for one in what.added),
        "files-size": sum(one.bytes for one in what.added),
    }
    for name, count in added.items():
        total[name] += count
    summary = {"operation": "replace"}
    summary |= {f"added-{name}": str(count) for name, count in added.items() if count}
    for name, count in gone.items():
        verb = "deleted" if name in ("data-files", "records") else "removed"
        summary |= {f"{verb}-{name}": str(count)} if count else {}
    summary |= {f"total-{name}": str(count) for name, count in total.items()}
    return {**summary, SAME_ROWS: str(origin(parent)), "engine-name": "ingot"}


def _counted(some: Sequence[Entry]) -> dict[str, int]:
    data = [one for one in some if one.content == DATA]
    return {
        "data-files": len(data),
        "records": sum(one.rows for one in data),
        "files-size": sum(one.bytes for one in some),
        "delete-files": len(some) - len(data),
        "position-deletes": sum(one.rows for one in some if one.content == POSITION_DELETES),
        "equality-deletes": sum(one.rows for one in some if one.content == EQUALITY_DELETES),
    }
