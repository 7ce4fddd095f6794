"""Decides what one table needs: nothing, its new files, or all of its files again.

A file whose size and time are as remembered counts as unchanged without being opened; where they differ,
its content (SHA-256) decides.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from ingot.sources.errors import SourceError
from ingot.sources.files.discover import discover
from ingot.sources.model import STATE_PROPERTY, DataFile, LoadedFile, LoadState, Plan

if TYPE_CHECKING:
    from ingot.lake import State
    from ingot.project import Project, Source
    from ingot.project.source import SourceTable

READER = 1
"""Counts up when files would be read differently than before, so that they are loaded again."""


def plan(project: "Project", source: "Source", table: "SourceTable", state: "State") -> Plan:
    """What has to be done so that `table` at `state` holds what its files say.

    Raises `SourceError` where files are missing, or where the table's mode forbids what would be needed.
    """
    target = table.full_name
    files = discover(project, source, table)
    spec = fingerprint(table)
    known = _remembered(target, state)

    def made(kind: Literal["nothing", "append", "reload"], reason: str, todo: Sequence[DataFile]) -> Plan:
        return Plan(kind, target, reason, tuple(todo), files, known, spec, project, source, table)

    if known is None:
        return made("reload", "first load", files)
    new = [file for file in files if file.key not in known.files]
    gone = sorted(known.files.keys() - {file.key for file in files})
    if known.spec != spec:
        if table.mode == "append" and gone:
            raise SourceError(
                f"How {target} is read has changed, but {_some(gone)}, which it was loaded from, is gone: "
                "it cannot be loaded again as a whole.",
                file=str(table.place),
                hint="Bring the files back, or load into a table of another name.",
            )
        return made("reload", "how it is read has changed", files)
    changed = [file for file in files if file.key in known.files and _differs(file, known.files[file.key])]
    if table.mode == "append":
        if changed:
            raise SourceError(
                f"The file changed after it was loaded, and {target} has `mode: append`, which takes new files only.",
                file=changed[0].shown,
                hint="Put changed rows into a new file, or say `mode: auto` to load all files again.",
            )
        gone = []
    if changed or gone:
        parts = [f"{_some([file.shown for file in changed])} changed"] if changed else []
        parts += [f"{_some(gone)} is gone"] if gone else []
        return made("reload", " and ".join(parts), files)
    if not new:
        return made("nothing", "no file changed", ())
    shown = f"new: {_some([file.shown for file in new])}"
    return made("reload", shown, files) if table.mode == "replace" else made("append", shown, new)


def fingerprint(table: "SourceTable") -> str:
    """Of everything that decides how the table's files are read and laid out."""
    options = table.options.model_dump()
    parts = [
        READER,
        table.format,
        options,
        dict(table.columns),
        list(table.partition_by),
        list(table.sort_by),
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:32]


def digest(file: DataFile) -> str:
    """SHA-256 of the file's bytes. Raises `SourceError` where it cannot be read."""
    try:
        with file.path.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise SourceError(f"The file cannot be read: {error.strerror}.", file=file.shown) from error


def _remembered(target: str, state: "State") -> LoadState | None:
    if target not in state.tables:
        return None
    text = state.table(target).properties.get(STATE_PROPERTY)
    known = LoadState.parse(text) if text else None
    if known is None:
        raise SourceError(
            f"The table {target} is there already, but it was not loaded by a source of this project.",
            hint=f"Give the source's table another name, or drop {target} first.",
        )
    return known


def _differs(file: DataFile, before: LoadedFile) -> bool:
    if file.size == before.size and file.mtime_ns == before.mtime_ns:
        return False
    return file.size != before.size or digest(file) != before.sha256


def _some(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
