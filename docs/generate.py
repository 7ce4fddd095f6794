"""Writes the reference page of the command line from the commands themselves.

`python docs/generate.py` writes, `--check` compares; a test does the latter.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from typer.main import get_command

from ingot.cli.app import app

PAGE = Path(__file__).parent / "reference" / "cli.md"

_HEAD = """# Command line

Written by `docs/generate.py` from the commands. Every command takes `--project DIR` (default: here, or the
nearest parent with an `ingot.yml`) where it needs a project, prints one JSON object with `--json`, and ends with
0 (done), 1 (the data or the run failed) or 2 (the command or the project's files are wrong). `--debug` adds the
stack trace to an error.
"""


def render() -> str:
    """The page."""
    group = get_command(app)
    context = typer.Context(group, info_name="ingot")
    return "".join([_HEAD, *_sections(group, context, "ingot")])


def _sections(group: Any, context: typer.Context, called: str) -> Iterator[str]:
    """One section a command; a group's commands instead of the group."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        inner = typer.Context(
            command, info_name=name, parent=context, terminal_width=100, max_content_width=100
        )
        if hasattr(command, "list_commands"):
            yield from _sections(command, inner, f"{called} {name}")
        else:
            yield f"\n## {called} {name}\n\n```\n{command.get_help(inner).strip()}\n```\n"


def main() -> int:
    """0, or 1 where `--check` finds another text."""
    text = render()
    if "--check" in sys.argv:
        return int(not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text)
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
