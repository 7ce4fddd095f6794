"""`ingot user`: who may log in with a password."""

import json as json_module
import os
import sys
from getpass import getpass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ingot.cli import output
from ingot.cli.options import JsonOption, ProjectOption
from ingot.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from ingot.project.user_edits import UsersFile

app = typer.Typer(
    name="user",
    help="Who may log in with a password, over SQL and HTTP.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

NameArgument = Annotated[str, typer.Argument(help="The user's name.")]
PasswordOption = Annotated[
    str | None,
    typer.Option(
        "--password-env",
        metavar="NAME",
        help="The variable of the environment that holds the password (default: asked for, or the first line of "
        "the input).",
    ),
]


@app.command()
def add(
    name: NameArgument,
    group: Annotated[
        list[str] | None, typer.Option("--group", help="A group that the user is in; may be repeated.")
    ] = None,
    security: Annotated[
        str | None,
        typer.Option(
            "--security", metavar="JSON", help='The security context, such as \'{"country": "IT"}\'.'
        ),
    ] = None,
    password_env: PasswordOption = None,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Add a user. A server that has users knows him at once; with the first one, start it again.

    Example: ingot user add ann --group sales --security '{"country": "IT"}'
    """
    from ingot.project.verifier import Verifier

    file = _file(project)
    entry: dict[str, Any] = {}
    before = file.users()
    if any(each.name == name for each in before):
        raise UsageError(
            f"There is a user '{name}' already.", hint="ingot user passwd NAME gives another password."
        )
    context = _context(security)
    entry["verifier"] = str(Verifier.of(_password(name, password_env)))
    if group:
        entry["groups"] = [_literal(each) for each in group]
    if context:
        entry["security"] = _literal(context)
    file.add(name, entry)
    first = not before and not file.is_asked_for
    start = "; from its next start on, ingot serve asks everybody for a login" if first else ""
    _said(json, f"{name} is in {file.name}{start}", {"user": name, "file": file.name})


@app.command("list")
def show(project: ProjectOption = None, json: JsonOption = False) -> None:
    """List the users, their groups and security contexts.

    Example: ingot user list
    """
    file = _file(project)
    users = [
        {"name": each.name, "groups": list(each.groups), "security": dict(each.security)}
        for each in file.users()
    ]
    if json:
        output.print_json({"users": users})
        return
    if not users:
        print(f"no users in {file.name}")
    for user in users:
        context = json_module.dumps(user["security"], ensure_ascii=False) if user["security"] else ""
        print(f"{user['name']:20} {', '.join(user['groups']):30} {context}".rstrip())


@app.command()
def remove(name: NameArgument, project: ProjectOption = None, json: JsonOption = False) -> None:
    """Remove a user. His sessions end within a second or two.

    Example: ingot user remove ann
    """
    file = _file(project)
    file.remove(name)
    _said(json, f"{name} is no longer in {file.name}", {"user": name, "file": file.name})


@app.command()
def passwd(
    name: NameArgument,
    password_env: PasswordOption = None,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Give a user another password. Sessions that began with the old one end.

    Example: ingot user passwd ann
    """
    from ingot.errors import NotFoundError
    from ingot.project.verifier import Verifier

    file = _file(project)
    known = [each.name for each in file.users()]
    if name not in known:
        raise NotFoundError("user", name, known, hint="ingot user list")
    file.set_verifier(name, str(Verifier.of(_password(name, password_env))))
    _said(json, f"{name} has another password", {"user": name, "file": file.name})


def _file(directory: "Path | None") -> "UsersFile":
    from pathlib import Path

    from ingot.project import find
    from ingot.project.user_edits import UsersFile

    return UsersFile(find(directory or Path.cwd()))


def _password(name: str, variable: str | None) -> str:
    """The password, from where no other user of the machine sees it."""
    if variable is not None:
        found = os.environ.get(variable)
        if not found:
            raise UsageError(f"The environment variable {variable} is not set.")
        return found
    if not sys.stdin.isatty():
        line = sys.stdin.readline().removesuffix("\n").removesuffix("\r")
        if not line:
            raise UsageError("There is no password in the input.", hint="Give it by --password-env NAME.")
        return line
    password = getpass(f"Password of {name}: ")
    if getpass("Once more: ") != password:
        raise UsageError("The passwords differ; nothing was changed.")
    return password


def _context(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        found = json_module.loads(text)
    except json_module.JSONDecodeError as error:
        raise UsageError(f"--security is not JSON: {error}.") from None
    if not isinstance(found, dict):
        raise UsageError("--security is not a JSON object.")
    return found


def _literal(value: Any) -> Any:
    """The value as the file spells it, where `${` would begin a variable."""
    if isinstance(value, str):
        return value.replace("${", "$${")
    if isinstance(value, dict):
        return {key: _literal(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_literal(each) for each in value]
    return value


def _said(json: bool, line: str, told: dict[str, Any]) -> None:
    if json:
        output.print_json(told)
    else:
        print(line)
