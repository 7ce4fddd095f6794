"""Write, audit, publish: the one way in which `main` changes by itself.

This file owns the order of things and what becomes of `main`. Loading is `sources`, building and testing
is `transform`, the branch and the merge are `lake`'s.
"""

import time
from dataclasses import dataclass, field, replace
from types import TracebackType

from ingot.errors import ConflictError, IngotError, UsageError
from ingot.lake import Lake
from ingot.pipeline import publish
from ingot.pipeline.ingest import due_sources, load_source
from ingot.pipeline.lock import run_lock
from ingot.pipeline.model import Event, OnEvent, RunResult, RunStatus, Step, StepStatus, branch_of, new_run_id
from ingot.pipeline.store import RunStore
from ingot.project import Project
from ingot.sources import Plan
from ingot.transform import NodeEvent, NodeResult, TransformEngine, engine_for

_CHECKS = ("test", "unit_test")

_SAVE_EVERY = 0.5
"""Seconds between two writes of ended steps: a commit with fsync costs milliseconds, a dbt test less."""


def run(
    project: Project,
    *,
    resume: str | None = None,
    full_refresh: bool = False,
    on_event: OnEvent | None = None,
) -> RunResult:
    """Brings `main` up to date with the sources and the transformations, or leaves it as it was.

    Args:
        project: what to load, build and check.
        resume: id of a run that failed, was blocked or was interrupted; goes on from there.
        full_refresh: builds incremental models from scratch.
        on_event: is told of each phase and step as it happens.

    Returns:
        What was done. A step that failed is in the result, not an exception.

    Raises:
        ConflictError: another run of this project is in progress.
        NotFoundError, UsageError: the run to resume does not exist or has nothing to resume.
    """
    project.state_dir.mkdir(parents=True, exist_ok=True)
    with (
        run_lock(project.state_dir, project.ops_url),
        RunStore.open(project) as store,
        Lake.open(project) as lake,
        engine_for(project) as transform,
    ):
        publish.settle_interrupted(lake, store)
        work = _Work(project, lake, store, transform, transform.fingerprint(), on_event)
        if resume is not None:
            return _resume(work, resume).go(full_refresh)
        state = lake.at("main")
        due = due_sources(project, state)
        if not due and not full_refresh and publish.is_current(lake, state, work.fingerprint):
            return RunResult(new_run_id(), RunStatus.UNCHANGED, "main", state.hash)
        return _begin(work).go(full_refresh, due)


@dataclass(frozen=True, slots=True)
class _Work:
    """What a run works with, whichever way it began."""

    project: Project
    lake: Lake
    store: RunStore
    transform: TransformEngine
    fingerprint: str
    on_event: OnEvent | None


def _begin(work: _Work) -> "_Run":
    """A new run on a new branch of `main`."""
    run_id = new_run_id()
    head = work.lake.at("main").hash
    result = RunResult(run_id, RunStatus.RUNNING, branch_of(run_id), head)
    work.store.begin(result, work.fingerprint)
    work.lake.branch(result.branch, at=head)
    return _Run(work, result)


def _resume(work: _Work, run_id: str) -> "_Run":
    """An earlier run, to go on with what it had not done."""
    earlier = work.store.get(run_id)
    if not earlier.status.resumable:
        raise UsageError(f"Run {run_id} is {earlier.status}: there is nothing to resume.", hint="ingot run")
    if earlier.branch not in {ref.name for ref in work.lake.catalog.refs()}:
        raise UsageError(
            f"The branch {earlier.branch} is no longer there, so run {run_id} cannot be resumed.",
            hint="ingot run starts a new one.",
        )
    # What was built from other files than today's is built again.
    same = work.store.fingerprint(run_id) == work.fingerprint
    done = (StepStatus.OK, StepStatus.WARNED)
    completed = frozenset(step.key for step in earlier.steps if same and step.key and step.status in done)
    kept = tuple(step for step in earlier.steps if step.key in completed)
    result = replace(earlier, status=RunStatus.RUNNING, steps=kept, error=None, seconds=0.0)
    work.store.begin(result, work.fingerprint)
    return _Run(work, result, completed)


