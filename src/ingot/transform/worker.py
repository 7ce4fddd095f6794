"""The process that dbt runs in: `python -m ingot.transform.worker`, requests on stdin, answers on stdout.

dbt is imported here and nowhere else. Whatever dbt, a package or a Python model prints goes to stderr, which
is a log file, so that the channel carries our messages only. The process ends with its parent.
"""

import os
import sys
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TYPE_CHECKING, BinaryIO

from ingot.errors import IngotError
from ingot.transform.model import NodeEvent
from ingot.transform.protocol import BuildRequest, Message, describe_error, read, write

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest


def main() -> None:
    """Answers requests until stdin ends."""
    requests, answers = _take_channel()
    inbox: SimpleQueue[Message] = SimpleQueue()
    threading.Thread(target=_listen, args=(requests, inbox), daemon=True).start()
    lock = threading.Lock()

    def send(message: Message) -> None:
        with lock:
            write(answers, message)

    worker = _Worker(send)
    while True:
        worker.answer(inbox.get())


def _take_channel() -> tuple[BinaryIO, BinaryIO]:
    """The two ends of the channel, moved away from the file descriptors that everybody prints to."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return requests, answers


def _listen(requests: BinaryIO, inbox: SimpleQueue[Message]) -> None:
    while (message := read(requests)) is not None:
        inbox.put(message)
    # The parent is gone or done with us, even where dbt is in the middle of a model: the branch holds
    # whole commits only.
    os._exit(0)


class _Worker:
    """Answers one request at a time."""

    def __init__(self, send: Callable[[Message], None]) -> None:
        self._send = send
        self._prepared: tuple[BuildRequest, Manifest] | None = None

    def answer(self, message: Message) -> None:
        try:
            request = BuildRequest.of_message(message.body)
            if message.what == "prepare":
                self._prepare(request)
            else:
                self._build(request)
        except IngotError as error:
            self._send(Message("error", describe_error(error)))
        except Exception as error:  # noqa: BLE001 - the process boundary
            import traceback  # noqa: PLC0415

            traceback.print_exc()
            body = {"message": f"dbt's worker failed: {type(error).__name__}: {error}", "hint": None}
            self._send(Message("error", body))

    def _prepare(self, request: BuildRequest) -> None:
        from ingot.transform.dbt_run import parse  # noqa: PLC0415 - three seconds

        self._prepared = (request, parse(request))
        self._send(Message("ready"))

    def _build(self, request: BuildRequest) -> None:
        from ingot.lake import Lake  # noqa: PLC0415
        from ingot.transform.dbt_run import build, parse  # noqa: PLC0415

        # A manifest serves one build: dbt compiles into it.
        prepared, self._prepared = self._prepared, None
        same = prepared is not None and prepared[0].dbt_root == request.dbt_root
        manifest = prepared[1] if prepared and same else parse(request)

        def tell(event: NodeEvent) -> None:
            result = event.result.to_message() if event.result else None
            body = {"what": event.what, "unique_id": event.unique_id, "name": event.name}
            self._send(Message("event", {**body, "kind": event.kind, "total": event.total, "result": result}))

        with Lake(request.catalog_url, request.warehouse) as lake:
            built = build(request, lake, manifest, tell)
        self._send(
            Message(
                "result",
                {
                    "status": built.status,
                    "nodes": [node.to_message() for node in built.nodes],
                    "inputs": built.inputs,
                    "manifest": str(built.manifest),
                    "error": built.error,
                },
            )
        )


if __name__ == "__main__":
    main()
