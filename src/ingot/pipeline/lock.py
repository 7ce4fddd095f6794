"""One run at a time for a project: a lock that is given back when its process dies.

On one machine the operating system holds it; where several share a PostgreSQL server for their state, the server.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ingot.errors import ConflictError
from ingot.lake import Store


@contextmanager
def run_lock(state_dir: Path, state_url: str | None = None) -> Iterator[None]:
    """Holds the project's run lock for the block; `ConflictError` where another process has it.

    With `state_url` that is also any process, wherever it runs, that keeps its state in the same place.
    """
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
        if state_url is None or state_url.startswith("sqlite"):
            yield
            return
        with closing(Store(state_url, what="record of runs")) as store, store.alone("run") as held:
            if not held:
                raise ConflictError(
                    "Another run with the same state database is in progress on another machine or in another folder.",
                    hint="Wait until it is done; `ingot status` shows it.",
                )
            yield
