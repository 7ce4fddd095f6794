"""dbt's messages as sentences for people: without colours, headings and indentation, with file and line."""

import re
import textwrap
from collections.abc import Iterable
from pathlib import Path

from ingot.errors import did_you_mean
from ingot.transform.errors import DbtProjectError

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_HEADING = re.compile(
    r"^(?:Runtime|Compilation|Database|Parsing|Validation|Dependency|Internal|Env_var|Configuration) Error"
    r"(?: in (?P<kind>[\w ]+?) (?P<name>\S+) \((?P<file>[^()\n]+)\))?\s*$",
    re.MULTILINE,
)
_PLACE = re.compile(r"\b[Ll]ine (?P<line>\d+)\b")
_FILE = re.compile(r"(?P<file>[\w./ -]+\.(?:sql|yml|yaml|md|csv|py))\b")
_MISSING = re.compile(r"depends on a (?P<kind>node|source) named '(?P<name>[^']+)' which was not found")
_YAML = re.compile(r"^(?P<what>.+)\n\s*in \"<unicode string>\", line (?P<line>\d+), column \d+", re.MULTILINE)
_COMPILED = re.compile(r"\n\s*compiled code at .*$")


def clean(message: str | None) -> str | None:
    """A node's message without dbt's frame; None where nothing is left."""
    if not message:
        return None
    text = _COMPILED.sub("", _COLOUR.sub("", message)).strip("\n")
    lines = text.splitlines()
    if lines and _HEADING.match(lines[0]):
        text = textwrap.dedent("\n".join(lines[1:]))
    return text.strip() or None


def project_error(message: str, root: Path, known: Iterable[str] = ()) -> DbtProjectError:
    """What dbt says of a project that it cannot compile, as an error with a place.

    Args:
        message: dbt's message.
        root: the dbt project's folder.
        known: names of models, seeds and snapshots, for the nearest one to a name that is not there.
    """
    plain = _COLOUR.sub("", message)
    heading = _HEADING.search(plain)
    file = (heading and heading["file"]) or _first_file(plain, root)
    text = clean(plain) or plain
    missing = _MISSING.search(text)
    line: int | None = None
    hint = None
    if missing:
        line = _line_of(root, file, missing["name"].rpartition(".")[2])
        near = did_you_mean(missing["name"], known) if missing["kind"] == "node" else ""
        kind = "model, seed or snapshot" if missing["kind"] == "node" else "source"
        text = f"There is no {kind} '{missing['name']}'{near or '.'}"
    elif yaml := list(_YAML.finditer(plain)):
        text, line = f"This is not YAML: {yaml[-1]['what'].strip()}.", int(yaml[-1]["line"])
    elif place := _PLACE.search(plain):
        line = int(place["line"])
    return DbtProjectError(" ".join(text.split("\n")) if missing else text, file=file, line=line, hint=hint)


def _first_file(text: str, root: Path) -> str | None:
    for found in _FILE.finditer(text):
        name = found["file"].strip()
        # A sentence may run into the path: try the shorter readings too.
        words = name.split(" ")
        for start in range(len(words)):
            candidate = " ".join(words[start:])
            if (root / candidate).is_file():
                return candidate
            # dbt names YAML files from the folder of models.
            below = [path for path in root.rglob(Path(candidate).name) if path.match(candidate)]
            if len(below) == 1:
                return below[0].relative_to(root).as_posix()
    return None


def _line_of(root: Path, file: str | None, name: str) -> int | None:
    """The first line of `file` where `name` stands in quotes."""
    if file is None or not (root / file).is_file():
        return None
    quoted = re.compile(rf"""['"]{re.escape(name)}['"]""")
    for number, text in enumerate((root / file).read_text("utf-8", "replace").splitlines(), start=1):
        if quoted.search(text):
            return number
    return None
