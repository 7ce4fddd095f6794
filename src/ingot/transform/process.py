"""The worker process and the channel to it: start, ask, read answers, end."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ingot.transform.errors import TransformError
from ingot.transform.protocol import Message, read, revive_error, write

_GRACE = 2.0
"""Seconds that the worker has to end by itself."""


class WorkerProcess:
    """A process that has dbt imported, or is about to; what it prints goes to `log`."""

    def __init__(self, log: Path) -> None:
        self._log = log
        with log.open("wb") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "ingot.transform.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env={**os.environ, "DO_NOT_TRACK": "1", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
                # Ctrl-C is for the command, which then ends the worker.
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def send(self, message: Message) -> None:
        """Asks something; `TransformError` where the worker is gone."""
        stream = self._process.stdin
        try:
            if stream is None:
                raise BrokenPipeError
            write(stream, message)
        except (BrokenPipeError, ValueError) as error:
            raise self._gone("") from error

    def answers(self) -> Iterator[Message]:
        """Messages up to and including the last one of an answer; raises what the worker raised."""
        doing = ""
        while True:
            message = read(self._process.stdout) if self._process.stdout else None
            if message is None:
                raise self._gone(doing)
            if message.what == "error":
                raise revive_error(message.body)
            if message.what == "event":
                doing = message.body["name"] if message.body["what"] == "started" else doing
            yield message
            if message.what in ("ready", "result"):
                return

    def close(self) -> None:
        """Ends the process, politely for a moment."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        try:
            self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _gone(self, doing: str) -> TransformError:
        try:
            code = self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        where = f" while it built {doing}" if doing else ""
        hint = f"What was built is on the branch; the worker's last words are in {self._log}."
        if code == -signal.SIGKILL:
            hint += " The system may have been out of memory."
        return TransformError(f"dbt's worker process {how}{where}.", hint=hint)
