"""`ingot policy`: who sees what, explained and tested."""

import json as json_module
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ingot.cli import output
from ingot.cli.options import JsonOption, ProfileOption, ProjectOption, RefOption, open_project
from ingot.errors import UsageError

if TYPE_CHECKING:
    from ingot.project import Project
    from ingot.project.users import User
    from ingot.semantic import Service
    from ingot.semantic.context import Context

app = typer.Typer(
    name="policy",
    help="Explain and test who sees which members and rows.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

AsOption = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="JSON",
        help='Who asks: the payload of his token, such as \'{"groups": ["sales"], "country": "IT"}\'.',
    ),
]
UserOption = Annotated[
    str | None, typer.Option("--user", metavar="NAME", help="Who asks: a user of users.yml, instead of --as.")
]


@contextmanager
def _serving(project: "Project") -> "Iterator[Service]":
    from ingot.engines.duckdb import DuckDBEngine
    from ingot.lake import Lake
    from ingot.semantic import Service

    with Lake.open(project) as lake:
        engine = DuckDBEngine(lake)
        service = Service(project, lake, engine)
        try:
            yield service
        finally:
            service.close()
            engine.close()


@app.command("test")
def check_policies(
    ref: RefOption = "main",
    project: ProjectOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Run the cases of policies/*.yml: who sees which members and rows. Ends with 1 where one fails.

    Example: ingot policy test --ref main
    """
    from ingot.project.policy_case import FOLDER, policy_cases
    from ingot.semantic.policy.cases import failures

    opened = open_project(project, profile)
    cases = policy_cases(opened.root)
    if not cases:
        raise UsageError(
            f"There is no case in {FOLDER}/*.yml.", hint="docs/how-to/policies.md shows how to write one."
        )
    with _serving(opened) as service:
        users = _users(opened)
        found = [(case, failures(service, case, ref=ref, users=users)) for case in cases]
    failed = sum(bool(why) for _, why in found)
    if json:
        told = [
            {"name": case.name, "at": str(case.place), "passed": not why, "failures": why}
            for case, why in found
        ]
        output.print_json({"passed": len(found) - failed, "failed": failed, "cases": told})
    else:
        for case, why in found:
            print(f"{'FAIL' if why else 'ok':5} {case.name}")
            for one in why:
                print(f"      {one}  ({case.place})")
        print(f"{len(found) - failed} passed, {failed} failed")
    if failed:
        raise typer.Exit(1)


@app.command()
def explain(
    member: Annotated[str, typer.Argument(help="A member by full name, such as orders.total_revenue.")],
    who: AsOption = None,
    user: UserOption = None,
    project: ProjectOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Say what somebody sees of a member, and which entries of which policies decide it.

    Example: ingot policy explain orders.total_revenue --user ann
    """
    from ingot.semantic.policy.cases import user_of
    from ingot.semantic.policy.explain import explained

    if who is not None and user is not None:
        raise UsageError("--as and --user both say who asks: give one of them.")
    opened = open_project(project, profile)
    context = user_of(user, _users(opened)) if user is not None else _asker(who or "{}")
    with _serving(opened) as service:
        told = explained(service.model, service.seen(context), member, service.known(context))
    if json:
        output.print_json(told)
        return
    print(f"{told['member']}  {told['result']}")
    for policy in told["policies"]:
        print(f"policy of {policy['of']}")
        for entry in policy["entries"]:
            _print(entry)
    if not told["policies"]:
        print("no policy: everybody sees it")


def _print(entry: dict[str, Any]) -> None:
    mark = "matches" if entry["matches"] else "is for others"
    print(
        f"  {entry['at']}  {', '.join(entry['groups'])}  {mark}: shows {entry['shows']}, rows {entry['rows']}"
    )
    for text, holds in entry.get("conditions", {}).items():
        print(f"    if {text}: {'holds' if holds else 'does not hold'}")


def _users(project: "Project") -> "dict[str, User]":
    """The users of a project by their names; nobody where it has no file of them."""
    from ingot.project.users import load_users

    if project.users is None:
        return {}
    return {one.name: one for one in load_users(project.users, project.root, os.environ)}


def _asker(text: str) -> "Context":
    from ingot.semantic.context import Context

    try:
        payload = json_module.loads(text)
    except json_module.JSONDecodeError as error:
        raise UsageError(f"--as is not JSON: {error}.") from error
    if not isinstance(payload, dict):
        raise UsageError("--as is the payload of a token: a JSON object.")
    groups = payload.get("groups", [])
    groups = [groups] if isinstance(groups, str) else groups
    return Context(payload, tuple(one for one in groups if isinstance(one, str)))
