"""`ingot branch | tag | log | merge`: the git of the lakehouse."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ingot.cli import output
from ingot.cli.options import JsonOption, ProjectOption, RefOption, open_project

if TYPE_CHECKING:
    from pathlib import Path

    from ingot.lake import Lake
    from ingot.lake.model import Commit, Ref

_SHORT = 12


def branch(
    name: Annotated[str | None, typer.Argument(help="The branch to create; none lists them.")] = None,
    at: Annotated[str, typer.Option("--at", help="Where it begins.")] = "main",
    delete: Annotated[bool, typer.Option("--delete", "-d", help="Remove the branch instead.")] = False,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """List, create or delete branches of the whole lakehouse. A new branch copies nothing.

    Example: ingot branch dev
    """
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
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Show the commits of a ref, newest first.

    Example: ingot log --ref main -n 5
    """
    with _lake(project) as lake:
        commits = list(lake.catalog.log(lake.catalog.resolve(ref), limit=limit))
    if json:
        output.print_json({"commits": [commit_dict(commit) for commit in commits]})
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
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Merge a branch in one commit: all its tables, or none.

    Example: ingot merge dev --dry-run
    """
    with _lake(project) as lake:
        result = lake.merge(source, into=into, message=message, dry_run=dry_run)
    changed = [".".join(key) for key in result.changed]
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
                "conflicts": conflicts,
            }
        )
    elif conflicts:
        print(f"{source} cannot be merged into {into}:", file=sys.stderr)
        for conflict in conflicts:
            print(f"  {conflict['key']}: {conflict['message']}", file=sys.stderr)
    elif not changed:
        print(f"{into} holds everything of {source} already")
    else:
        verb = "would change" if dry_run else "changed"
        print(
            f"{into} at {result.hash[:_SHORT]}: {verb} {len(changed)} {'key' if len(changed) == 1 else 'keys'}"
        )
        for key in changed:
            print(f"  {key}")
    if conflicts:
        raise typer.Exit(1)


def commit_dict(commit: "Commit") -> dict[str, object]:
    """A commit as `ingot log --json` and `/api/v1/log` show it."""
    return {
        "hash": commit.hash,
        "message": commit.message,
        "author": commit.author,
        "time": commit.time.isoformat(timespec="milliseconds"),
        "parents": list(commit.parents),
        "changes": [".".join(operation.key) for operation in commit.operations],
        "properties": dict(commit.properties),
    }


def _ref(kind: str, name: str | None, at: str, delete: bool, project: "Path | None", json: bool) -> None:
    with _lake(project) as lake:
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


def _delete(lake: "Lake", kind: str, name: str) -> "Ref":
    from ingot.errors import NotFoundError, UsageError

    named = {ref.name: ref for ref in lake.catalog.refs() if ref.kind.value == kind}
    if name not in named:
        raise NotFoundError(kind.lower(), name, named)
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


def _lake(project: "Path | None") -> "Lake":
    from ingot.lake import Lake

    return Lake.open(open_project(project))
