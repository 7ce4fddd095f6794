"""Workers that start within milliseconds: a process that has imported everything forks them.

It opens nothing itself, so a worker begins with no connection and no thread of anybody else's. What a worker
says comes back through a named pipe, line by line, and survives its death.
"""

import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Nursery:
    """Starts workers; ends with the tests, and its workers with it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        command = [sys.executable, "-m", __name__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)

    def born(self, **task: Any) -> "Worker":
        """A worker for `task`, which gets ready and begins when it is first listened to."""
        self._count += 1
        pipe = self._folder / f"pipe-{self._count}"
        os.mkfifo(pipe)
        assert self._process.stdin is not None
        print(json.dumps({"pipe": str(pipe), **task}), file=self._process.stdin, flush=True)
        return Worker(pipe)

    def close(self) -> None:
        """Ends the process that forks; workers must have ended before."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(20) == 0


class Worker:
    """A process to be killed, and what it has said."""

    def __init__(self, pipe: Path) -> None:
        self._pipe = pipe
        self._pid = 0

    def said(self) -> Iterator[dict[str, Any]]:
        """What it says, until it is dead. A line that its death cut off was not said."""
        with self._pipe.open() as pipe:
            self._pid = int(pipe.readline())
            for line in pipe:
                if line.endswith("\n"):
                    yield json.loads(line)

    def kill(self) -> None:
        """SIGKILL, whatever it is doing."""
        os.kill(self._pid, signal.SIGKILL)


def main() -> None:
    """Forks one worker for each line of the input."""
    import sqlalchemy.dialects.sqlite  # noqa: F401, PLC0415

    from tests.lake.crash import work  # noqa: PLC0415 (once, before the first fork)

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead need no waiting for
    for line in sys.stdin:
        if os.fork() == 0:
            task = json.loads(line)
            path: str = task.pop("pipe")
            speaks: list[int] = []

            def start(path: str = path, speaks: list[int] = speaks) -> int:
                # Waits for the one who listens.
                speaks.append(os.open(path, os.O_WRONLY))
                os.write(speaks[0], f"{os.getpid()}\n".encode())
                return speaks[0]

            try:
                work.run(start, **task)
            except BaseException:  # noqa: BLE001 (the end of a process)
                failed = json.dumps({"failed": traceback.format_exc()})
                os.write(speaks[0] if speaks else start(), failed.encode() + b"\n")
            os._exit(0)


if __name__ == "__main__":
    main()
