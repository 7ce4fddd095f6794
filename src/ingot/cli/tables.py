"""`ingot tables | describe`: what is in the lake, and what one table is made of."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ingot.cli import output
from ingot.cli.options import JsonOption, ProjectOption, RefOption, open_lake

_SHORT = 12
_SNAPSHOTS = 5

if TYPE_CHECKING:
    from collections.abc import Mapping


def tables(ref: RefOption = "main", project: ProjectOption = None, json: JsonOption = False) -> None:
    """List the tables and views of a ref: rows, size, files, and the commit that last changed each.

    Example: ingot tables --ref main@2026-01-31
    """
    from ingot import quality

    with open_lake(project) as lake:
        commit = lake.catalog.resolve(ref)
        found = quality.listed(lake, commit)
    if json:
        output.print_json({"commit": commit, "tables": found})
        return
    if not found:
        print(f"no tables at {ref} yet: ingot run")
        return
    output.print_table(
        ["name", "rows", "size", "files", "changed (UTC)", "commit", "message"],
        [
            (
                one["name"],
                output.count(one["rows"]) if one["kind"] == "table" else "view",
                output.size(one["bytes"]),
                output.count(one["files"]),
                *_commit_cells(one["commit"]),
            )
            for one in found
        ],
        right=[1, 2, 3],
    )


def describe(
    table: Annotated[str, typer.Argument(help="The table or view, as in gold.orders.")],
    ref: RefOption = "main",
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Show what a table is made of: columns, partitioning, sort order, properties, files, snapshots.

    Example: ingot describe gold.fact_orders
    """
    from ingot import quality

    with open_lake(project) as lake:
        found = quality.describe(lake, table, ref)
    if json:
        output.print_json(found)
        return
    print(found["name"] + (f"  {found['comment']}" if found["comment"] else ""))
    if found["kind"] == "table":
        files = found["files"]
        print(
            f"{output.count(found['rows'])} rows, {output.size(found['bytes'])} in {_files(files)}, "
            f"Iceberg v{found['format_version']}"
        )
    time, short, message = _commit_cells(found["commit"])
    print(f"last changed {time} by commit {short}: {message}\n")
    output.print_table(
        ["column", "type", "comment"],
        [(column["name"], column["type"], column["comment"]) for column in found["columns"]],
    )
    if found["kind"] == "view":
        print(f"\n{found['sql']}")
    else:
        _print_layout(found)
    if found["properties"]:
        print()
        output.print_table(["property", "value"], list(found["properties"].items()))


def _print_layout(found: "Mapping[str, Any]") -> None:
    print(f"\npartitioned by {', '.join(found['partitioning']) or 'nothing'}")
    print(f"sorted by {', '.join(found['sort_order']) or 'nothing'}")
    print(f"stored in {found['location']}")
    snapshots = found["snapshots"]
    if snapshots:
        shown = snapshots[-_SNAPSHOTS:][::-1]
        more = len(snapshots) - len(shown)
        print()
        output.print_table(
            ["snapshot", "time (UTC)", "operation", "rows"],
            [
                (
                    f"{one['id']}{' (current)' if one['current'] else ''}",
                    one["time"][:19].replace("T", " "),
                    one["operation"],
                    output.count(one["rows"]),
                )
                for one in shown
            ],
            right=[3],
        )
        if more:
            print(f"and {more} older snapshots")


def _files(files: "Mapping[str, Any]") -> str:
    if not files["data"]:
        return "no files"
    said = "1 file" if files["data"] == 1 else f"{output.count(files['data'])} files"
    if files["data"] > 1:
        said += f" of {output.size(files['smallest'])} to {output.size(files['largest'])}"
    return said + (f" and {files['deletes']} delete files" if files["deletes"] else "")


def _commit_cells(commit: "Mapping[str, str] | None") -> tuple[str, str, str]:
    if commit is None:
        return "", "", ""
    first_line = (commit["message"].splitlines() or [""])[0]
    return commit["time"][:19].replace("T", " "), commit["hash"][:_SHORT], first_line
