"""Copy a template into a folder, without ever changing a file that is there."""

import shutil
from pathlib import Path

from ingot.errors import NotFoundError, UsageError

HERE = Path(__file__).parent
LEFT_OUT = {"__pycache__", ".ingot", "target", "logs"}
RENAMED = {"gitignore": ".gitignore"}  # under its own name it would hide files from packaging


def names() -> list[str]:
    """The templates that `create` knows, sorted."""
    return sorted(found.parent.name for found in HERE.glob("*/ingot.yml"))


def create(name: str, directory: Path) -> list[Path]:
    """Copy the template `name` into `directory`; gives back the paths of the files written.

    Files that are there already stay as they are.

    Raises:
        NotFoundError: there is no such template.
        UsageError: something that is not a folder is in the way, or the folder cannot be written.
    """
    if name not in names():
        raise NotFoundError("template", name, names())
    source = HERE / name
    written = []
    for found in sorted(source.rglob("*")):
        relative = found.relative_to(source)
        if not found.is_file() or LEFT_OUT & set(relative.parts):
            continue
        target = directory / relative.with_name(RENAMED.get(relative.name, relative.name))
        if target.exists():
            continue
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(found, target)
        except OSError as error:
            raise UsageError(
                f"The template '{name}' cannot be copied to {target}: {error.strerror}.",
                hint="choose an empty folder that you may write to",
            ) from error
        written.append(target)
    return written
