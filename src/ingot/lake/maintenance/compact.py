"""Compaction: the rows of small files, and of files with deleted rows, written anew into files of a good size.

Rows never cross partitions, and a file is only touched where that makes fewer files or ends deletes. What is
written is counted against what was there before anything is committed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ingot.lake import (
    datafiles,
    entries,
    files,
    manifest_list,
    metadata,
    names,
    part,
    scan,
    transforms,
    types,
)
from ingot.lake.datafiles import LINEAGE
from ingot.lake.entries import Source
from ingot.lake.errors import WriteError
from ingot.lake.maintenance import choose, rewrite
from ingot.lake.maintenance.choose import Batch
from ingot.lake.manifests import DATA, DataFile
from ingot.lake.model import Key
from ingot.lake.staged import Staged
from ingot.lake.state import Table
from ingot.lake.types import Json

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_TARGET = "write.target-file-size-bytes"
_DEFAULT_TARGET = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Plan:
    """What compaction would do to one table."""

    key: Key
    table: Table
    sources: tuple[Source, ...]
    batches: tuple[Batch, ...]
    removed: frozenset[str]
    """Data files that are written anew, and delete files that then have nothing left to say."""
    has_deletes: bool
    target: int

    @property
    def bytes(self) -> int:
        """Size of what would be replaced."""
        return sum(one.bytes for source in self.sources for one in source.entries if one.id in self.removed)


class UnsuitableError(Exception):
    """The table cannot be compacted; the text says why. Never leaves this folder."""


def plan(
    con: "DuckDBPyConnection",
    table: Table,
    *,
    target_bytes: int | None = None,
    partitions: frozenset[str] | None = None,
) -> Plan | None:
    """What there is to gain, or None. Raises `UnsuitableError` and `SchemaError`."""
    document = table.metadata
    snapshot = metadata.current_snapshot(document)
    if snapshot is None:
        return None
    _check_types(document)
    part.numbers_rows(document)
    # A spec over a dropped column is an error now rather than after the writing.
    transforms.terms_of(metadata.default_spec(document), metadata.current_schema(document)["fields"])
    sources = tuple(entries.read(manifest_list.rows_of(snapshot)))
    target = target_bytes or target_of(document)
    speaks = choose.speaking_of(con, sources)
    deleted: frozenset[str] = frozenset().union(*speaks.values())
    batches = choose.batches(sources, deleted, target, partitions)
    rewritten = {one.path for batch in batches for one in batch.chosen}
    left = {one.path for source in sources for one in source.entries if one.content == DATA} - rewritten
    empty = {path for path, about in speaks.items() if not about & left}
    if not rewritten and not empty:
        return None
    return Plan(
        names.key(table.name),
        table,
        sources,
        tuple(batches),
        frozenset(rewritten | empty),
        bool(deleted & rewritten),
        target,
    )


def _check_types(document: Json) -> None:
    for field in metadata.current_schema(document)["fields"]:
        if types.to_duckdb(field["type"]) is None:
            raise UnsuitableError(
                f"'{field['name']}' is a {types.shown(field['type'])}, which Ingot does not write"
            )


def target_of(document: Json) -> int:
    """The size that the table wants its files to have."""
    found = document["properties"].get(_TARGET, "")
    return int(found) if found.isdecimal() and int(found) else _DEFAULT_TARGET


def write(con: "DuckDBPyConnection", what: Plan) -> list[DataFile]:
    """Writes the new data files; the table is not touched.

    Raises `WriteError` where reading or writing fails or the rows do not add up; then no file is left.
    """
    added: list[DataFile] = []
    try:
        for batch in what.batches:
            added += _written(con, what, batch)
    except BaseException:
        files.remove(one.path for one in added)
        raise
    return added


def stage(con: "DuckDBPyConnection", what: Plan, added: Sequence[DataFile]) -> Staged:
    """A snapshot that has `added` in place of what they were written from; moves no ref.

    Raises `WriteError` where the table would have other rows. The data files stay, whatever happens.
    """
    replacement = rewrite.Replacement(what.removed, added)
    staged = rewrite.stage(what.key, what.table.content, what.table.metadata, what.sources, replacement)
    if what.has_deletes:
        assert staged.content is not None
        try:
            _check_rows(con, what.table, Table(what.table.name, staged.content))
        except BaseException:
            files.remove(staged.files)
            raise
    return staged


def again(what: Plan, table: Table) -> Plan | None:
    """The plan on what the table is now, for the same new files; None where they are not right any more.

    They are as long as all that they replace is still there, and nothing was deleted from it.
    """
    snapshot, document = metadata.current_snapshot(table.metadata), what.table.metadata
    same = ("table-uuid", "format-version", "location", "current-schema-id", "schemas", "default-spec-id")
    if snapshot is None or any(table.metadata[name] != document[name] for name in same):
        return None
    sources = tuple(entries.read(manifest_list.rows_of(snapshot)))
    live = {one.id for source in sources for one in source.entries}
    known = {one.id for source in what.sources for one in source.entries if one.content != DATA}
    deletes = {one.id for source in sources for one in source.entries if one.content != DATA}
    if not what.removed <= live or deletes - known:
        return None
    return replace(what, table=table, sources=sources)


def _check_rows(con: "DuckDBPyConnection", before: Table, after: Table) -> None:
    counts = [
        con.execute(
            f"SELECT count(*) FROM {scan.expression(one.metadata, one.metadata_location, None, one.name)}"
        ).fetchall()[0][0]
        for one in (before, after)
    ]
    if counts[0] != counts[1]:
        raise WriteError(f"Compacting {before.name} would turn {counts[0]} rows into {counts[1]}.")


def _written(con: "DuckDBPyConnection", what: Plan, batch: Batch) -> list[DataFile]:
    document, name = what.table.metadata, what.table.name
    fields = metadata.current_schema(document)["fields"]
    spec = metadata.default_spec(document)
    terms = transforms.terms_of(spec, fields)
    same_spec = batch.spec_id == spec["spec-id"]
    numbers = LINEAGE if part.numbers_rows(document) else ()
    chosen = {one.path for one in batch.chosen}
    with part.only(
        document, what.table.metadata_location, what.sources, chosen, name=name, deletes=what.has_deletes
    ) as query:
        columns = datafiles.describe(con, query, name)
        done = datafiles.write(
            con,
            query,
            name=name,
            folder=f"{document['location']}/data",
            fields=(*fields, *numbers),
            select=[
                datafiles.cast(column, kind, field)
                for (column, kind), field in zip(columns, (*fields, *numbers), strict=True)
            ],
            # Files of one partition stay in it, and then DuckDB can cut them to size.
            terms=() if same_spec else terms,
            order_by=transforms.order_by(metadata.default_order(document), fields),
            target_bytes=what.target,
        )
    rows = sum(one.rows for one in done)
    if not what.has_deletes and rows != sum(one.rows for one in batch.chosen):
        files.remove(one.path for one in done)
        raise WriteError(
            f"Compacting {name} read {rows} rows where its files have {sum(one.rows for one in batch.chosen)}."
        )
    if not same_spec:
        return done
    values = entries.partition_values(batch.chosen[0], terms)
    return [replace(one, partition=values) for one in done]
