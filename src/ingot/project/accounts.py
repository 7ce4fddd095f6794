"""The users of a running server: those whom the file names now, without a new start."""

import logging
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from threading import Lock

from ingot.project.problem import ProjectError
from ingot.project.users import User, load_users
from ingot.project.verifier import ITERATIONS

log = logging.getLogger(__name__)

Stamp = tuple[int, int, int, int] | None


class Accounts:
    """Who may log in with a password. Safe to use from several threads.

    A file that was made wrong leaves the users that were; one that is gone, nobody.
    """

    def __init__(self, path: Path, root: Path, environ: Mapping[str, str] = os.environ) -> None:
        self._path = path
        self._root = root
        self._environ = environ
        self._lock = Lock()
        self._seen: Stamp | bool = False
        self._users: dict[str, User] = {}
        self.iterations = ITERATIONS
        """How many most of the users have, so that those who are not there cannot be told from them."""

    def find(self, name: str) -> User | None:
        """The user of a name. Looks at the file's time first, and reads the file where that has changed."""
        if self._stamp() != self._seen:
            self.read()
        return self._users.get(name)

    def is_stale(self) -> bool:
        """Whether the file has changed, so that `find` would take some milliseconds."""
        return self._stamp() != self._seen

    def read(self) -> None:
        """Reads the file where it has changed."""
        with self._lock:
            stamp = self._stamp()
            if stamp == self._seen:
                return
            self._seen = stamp  # a change while it is read makes another stamp
            if stamp is None:
                users: tuple[User, ...] = ()
            else:
                try:
                    users = load_users(self._path, self._root, self._environ)
                except ProjectError as error:
                    log.warning("users  kept as they were; the file has problems:\n%s", error.message)
                    return
            counts = Counter(each.scram.iterations for each in users)
            self.iterations = counts.most_common(1)[0][0] if counts else ITERATIONS
            self._users = {each.name: each for each in users}

    def _stamp(self) -> Stamp:
        try:
            found = os.stat(self._path)  # noqa: PTH116 - at every request
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino
