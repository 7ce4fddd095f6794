"""`ingot branch | tag | log | merge`: the git of the lakehouse."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ingot.cli import output
from ingot.cli.graph import draw, newest
from ingot.cli.options import JsonOption, ProjectOption, RefOption, open_project
from ingot.lake.model import ROOT_HASH

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ingot.lake import Lake, State
    from ingot.lake.model import Commit, Key, KeyMerge, Ref

_SHORT = 12


def branch(
    name: Annotated[str | None, typer.Argument(help="The branch to create; none lists them.")] = None,
    at: Annotated[str, typer.Option("--at", help="Where it begins.")] = "main",
    delete: Annotated[bool, typer.Option("--delete", "-d", help="Remove the branch instead.")] = False,
    rename: Annotated[
        str | None, typer.Option("--rename", metavar="NEW", help="Give the branch another name instead.")
    ] = None,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """List, create, rename or delete branches of the whole lakehouse. A new branch copies nothing.

    Example: ingot branch dev
    """
    if rename is not None:
        _rename(name, rename, project, json)
    else:
        _ref("BRANCH", name, at, delete, project, json)


def tag(
    name: Annotated[str | None, typer.Argument(help="The tag to create; none lists them.")] = None,
    at: Annotated[str, typer.Option("--at", help="What it names.")] = "main",
    delete: Annotated[bool, typer.Option("--delete", "-d", help="Remove the tag instead.")] = False,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """List, create or delete tags: names that stay with one commit.

    Example: ingot tag 2026-q1 --at main@2026-03-31
    """
    _ref("TAG", name, at, delete, project, json)


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


def _ref(kind: str, name: str | None, at: str, delete: bool, project: "Path | None", json: bool) -> None:
    with open_lake(project) as lake:
        if name is None:
            _print_refs([ref for ref in lake.catalog.refs() if ref.kind.value == kind], json)
            return
        if delete:
            done, ref = "deleted", _delete(lake, kind, name)
        else:
            create = lake.branch if kind == "BRANCH" else lake.tag
            done, ref = "created", create(name, at=at)
    if json:
        output.print_json(_ref_dict(ref))
    else:
        print(f"{done} {kind.lower()} {ref.name} at {ref.hash[:_SHORT]}")


def _rename(name: str | None, to: str, project: "Path | None", json: bool) -> None:
    from ingot.errors import UsageError

    if name is None:
        raise UsageError("Which branch gets the new name?", hint=f"ingot branch OLD --rename {to}")
    with open_lake(project) as lake:
        _existing(lake, "BRANCH", name)
        ref = lake.catalog.rename_ref(name, to)
    if json:
        output.print_json(_ref_dict(ref))
    else:
        print(f"renamed branch {name} to {ref.name}")


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
        raise NotFoundError("table or view", table, _contents(state))
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


def _existing(lake: "Lake", kind: str, name: str) -> None:
    from ingot.errors import NotFoundError

    named = {ref.name: ref for ref in lake.catalog.refs() if ref.kind.value == kind}
    if name not in named:
        raise NotFoundError(kind.lower(), name, named)


def _delete(lake: "Lake", kind: str, name: str) -> "Ref":
    from ingot.errors import UsageError

    _existing(lake, kind, name)
    if name == "main":
        raise UsageError("main cannot be deleted: it is what everybody reads.")
    return lake.delete_ref(name)


def _print_refs(refs: "list[Ref]", json: bool) -> None:
    if json:
        output.print_json({"refs": [_ref_dict(ref) for ref in refs]})
    else:
        output.print_table(["name", "commit"], [(ref.name, ref.hash[:_SHORT]) for ref in refs])


def _ref_dict(ref: "Ref") -> dict[str, str]:
    return {"kind": ref.kind.value, "name": ref.name, "hash": ref.hash}


def open_lake(project: "Path | None") -> "Lake":
    """The lake of the command's project; to be closed."""
    from ingot.lake import Lake

    return Lake.open(open_project(project))
