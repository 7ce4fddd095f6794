"""Loads what a plan says as one staged change: rows, their types and the load state together, or nothing.

The steps: open (unpack, scan), prepare (columns, types), stage, and then check that as many rows arrived
as the files have and that no file changed meanwhile.
"""

import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from duckdb import DuckDBPyConnection

from ingot.errors import IngotError
from ingot.sources import text, values
from ingot.sources.errors import SourceError
from ingot.sources.files.parts import Opened, open_parts
from ingot.sources.model import STATE_PROPERTY, DataFile, LoadedFile, LoadResult, LoadState, Plan
from ingot.sources.reading import Reading

if TYPE_CHECKING:
    from ingot.lake import Lake
    from ingot.lake.staged import Staged


def load(con: DuckDBPyConnection, lake: "Lake", plan: Plan, *, on: str) -> "tuple[Staged, LoadResult]":
    """Stages the files of `plan` against branch `on`, and says what was done. Moves no ref.

    Raises `SourceError` for a file that cannot be loaded exactly as it is, with its line as far as there
    is one; nothing is left behind then.
    """
    if plan.kind == "nothing":
        raise ValueError(f"{plan.target} needs no load")
    began = time.perf_counter()
    folder = plan.project.state_dir / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="load-", dir=folder) as temporary:
        staged, result = _load(con, lake, plan, on, Path(temporary))
    return staged, replace(result, seconds=time.perf_counter() - began)


def _load(
    con: DuckDBPyConnection, lake: "Lake", plan: Plan, on: str, folder: Path
) -> "tuple[Staged, LoadResult]":
    table = plan.table
    files = tuple(_as_it_is_now(file) for file in plan.files)
    opened = open_parts(files, None if table.format == "auto" else table.format, table.options, folder)
    warnings = tuple(f"{part.shown} is empty and was skipped." for part in opened.parts if part.scan.empty)
    opened = replace(opened, parts=tuple(part for part in opened.parts if not part.scan.empty))
    known = plan.state if plan.state is not None and plan.state.spec == plan.spec else None
    if opened.parts:
        prepare = text.prepare if opened.format == "csv" else values.prepare
        reading = prepare(con, plan, opened, known)
        if reading.reopened and plan.kind == "append" and table.mode == "auto":
            # A column that had no value so far has a type now, which the rows that are there get as well.
            everything = replace(plan, kind="reload", files=plan.present)
            (folder / "again").mkdir()
            return _load(con, lake, everything, on, folder / "again")
        staged = _stage(con, lake, plan, on, reading=reading, files=files, opened=opened, known=known)
    elif plan.kind == "append" and known is not None:
        state = _state(plan, files, opened, known, rows={}, types=known.types, empty=frozenset(known.open))
        staged = lake.stage_properties(plan.target, {STATE_PROPERTY: state.dump()}, on=on)
    else:
        raise SourceError(
            f"{plan.target} cannot be loaded: there is not even a header in its files.", file=files[0].shown
        )
    try:
        _unchanged(files)
    except SourceError:
        lake.discard([staged])
        raise
    size = sum(file.size for file in files)
    return staged, LoadResult(staged.rows, size, len(files), 0.0, plan.kind, warnings)


def _stage(
    con: DuckDBPyConnection,
    lake: "Lake",
    plan: Plan,
    on: str,
    *,
    reading: Reading,
    files: tuple[DataFile, ...],
    opened: Opened,
    known: LoadState | None,
) -> "Staged":
    """Stages the reading, or what it becomes after a type turned out to be too narrow."""
    tries = 0
    while True:
        tries += 1
        state = _state(
            plan, files, opened, known, rows=reading.rows, types=reading.types, empty=reading.empty
        )
        try:
            staged = lake.stage(
                con,
                plan.target,
                reading.query,
                on=on,
                mode="append" if plan.kind == "append" else "overwrite",
                partition_by=plan.table.partition_by,
                sort_by=plan.table.sort_by,
                properties={STATE_PROPERTY: state.dump()},
                comment=plan.table.description,
            )
        except IngotError as error:
            reading = reading.refine(error)
            continue
        expected = sum(reading.rows.values())
        if staged.rows == expected:
            return staged
        lake.discard([staged])
        counted = reading.recount()
        if tries > 3 or sum(counted.values()) != staged.rows:
            raise SourceError(
                f"{plan.target}: the files have {sum(counted.values()):,} rows, but {staged.rows:,} were read; "
                "nothing was loaded.",
                file=files[0].shown,
            )
        # Lines are not rows here (a file with its own idea of line ends): count them instead.
        reading = replace(reading, rows=counted)


def _state(
    plan: Plan,
    files: tuple[DataFile, ...],
    opened: Opened,
    known: LoadState | None,
    *,
    rows: Mapping[str, int],
    types: Mapping[str, str],
    empty: frozenset[str],
) -> LoadState:
    loaded = {
        file.key: LoadedFile(file.size, file.mtime_ns, opened.digests[file.key], rows.get(file.key, 0))
        for file in files
    }
    if plan.kind == "append" and known is not None:
        loaded = {**known.files, **loaded}
        # A column has a value as soon as one load had one.
        empty = empty & frozenset(known.open)
    return LoadState(plan.spec, loaded, dict(types), tuple(sorted(empty)))


def _as_it_is_now(file: DataFile) -> DataFile:
    try:
        stat = file.path.stat()
    except OSError as error:
        raise SourceError(
            f"The file was there when the load was planned, and cannot be read now: {error.strerror}.",
            file=file.shown,
        ) from error
    return replace(file, size=stat.st_size, mtime_ns=stat.st_mtime_ns)


def _unchanged(files: tuple[DataFile, ...]) -> None:
    for file in files:
        now = _as_it_is_now(file)
        if now != file:
            raise SourceError(
                "The file changed while it was read; nothing was loaded.",
                file=file.shown,
                hint="Try again when it is complete; write files under another name and rename them.",
            )
