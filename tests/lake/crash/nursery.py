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
from typing import IO, Any


class Nursery:
    """Starts workers; ends with the tests, and its workers with it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        command = [sys.executable, "-m", __name__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)

    def born(self, **task: Any) -> "Worker":
        """A worker that has begun with `task`."""
        self._count += 1
        pipe = self._folder / f"pipe-{self._count}"
        os.mkfifo(pipe)
        assert self._process.stdin is not None
        print(json.dumps({"pipe": str(pipe), **task}), file=self._process.stdin, flush=True)
        worker = Worker(pipe.open())
        pipe.unlink()
        return worker

    def close(self) -> None:
        """Ends the process that forks; workers must have ended before."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(20) == 0


class Worker:
    """A process to be killed, and what it has said."""

    def __init__(self, pipe: IO[str]) -> None:
        self._pipe = pipe
        self.pid = int(pipe.readline())

    def said(self) -> Iterator[dict[str, Any]]:
        """What it says, until it is dead. A line that its death cut off was not said."""
        with self._pipe:
            for line in self._pipe:
                if line.endswith("\n"):
                    yield json.loads(line)

    def kill(self) -> None:
        """SIGKILL, whatever it is doing."""
        os.kill(self.pid, signal.SIGKILL)


def main() -> None:
    """Forks one worker for each line of the input."""
    import sqlalchemy.dialects.sqlite  # noqa: F401, PLC0415

    from tests.lake.crash import work  # noqa: PLC0415 (once, before the first fork)

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead need no waiting for
    for line in sys.stdin:
        if os.fork() == 0:
            task = json.loads(line)
            pipe = os.open(task.pop("pipe"), os.O_WRONLY)
            os.write(pipe, f"{os.getpid()}\n".encode())
            try:
                work.run(pipe, **task)
            except BaseException:  # noqa: BLE001 (the end of a process)
                os.write(pipe, json.dumps({"failed": traceback.format_exc()}).encode() + b"\n")
            os._exit(0)


if __name__ == "__main__":
    main()
