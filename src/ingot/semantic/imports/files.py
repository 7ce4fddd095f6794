"""From the files of another semantic layer to files of a project: which converter reads them, where results go."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ingot.errors import UsageError
from ingot.semantic.imports import cube_js, metricflow
from ingot.semantic.imports.converted import Converted, to_yaml
from ingot.semantic.imports.metricflow import Find

_KINDS = {".js": "cube", ".yml": "dbt", ".yaml": "dbt"}
_SKIPPED = frozenset({"node_modules", "target", "dbt_packages", "dbt_internal_packages", ".git", ".venv"})
_MOST = 5_000


@dataclass(frozen=True, slots=True)
class Imported:
    """New files of a project (path -> text), and what a converter had to leave out."""

    files: Mapping[Path, str]
    notes: tuple[str, ...]


def read(path: Path) -> dict[str, str]:
    """The model files at or below `path` (name -> text); JavaScript where there is any, otherwise YAML.

    Raises `UsageError` where there are none, or where they are no text.
    """
    if path.is_file():
        chosen = [path]
    else:
        below = [one for one in sorted(path.rglob("*")) if not _SKIPPED & set(one.relative_to(path).parts)]
        known = [one for one in below if one.is_file() and one.suffix in _KINDS][:_MOST]
        chosen = [one for one in known if one.suffix == ".js"] or known
    if not chosen or chosen[0].suffix not in _KINDS:
        raise UsageError(
            f"There is no model to import at {path}.",
            hint="Name a folder or file with .yml (dbt) or .js (Cube) models.",
        )
    top = path if path.is_dir() else path.parent
    try:
        return {str(one.relative_to(top)): one.read_text("utf-8") for one in chosen}
    except UnicodeDecodeError as error:
        raise UsageError(f"A file below {path} is not UTF-8: {error}.") from None


def imported(texts: Mapping[str, str], folder: Path, find: Find) -> Imported:
    """The files that `texts` become below `folder`, the project's folder of the semantic model.

    Raises what the converters raise.
    """
    made: Converted
    if any(name.endswith(".js") for name in texts):
        made = cube_js.convert(texts)
    else:
        made = metricflow.convert(texts, find)
    files: dict[Path, str] = {}
    for kind, some in (("cubes", made.cubes), ("views", made.views)):
        for one in some:
            # A name is an identifier once the model compiles; until then it must not lead out of the folder.
            name = "".join(char if char.isalnum() or char in "-_" else "_" for char in one["name"])
            files[folder / kind / f"{name}.yml"] = to_yaml(kind, one)
    return Imported(files, tuple(made.notes))


def write(files: Mapping[Path, str], *, replace: bool) -> None:
    """Writes the files, all or none. Raises `UsageError` for a file that is there, unless told to replace."""
    there = [path for path in files if path.exists()]
    if there and not replace:
        raise UsageError(
            f"{there[0]} is there already.", hint="--force replaces it, --print shows what would be written."
        )
    new = {path: path.with_name(f".{path.name}.new") for path in files}
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            new[path].write_text(text, "utf-8")
        for path, temporary in new.items():
            temporary.replace(path)
    finally:
        for temporary in new.values():
            temporary.unlink(missing_ok=True)
