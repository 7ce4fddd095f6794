"""Copy a template into a folder, without ever overwriting what is there."""

import shutil
from pathlib import Path

from ingot.errors import NotFoundError, UsageError

HERE = Path(__file__).parent
LEFT_OUT = {"__pycache__", ".ingot", "data", "target", "logs", "dbt_packages"}


def names() -> list[str]:
    """The templates that `copy` knows, sorted."""
    return sorted(found.parent.name for found in HERE.glob("*/ingot.yml"))


def copy(name: str, directory: Path) -> list[Path]:
    """Copy the template `name` into `directory`; gives back the files written, relative to it.

    Nothing is written where a file of the template is there already with other contents.

    Raises:
        NotFoundError: there is no such template.
        UsageError: a file is in the way.
    """
    if name not in names():
        raise NotFoundError("template", name, names())
    source = HERE / name
    files = [
        found.relative_to(source)
        for found in sorted(source.rglob("*"))
        if found.is_file() and not LEFT_OUT & set(found.relative_to(source).parts)
    ]
    for file in files:
        there = directory / file
        if there.exists() and (not there.is_file() or there.read_bytes() != (source / file).read_bytes()):
            raise UsageError(
                f"{there} is in the way of the template '{name}'; nothing was written.",
                hint="choose an empty folder",
            )
    written = [file for file in files if not (directory / file).exists()]
    for file in written:
        (directory / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / file, directory / file)
    return written
