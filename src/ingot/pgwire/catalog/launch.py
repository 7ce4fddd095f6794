"""Becomes PostgreSQL: a program of its own, run as `python -I -S launch.py UID PARENT MEMORY PROGRAM ARGUMENTS…`.

It gives up root (PostgreSQL refuses it), limits memory, and sees to it that PostgreSQL ends with the process that
wanted it, however that one ends. UID 0 keeps the present user. Imports nothing of ours: it starts in 20 ms.
"""

import ctypes
import os
import resource
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(words: list[str]) -> None:
    """Does not come back."""
    uid, parent, memory = (int(word) for word in words[:3])
    command = words[3:]
    os.setsid()  # Ctrl-C in a terminal is for the server, which then ends this
    os.umask(0o077)
    os.nice(5)  # what a tool asks of the catalog never slows the answers
    if uid:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if memory and sys.platform == "linux" and (hard == resource.RLIM_INFINITY or memory < hard):
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    # Nothing of the server's environment, where secrets may be.
    clean = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
    if sys.platform == "linux":
        # The kernel forgets this at setuid, so it comes after; it stays through exec.
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT, 0, 0, 0)
    else:
        _watched()
    if parent and sys.platform == "linux" and os.getppid() != parent:
        return  # it died before the kernel knew
    os.execve(command[0], command, clean)  # noqa: S606 - no shell is wanted


def _watched() -> None:
    """Where the kernel tells nobody: this process stays, and ends PostgreSQL when standard input ends."""
    child = os.fork()
    if child == 0:
        return
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
        signal.signal(number, lambda got, _: os.kill(child, got))
    signal.signal(
        signal.SIGCHLD, lambda *_: os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 255)
    )
    while os.read(0, 1):
        pass
    os.kill(child, signal.SIGQUIT)
    signal.pause()


if __name__ == "__main__":
    main(sys.argv[1:])
