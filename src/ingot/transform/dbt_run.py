"""One dbt invocation inside the worker: arguments, events, result. The only file that drives dbt-core."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from dbt.adapters.factory import reset_adapters
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest
from dbt.graph.queue import GraphQueue
from dbt.task import build as build_module
from dbt_common.events.base_types import EventMsg
from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]

from ingot.lake import Lake
from ingot.transform import adapter
from ingot.transform.adapter.branch import Branch
from ingot.transform.adapter.connections import IngotConnectionManager
from ingot.transform.errors import TransformError
from ingot.transform.messages import project_error
from ingot.transform.model import BuildResult, NodeEvent, NodeResult
from ingot.transform.protocol import BuildRequest
from ingot.transform.results import is_ephemeral, kind_of, node_result

Tell = Callable[[NodeEvent], None]

adapter.install()


def parse(request: BuildRequest) -> Manifest:
    """Reads the project's files; `DbtProjectError` where dbt cannot."""
    result = dbtRunner().invoke(["parse", *_arguments(request)])
    if not isinstance(result.result, Manifest):
        raise _failure(result, request, None)
    return result.result


def build(request: BuildRequest, lake: Lake, manifest: Manifest, tell: Tell) -> BuildResult:
    """Builds and tests on the request's branch.

    Raises `DbtProjectError` where the project cannot be compiled and `TransformError` where dbt ends
    without a result.
    """
    branch = Branch(lake, request.branch)
    listener = _Listener(manifest, tell)
    IngotConnectionManager.use(branch)
    reset_adapters()
    try:
        with _leaving_out(frozenset(request.completed), listener):
            ended = dbtRunner(manifest=manifest, callbacks=[listener]).invoke(
                ["build", *_arguments(request), *_selection(request)]
            )
        known = branch.names()
    finally:
        reset_adapters()
        IngotConnectionManager.use(None)
        branch.close()
    if ended.exception is not None or not hasattr(ended.result, "results"):
        raise _failure(ended, request, manifest)
    nodes = tuple(listener.result_of(each) for each in ended.result.results)
    made = {node.unique_id for node in nodes} | set(request.completed)
    failed = any(node.status == "failed" for node in nodes)
    return BuildResult(
        status="failed" if failed else "ok",
        nodes=nodes,
        inputs=tuple(sorted(_inputs(manifest, made) & known)),
        manifest=Path(request.state_dir) / "target" / "manifest.json",
    )


def _arguments(request: BuildRequest) -> list[str]:
    state = Path(request.state_dir)
    return [
        "--project-dir", request.dbt_root,
        "--profiles-dir", request.state_dir,
        "--profile", request.profile,
        "--target", request.target,
        "--target-path", str(state / "target"),
        "--log-path", str(state / "logs"),
        "--threads", str(request.threads),
        "--vars", json.dumps(dict(request.variables)),
        "--log-level", "none",
        "--log-level-file", "info",
        "--no-use-colors", "--no-use-colors-file",
        "--no-send-anonymous-usage-stats",
        "--no-version-check",
        "--no-print",
    ]  # fmt: skip


def _selection(request: BuildRequest) -> list[str]:
    arguments = []
    if request.select:
        arguments += ["--select", *request.select]
    if request.exclude:
        arguments += ["--exclude", *request.exclude]
    if request.full_refresh:
        arguments.append("--full-refresh")
    return arguments


