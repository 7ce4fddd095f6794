"""`ingot maintain`: fewer and larger files, shorter histories, and no files that nobody needs."""

import re
import sys
from contextlib import nullcontext
from dataclasses import asdict
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ingot.cli import output
from ingot.cli.options import JsonOption, ProjectOption, open_project

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ingot.lake.maintenance import Removed, Report, TableReport
    from ingot.project import Project

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SIZES = {
    "": 1,
    "b": 1,
    "kb": 1000,
    "mb": 1000**2,
    "gb": 1000**3,
    "kib": 1024,
    "mib": 1024**2,
    "gib": 1024**3,
}


class Only(StrEnum):
    """The steps by name."""

    COMPACT = "compact"
    MANIFESTS = "manifests"
    EXPIRE = "expire"
    GC = "gc"
    ORPHANS = "orphans"


def maintain(
    table: Annotated[
        list[str] | None, typer.Option("--table", metavar="NAME", help="Only this table; may be repeated.")
    ] = None,
    partition: Annotated[
        list[str] | None,
        typer.Option(
            "--partition", metavar="NAME=VALUE", help="Compact only this partition; may be repeated."
        ),
    ] = None,
    only: Annotated[
        list[Only] | None,
        typer.Option(
            "--only",
            metavar="STEP",
            help="Only compact, manifests, expire, gc or orphans; may be repeated. Default: all.",
        ),
    ] = None,
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="AGE", help="How long every state stays readable.")
    ] = "7d",
    keep: Annotated[
        int,
        typer.Option("--keep", min=1, help="Newest snapshots of a table and commits of a branch that stay."),
    ] = 20,
    target_size: Annotated[
        str | None,
        typer.Option("--target-size", metavar="SIZE", help="Size of a file (default: the table's, 256MiB)."),
    ] = None,
    orphan_age: Annotated[
        str,
        typer.Option("--orphan-age", metavar="AGE", help="How old a file must be that nobody names."),
    ] = "3d",
    branch: Annotated[str, typer.Option("--branch", help="The branch whose tables are tended.")] = "main",
    run_tags: Annotated[
        bool, typer.Option("--run-tags", help="Drop the tags of runs that are older than the window, too.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done and freed; change nothing.")
    ] = False,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Compact small files, expire snapshots, and remove files that no ref and no recent commit needs.

    Example: ingot maintain --older-than 30d --dry-run
    """
    from ingot.lake import Lake
    from ingot.lake.maintenance import USUAL, Outcome, Policy, Step
    from ingot.lake.maintenance import maintain as do
    from ingot.pipeline.lock import run_lock

    steps: set[Step] = {Step(one.value) for one in only} if only else set(USUAL)
    policy = Policy(
        older_than=age(older_than, "--older-than"),
        keep=keep,
        target_bytes=None if target_size is None else size(target_size),
        orphan_age=age(orphan_age, "--orphan-age"),
        passing=("run/",),
    )
    opened = open_project(project)
    # A run merges what it read and wrote: its tables must not be rewritten under it.
    lock = nullcontext() if dry_run else run_lock(opened.state_dir, opened.ops_url)
    with lock, Lake.open(opened) as lake, _connected(opened, lake.warehouse) as con:
        report = do(
            lake,
            con,
            steps=steps | ({Step.TAGS} if run_tags else set()),
            policy=policy,
            branch=branch,
            tables=table,
            partitions=partition,
            dry_run=dry_run,
            on_done=lambda one: None if json or sys.stderr.isatty() is False else _progress(one),
        )
    if json:
        output.print_json(_as_dict(report))
    else:
        _show(report)
    if any(one.outcome is Outcome.FAILED for one in report.tables):
        raise typer.Exit(1)


def _connected(project: "Project", warehouse: str) -> "DuckDBPyConnection":
    from ingot.engines.duckdb import connect

    return connect(
        extensions=("avro", "iceberg"), temp_directory=project.state_dir / "tmp", stores=[warehouse]
    )


def age(text: str, option: str) -> timedelta:
    """A length of time such as `7d`; `UsageError` for anything else."""
    from ingot.errors import UsageError

    match = re.fullmatch(r"(\d{1,6})([mhdw])", text.strip().lower())
    if match is None:
        raise UsageError(f"'{text}' is not a length of time for {option}: write 30m, 12h, 7d or 4w.")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def size(text: str) -> int:
    """A number of bytes such as `256MB`; `UsageError` for anything else."""
    from ingot.errors import UsageError

    match = re.fullmatch(r"(\d{1,12})\s*([a-z]{0,3})", text.strip().lower())
    if match is None or match[2] not in _SIZES or int(match[1]) == 0:
        raise UsageError(f"'{text}' is not a size for --target-size: write 128MB, 256MiB or 1GB.")
    return int(match[1]) * _SIZES[match[2]]


def _progress(one: "TableReport | Removed") -> None:
    print(f"  {one.step.value} {one.table}", file=sys.stderr, flush=True)


def _as_dict(report: "Report") -> dict[str, Any]:
    return {
        "branch": report.branch,
        "dry_run": report.dry_run,
        "tables": [asdict(one) for one in report.tables],
        "removed": [asdict(one) for one in report.removed],
        "files_freed": report.files_freed,
        "bytes_freed": report.bytes_freed,
        "tags": list(report.tags),
        "warnings": list(report.warnings),
    }


def _show(report: "Report") -> None:
    rows = [_table_row(one) for one in report.tables]
    result = "planned" if report.dry_run else "removed"
    for one in report.removed:
        what = _count(one.files, "file")
        rows.append((one.step.value, one.table or "(no table)", result, what, output.size(one.bytes), ""))
    if rows:
        output.print_table(["step", "table", "result", "what", "size", "note"], rows)
    for warning in report.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    verb = "would be" if report.dry_run else "were"
    if report.tags:
        print(f"{_count(len(report.tags), 'tag')} of old runs {verb} dropped")
    if not rows and not report.tags:
        print("nothing to do")
    else:
        print(f"{_count(report.files_freed, 'file')}, {output.size(report.bytes_freed)} {verb} freed")


def _table_row(one: "TableReport") -> tuple[str, ...]:
    from ingot.lake.maintenance import Outcome, Step

    noun = {Step.COMPACT: "file", Step.MANIFESTS: "manifest"}.get(one.step, "snapshot")
    before = one.snapshots if one.step is Step.EXPIRE else one.files_before
    what, how_large = _count(before, noun) if before else "", ""
    if one.step is Step.COMPACT and one.bytes_before:
        how_large = output.size(one.bytes_before)
    if one.outcome is Outcome.DONE and one.step is not Step.EXPIRE:
        what += f" -> {one.files_after}"
        how_large += f" -> {output.size(one.bytes_after)}" if how_large else ""
    return (one.step.value, one.table, one.outcome.value, what, how_large, one.reason)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
