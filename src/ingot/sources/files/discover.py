"""From the paths and globs of a source's table to the files that are there now.

Looks at names, sizes and times only. Hidden files and folders (`.ingot` among them) never match a glob.
"""

import glob
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ingot.errors import did_you_mean
from ingot.sources.errors import SourceError
from ingot.sources.files.formats import KNOWN, is_data
from ingot.sources.model import DataFile

if TYPE_CHECKING:
    from ingot.project import Project, Source
    from ingot.project.source import SourceTable


def discover(project: "Project", source: "Source", table: "SourceTable") -> tuple[DataFile, ...]:
    """Every file of the table, by name. Raises `SourceError` where a path or glob means no file."""
    found: dict[Path, None] = {}
    for pattern in table.path:
        found |= dict.fromkeys(_matches(table, str(pattern)))
    return tuple(_data_file(project, source, table, path) for path in sorted(found))


def _matches(table: "SourceTable", pattern: str) -> list[Path]:
    """The files that one path or glob means."""
    folder = table.folder
    at = str(table.place)
    if not glob.has_magic(pattern):
        path = folder / pattern
        if path.is_file():
            if table.format == "auto" and not is_data(path.name):
                raise SourceError(
                    f"What format does {pattern} have? Its name does not say (known: {KNOWN}).",
                    file=at,
                    hint="Say it with `format: csv` (or json, parquet, excel) at the table.",
                )
            return [path]
        if path.is_dir():
            pattern = f"{glob.escape(pattern)}/**/*"
        else:
            siblings = sorted(each.name for each in path.parent.iterdir()) if path.parent.is_dir() else []
            raise SourceError(
                f"The table {table.full_name} is to be read from {path}, which is not there"
                f"{did_you_mean(path.name, siblings)}.",
                file=at,
                hint=f"Files of that folder: {', '.join(siblings[:20])}" if siblings else None,
            )
    paths = [Path(each) for each in glob.glob(str(folder / pattern), recursive=True)]  # noqa: PTH207 - absolute patterns
    files = [path for path in paths if path.is_file()]
    wanted = files if table.format != "auto" else [path for path in files if is_data(path.name)]
    if not wanted:
        why = f"{len(files)} files match, but none is data ({KNOWN})" if files else "no file matches"
        raise SourceError(
            f"The table {table.full_name} is to be read from {folder / pattern}: {why}.", file=at
        )
    return wanted


def _data_file(project: "Project", source: "Source", table: "SourceTable", path: Path) -> DataFile:
    key = os.path.relpath(path, table.folder).replace(os.sep, "/")
    if path.is_relative_to(project.root):
        shown = path.relative_to(project.root).as_posix()
    else:
        shown = f"{source.path.rstrip('/')}/{key}" if not key.startswith("..") else str(path)
    try:
        stat = path.stat()
    except OSError as error:
        raise SourceError(f"The file cannot be read: {error.strerror}.", file=shown) from error
    return DataFile(path, key, shown, stat.st_size, stat.st_mtime_ns)
