"""`ingot merge`: a branch into another, all its tables or none."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ingot.cli import output
from ingot.cli.options import JsonOption, ProjectOption, open_lake

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingot.lake import Lake, State
    from ingot.lake.model import Key, KeyMerge

_SHORT = 12


def merge(
    source: Annotated[str, typer.Argument(help="The branch, tag or commit to merge.")],
    into: Annotated[str, typer.Option("--into", help="The branch that takes it.")] = "main",
    message: Annotated[str | None, typer.Option("--message", "-m", help="Why.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen; change nothing.")
    ] = False,
    theirs: Annotated[
        list[str] | None,
        typer.Option(
            "--theirs", metavar="TABLE", help="Take this table from SOURCE, whatever the target did."
        ),
    ] = None,
    ours: Annotated[
        list[str] | None,
        typer.Option("--ours", metavar="TABLE", help="Leave this table as the target has it."),
    ] = None,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Merge a branch in one commit: all its tables, or none.

    Example: ingot merge dev --dry-run
    Example: ingot merge dev --theirs gold.orders
    """
    from ingot.lake import CommitConflictError

    with open_lake(project) as lake:
        modes = _modes(lake, source, into, ours or (), theirs or ())
        try:
            result = lake.merge(source, into, message=message, modes=modes, dry_run=dry_run)
        except CommitConflictError as error:
            raise CommitConflictError(
                f"{source} cannot be merged into {into}; nothing was changed:",
                error.conflicts,
                hint=_conflict_hint(source, into, [".".join(one.key) for one in error.conflicts]),
            ) from error
    changed = [".".join(key) for key in result.changed]
    rebased = [".".join(key) for key in result.rebased]
    conflicts = [
        {"key": ".".join(conflict.key), "type": conflict.type.value, "message": conflict.message}
        for conflict in result.conflicts
    ]
    if json:
        output.print_json(
            {
                "applied": result.applied,
                "commit": result.hash,
                "common_ancestor": result.common_ancestor,
                "changed": changed,
                "rebased": rebased,
                "conflicts": conflicts,
            }
        )
    elif conflicts:
        print(f"{source} cannot be merged into {into}:", file=sys.stderr)
        for conflict in conflicts:
            print(f"  {conflict['key']}: {conflict['message']} ({conflict['type']})", file=sys.stderr)
        print(f"  {_conflict_hint(source, into, [one['key'] for one in conflicts])}", file=sys.stderr)
    elif not changed:
        print(f"{into} holds everything of {source} already")
    else:
        verb = "would change" if dry_run else "changed"
        print(
            f"{into} at {result.hash[:_SHORT]}: {verb} {len(changed)} {'key' if len(changed) == 1 else 'keys'}"
        )
        for key in changed:
            print(f"  {key}" + ("  (rows of both sides)" if key in rebased else ""))
    if conflicts:
        raise typer.Exit(1)


def _modes(
    lake: "Lake", source: str, into: str, ours: "Sequence[str]", theirs: "Sequence[str]"
) -> "dict[Key, KeyMerge]":
    """What the merge does with single tables; the names must be there, for a typing error must not be silent."""
    from ingot.errors import NotFoundError, UsageError
    from ingot.lake.model import KeyMerge, MergeMode
    from ingot.lake.names import key

    if not ours and not theirs:
        return {}
    if both := sorted({*ours} & {*theirs}):
        raise UsageError(f"{both[0]} cannot be taken from both sides.")
    there = {name for ref in (source, into) for name in _contents(lake.at(ref))}
    for name in (*ours, *theirs):
        if name not in there:
            raise NotFoundError("table or view", name, there)
    return {key(name): KeyMerge(MergeMode.DROP) for name in ours} | {
        key(name): KeyMerge(MergeMode.FORCE) for name in theirs
    }


def _contents(state: "State") -> "tuple[str, ...]":
    return (*state.tables, *state.views)


def _conflict_hint(source: str, into: str, keys: "Sequence[str]") -> str:
    at = "" if into == "main" else f" --into {into}"
    return (
        f"See what differs: ingot diff {into} {source}. "
        f"Choose a side for each: ingot merge {source}{at} --theirs {keys[0]} (or --ours)."
    )
