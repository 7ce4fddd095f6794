"""`ingot status`: where the project stands: main, the last runs, what failed and how to see it."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ingot.cli import output
from ingot.cli.options import JsonOption, ProfileOption, ProjectOption, open_project
from ingot.cli.run import rows_command

if TYPE_CHECKING:
    from ingot.pipeline import RunResult
    from ingot.project import Project


def status(
    run: Annotated[str | None, typer.Option("--run", metavar="ID", help="Show the steps of one run.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many runs.")] = 10,
    project: ProjectOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Show the state of main and the last runs, or one run's steps.

    Example: ingot status
    """
    from ingot.lake import Lake
    from ingot.pipeline import RunStore

    opened = open_project(project, profile)
    with RunStore.open(opened) as store, Lake.open(opened) as lake:
        if run is not None:
            _show_run(store.get(run), json)
            return
        head = lake.catalog.commit_of(lake.at("main").hash) if lake.at("main").tables else None
        state = lake.at("main")
        tables = [state.table(name) for name in state.tables]
        runs = store.recent(limit)
    summary: dict[str, Any] = {
        "project": opened.name,
        "profile": opened.profile,
        "main": {
            "commit": state.hash,
            "time": None if head is None else head.time.isoformat(timespec="milliseconds"),
            "tables": len(tables),
            "views": len(state.views),
            "rows": sum(table.rows for table in tables),
            "bytes": sum(table.bytes for table in tables),
        },
        "model": _model(opened),
        "runs": [result.to_dict() | {"steps": len(result.steps)} for result in runs],
    }
    if json:
        output.print_json(summary)
        return
    main = summary["main"]
    print(f"{opened.name} ({opened.profile})")
    print(
        f"main  {state.hash[:12]}  "
        + (f"{output.ago(head.time)}  " if head else "")
        + f"{main['tables']} tables, {main['views']} views, {output.count(main['rows'])} rows, "
        f"{output.size(main['bytes'])}"
    )
    if problems := summary["model"].get("problems"):
        print(f"model  {len(problems)} problems, such as {problems[0]}")
        print("       see all: ingot model validate")
    if not runs:
        print("no runs yet: ingot run")
        return
    now = datetime.now(UTC)
    print()
    output.print_table(
        ["run", "status", "when", "took", "steps", "error"],
        [
            (
                result.run,
                result.status.value,
                output.ago(result.started, now),
                output.seconds(result.seconds),
                len(result.steps),
                (result.error or "").splitlines()[0] if result.error else "",
            )
            for result in runs
        ],
        right=[3, 4],
    )


def _model(project: "Project") -> dict[str, Any]:
    """What of the semantic model is there, or what is wrong with it."""
    from ingot.project import ProjectError
    from ingot.semantic import check_project

    try:
        model = check_project(project)
    except ProjectError as error:
        return {"valid": False, "problems": [str(one) for one in error.problems]}
    return {
        "valid": True,
        "cubes": len(project.cubes),
        "views": len(project.views),
        "members": len(model.members),
    }


def _show_run(result: "RunResult", json: bool) -> None:
    if json:
        output.print_json(result.to_dict())
        return
    print(f"run {result.run}: {result.status.value} on {result.branch}, {output.seconds(result.seconds)}")
    output.print_table(
        ["kind", "step", "status", "rows", "size", "took"],
        [
            (
                step.kind,
                step.name,
                step.status.value,
                output.count(step.rows),
                output.size(step.bytes),
                output.seconds(step.seconds),
            )
            for step in result.steps
        ],
        right=[3, 4, 5],
    )
    for step in result.failures:
        print(f"\n{step.kind} {step.name}: {step.error}")
        if step.rows_sql:
            print(f"  see the rows: {rows_command(result.branch, step.rows_sql)}")
