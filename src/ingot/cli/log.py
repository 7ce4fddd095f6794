"""`ingot log`: the commits of a ref."""

from typing import TYPE_CHECKING, Annotated

import typer

from ingot.cli import output
from ingot.cli.graph import draw, newest
from ingot.cli.options import JsonOption, ProjectOption, RefOption, open_lake
from ingot.lake.model import ROOT_HASH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingot.lake import Lake
    from ingot.lake.model import Commit, Ref

_SHORT = 12


def log(
    ref: RefOption = "main",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many commits.")] = 20,
    table: Annotated[
        str | None, typer.Option("--table", "-t", help="Only commits that changed this table or view.")
    ] = None,
    graph: Annotated[
        bool, typer.Option("--graph", help="Draw merged commits beside the line that they were merged into.")
    ] = False,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Show the commits of a ref, newest first.

    Example: ingot log --ref main -n 5
    Example: ingot log --graph
    """
    from ingot.errors import UsageError

    if graph and table is not None:
        raise UsageError("--graph draws all commits; --table shows some.", hint="Leave one of them out.")
    with open_lake(project) as lake:
        head = lake.catalog.resolve(ref)
        if graph:
            commits = newest(lake.catalog.commit_of, head, ROOT_HASH, limit)
        elif table is not None:
            commits = _touching(lake, head, table, limit)
        else:
            commits = list(lake.catalog.log(head, limit=limit))
        refs = lake.catalog.refs() if graph else []
    if json:
        output.print_json({"commits": [commit.to_dict() for commit in commits]})
        return
    if graph:
        _print_graph(commits, refs)
        return
    rows = [
        (
            commit.hash[:_SHORT],
            f"{commit.time:%Y-%m-%d %H:%M:%S}",
            commit.author,
            len(commit.operations),
            commit.message,
        )
        for commit in commits
    ]
    output.print_table(["commit", "time (UTC)", "author", "changes", "message"], rows, right=[3])


def _touching(lake: "Lake", head: str, table: str, limit: int) -> "list[Commit]":
    """The newest commits that changed a table; `NotFoundError` where none ever did."""
    from itertools import islice

    from ingot.errors import NotFoundError
    from ingot.lake.names import key

    wanted, state = key(table), lake.at(head)
    found = list(
        islice(
            (one for one in lake.catalog.log(head) if any(op.key == wanted for op in one.operations)), limit
        )
    )
    if not found:
        raise NotFoundError("table or view", table, (*state.tables, *state.views))
    return found


def _print_graph(commits: "Sequence[Commit]", refs: "Sequence[Ref]") -> None:
    names: dict[str, list[str]] = {}
    for ref in refs:
        names.setdefault(ref.hash, []).append(ref.name)
    for line, commit in draw(commits, ROOT_HASH):
        if commit is None:
            print(line.rstrip())
            continue
        called = f" ({', '.join(names[commit.hash])})" if commit.hash in names else ""
        message = (commit.message.splitlines() or [""])[0]
        print(f"{line}{commit.hash[:_SHORT]}{called} {commit.time:%Y-%m-%d %H:%M} {commit.author}: {message}")
