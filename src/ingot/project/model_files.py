"""Files of the semantic model that were read before: one that has not changed is not parsed again."""

from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from ingot.project.cube import ModelFile
from ingot.project.place import Place
from ingot.project.read import MAX_BYTES
from ingot.project.rendering.templates import Rendered

MOST = 5_000
_VARIES = (b"${", b"{%", b"{{", b"{#")
"""What is more than the bytes say: variables of the environment, templates."""

Names = tuple[tuple[tuple[str, Place], ...], ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What a file of these bytes holds: the names of its cubes and of its views with their places, and the specs."""

    data: bytes
    names: Names
    file: ModelFile


class ModelFiles:
    """Keeps what files hold by their path and bytes; times of change are not trusted. For several threads."""

    def __init__(self) -> None:
        self._known: dict[tuple[Path, str], Known] = {}
        self._rendered: dict[tuple[Path, str, str, tuple[int, ...]], Known] = {}
        self._lock = Lock()

    def find(self, path: Path, name: str) -> Known | None:
        """What the file holds, where it is as it was."""
        known = self._known.get((path, name))
        if known is None:
            return None
        try:
            with open(path, "rb") as stream:  # noqa: PTH123 - hundreds of files: no objects on the way
                same = stream.read(len(known.data) + 1) == known.data
        except OSError:
            return None
        return known if same else None

    def keep(self, path: Path, name: str, data: bytes | None, names: Names, file: ModelFile) -> None:
        """Keeps what a file without problems holds, unless that depends on more than its bytes."""
        if data is None or any(each in data for each in _VARIES):
            return
        with self._lock:
            while len(self._known) >= MOST:
                del self._known[next(iter(self._known))]
            self._known[path, name] = Known(data, names, file)

    def find_rendered(self, path: Path, name: str, made: Rendered) -> Known | None:
        """What a template holds that gave the same text from the same lines before."""
        return self._rendered.get((path, name, made.text, made.lines.key))

    def keep_rendered(self, path: Path, name: str, made: Rendered, names: Names, file: ModelFile) -> None:
        """Keeps what the text of a template holds, unless that depends on the environment, too."""
        if "${" in made.text:
            return
        with self._lock:
            while len(self._rendered) >= MOST:
                del self._rendered[next(iter(self._rendered))]
            self._rendered[path, name, made.text, made.lines.key] = Known(b"", names, file)


def bytes_of(path: Path) -> bytes | None:
    """The file's bytes; None where it cannot be read, or is more than a model file can be."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError:
        return None
    return data if len(data) <= MAX_BYTES else None
