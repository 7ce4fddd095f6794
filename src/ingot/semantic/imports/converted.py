"""What a converter gives: cubes and views as plain data, and what it had to leave out."""

from dataclasses import dataclass, field
from typing import Any

import yaml

Table = dict[str, Any]


@dataclass(slots=True)
class Converted:
    """A converted model. `notes` name what was left out or needs a look, each with the place it stood at."""

    cubes: list[Table] = field(default_factory=list)
    views: list[Table] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def note(self, where: str, what: str) -> None:
        """Remembers what could not be carried over."""
        self.notes.append(f"{where}: {what}")


class _Dumper(yaml.SafeDumper):
    """Indents lists, and writes SQL of several lines as a block."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def to_yaml(kind: str, one: Table) -> str:
    """A file with one cube (`kind` is `cubes`) or view (`views`)."""
    return yaml.dump({kind: [one]}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
