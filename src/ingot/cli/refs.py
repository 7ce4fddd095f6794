"""`ingot branch | tag`: names for states of the whole lakehouse."""

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from ingot.cli import output
from ingot.cli.options import JsonOption, ProjectOption, open_lake, open_project

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from ingot.lake import Lake
    from ingot.lake.model import Ref

_SHORT = 12
ForceOption = Annotated[
    bool, typer.Option("--force", help="Delete or rename a branch although it is protected.")
]


def branch(
    name: Annotated[str | None, typer.Argument(help="The branch to create; none lists them.")] = None,
    at: Annotated[str, typer.Option("--at", help="Where it begins.")] = "main",
    delete: Annotated[bool, typer.Option("--delete", "-d", help="Remove the branch instead.")] = False,
    rename: Annotated[
        str | None, typer.Option("--rename", metavar="NEW", help="Give the branch another name instead.")
    ] = None,
    protect: Annotated[
        bool | None,
        typer.Option(
            "--protect/--unprotect",
            help="Let the branch move only by merges from now on, or again by anything.",
            show_default=False,
        ),
    ] = None,
    force: ForceOption = False,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """List, create, rename, delete or protect branches of the whole lakehouse. A new branch copies nothing.

    Example: ingot branch dev
    Example: ingot branch --protect main
    """
    from ingot.errors import UsageError

    if sum([delete, rename is not None, protect is not None]) > 1:
        raise UsageError("--delete, --rename and --protect/--unprotect are one at a time.")
    if rename is not None:
        _rename(name, rename, force, project, json)
    elif protect is not None:
        _protect(name, protect, project, json)
    else:
        _ref("BRANCH", name, at, delete, force, project, json)


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
    _ref("TAG", name, at, delete, False, project, json)


def _ref(
    kind: str,
    name: str | None,
    at: str,
    delete: bool,
    force: bool,
    project: "Path | None",
    json: bool,
) -> None:
    with open_lake(project) as lake:
        protected = lake.catalog.protected()
        if name is None:
            _print_refs([ref for ref in lake.catalog.refs() if ref.kind.value == kind], protected, json)
            return
        if delete:
            done, ref = "deleted", _delete(lake, kind, name, force)
        else:
            create = lake.branch if kind == "BRANCH" else lake.tag
            done, ref = "created", create(name, at=at)
    if json:
        output.print_json(_ref_dict(ref, protected))
    else:
        print(f"{done} {kind.lower()} {ref.name} at {ref.hash[:_SHORT]}")


def _rename(name: str | None, to: str, force: bool, project: "Path | None", json: bool) -> None:
    from ingot.errors import UsageError

    if name is None:
        raise UsageError("Which branch gets the new name?", hint=f"ingot branch OLD --rename {to}")
    with open_lake(project) as lake:
        _existing(lake, "BRANCH", name)
        with _forcible(f"ingot branch {name} --rename {to} --force"):
            ref = lake.catalog.rename_ref(name, to, force=force)
        protected = lake.catalog.protected()
    if json:
        output.print_json(_ref_dict(ref, protected))
    else:
        print(f"renamed branch {name} to {ref.name}")


def _protect(name: str | None, on: bool, project: "Path | None", json: bool) -> None:
    from ingot.errors import UsageError
    from ingot.lake import Lake

    option = "--protect" if on else "--unprotect"
    if name is None:
        raise UsageError("Which branch?", hint=f"ingot branch {option} main")
    opened = open_project(project)
    if not on and name in opened.lake.protected:
        raise UsageError(
            f"'{name}' is protected by the project's file ({opened.lake.place_of('protected')}).",
            hint="Take it out of `protected` there.",
        )
    with Lake.open(opened) as lake:
        _existing(lake, "BRANCH", name)
        lake.catalog.protect(name, on=on)
        ref, protected = lake.catalog.ref(name), lake.catalog.protected()
    if json:
        output.print_json(_ref_dict(ref, protected))
    else:
        print(f"{name} now moves only by merges" if on else f"{name} is no longer protected")


def _existing(lake: "Lake", kind: str, name: str) -> None:
    from ingot.errors import NotFoundError

    named = {ref.name: ref for ref in lake.catalog.refs() if ref.kind.value == kind}
    if name not in named:
        raise NotFoundError(kind.lower(), name, named)


def _delete(lake: "Lake", kind: str, name: str, force: bool) -> "Ref":
    from ingot.errors import UsageError

    _existing(lake, kind, name)
    if name == "main":
        raise UsageError("main cannot be deleted: it is what everybody reads.")
    with _forcible(f"ingot branch --delete {name} --force"):
        return lake.delete_ref(name, force=force)


@contextmanager
def _forcible(command: str) -> "Iterator[None]":
    """Says how a protected branch is deleted or renamed all the same: merging would not do it."""
    from ingot.lake import ProtectedRefError

    try:
        yield
    except ProtectedRefError as error:
        error.hint = command
        raise


def _print_refs(refs: "list[Ref]", protected: "Collection[str]", json: bool) -> None:
    if json:
        output.print_json({"refs": [_ref_dict(ref, protected) for ref in refs]})
        return
    rows = [(ref.name, ref.hash[:_SHORT], "protected" if ref.name in protected else "") for ref in refs]
    if any(row[2] for row in rows):
        output.print_table(["name", "commit", ""], rows)
    else:
        output.print_table(["name", "commit"], [row[:2] for row in rows])


def _ref_dict(ref: "Ref", protected: "Collection[str]") -> dict[str, str | bool]:
    shown: dict[str, str | bool] = {"kind": ref.kind.value, "name": ref.name, "hash": ref.hash}
    return shown if ref.kind.value == "TAG" else {**shown, "protected": ref.name in protected}
