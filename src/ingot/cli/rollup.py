"""`ingot rollup`: see, build, explain, suggest and drop stored pre-aggregations."""

import json as json_module
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ingot.cli import output
from ingot.cli.options import JsonOption, ProfileOption, ProjectOption, RefOption, open_project
from ingot.errors import UsageError

if TYPE_CHECKING:
    from ingot.project import Project
    from ingot.semantic import Service
    from ingot.semantic.rollups.keeping import Keeping, Outcome
    from ingot.semantic.rollups.library import Rollups

rollup = typer.Typer(
    name="rollup",
    help="See, build, explain, suggest and drop rollups: stored answers to future questions.",
    no_args_is_help=True,
)

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME]...", help="Rollups, such as orders.by_day (default: all)."),
]


@dataclass
class Opened:
    """What the commands on rollups work with."""

    project: "Project"
    service: "Service"
    rollups: "Rollups"
    keeping: "Keeping"


@contextmanager
def opened(project: "Project") -> Iterator[Opened]:
    """The project's lake and service with its rollups, for the block."""
    from ingot.engines.duckdb import DuckDBEngine
    from ingot.lake import Lake
    from ingot.semantic import Service
    from ingot.semantic.rollups.keeping import Keeping

    root = project.state_dir / "rollups"
    with Lake.open(project) as lake:
        engine = DuckDBEngine(lake, readable=[root])
        try:
            service = Service(project, lake, engine, rollups=root)
            assert service.rollups is not None
            yield Opened(
                project, service, service.rollups, Keeping(service.rollups, service.states, lake, engine)
            )
        finally:
            engine.close()


@rollup.command("list")
def list_(
    ref: RefOption = "main",
    project: ProjectOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Show the rollups of the model and what is stored of each at a ref.

    Example: ingot rollup list --ref main
    """
    with opened(open_project(project, profile)) as at_hand:
        at = at_hand.service.states.at(ref)
        lines: list[dict[str, Any]] = []
        for one in at_hand.rollups.of(at_hand.service.model):
            build = at_hand.rollups.builds(one, at)[0]
            state = "built" if build is not None else "never" if one.never else "not built"
            lines.append(
                {
                    "rollup": one.full_name,
                    "type": one.kind,
                    "state": state,
                    "rows": build.rows if build else None,
                    "bytes": build.bytes if build else None,
                    "files": len(build.files) if build else None,
                    "built": build.built.isoformat(timespec="seconds") if build else None,
                    "note": one.never,
                }
            )
    if json:
        output.print_json({"ref": ref, "rollups": lines})
        return
    if not lines:
        print("no rollups: declare pre_aggregations in a cube; 'ingot rollup suggest' proposes some")
        return
    shown = [
        (
            one["rollup"],
            one["type"],
            one["state"],
            output.count(one["rows"]),
            output.size(one["bytes"]),
            one["files"],
            one["note"],
        )
        for one in lines
    ]
    output.print_table(["rollup", "type", "state", "rows", "size", "files", "note"], shown, right=(3, 4, 5))


@rollup.command("build")
def build(
    names: Names = None,
    ref: RefOption = "main",
    again: Annotated[bool, typer.Option("--again", help="Write files anew that are there.")] = False,
    project: ProjectOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Build what is missing at a ref; only partitions whose inputs changed are computed.

    Example: ingot rollup build orders.by_day --ref dev
    """
    with opened(open_project(project, profile)) as at_hand:
        done = at_hand.keeping.build(at_hand.service.model, ref, names or (), again=again)
    if json:
        output.print_json({"ref": ref, "rollups": [outcome(one) for one in done]})
    else:
        print_outcomes(done)
    if any(one.result == "failed" for one in done):
        raise typer.Exit(1)


@rollup.command("explain")
def explain(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="A semantic query as a JSON object.")],
    ref: RefOption = "main",
    project: ProjectOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Say which rollup answers a query, and why each other one does not.

    Example: ingot rollup explain '{"measures": ["orders.count"], "dimensions": ["orders.status"]}'
    """
    try:
        asked: Any = json_module.loads(query)
    except json_module.JSONDecodeError as error:
        raise UsageError(f"The query is not JSON: {error}.") from error
    with opened(open_project(project, profile)) as at_hand:
        found = at_hand.service.sql(asked, ref=ref)
    parts = [one["sql"] for one in (found if isinstance(found, list) else [found])]
    results = [line for one in parts for line in one["rollupMatchResults"]]
    if json:
        output.print_json({"ref": ref, "rollups": results, "sql": [one["sql"][0] for one in parts]})
        return
    if not results:
        print("no rollup has to do with this query: it reads the tables")
    for line in results:
        what = ", ".join(line["measures"]) or "the dimensions"
        if line["used"]:
            print(f"{line['preAggregation']} answers {what}")
        for reason in line["reasons"]:
            print(f"{reason}" if len(results) == 1 else f"{reason} [{what}]")


@rollup.command("suggest")
def suggest(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many rollups.")] = 5,
    project: ProjectOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Propose rollups for what was asked of `ingot serve`, those first that save the most time.

    Example: ingot rollup suggest --limit 3
    """
    from ingot.semantic.rollups.suggest import suggestions

    with opened(open_project(project, profile)) as at_hand:
        model = at_hand.service.model
        entries = at_hand.rollups.log.entries()
        found = suggestions(model, entries, at_hand.rollups.of(model), most=limit)
    if json:
        shown = [
            {"cube": one.cube, "queries": one.queries, "seconds": one.seconds, "definition": one.definition}
            for one in found
        ]
        output.print_json({"suggestions": shown})
        return
    if not found:
        print("nothing to suggest: no question that a rollup could answer was logged")
    for one in found:
        print(f"# {one.cube}: answers {one.queries} logged questions that took {output.seconds(one.seconds)}")
        print(one.yaml)


@rollup.command("drop")
def drop(
    names: Names = None,
    now: Annotated[
        bool, typer.Option("--now", help="Also drop files of the last hour, which may be in the making.")
    ] = False,
    project: ProjectOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Drop what no branch or tag needs; with names, all that is stored of these rollups.

    Example: ingot rollup drop orders.by_day
    """
    with opened(open_project(project, profile)) as at_hand:
        model = at_hand.service.model
        removed = (
            at_hand.keeping.drop(model, names)
            if names
            else at_hand.keeping.clean(model, grace=0.0 if now else 3600.0)
        )
    if json:
        output.print_json({"builds": removed.builds, "files": removed.files, "bytes": removed.bytes})
    else:
        print(f"{removed.files} files, {output.size(removed.bytes)} dropped")


def outcome(one: "Outcome") -> dict[str, Any]:
    """What became of a rollup, for machines."""
    made = one.build
    return {
        "rollup": one.name,
        "result": one.result,
        "rows": made.rows if made else None,
        "files": len(made.files) if made else None,
        "written": made.made if made and one.result == "built" else 0,
        "seconds": made.seconds if made and one.result == "built" else 0.0,
        "error": one.error,
    }


def print_outcomes(done: "list[Outcome]") -> None:
    """The same for people."""
    if not done:
        print("no rollups to build")
    for one in done:
        made = one.build
        if made is None:
            print(f"{one.result}: {one.name}: {one.error}")
        elif one.result == "kept":
            print(f"kept: {one.name}: {output.count(made.rows)} rows, nothing changed")
        else:
            print(
                f"built: {one.name}: {output.count(made.rows)} rows, {made.made} of {len(made.files)} files "
                f"in {output.seconds(made.seconds)}"
            )
