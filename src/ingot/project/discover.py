"""Data files -> tables, for sources that name none; and the folder that a source's path means."""

import importlib.util
import os
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from ingot.project.root import absolute, is_folder

DATA = re.compile(r"\.(csv|tsv|json|jsonl|ndjson|parquet|xlsx)(\.(gz|zst|zip))?$", re.IGNORECASE)
PACKAGE = "package:"
_SKIPPED = {".git", ".ingot", "node_modules", "__pycache__", "target"}


class PackageError(Exception):
    """`package:name/folder` does not lead to a folder; the text says why."""


def folder_of(path: str, root: Path) -> Path:
    """The absolute folder of a source's path, which may lead into an installed package.

    Raises:
        PackageError: where the package is not installed or has no such folder.
    """
    if not path.startswith(PACKAGE):
        return absolute(path, root)
    name, _, below = path.removeprefix(PACKAGE).partition("/")
    if not re.fullmatch(r"[A-Za-z_]\w*", name) or ".." in below.split("/"):
        raise PackageError("is not of the form package:name/folder")
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise PackageError(f"names the Python package '{name}', which is not installed here")
    folder = Path(next(iter(spec.submodule_search_locations))) / below
    if not is_folder(folder):
        raise PackageError(f"names a folder that the package '{name}' does not have")
    return folder.resolve()


def identifier(stem: str) -> str:
    """A file's stem as a table name: `Größe 2024-Q1` is `grosse_2024_q1`, `2024` is `t_2024`."""
    plain = unicodedata.normalize("NFKD", stem.replace("ß", "ss")).encode("ascii", "ignore").decode()
    word = re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_").lower()
    if not word:
        return "t"
    return f"t_{word}" if word[0].isdigit() else word


def data_files(folder: Path, *, below: bool = True) -> Iterator[tuple[str, str]]:
    """Table name and path (relative to the folder) of each data file, sorted by path."""
    seen: set[str] = set()
    found: list[Path] = []
    for here, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(here)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = [name for name in folders if below and not name.startswith(".") and name not in _SKIPPED]
        found += [
            Path(here, name) for name in files if DATA.search(name) and not name.startswith((".", "~$"))
        ]
    for path in sorted(found):
        yield identifier(DATA.sub("", path.name)), path.relative_to(folder).as_posix()
