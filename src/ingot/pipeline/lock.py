"""One run at a time for a project: a lock that the operating system takes back when its process dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingot.errors import ConflictError


@contextmanager
def run_lock(state_dir: Path) -> Iterator[None]:
    """Holds the project's run lock for the block; `ConflictError` where another process has it."""
    state_dir.mkdir(parents=True, exist_ok=True)
    # Opened for appending, because opening must not wipe the holder's process id before we have the lock.
    with (state_dir / "run.lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise ConflictError(
                f"Another run of this project is in progress (process {holder}).",
                hint="Wait until it is done; `ingot status` shows it.",
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
