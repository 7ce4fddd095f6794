"""Answers as files: written by the engine into a folder of the server, sent from there, removed.

At most two are written at a time, so that large ones do not take the engine from everybody else. The file of a
client that left is not finished.
"""

import asyncio
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response

from ingot.api.requests import Call, context, request_id
from ingot.api.waiting import Outcome, Running, outcome
from ingot.engines import Interrupt, QueryInterruptedError
from ingot.engines.yielding import yield_to_others
from ingot.errors import UsageError

if TYPE_CHECKING:
    from ingot.engines import Format
    from ingot.semantic import Service

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}
WRITERS = 2
HOUR = 3600


class Downloads:
    """Writes and sends files."""

    def __init__(self, service: "Service", running: Running, folder: Path | None) -> None:
        self._service = service
        self._running = running
        self._folder = folder
        for old in _left(folder) if folder is not None else ():
            old.unlink(missing_ok=True)
        self._pool = ThreadPoolExecutor(WRITERS, thread_name_prefix="download", initializer=yield_to_others)

    def close(self) -> None:
        """Ends the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def sent(self, asked: Call, request: Request) -> Response:
        """The file that a call asks for."""
        if self._folder is None:
            raise UsageError("This server sends JSON only.")
        path = self._folder / f"{uuid4().hex}.{asked.format}"
        interrupt = Interrupt()
        stopped: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def stop() -> None:
            interrupt.set()
            if not stopped.done():
                stopped.set_result(None)

        writing = self._pool.submit(self._written, asked, path, request, interrupt)
        ended = self._running.add(context(request).key, request_id(request), stop)
        try:
            how = await outcome(
                lambda call: writing.add_done_callback(lambda _: call()),
                request.receive,
                patience=None,
                stopped=stopped,
            )
        except asyncio.CancelledError:
            how = Outcome.GONE
        finally:
            ended()
        if how is not Outcome.DONE:
            interrupt.set()
            writing.add_done_callback(lambda _: path.unlink(missing_ok=True))
            if how is Outcome.STOPPED:
                raise QueryInterruptedError("The query was cancelled.")
            raise ClientDisconnect
        return _response(writing, path, asked.format)

    def _written(self, asked: Call, path: Path, request: Request, interrupt: Interrupt) -> dict[str, Any]:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return self._service.export(
                asked.query,
                path,
                format=cast("Format", asked.format),
                ref=asked.ref,
                context=context(request),
                interrupt=interrupt,
            )
        except BaseException:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            raise


def _left(folder: Path) -> list[Path]:
    """Files that a server left behind which was killed."""
    if not folder.is_dir():
        return []
    now = time.time()
    return [path for path in folder.iterdir() if path.is_file() and now - path.stat().st_mtime > HOUR]


def _response(writing: "Future[dict[str, Any]]", path: Path, format: str) -> Response:
    said = writing.result()
    headers = {"ingot-commit": said["commit"], "ingot-ref": ascii(said["ref"])[1:-1]}
    if format != "csv":
        headers["content-encoding"] = "identity"  # packed already: nothing is to be won
    return FileResponse(
        path,
        headers=headers,
        media_type=TYPES[format],
        filename=f"answer.{format}",
        background=BackgroundTask(path.unlink, missing_ok=True),
    )
