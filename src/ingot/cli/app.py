"""The commands and their names, in the order in which a newcomer meets them."""

from pathlib import Path
from typing import Annotated

import typer

import ingot
from ingot.cli import (
    diff,
    log,
    maintain,
    merge,
    model,
    output,
    policy,
    query,
    refs,
    rollback,
    rollup,
    run,
    serve,
    start,
    status,
    tables,
    user,
)
from ingot.cli.options import JsonOption

app = typer.Typer(
    name="ingot",
    help="From raw data to answers that can be trusted: one project folder, one process.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"ingot {ingot.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the stack trace of an error.")] = False,
) -> None:
    """From raw data to answers that can be trusted: one project folder, one process."""


def schema(
    directory: Annotated[Path, typer.Argument(help="Where the files go.")] = Path("schemas"),
    json: JsonOption = False,
) -> None:
    """Write the JSON Schemas of the project's files, so that editors complete and check them.

    Example: ingot schema schemas/
    """
    from ingot.cli.schema import write_schemas

    written = write_schemas(directory)
    if json:
        output.print_json({"files": [str(path) for path in written]})
    else:
        for path in written:
            print(path)


app.command()(start.demo)
app.command()(start.init)
app.command()(run.run)
app.command()(serve.serve)
app.command()(query.query)
app.command()(tables.tables)
app.command()(tables.describe)
app.command()(refs.branch)
app.command()(refs.tag)
app.command()(log.log)
app.command()(diff.diff)
app.command()(merge.merge)
app.command()(rollback.rollback)
app.command()(rollback.revert)
app.command()(status.status)
app.command()(maintain.maintain)
app.add_typer(rollup.rollup)
app.add_typer(model.app)
app.add_typer(policy.app)
app.add_typer(user.app)
app.command()(schema)
