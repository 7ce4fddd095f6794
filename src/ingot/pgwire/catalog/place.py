"""The folders of running clusters: a short one for sockets (their paths may have a hundred bytes), one for data.

They belong to one server, which holds a lock as long as it lives. What a server that was killed has left is found
by its lock being free, and cleared away at the next start; a process is ended only when it works in such a folder.
"""

import fcntl
import os
import shutil
import signal
import stat
import tempfile
import time
from pathlib import Path

from ingot.pgwire.catalog.users import Unprivileged

_PREFIX = "ingot-sql-"


class Place:
    """The folders of one server, from `make` to `clear`."""

    def __init__(self, sockets: Path, data: Path, lock: int) -> None:
        self.sockets = sockets
        self.data = data
        self._lock = lock

    @classmethod
    def make(cls, kept: Path, user: Unprivileged) -> "Place":
        """New folders; data is kept under `kept` where `user` may get there. Raises `OSError`."""
        sockets = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_short()))
        lock = os.open(sockets / "lock", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            data = sockets / "data"
            if reachable(kept, user):
                data = kept / "run" / sockets.name
            os.write(lock, os.fsencode(data))
            for folder in (sockets, data):
                folder.mkdir(parents=True, exist_ok=True)
                # Others may pass through, to folders that only one may enter, and see nothing here.
                folder.chmod(0o711 if user.uid else 0o700)
        except OSError:
            os.close(lock)
            shutil.rmtree(sockets, ignore_errors=True)
            raise
        return cls(sockets, data, lock)

    def clear(self) -> None:
        """Nothing of it is left."""
        shutil.rmtree(self.data, ignore_errors=True)
        _remove_empty(self.data.parent)
        shutil.rmtree(self.sockets, ignore_errors=True)
        os.close(self._lock)


def clear_stale() -> int:
    """Clears what killed servers of this user have left; how many they were."""
    return sum(_clear(found) for found in Path(_short()).glob(f"{_PREFIX}*"))


def reachable(folder: Path, user: Unprivileged) -> bool:
    """Whether `user` may pass through to `folder`."""
    if not user.uid:
        return True
    real = folder.resolve()
    return all(one.stat().st_mode & stat.S_IXOTH for one in (real, *real.parents) if one.exists())


def _short() -> str:
    """A folder for temporary files whose name leaves room for a socket's."""
    given = tempfile.gettempdir()
    return given if len(os.fsencode(given)) < 60 else "/tmp"  # noqa: S108 - the folder in it is made by mkdtemp


def _clear(sockets: Path) -> bool:
    try:
        if sockets.lstat().st_uid != os.geteuid() or not stat.S_ISDIR(sockets.lstat().st_mode):
            return False
        lock = os.open(sockets / "lock", os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return False  # somebody else's, or being made
    try:
        if os.fstat(lock).st_uid != os.geteuid():
            return False
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        data = Path(os.fsdecode(os.read(lock, 4096)))
        if data.name not in (sockets.name, "data") or not data.is_absolute():
            return False
        for cluster in data.glob("*"):
            _end(cluster)
        if data.is_dir() and not data.is_symlink() and data.stat().st_uid == os.geteuid():
            shutil.rmtree(data, ignore_errors=True)
            _remove_empty(data.parent)
        shutil.rmtree(sockets, ignore_errors=True)
    except OSError:
        return False  # its server lives
    else:
        return True
    finally:
        os.close(lock)


def _end(cluster: Path) -> None:
    """Ends the PostgreSQL that works in this folder, if one does."""
    try:
        pid = int((cluster / "postmaster.pid").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return
    for number in (signal.SIGQUIT, signal.SIGKILL):
        for _ in range(100):
            if not _works_in(pid, cluster):
                return
            os.kill(pid, number)
            time.sleep(0.02)


def _works_in(pid: int, cluster: Path) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").resolve(strict=True) == cluster.resolve()
    except OSError:
        return False


def _remove_empty(folder: Path) -> None:
    try:
        if folder.name == "run":
            folder.rmdir()
    except OSError:
        pass  # another server's data is there
