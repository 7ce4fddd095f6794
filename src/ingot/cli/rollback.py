"""`ingot rollback | revert`: take back what was published, as a new commit; the history is kept.

They work on protected branches too. What they bring back has been on the branch before, and whoever has just
published something wrong must not have to look for a way around a rule.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from ingot.cli import output
from ingot.cli.options import JsonOption, ProjectOption, open_lake

if TYPE_CHECKING:
    from ingot.lake.model import Commit

_SHORT = 12
BranchOption = Annotated[str, typer.Option("--branch", "-b", help="The branch that gets the new commit.")]
MessageOption = Annotated[str | None, typer.Option("--message", "-m", help="Why.")]


def rollback(
    to: Annotated[str, typer.Argument(metavar="REF", help="A commit, tag or time in the branch's history.")],
    branch: BranchOption = "main",
    message: MessageOption = None,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Make every table what it was at an earlier commit, with a new commit. Nothing is lost.

    Example: ingot rollback main~1
    """
    with open_lake(project) as lake:
        target = lake.catalog.resolve(to)
        made = lake.catalog.rollback(branch, target, message=message or f"Roll back to {to}", force=True)
    _print(made, f"{branch} is again what it was at {target[:_SHORT]}", json)


def revert(
    commit: Annotated[str, typer.Argument(help="The commit to take back.")],
    branch: BranchOption = "main",
    message: MessageOption = None,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Take back one earlier commit, with a new commit, and keep what came after it.

    Example: ingot revert main~2
    """
    with open_lake(project) as lake:
        target = lake.catalog.resolve(commit)
        made = lake.catalog.revert(branch, target, message=message, force=True)
    _print(made, f"{branch} no longer has what {target[:_SHORT]} changed", json)


def _print(made: "Commit", said: str, json: bool) -> None:
    if json:
        output.print_json(made.to_dict())
        return
    keys = [".".join(operation.key) for operation in made.operations]
    print(f"{said}: commit {made.hash[:_SHORT]} changed {len(keys)} {'key' if len(keys) == 1 else 'keys'}")
    for key in keys:
        print(f"  {key}")
