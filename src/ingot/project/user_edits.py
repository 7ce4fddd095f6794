"""Changes of `users.yml` by command: what else stands there, comments too, stays as it is written."""

import contextlib
import fcntl
import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from ingot.errors import NotFoundError, UsageError
from ingot.project.environment import UnsetError, interpolate
from ingot.project.policy_case import plain
from ingot.project.problem import Problem, ProjectError
from ingot.project.read import parsed, read, relative
from ingot.project.root import FILE as PROJECT
from ingot.project.root import absolute
from ingot.project.tree import Map
from ingot.project.users import FILE, User, load_users, users_of

_HEAD = "# Who may log in with a password. `ingot user` writes here; verifiers are no passwords, but keep them to yourself.\n"

Entries = dict[str, dict[str, Any]]


class UsersFile:
    """The file of a project's users."""

    def __init__(self, root: Path, environ: Mapping[str, str] = os.environ) -> None:
        """Raises `ProjectError` where `ingot.yml` cannot be read; the rest of the project may be wrong."""
        self._root = root
        self._environ = environ
        problems: list[Problem] = []
        tree = read(root / PROJECT, PROJECT, problems)
        if tree is None:
            raise ProjectError(problems)
        auth = tree.get("auth")
        named = auth.get("users") if isinstance(auth, Map) else None
        self.is_asked_for = isinstance(auth, Map)
        """Whether `ingot.yml` says that somebody has to log in."""
        try:
            self.path = absolute(interpolate(named, environ) if isinstance(named, str) else FILE, root)
        except UnsetError as error:
            raise UsageError(f"auth.users in {PROJECT}: {error}.") from None

    @property
    def name(self) -> str:
        """How messages name it."""
        return relative(self.path, self._root)

    def users(self) -> tuple[User, ...]:
        """The users. Raises `ProjectError` with what is wrong with the file."""
        if not os.path.lexists(self.path):
            return ()
        return load_users(self.path, self._root, self._environ)

    def add(self, name: str, entry: Mapping[str, Any]) -> None:
        """Adds a user. Raises `UsageError` where there is one of the name, `ProjectError` for a wrong entry."""

        def change(entries: Entries) -> None:
            if name in entries:
                raise UsageError(
                    f"There is a user '{name}' already.",
                    hint="ingot user passwd NAME gives another password.",
                )
            entries[name] = dict(entry)

        self._change(change, lambda text, tree: _with(text, tree, name, entry))

    def remove(self, name: str) -> None:
        """Removes a user. Raises `NotFoundError`."""

        def change(entries: Entries) -> None:
            self._known(name, entries)
            del entries[name]

        self._change(change, lambda text, tree: _without(text, tree, name))

    def set_verifier(self, name: str, verifier: str) -> None:
        """Gives a user another password. Raises `NotFoundError`."""

        def change(entries: Entries) -> None:
            self._known(name, entries)
            entries[name]["verifier"] = verifier

        self._change(change, lambda text, tree: _with_verifier(text, tree, name, verifier))

    def _known(self, name: str, entries: Entries) -> None:
        if name not in entries:
            raise NotFoundError("user", name, entries, hint="ingot user list")

    def _change(self, change: Callable[[Entries], None], write: Callable[[str, Map], str | None]) -> None:
        with self._alone():
            self.users()
            text = self.path.read_text(encoding="utf-8-sig") if self.path.exists() else _HEAD
            tree = parsed(text, self.name, [])
            assert tree is not None, "it was read before"
            entries = _entries(tree)
            change(entries)
            made = write(text, tree)
            if made is None or _entries_of(made, self.name) != entries:
                made = _HEAD + _dumped({"users": entries})  # a form in which lines cannot be changed alone
            self._replace(made)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """One change at a time, whichever process makes it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def _replace(self, text: str) -> None:
        """Puts the text in the file's place as a whole, if it is a right one, for nobody else to read."""
        problems: list[Problem] = []
        users_of(text, self.name, self._environ, problems)
        if problems:
            raise ProjectError(problems)
        target = Path(os.path.realpath(self.path))
        handle, name = tempfile.mkstemp(prefix=".users-", suffix=".yml", dir=target.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            owner = target if target.exists() else target.parent
            found = owner.stat()
            if owner is target:
                os.chmod(name, stat.S_IMODE(found.st_mode))  # noqa: PTH101 - a name of mkstemp
            if os.geteuid() == 0:  # the server may run as somebody else
                os.chown(name, found.st_uid, found.st_gid)
            os.replace(name, target)  # noqa: PTH105
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)  # noqa: PTH108
            raise


def _entries(tree: Map) -> Entries:
    written = tree.get("users")
    if isinstance(written, Map):
        return {name: plain(entry or {}) for name, entry in written.items()}
    return {
        entry["name"]: {key: value for key, value in plain(entry).items() if key != "name"}
        for entry in written or ()
    }


def _entries_of(text: str, file: str) -> Entries | None:
    problems: list[Problem] = []
    tree = parsed(text, file, problems)
    return None if tree is None or problems else _entries(tree)


def _dumped(value: Any) -> str:
    text: str = yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=1000)
    return text


def _with(text: str, tree: Map, name: str, entry: Mapping[str, Any]) -> str | None:
    users = tree.get("users")
    if users is None and "users" not in tree:
        return f"{_ended(text)}{_dumped({'users': {name: dict(entry)}})}"
    if not isinstance(users, Map) or not users:
        return None
    indent = min(users.marks.keys[key][1] for key in users) - 1
    lines = _ended(text).splitlines(keepends=True)
    end = max(_end(lines, users.marks.keys[key]) for key in users)
    new = _dumped({name: dict(entry)}).splitlines(keepends=True)
    return "".join([*lines[:end], *(" " * indent + line for line in new), *lines[end:]])


def _without(text: str, tree: Map, name: str) -> str | None:
    users = tree["users"]
    if not isinstance(users, Map) or len(users) == 1:
        return None
    lines = _ended(text).splitlines(keepends=True)
    at = users.marks.keys[name]
    return "".join(lines[: at[0] - 1] + lines[_end(lines, at) :])


def _with_verifier(text: str, tree: Map, name: str, verifier: str) -> str | None:
    users = tree["users"]
    if not isinstance(users, Map):
        return None
    number, column = users[name].marks.keys["verifier"]
    lines = _ended(text).splitlines(keepends=True)
    old = users[name]["verifier"]
    line = lines[number - 1]
    if line[: column - 1].strip() or line.count(old) != 1:
        return None
    lines[number - 1] = line.replace(old, verifier)
    return "".join(lines)


def _end(lines: list[str], mark: tuple[int, int]) -> int:
    """The number of lines up to the end of the entry whose key stands there."""
    end = mark[0]
    for number in range(mark[0], len(lines)):
        line = lines[number]
        if line.strip() and len(line) - len(line.lstrip(" ")) < mark[1]:
            break
        if line.strip():
            end = number + 1
    return end


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"
