"""The reference page of the project files, made from the specs: `python -m ingot.project.reference`."""

import sys
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from ingot.project.cube import ModelFile
from ingot.project.dashboard import Dashboard
from ingot.project.settings import Settings
from ingot.project.source import Source
from ingot.project.spec import Spec
from ingot.project.users import Users

_PAGES: tuple[tuple[str, type[Spec]], ...] = (
    ("ingot.yml", Settings),
    ("sources/*.yml", Source),
    ("semantic/**/*.yml", ModelFile),
    ("dashboards/*.yml", Dashboard),
    ("users.yml", Users),
)
_BEFORE = """# Project files

Every key of every file. This page is made from the code; `ingot schema DIR` writes the same as JSON Schemas,
with which an editor completes keys and explains them.

Any text value may hold `${NAME}` or `${NAME:-default}` from the environment; `$${` is a plain `${`. Such values
are never shown in a message or a dump. A key that is not listed here is an error, and all errors of all files are
reported at once, with file, line and the nearest valid name. Where a list of things with `name` is expected, a
mapping of name to thing is fine too; where a list of texts is expected, one text is.
"""


def reference() -> str:
    """The page in Markdown."""
    parts = [_BEFORE]
    done = {root for _, root in _PAGES}
    for file, root in _PAGES:
        parts.append(f'\n<a id="{root.__name__.lower()}"></a>\n\n## `{file}`\n')
        parts += _sections(root, done, top=True)
    return "".join(parts)


def _sections(spec: type[Spec], done: set[type[Spec]], *, top: bool = False) -> Iterator[str]:
    done.add(spec)
    if not top:
        yield f"\n### {spec.__name__}\n"
    yield f"\n{(spec.__doc__ or '').strip()}\n"
    yield "\n| key | value | default | meaning |\n| --- | --- | --- | --- |\n"
    below: list[type[Spec]] = []
    for name, info in spec.model_fields.items():
        nested = [
            each for each in _inside(info.annotation) if isinstance(each, type) and issubclass(each, Spec)
        ]
        below += nested
        key = f"`{info.alias or name}`"
        yield f"| {key} | {_value(info)} | {_default(info)} | {_cell(info.description or '')} |\n"
    for old, now in spec.renames.items():
        yield f"| `{old}` | | | Older name of `{now}`. |\n"
    for each in below:
        if each not in done:
            yield from _sections(each, done)


def _inside(annotation: Any) -> Iterator[Any]:
    """The classes and literal words that a type is made of."""
    if get_origin(annotation) is Literal:
        yield from (f"`{word}`" for word in get_args(annotation))
    elif get_args(annotation):
        for part in get_args(annotation):
            yield from _inside(part)
    elif isinstance(annotation, type):
        yield annotation


_KINDS = {str: "text", int: "number", float: "number", bool: "`true`, `false`"}


def _value(info: FieldInfo) -> str:
    words = []
    for each in _inside(info.annotation):
        word = each if isinstance(each, str) else _KINDS.get(each)
        if word is None and isinstance(each, type) and issubclass(each, Spec):
            word = f"[{each.__name__}](#{each.__name__.lower()})"
        if word is not None and word not in words:
            words.append(word)
    origin = str(info.annotation)
    made = ", ".join(words) or "anything"
    if "Mapping" in origin:
        return "mapping" if made == "text" or not words else f"mapping to {made.removeprefix('text, ')}"
    return f"list of {made}" if origin.startswith("tuple") else made


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    value = info.default
    if value in (None, (), "", PydanticUndefined):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    sys.stdout.write(reference())
