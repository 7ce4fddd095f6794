"""`ingot run`: bring `main` up to date, and say what was done or what stands in the way."""

import shlex
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ingot.cli import output
from ingot.cli.options import JsonOption, ProfileOption, ProjectOption, open_project

if TYPE_CHECKING:
    from ingot.pipeline import RunResult
    from ingot.project import Project

_SHOWN_FAILURES = 10


def run(
    project: ProjectOption = None,
    profile: ProfileOption = None,
    resume: Annotated[
        str | None, typer.Option("--resume", metavar="ID", help="Go on with a run that did not end well.")
    ] = None,
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Build incremental models from scratch.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Load what is due, build, test, and publish in one merge.

    Works on a branch of its own. If anything fails, main stays as it was and the branch is kept.

    Example: ingot run --json
    """
    from ingot.semantic import check_project

    opened = open_project(project, profile)
    check_project(opened)
    result = execute(opened, resume=resume, full_refresh=full_refresh)
    stored = refresh(opened) if result.status.value in ("merged", "unchanged") else []
    if json:
        output.print_json(result.to_dict() | ({"rollups": stored} if stored else {}))
    else:
        print_result(result)
    if result.status.value not in ("merged", "unchanged"):
        raise typer.Exit(1)


def execute(project: "Project", *, resume: str | None = None, full_refresh: bool = False) -> "RunResult":
    """One run with its progress on standard error."""
    from ingot import pipeline
    from ingot.cli.progress import run_progress

    with run_progress() as on_event:
        return pipeline.run(project, resume=resume, full_refresh=full_refresh, on_event=on_event)


def refresh(project: "Project") -> list[dict[str, Any]]:
    """Builds the rollups of `main`; one that fails is told of and fails nothing, because the tables answer."""
    if not any(cube.pre_aggregations for cube in project.cubes):
        return []
    from ingot.cli import rollup

    with rollup.opened(project) as found:
        done = found.keeping.build(found.service.model, "main")
        found.keeping.clean(found.service.model)
    for one in done:
        if one.result in ("built", "failed"):
            text = one.error if one.build is None else f"{one.build.made} of {len(one.build.files)} files"
            print(f"rollup {one.name}: {one.result}: {text}", file=sys.stderr)
    return [rollup.outcome(one) for one in done]


def print_result(result: "RunResult") -> None:
    """What a person needs to know of a run, and the next command."""
    took = output.seconds(result.seconds)
    match result.status.value:
        case "unchanged":
            print("unchanged: nothing new to load, and the transformations are as they were")
        case "merged":
            built = sum(step.kind in ("model", "seed", "snapshot") for step in result.steps)
            tests = sum(step.kind in ("test", "unit_test") for step in result.steps)
            loaded = [step for step in result.steps if step.kind == "source"]
            rows = sum(step.rows or 0 for step in loaded)
            print(
                f"merged: run {result.run} loaded {output.count(rows)} rows into {len(loaded)} tables, "
                f"built {built} models, passed {tests} tests in {took}"
            )
        case status:
            print(f"{status}: run {result.run} after {took}; main is as it was", file=sys.stderr)
            _print_failures(result)


def _print_failures(result: "RunResult") -> None:
    for step in result.failures[:_SHOWN_FAILURES]:
        print(f"\n  {step.kind} {step.name}", file=sys.stderr)
        if step.error:
            print("    " + step.error.strip().replace("\n", "\n    "), file=sys.stderr)
        if step.rows_sql:
            print(f"    see the rows: {rows_command(result.branch, step.rows_sql)}", file=sys.stderr)
    skipped = sum(step.status.value == "skipped" for step in result.steps)
    if skipped:
        print(
            f"\n  {skipped} steps behind {'it' if len(result.failures) == 1 else 'them'} were skipped",
            file=sys.stderr,
        )
    if not result.failures and result.error:
        print(f"  {result.error}", file=sys.stderr)
    hidden = len(result.failures) - _SHOWN_FAILURES
    if hidden > 0:
        print(f"\n  and {hidden} more: ingot status --run {result.run}", file=sys.stderr)
    print(f"\n  When it is mended: ingot run --resume {result.run}", file=sys.stderr)


def rows_command(branch: str, sql: str) -> str:
    """The command that shows the rows which broke a check, to be pasted into a shell."""
    # Lines stay lines: on one line, a comment in a test's SQL would swallow the rest of it.
    lines = "\n".join(line.rstrip() for line in sql.splitlines() if line.strip())
    return shlex.join(["ingot", "query", "--ref", branch, lines.strip()])