class _Listener:
    """Turns dbt's events into ours; dbt calls it from its threads, one event at a time."""

    def __init__(self, manifest: Manifest, tell: Tell) -> None:
        self._nodes: dict[str, Any] = {**manifest.nodes, **manifest.unit_tests, **manifest.sources}
        self._tell = tell
        self._blocked: dict[str, str] = {}
        """Nodes whose children are skipped, and the name of what failed in the first place."""
        self.total = 0

    def __call__(self, event: EventMsg) -> None:
        if event.info.name not in ("NodeStart", "NodeFinished"):
            return
        unique_id = event.data.node_info.unique_id
        node = self._nodes.get(unique_id)
        if node is None or is_ephemeral(node):
            return
        if event.info.name == "NodeStart":
            self._tell(NodeEvent("started", unique_id, node.name, kind_of(node), self.total))
            return
        ended = event.data.run_result
        result = self._explained(
            node,
            status=ended.status,
            message=ended.message,
            failures=ended.num_failures,
            seconds=ended.execution_time,
            response=MessageToDict(ended.adapter_response),
        )
        self._tell(NodeEvent("finished", unique_id, node.name, kind_of(node), self.total, result))

    def result_of(self, ended: Any) -> NodeResult:
        """The result of a node from dbt's list at the end."""
        return self._explained(
            ended.node,
            status=str(getattr(ended.status, "value", ended.status)),
            message=ended.message,
            failures=ended.failures,
            seconds=ended.execution_time,
            response=ended.adapter_response,
        )

    def _explained(self, node: Any, **ended: Any) -> NodeResult:
        """The result; a skipped node says what it was skipped for."""
        result = node_result(node, self._nodes, **ended)
        reads = getattr(getattr(node, "depends_on", None), "nodes", [])
        if result.status == "failed":
            # A failed test stands in the way of whatever reads what it tests.
            for blocked in (node.unique_id, *(reads if result.kind in ("test", "unit_test") else ())):
                self._blocked.setdefault(blocked, node.name)
        elif result.status == "skipped":
            cause = next((name for parent in reads if (name := self._cause(parent))), None)
            self._blocked.setdefault(node.unique_id, cause or node.name)
            result = replace(result, error=f"Skipped, because {cause} failed." if cause else None)
        return result

    def _cause(self, unique_id: str) -> str | None:
        """What blocks a node: itself, or for an ephemeral one what it reads."""
        found = self._blocked.get(unique_id)
        node = self._nodes.get(unique_id)
        if found is None and node is not None and is_ephemeral(node):
            return next((name for parent in node.depends_on.nodes if (name := self._cause(parent))), None)
        return found


@contextmanager
def _leaving_out(completed: frozenset[str], listener: _Listener) -> Iterator[None]:
    """Makes `dbt build` pass over nodes by id, which no selector of dbt's can (it is what `dbt retry` does)."""
    plain = build_module.BuildTask

    class BuildTask(plain):  # type: ignore[misc, valid-type]
        def get_graph_queue(self) -> GraphQueue:
            queue = super().get_graph_queue()
            if completed:
                self.selected_unit_tests -= completed
                self.build_model_to_unit_test_map(self.selected_unit_tests)
                left = queue.get_selected_nodes() - completed
                queue = GraphQueue(self.graph.get_subset_graph(left).graph, self.manifest, left)
            shown = [one for one in queue.get_selected_nodes() if not is_ephemeral(self.manifest.expect(one))]
            listener.total = len(shown) + len(self.selected_unit_tests)
            return queue

    build_module.BuildTask = BuildTask
    try:
        yield
    finally:
        build_module.BuildTask = plain


def _inputs(manifest: Manifest, made: set[str]) -> set[str]:
    """What the nodes that ran read and none of them made: sources, and models that were left out."""
    found: set[str] = set()
    waiting = [unique_id for unique_id in made if unique_id in manifest.nodes]
    seen = set(waiting)
    while waiting:
        node = manifest.nodes[waiting.pop()]
        for parent_id in getattr(node.depends_on, "nodes", ()):
            if parent_id in made or parent_id in seen:
                continue
            seen.add(parent_id)
            if source := manifest.sources.get(parent_id):
                found.add(f"{source.schema}.{source.identifier}")
            elif parent := manifest.nodes.get(parent_id):
                if is_ephemeral(parent):
                    waiting.append(parent_id)
                else:
                    found.add(f"{parent.schema}.{parent.alias}")
    return found


def _failure(ended: dbtRunnerResult, request: BuildRequest, manifest: Manifest | None) -> TransformError:
    message = str(ended.exception) if ended.exception is not None else "dbt ended without a result."
    root = Path(request.dbt_root)
    known = [node.name for node in manifest.nodes.values()] if manifest else _names(root)
    return project_error(message, root, known)


def _names(root: Path) -> list[str]:
    """Names that models, seeds and snapshots have by their files."""
    return sorted({file.stem for ending in ("sql", "csv", "py") for file in root.rglob(f"*.{ending}")})
