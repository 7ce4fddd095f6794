"""A server's project while its files change: the last good reading of them, and what is wrong with the present ones.

The files' times and sizes are looked at about once a second; what changed is read in a thread of its own and
takes the old model's place as a whole. Questions under way end on the model that they began with.
"""

import dataclasses
import os
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ingot.errors import IngotError
from ingot.project import ModelFiles, Project, ProjectError, load
from ingot.project.loading import Databases, databases
from ingot.project.root import FILE

if TYPE_CHECKING:
    from ingot.semantic import Model, Service
    from ingot.semantic.context import Context

HOOKS = "cube.py"
EVERY = 0.75
"""Seconds between two looks at the files."""
SETTLED = 0.1
"""Seconds for which nothing may change before the files are read: editors write in several steps."""
MOST = 5_000
"""Files that are looked at."""
_TAKEN = ("cubes", "views", "dashboards", "semantic", "sources", "files", "parts")
"""What of a project a running server takes over; the rest needs a new start."""

Seen = dict[str, tuple[int, int, int, int]]


class Live:
    """The project that a server answers from. `start` begins to look at the files, `close` ends it."""

    def __init__(
        self,
        project: Project,
        service: "Service",
        *,
        attach: Callable[[Databases], bool] | None = None,
        read: Callable[[], Project] | None = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        """`attach` takes the databases that SQL reads, and says whether there is anything new with them.

        `read` reads the project's files anew; `say` tells the person at the server.
        """
        files = ModelFiles()
        environ = project.parts.environ if project.parts is not None else os.environ
        self.project = project
        self.error: IngotError | None = None
        self.loaded_at = datetime.now(UTC)
        self._service = service
        self._attach = attach
        self._environ = environ
        self._read = read or (
            lambda: load(project.root, profile=project.profile, environ=environ, files=files)
        )
        self._say = say or _to_stderr
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._seen = self._look()
        self._started = project

    def start(self) -> None:
        """Begins to look at the files."""
        self._thread = threading.Thread(target=self._watch, name="model", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the looking."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def seen(self, who: "Context") -> "Model":
        """The model as who asks may see it."""
        return self._service.seen(who)

    def notice(self) -> dict[str, Any]:
        """What answers about the model have beside it: `modelError`, where the files are not what is in use.

        Where a login is asked for, it does not show lines of the files.
        """
        if self.error is None:
            return {}
        error = self.error
        problems = (
            [str(one) for one in error.problems] if isinstance(error, ProjectError) else [error.message]
        )
        count = f"{len(problems)} problem{'s' if len(problems) != 1 else ''}"
        said: dict[str, Any] = {
            "message": f"The files of the model have {count}; the last good model is in use.",
            "lastGood": self.loaded_at.isoformat(timespec="milliseconds"),
        }
        return {"modelError": said | ({"problems": problems} if self.project.auth is None else {})}

    def check(self) -> bool:
        """Looks once; whether something had changed, which is then in use, or is what `error` says."""
        found = self._look()
        if found == self._seen:
            return False
        for _ in range(5):
            if self._stop.wait(SETTLED):
                return False
            found, before = self._look(), found
            if found == before:
                break
        self._seen = found
        self._reload()
        return True

    def _watch(self) -> None:
        while not self._stop.wait(EVERY):
            try:
                self.check()
            except Exception as error:  # noqa: BLE001 - the server goes on with the model that it has
                self._say(f"model  not read: {type(error).__name__}: {error}")

    def _reload(self) -> None:
        self._take_databases()
        try:
            project = self._read()
            self._service.reload(project)
        except IngotError as error:
            self.error = error
            self._say(f"model  kept as it was; the files have problems:\n{error.message}")
            return
        changed = _needs_start(self._started, project)
        self.project = dataclasses.replace(self.project, **{name: getattr(project, name) for name in _TAKEN})
        self.error = None
        self.loaded_at = datetime.now(UTC)
        said = f"model  read anew: {len(project.cubes)} cubes, {len(project.views)} views"
        self._say(f"{said}; start again for {', '.join(changed)}" if changed else said)

    def _take_databases(self) -> None:
        """A mistake anywhere else is no reason to read a database as it was."""
        if self._attach is None:
            return
        try:
            found = databases(self.project.root, self.project.profile, self._environ)
        except ProjectError:
            return  # `ingot.yml` itself: told with the model's problems
        if self._attach(found):
            self._say(f"databases  read anew: {', '.join(sorted(one.name for one in found.there)) or 'none'}")

    def _look(self) -> Seen:
        project = self.project
        seen: Seen = {}
        folders = [project.root / "sources", project.semantic.path]
        folders += {one.parent for one in project.files} - {project.root, *folders}
        if (usual := project.root / "dashboards") not in folders:
            folders.append(usual)
        for name in (FILE, HOOKS):
            _add(seen, str(project.root / name))
        for folder in folders:
            for path in _files(str(folder)):
                _add(seen, path)
                if len(seen) >= MOST:
                    return seen
        return seen


def _add(seen: Seen, path: str) -> None:
    try:
        found = os.stat(path)  # noqa: PTH116 - hundreds a second: no objects on the way
    except OSError:
        return
    if stat.S_ISREG(found.st_mode):
        seen[path] = found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


def _files(folder: str, depth: int = 20) -> Iterator[str]:
    """The files below a folder but hidden ones and what Python keeps."""
    try:
        with os.scandir(folder) as entries:
            found = list(entries)
    except OSError:
        return
    for entry in found:
        if entry.name.startswith(".") or entry.name == "__pycache__":
            continue
        try:
            is_folder = entry.is_dir()
        except OSError:
            continue
        if not is_folder:
            yield entry.path
        elif depth > 0:
            yield from _files(entry.path, depth - 1)


def _needs_start(started: Project, project: Project) -> list[str]:
    """The parts of `ingot.yml` that a running server does not take over and that are not as it began."""
    names = [each.name for each in dataclasses.fields(Project) if each.compare and each.name not in _TAKEN]
    return [name for name in names if getattr(started, name) != getattr(project, name)]


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - the terminal of `ingot serve`
