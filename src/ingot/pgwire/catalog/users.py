"""Who PostgreSQL runs as: the server's own user, or, where that is root, one without any right."""

import os
import pwd
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

_FREE = range(61184, 65520)
"""Numbers that systems keep for users who come and go."""
MEMORY = 640 << 20
"""Bytes of address space that one process of PostgreSQL may have: what one statement can take of the machine."""
_LAUNCH = str(Path(__file__).with_name("launch.py"))


@dataclass(frozen=True, slots=True)
class Unprivileged:
    """The user; `uid` 0: no other than now."""

    uid: int

    def own(self, path: Path) -> None:
        """Gives him a file or folder."""
        if self.uid:
            os.chown(path, self.uid, self.uid, follow_symlinks=False)

    def launched(self, command: list[str], *, memory: int = MEMORY) -> list[str]:
        """The command line that runs a command as him, ended by the kernel when this process ends."""
        return [sys.executable, "-I", "-S", _LAUNCH, str(self.uid), str(os.getpid()), str(memory), *command]

    def named(self, command: list[str], folder: Path) -> list[str]:
        """As `launched`, for programs that ask for the user's name: they run as somebody who has one.

        `folder` becomes his.
        """
        if not self.uid:
            return self.launched(command, memory=0)
        somebody = next((one.pw_uid for one in _nobodies() if one.pw_uid), self.uid)
        for name, folders, files in os.walk(folder):
            for each in (name, *(f"{name}/{one}" for one in (*folders, *files))):
                os.chown(each, somebody, somebody, follow_symlinks=False)
        return Unprivileged(somebody).launched(command, memory=0)


def unprivileged() -> Unprivileged:
    """The user that PostgreSQL gets."""
    if os.geteuid() != 0:
        return Unprivileged(0)
    taken = {one.pw_uid for one in pwd.getpwall()}
    free = [uid for uid in _FREE if uid not in taken]
    return Unprivileged(secrets.choice(free) if free else 65534)


def _nobodies() -> list[pwd.struct_passwd]:
    everybody = pwd.getpwall()
    return sorted(everybody, key=lambda one: (one.pw_name != "nobody", -one.pw_uid))