@dataclass
class _Run:
    """One execution: its result so far, and the steps that add to it."""

    work: _Work
    result: RunResult
    completed: frozenset[str] = frozenset()
    began: float = field(default_factory=time.perf_counter)
    _building: bool = False
    _saved: int = 0
    _saved_at: float = 0.0

    def go(self, full_refresh: bool, due: list[Plan] | None = None) -> RunResult:
        """Does the steps in order and ends the run whichever way it goes."""
        try:
            with _Abandon(self):
                self._ingest(due)
                self._publish(self._build(full_refresh))
        except _StopRunError as stop:
            return self._end(stop.status, stop.reason)
        return self._end(RunStatus.MERGED, None)

    def _ingest(self, due: list[Plan] | None) -> None:
        branch = self.result.branch
        plans = due_sources(self.work.project, self.work.lake.at(branch)) if due is None else due
        if plans:
            self.work.transform.start()  # dbt takes seconds to import; it does so while the files are read
            self._forget_completed()
        self._tell(Event("phase", "load", total=len(plans)))
        for plan in plans:
            self._tell(Event("started", plan.target, Step(plan.target, "source", StepStatus.RUNNING)))
            step = load_source(self.work.project, self.work.lake, plan, branch)
            self._finished(step)
            if step.status is StepStatus.FAILED:
                raise _StopRunError(RunStatus.FAILED, f"Loading {step.name} failed: {step.error}")

    def _forget_completed(self) -> None:
        """Other rows than before: what an earlier attempt built and tested is out of date."""
        self.completed = frozenset()
        self.result = replace(self.result, steps=())

    def _build(self, full_refresh: bool) -> tuple[str, ...]:
        """Builds and tests; returns the tables that were read and not made."""
        built = self.work.transform.build(
            self.work.lake,
            self.result.branch,
            full_refresh=full_refresh,
            completed=self.completed,
            on_event=self._on_node,
        )
        if built.error is not None:
            raise _StopRunError(RunStatus.FAILED, built.error)
        broken = [step.name for step in self.result.failures if step.kind not in _CHECKS]
        if broken:
            raise _StopRunError(RunStatus.FAILED, f"Could not build {', '.join(broken)}.")
        refused = [step.name for step in self.result.failures]
        if refused:
            count = "A check" if len(refused) == 1 else f"{len(refused)} checks"
            raise _StopRunError(RunStatus.BLOCKED, f"{count} failed: {', '.join(refused)}.")
        return built.inputs

    def _publish(self, inputs: tuple[str, ...]) -> None:
        self._tell(Event("phase", "merge", total=1))
        self._tell(Event("started", "merge into main", Step("merge into main", "merge", StepStatus.RUNNING)))
        began = time.perf_counter()
        try:
            merged = publish.merge(
                self.work.lake, self.result.run, self.result.branch, self.work.fingerprint, inputs
            )
        except ConflictError as error:
            self._finished(_merge_step(StepStatus.FAILED, began, error=str(error)))
            raise _StopRunError(
                RunStatus.FAILED, f"main has moved while the run was under way. {error.message}"
            ) from error
        self.result = replace(self.result, commit=merged)
        self._finished(_merge_step(StepStatus.OK, began))

    def _on_node(self, event: NodeEvent) -> None:
        if not self._building:
            self._building = True
            self._tell(Event("phase", "build", total=event.total))
        if event.result is None:
            self._tell(Event("started", event.name, Step(event.name, event.kind, StepStatus.RUNNING)))
        else:
            self._finished(_step_of(event.result))

    def _finished(self, step: Step) -> None:
        self.result = replace(self.result, steps=(*self.result.steps, step))
        self._tell(Event("finished", step.name, step))
        if time.perf_counter() - self._saved_at > _SAVE_EVERY or step.status is StepStatus.FAILED:
            self._save()

    def _save(self) -> None:
        self.work.store.add_steps(self.result.run, self._saved, self.result.steps[self._saved :])
        self._saved = len(self.result.steps)
        self._saved_at = time.perf_counter()

    def _tell(self, event: Event) -> None:
        if self.work.on_event is not None:
            self.work.on_event(event)

    def _end(self, status: RunStatus, error: str | None) -> RunResult:
        seconds = time.perf_counter() - self.began
        self.result = replace(self.result, status=status, error=error, seconds=seconds)
        self._save()
        self.work.store.finish(self.result)
        publish.prune_branches(self.work.lake)
        return self.result


class _StopRunError(Exception):
    """Ends a run early with the status and the reason that are recorded."""

    def __init__(self, status: RunStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class _Abandon:
    """Records the run's end where an error that is no step's leaves the block (Ctrl-C, a full disk)."""

    def __init__(self, run: _Run) -> None:
        self._run = run

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or isinstance(error, _StopRunError):
            return
        if isinstance(error, IngotError):
            raise _StopRunError(RunStatus.FAILED, str(error)) from error
        status = RunStatus.INTERRUPTED if isinstance(error, KeyboardInterrupt) else RunStatus.FAILED
        self._run._end(status, f"{type(error).__name__}: {error}")  # noqa: SLF001 - one unit with _Run


def _merge_step(status: StepStatus, began: float, *, error: str | None = None) -> Step:
    return Step("merge into main", "merge", status, seconds=time.perf_counter() - began, error=error)


def _step_of(node: NodeResult) -> Step:
    return Step(
        name=node.name,
        kind=node.kind,
        status=StepStatus(node.status),
        rows=node.failing_rows if node.kind in _CHECKS else node.rows,
        bytes=node.bytes,
        seconds=node.seconds,
        error=node.error,
        rows_sql=node.failing_rows_sql,
        key=node.unique_id,
    )
