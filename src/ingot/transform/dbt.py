"""The driver of dbt-core: what a project asks for becomes requests to a worker process, its answers our results."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import yaml

from ingot.transform.dbt_files import DbtFiles, read_dbt_files
from ingot.transform.errors import TransformError
from ingot.transform.fingerprint import fingerprint
from ingot.transform.model import BuildResult, NodeEvent, NodeResult, OnEvent
from ingot.transform.process import WorkerProcess
from ingot.transform.protocol import BuildRequest, Message

if TYPE_CHECKING:
    from ingot.lake import Lake
    from ingot.project import Project

_DEFAULT_SCHEMA = "analytics"


class DbtTransform:
    """Builds a project's dbt models; see `TransformEngine`.

    A `worker` that is given is used and left running, so that several projects can share its start.
    """

    def __init__(self, project: "Project", *, worker: WorkerProcess | None = None) -> None:
        spec = project.transform
        if spec is None:
            raise TransformError("This project has no transformations.")
        self._root = (project.root / spec.path).resolve()
        self._request = BuildRequest(
            dbt_root=str(self._root),
            profile="",
            state_dir=str(project.state_dir / "dbt"),
            target=project.profile or "dev",
            variables=_plain(spec.vars or {}),
            threads=spec.threads,
            catalog_url=str(project.catalog_url),
            warehouse=str(project.warehouse),
        )
        self._shared = worker
        self._worker: WorkerProcess | None = None
        self._preparing = False

    def fingerprint(self) -> str:
        """Of the dbt project's files, variables, environment and versions; dbt is not imported."""
        return fingerprint(read_dbt_files(self._root), self._request.variables, self._request.target)

    def start(self) -> None:
        """Starts the worker, which imports dbt and reads the project meanwhile."""
        self._started()

    def _started(self) -> WorkerProcess:
        if self._worker is None:
            files = read_dbt_files(self._root)
            files.check_packages()
            self._request = replace(self._request, profile=files.profile)
            self._write_profile(files)
            self._worker = self._shared or WorkerProcess(
                Path(self._request.state_dir) / "logs" / "worker.log"
            )
            self._worker.send(Message("prepare", self._request.to_message()))
            self._preparing = True
        return self._worker

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
        worker = self._started()
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
        if self._worker is not None and self._worker is not self._shared:
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


def _plain(value: Any) -> Any:
    """Frozen mappings and sequences as those that JSON knows."""
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


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
