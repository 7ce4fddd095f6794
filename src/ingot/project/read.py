"""Project files -> trees with the environment filled in; every reason why a file cannot be one is a problem."""

import errno
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ingot.project.environment import FromEnv, UnsetError, interpolate
from ingot.project.place import Marks, Place
from ingot.project.problem import Problem
from ingot.project.tree import Map, Seq, TreeError, Where, parse

MAX_BYTES = 2_000_000
MAX_FILES = 2_000
SUFFIXES = (".yml", ".yaml")
TEMPLATES = (".yml.jinja", ".yaml.jinja")
_JINJA = re.compile(r"\{%|\{\{[ -]")


def relative(path: Path, root: Path) -> str:
    """The path as places show it: below the root, or with `..` where it is elsewhere."""
    return Path(os.path.relpath(path, root)).as_posix()


def read(path: Path, file: str, problems: list[Problem]) -> Map | None:
    """The mapping that the file holds, variables not yet filled in; None where it is empty or wrong."""
    text = read_text(path, file, problems)
    if text is None:
        return None
    if (found := _jinja(text)) is not None:
        problems.append(
            Problem(
                Place(file, *found), "only files of the semantic model can be Jinja templates", "plain YAML"
            )
        )
        return None
    return parsed(text, file, problems)


def parsed(text: str, file: str, problems: list[Problem], where: Where | None = None) -> Map | None:
    """The mapping that the text of a file holds; `where` says where its places are in the file."""
    try:
        tree = parse(text, file, problems, where)
    except TreeError as error:
        problems.append(error.problem)
        return None
    if tree is None:
        return Map(Marks(file, (1, 1)))
    if not isinstance(tree, Map):
        kind = "a list" if isinstance(tree, Seq) else "a single value"
        problems.append(Problem(Place(file), f"the file holds {kind}", "a mapping of keys to values"))
        return None
    return tree


def read_text(path: Path, file: str, problems: list[Problem]) -> str | None:
    """The text of a file; None where there is none, which is a problem."""
    place = Place(file)
    try:
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "is not a regular file"
            path.stat()
            problems.append(Problem(place, what, "a YAML file"))
            return None
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        why = (
            "too many levels of symbolic links"
            if error.errno == errno.ELOOP
            else (error.strerror or "error").lower()
        )
        problems.append(Problem(place, f"cannot be read: {why}"))
        return None
    if len(data) > MAX_BYTES:
        problems.append(Problem(place, "the file is too large", f"at most {MAX_BYTES // 1_000_000} MB"))
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        where = Place(file, before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1)
        problems.append(Problem(where, f"the byte 0x{data[error.start]:02x} is not UTF-8", "text in UTF-8"))
        return None
    return text


def _jinja(text: str) -> tuple[int, int] | None:
    if "{%" not in text and "{{" not in text:
        return None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.lstrip().startswith("#") and (found := _JINJA.search(line)):
            return number, found.start() + 1
    return None


def fill(
    tree: Map,
    environ: Mapping[str, str],
    problems: list[Problem],
    *,
    optional: Callable[[tuple[str, ...]], bool] | None = None,
) -> Map:
    """The tree with `${VAR}` filled in. Where `optional(path)` holds, an unset variable is null instead."""
    done: dict[tuple[int, bool], Any] = {}  # aliases are filled once

    def walk(node: Any, place: Place, path: tuple[str, ...], lenient: bool) -> Any:
        if isinstance(node, str):
            if "${" not in node:
                return node
            try:
                return interpolate(node, environ)
            except UnsetError as error:
                if not lenient:
                    problems.append(Problem(place, str(error)))
                return None if lenient else FromEnv("", node)
        if not isinstance(node, Map | Seq):
            return node
        known = (id(node), lenient)
        if known in done:
            return done[known]
        made: Map | Seq
        if isinstance(node, Map):
            marks = node.marks
            made = done[known] = Map(Marks(marks.file, marks.at, dict(marks.keys), dict(marks.values)))
            for key, value in node.items():
                below = (*path, key)
                made[key] = walk(
                    value, marks.value(key), below, lenient or bool(optional and optional(below))
                )
        else:
            made = done[known] = Seq(node.file, node.at)
            made.marks = node.marks
            for number, item in enumerate(node):
                made.append(walk(item, Place(node.file, *node.marks[number]), (*path, str(number)), lenient))
        return made

    filled = walk(tree, tree.marks.place, (), False)
    assert isinstance(filled, Map)
    return filled


def yaml_files(folder: Path, suffixes: tuple[str, ...] = SUFFIXES) -> Iterator[Path]:
    """The YAML files below a folder, sorted; links to folders are followed once."""
    seen: set[str] = set()
    found: list[Path] = []
    for here, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(here)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(here, name) for name in files if name.endswith(suffixes) and not name.startswith(".")]
    yield from sorted(found)
