"""The first phase of a run: which source tables are due, and loading each as one commit and one step."""

import time

from ingot import sources
from ingot.engines import duckdb
from ingot.errors import IngotError
from ingot.lake import Lake, State
from ingot.pipeline.model import Step, StepStatus
from ingot.project import Project
from ingot.sources import Plan


def due_sources(project: Project, state: State) -> list[Plan]:
    """A plan for each source table whose files differ from what `state` holds."""
    plans = [
        sources.plan(project, source, table, state) for source in project.sources for table in source.tables
    ]
    return [each for each in plans if each.kind != "nothing"]


def load_source(project: Project, lake: Lake, due: Plan, branch: str) -> Step:
    """Loads one table and commits it to `branch`; a failure is a failed step and leaves the branch alone."""
    began = time.perf_counter()
    try:
        with duckdb.connect(temp_directory=project.state_dir / "tmp", stores=(lake.warehouse,)) as con:
            staged, loaded = sources.load(con, lake, due, on=branch)
            lake.commit(branch, [staged], message=f"load {due.target}: {due.reason}")
    except IngotError as error:
        return _step(due, StepStatus.FAILED, began, error=str(error))
    status = StepStatus.WARNED if loaded.warnings else StepStatus.OK
    warnings = "\n".join(loaded.warnings) or None
    return _step(due, status, began, rows=loaded.rows, bytes=staged.bytes, error=warnings)


def _step(
    due: Plan,
    status: StepStatus,
    began: float,
    *,
    rows: int | None = None,
    bytes: int | None = None,
    error: str | None = None,
) -> Step:
    seconds = time.perf_counter() - began
    return Step(due.target, "source", status, rows, bytes, seconds, error)
