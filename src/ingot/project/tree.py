"""YAML text -> a tree of mappings, lists and scalars that know where they stand.

Built from the parser's events with an explicit stack: deep nesting, aliases that multiply, duplicate keys
and tags are problems here instead of surprises later. Scalars follow YAML 1.2's core schema, as Cube's
models do: `on`, `no`, `12:30` and dates are text.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

import yaml

from ingot.project.place import Mark, Marks, Place
from ingot.project.problem import Problem

MAX_NODES = 200_000
MAX_DEPTH = 100

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
_CONSTANTS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_MERGE = "<<"
_STR_TAG = "tag:yaml.org,2002:str"


class Map(dict[str, Any]):
    """A YAML mapping with the marks of its keys and values."""

    __slots__ = ("marks", "merged", "size")

    def __init__(self, marks: Marks, items: dict[str, Any] | None = None) -> None:
        super().__init__(items or {})
        self.marks = marks
        self.merged: set[str] = set()  # keys that came by '<<' and may be written again
        self.size = 1


class Seq(list[Any]):
    """A YAML list with the marks of its items."""

    __slots__ = ("at", "file", "marks", "size")

    def __init__(self, file: str, at: Mark) -> None:
        super().__init__()
        self.file = file
        self.at = at
        self.marks: list[Mark] = []
        self.size = 1


class Int(int):
    """A whole number that remembers its spelling, for where text is expected (`007`)."""

    text: str


class Float(float):
    """A number that remembers its spelling, for where text is expected (`1.10`)."""

    text: str


class TreeError(Exception):
    """The text cannot be a tree at all; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def scalar(text: str) -> Any:
    """The value of a plain (unquoted) scalar: null, true/false, a number, or the text."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in "+-.0123456789" or len(text) > 100:
        return text
    if _INT.fullmatch(text):
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        whole = Int(text, base)
        whole.text = text
        return whole
    if _FLOAT.fullmatch(text):
        special = text.lower().lstrip("+-")
        number = Float(text.replace(".", "", 1) if special in (".inf", ".nan") else text)
        number.text = text
        return number
    return text


Where = Callable[[Mark], Mark]
"""Where a place of the text is in the file, for text that was made from it."""


def parse(text: str, file: str, problems: list[Problem], where: Where | None = None) -> Any:
    """The tree of the one document in `text`; None for an empty one. Adds what is wrong to `problems`.

    Raises:
        TreeError: where no tree can be made (syntax, limits).
    """
    try:
        return _Builder(file, problems, where).build(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        raise TreeError(_moved(_syntax(error, text, file), where)) from None
    except yaml.reader.ReaderError as error:
        raise TreeError(_moved(_character(error, text, file), where)) from None


def _moved(found: Problem, where: Where | None) -> Problem:
    if where is None:
        return found
    line, column = where((found.place.line, found.place.column))
    return Problem(found.place._replace(line=line, column=column), found.message, found.expected)


def _syntax(error: yaml.MarkedYAMLError, text: str, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    lines = text.splitlines()
    here = lines[line - 1] if line <= len(lines) else ""
    if "\t" in here[: len(here) - len(here.lstrip())]:
        return Problem(
            Place(file, line, here.index("\t") + 1),
            "a tab indents this line",
            "spaces: YAML does not allow tabs here",
        )
    said = " ".join(part for part in (error.problem, error.context) if part) or "not valid"
    return Problem(Place(file, line, column), f"YAML: {said}")


def _character(error: yaml.reader.ReaderError, text: str, file: str) -> Problem:
    code = error.character if isinstance(error.character, int) else ord(error.character[:1] or "\0")
    position = text.find(chr(code)) if code <= 0x10FFFF else -1
    before = text[: max(position, 0)]
    place = Place(file, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
    return Problem(place, f"the character U+{code:04X} is not allowed in YAML")


@dataclass(slots=True)
class _Open:
    """A collection that is being read: its anchor, and for a mapping the key that waits for its value."""

    node: Map | Seq
    anchor: str | None
    key: tuple[str, Mark] | None = None

    @property
    def wants_key(self) -> bool:
        return isinstance(self.node, Map) and self.key is None


class _Builder:
    def __init__(self, file: str, problems: list[Problem], where: Where | None = None) -> None:
        self.file = file
        self.problems = problems
        self.where = where
        self.stack: list[_Open] = []
        self.root: Any = None
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.nodes = 0
        self.documents = 0

    def mark(self, event: Any) -> Mark:
        at = _mark(event)
        return at if self.where is None else self.where(at)

    def build(self, events: Iterator[Any]) -> Any:
        for event in events:
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self.scalar(event)
            elif kind in (yaml.MappingStartEvent, yaml.SequenceStartEvent):
                self.open(event, kind)
            elif kind in (yaml.MappingEndEvent, yaml.SequenceEndEvent):
                self.close()
            elif kind is yaml.AliasEvent:
                self.alias(event)
            elif kind is yaml.DocumentStartEvent:
                self.documents += 1
                if self.documents > 1:
                    self.fail(
                        self.mark(event), "a second YAML document starts here", "one document in a file"
                    )
        return self.root

    def scalar(self, event: Any) -> None:
        at = self.mark(event)
        self.tag(event, at)
        is_key = bool(self.stack) and self.stack[-1].wants_key
        plain = event.implicit[0] and not is_key and event.tag != _STR_TAG
        value = scalar(event.value) if plain else event.value
        if event.anchor is not None:
            self.anchors[event.anchor] = (value, 1)
        self.add(value, at, 1)

    def open(self, event: Any, kind: type) -> None:
        at = self.mark(event)
        self.tag(event, at)
        if len(self.stack) >= MAX_DEPTH:
            self.fail(at, f"nested more than {MAX_DEPTH} levels deep")
        if self.stack and self.stack[-1].wants_key:
            self.fail(at, "a key is a list or a mapping", "text")
        node = Map(Marks(self.file, at)) if kind is yaml.MappingStartEvent else Seq(self.file, at)
        self.stack.append(_Open(node, event.anchor))

    def close(self) -> None:
        closed = self.stack.pop()
        node = closed.node
        if closed.anchor is not None:
            self.anchors[closed.anchor] = (node, node.size)
        self.add(node, node.marks.at if isinstance(node, Map) else node.at, node.size)

    def alias(self, event: Any) -> None:
        at = self.mark(event)
        name = event.anchor
        if any(each.anchor == name for each in self.stack):
            self.fail(at, f"the alias '*{name}' stands inside of what it refers to")
        if name not in self.anchors:
            self.fail(at, f"the alias '*{name}' refers to no anchor before it")
        value, size = self.anchors[name]
        self.nodes += size
        self.add(value, at, size)

    def add(self, value: Any, at: Mark, size: int) -> None:
        """Puts a finished value where it belongs."""
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self.fail(
                at, f"the file has more than {MAX_NODES:,} values, its aliases counted as often as used"
            )
        if not self.stack:
            self.root = value
            return
        parent = self.stack[-1]
        parent.node.size += size
        if isinstance(parent.node, Seq):
            parent.node.append(value)
            parent.node.marks.append(at)
        elif parent.key is None:
            parent.key = (self.key(value, at), at)
        else:
            (name, name_at), parent.key = parent.key, None
            self.put(parent.node, name, name_at, value, at)

    def key(self, value: Any, at: Mark) -> str:
        if not isinstance(value, str) or not value:
            self.fail(at, "a key is empty", "text")
        return str(value)

    def put(self, parent: Map, name: str, name_at: Mark, value: Any, at: Mark) -> None:
        marks = parent.marks
        if name == _MERGE:
            for base in value if isinstance(value, Seq) else [value]:
                if not isinstance(base, Map):
                    self.fail(at, "'<<' merges something that is not a mapping")
                for key in base.keys() - parent.keys():
                    parent[key] = base[key]
                    parent.merged.add(key)
                    marks.keys[key] = base.marks.keys[key]
                    marks.values[key] = base.marks.values[key]
        elif name in parent and name not in parent.merged:
            twice = f"the key '{name}' stands twice; first in line {marks.keys[name][0]}"
            self.problems.append(Problem(Place(self.file, *name_at), twice))
        else:
            parent[name] = value
            parent.merged.discard(name)
            marks.keys[name] = name_at
            marks.values[name] = at

    def tag(self, event: Any, at: Mark) -> None:
        if event.tag is not None and event.tag not in (_STR_TAG, "!"):
            name = event.tag.replace("tag:yaml.org,2002:", "!!")
            self.fail(at, f"the YAML tag '{name}' is not supported", "a plain value")

    def fail(self, at: Mark, message: str, expected: str | None = None) -> NoReturn:
        raise TreeError(Problem(Place(self.file, *at), message, expected))


def _mark(event: Any) -> Mark:
    mark = event.start_mark
    return mark.line + 1, mark.column + 1
