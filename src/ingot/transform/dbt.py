"""The driver that runs dbt-core in a worker process: starts it, asks it, reads its answers, ends it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

import yaml

from ingot.transform.dbt_files import DbtFiles, read_dbt_files
from ingot.transform.errors import TransformError
from ingot.transform.fingerprint import fingerprint
from ingot.transform.model import BuildResult, NodeEvent, NodeResult, OnEvent
from ingot.transform.protocol import BuildRequest, Message, read, revive_error, write

if TYPE_CHECKING:
    from ingot.lake import Lake
    from ingot.project import Project

_DEFAULT_SCHEMA = "analytics"
_DEFAULT_THREADS = 2
_GRACE = 2.0
"""Seconds that the worker has to end by itself."""


class DbtTransform:
    """Builds a project's dbt models; see `TransformEngine`."""

    def __init__(self, project: "Project") -> None:
        spec = project.transform
        if spec is None:
            raise TransformError("This project has no transformations.")
        self._project = project
        self._root = (project.root / spec.path).resolve()
        self._request = BuildRequest(
            dbt_root=str(self._root),
            state_dir=str(project.state_dir / "dbt"),
            target=project.profile or "dev",
            variables=dict(spec.vars or {}),
            threads=spec.threads or _DEFAULT_THREADS,
            catalog_url=str(project.catalog_url),
            warehouse=str(project.warehouse),
        )
        self._worker: _WorkerProcess | None = None
        self._preparing = False

    def fingerprint(self) -> str:
        """Of the dbt project's files, variables, environment and versions; dbt is not imported."""
        return fingerprint(read_dbt_files(self._root), self._request.variables, self._request.target)

    def start(self) -> None:
        """Starts the worker, which imports dbt and reads the project meanwhile."""
        if self._worker is None:
            files = read_dbt_files(self._root)
            files.check_packages()
            self._write_profile(files)
            self._worker = _WorkerProcess(Path(self._request.state_dir))
            self._worker.send(Message("prepare", self._request.to_message()))
            self._preparing = True

    def build(
        self,
        lake: "Lake",  # noqa: ARG002 - the worker opens the same lake by its address
        branch: str,
        *,
        select: Sequence[str] = (),
        exclude: Sequence[str] = (),
        full_refresh: bool = False,
        completed: frozenset[str] = frozenset(),
        on_event: OnEvent | None = None,
    ) -> BuildResult:
        """Builds on `branch`; see `TransformEngine.build`."""
        self.start()
        worker = cast("_WorkerProcess", self._worker)
        if self._preparing:
            self._preparing = False
            for _ in worker.answers():
                pass
        request = replace(
            self._request,
            branch=branch,
            select=tuple(select),
            exclude=tuple(exclude),
            full_refresh=full_refresh,
            completed=tuple(sorted(completed)),
        )
        worker.send(Message("build", request.to_message()))
        for message in worker.answers():
            if message.what == "result":
                return _build_result(message.body)
            if on_event is not None:
                on_event(_event(message.body))
        raise TransformError("dbt's worker gave no result.")

    def close(self) -> None:
        """Ends the worker."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None
            self._preparing = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write_profile(self, files: DbtFiles) -> None:
        """The profile that the project asks for, among our own files."""
        output = {"type": "ingot", "schema": _DEFAULT_SCHEMA, "threads": self._request.threads}
        target = self._request.target
        content = yaml.safe_dump({files.profile: {"target": target, "outputs": {target: output}}})
        state = Path(self._request.state_dir)
        try:
            (state / "logs").mkdir(parents=True, exist_ok=True)
            profile = state / "profiles.yml"
            if not profile.is_file() or profile.read_text("utf-8") != content:
                profile.write_text(content, "utf-8")
        except OSError as error:
            raise TransformError(f"dbt's folder {state} cannot be written: {error.strerror}.") from error


class _WorkerProcess:
    """The process and the channel to it."""

    def __init__(self, state: Path) -> None:
        self._log = state / "logs" / "worker.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-P", "-m", "ingot.transform.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
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


def _event(body: Any) -> NodeEvent:
    result = NodeResult.of_message(body["result"]) if body["result"] else None
    return NodeEvent(body["what"], body["unique_id"], body["name"], body["kind"], body["total"], result)


def _build_result(body: Any) -> BuildResult:
    return BuildResult(
        status=body["status"],
        nodes=tuple(NodeResult.of_message(node) for node in body["nodes"]),
        inputs=tuple(body["inputs"]),
        manifest=Path(body["manifest"]),
        error=body["error"],
    )
