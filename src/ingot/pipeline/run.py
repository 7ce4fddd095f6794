"""Write, audit, publish: the one way in which `main` changes by itself.

This file owns the order of things and what becomes of `main`. Loading is `sources`, building and testing
is `transform`, the branch and the merge are `lake`'s.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

from ingot.errors import ConflictError, IngotError, UsageError
from ingot.lake import Lake
from ingot.pipeline import publish
from ingot.pipeline.ingest import Due, due_sources, load_source
from ingot.pipeline.lock import run_lock
from ingot.pipeline.model import Event, OnEvent, RunResult, RunStatus, Step, StepStatus, branch_of, new_run_id
from ingot.pipeline.store import RunStore
from ingot.project import Project
from ingot.transform import TransformEngine, engine_for

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
        run_lock(project.state_dir),
        RunStore.open(project) as store,
        Lake.open(project) as lake,
        engine_for(project) as transform,
    ):
        publish.settle_interrupted(lake, store)
        fingerprint = transform.fingerprint()
        if resume is not None:
            return _Run.resumed(project, lake, store, transform, fingerprint, resume, on_event).go(full_refresh)
        state = lake.at("main")
        due = due_sources(project, state)
        if not due and not full_refresh and publish.is_current(lake, state, fingerprint):
            return RunResult(
                run=new_run_id(), status=RunStatus.UNCHANGED, branch="main", commit=state.hash, seconds=0.0
            )
        return _Run.fresh(project, lake, store, transform, fingerprint, on_event).go(full_refresh, due)


@dataclass
class _Run:
    """The state of one execution."""

    project: Project
    lake: Lake
    store: RunStore
    transform: TransformEngine
    fingerprint: str
    result: RunResult
    on_event: OnEvent | None
    completed: frozenset[str] = frozenset()
    started: float = field(default_factory=time.perf_counter)
    _saved: int = 0
    _saved_at: float = 0.0

    @classmethod
    def fresh(
        cls,
        project: Project,
        lake: Lake,
        store: RunStore,
        transform: TransformEngine,
        fingerprint: str,
        on_event: OnEvent | None,
    ) -> Self:
        run_id = new_run_id()
        branch = branch_of(run_id)
        head = lake.at("main").hash
        result = RunResult(run=run_id, status=RunStatus.RUNNING, branch=branch, commit=head)
        store.begin(result, fingerprint)
        lake.branch(branch, at=head)
        return cls(project, lake, store, transform, fingerprint, result, on_event)

    @classmethod
    def resumed(
        cls,
        project: Project,
        lake: Lake,
        store: RunStore,
        transform: TransformEngine,
        fingerprint: str,
        run_id: str,
        on_event: OnEvent | None,
    ) -> Self:
        earlier = store.get(run_id)
        if not earlier.status.resumable:
            raise UsageError(f"Run {run_id} is {earlier.status}: there is nothing to resume.", hint="ingot run")
        if earlier.branch not in {ref.name for ref in lake.catalog.refs()}:
            raise UsageError(
                f"The branch {earlier.branch} is no longer there, so run {run_id} cannot be resumed.",
                hint="ingot run starts a new one.",
            )
        # What was built from other files than today's is built again.
        same = store.fingerprint(run_id) == fingerprint
        done = (StepStatus.OK, StepStatus.WARNED)
        completed = frozenset(s.key for s in earlier.steps if same and s.key and s.status in done)
        result = replace(earlier, status=RunStatus.RUNNING, steps=(), error=None, seconds=0.0)
        store.begin(result, fingerprint)
        return cls(project, lake, store, transform, fingerprint, result, on_event, completed)

    def go(self, full_refresh: bool, due: list[Due] | None = None) -> RunResult:
        """Does the steps in order and ends the run whichever way it goes."""
        try:
            with _Abandon(self):
                self._ingest(due)
                self._build(full_refresh)
                self._publish()
        except _StopRunError as stop:
            return self._end(stop.status, stop.reason)
        return self._end(RunStatus.MERGED, None)

    def _ingest(self, due: list[Due] | None) -> None:
        branch = self.result.branch
        plans = due_sources(self.project, self.lake.at(branch)) if due is None else due
        if plans:
            self.transform.start()  # dbt takes seconds to import; it does so while the files are read
        self._tell(Event("phase", "load", total=len(plans)))
        for plan in plans:
            self._tell(Event("started", plan.name, Step(plan.name, "source", StepStatus.RUNNING)))
            step = load_source(self.project, self.lake, plan, branch)
            self._finished(step)
            if step.status is StepStatus.FAILED:
                raise _StopRunError(RunStatus.FAILED, f"Loading {step.name} failed: {step.error}")

    def _build(self, full_refresh: bool) -> None:
        built = self.transform.build(
            self.lake,
            self.result.branch,
            full_refresh=full_refresh,
            completed=self.completed,
            on_event=self._on_node,
        )
        self.inputs = built.inputs
        failed = self.result.failures
        tests = [step for step in failed if step.kind in ("test", "unit_test")]
        if built.error is not None:
            raise _StopRunError(RunStatus.FAILED, built.error)
        if len(failed) > len(tests):
            names = ", ".join(step.name for step in failed if step.kind not in ("test", "unit_test"))
            raise _StopRunError(RunStatus.FAILED, f"Could not build {names}.")
        if tests:
            names = ", ".join(step.name for step in tests)
            raise _StopRunError(RunStatus.BLOCKED, f"The check {names} failed." if len(tests) == 1 else f"{len(tests)} checks failed: {names}.")

    inputs: tuple[str, ...] = ()

    def _publish(self) -> None:
        self._tell(Event("phase", "merge", total=1))
        self._tell(Event("started", "merge into main", Step("merge into main", "merge", StepStatus.RUNNING)))
        began = time.perf_counter()
        try:
            merged = publish.merge(self.lake, self.result.run, self.result.branch, self.fingerprint, self.inputs)
        except ConflictError as error:
            self._finished(_merge_step(StepStatus.FAILED, began, error=str(error)))
            raise _StopRunError(
                RunStatus.FAILED, f"main has moved while the run was under way. {error.message}"
            ) from error
        self.result = replace(self.result, commit=merged)
        self._finished(_merge_step(StepStatus.OK, began))

    def _on_node(self, event: Event) -> None:
        if event.kind == "finished" and event.step is not None:
            self._finished(event.step)
        else:
            self._tell(event)

    def _finished(self, step: Step) -> None:
        self.result = replace(self.result, steps=(*self.result.steps, step))
        self._tell(Event("finished", step.name, step))
        if time.perf_counter() - self._saved_at > _SAVE_EVERY or step.status is StepStatus.FAILED:
            self._save()

    def _save(self) -> None:
        self.store.add_steps(self.result.run, self._saved, self.result.steps[self._saved :])
        self._saved = len(self.result.steps)
        self._saved_at = time.perf_counter()

    def _tell(self, event: Event) -> None:
        if self.on_event is not None:
            self.on_event(event)

    def _end(self, status: RunStatus, error: str | None) -> RunResult:
        seconds = time.perf_counter() - self.started
        self.result = replace(self.result, status=status, error=error, seconds=seconds)
        self._save()
        self.store.finish(self.result)
        publish.prune_branches(self.lake, self.store)
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


def failed_steps(steps: Iterable[Step]) -> list[Step]:
    """The steps that failed, in their order."""
    return [step for step in steps if step.status is StepStatus.FAILED]
