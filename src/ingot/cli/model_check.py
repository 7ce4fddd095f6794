"""`ingot model validate`, `graph` and `render`: what the model's files mean, and what is wrong with them."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from ingot.cli import output
from ingot.cli.options import JsonOption, ProfileOption, ProjectOption, RefOption
from ingot.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from ingot.project import Problem, Project
    from ingot.semantic import Model

ContextOption = Annotated[
    str | None,
    typer.Option("--context", metavar="JSON", help="The security context that templates and SQL read."),
]


class Drawing(StrEnum):
    """How the graph is written."""

    MERMAID = "mermaid"
    DOT = "dot"
    JSON = "json"


def validate(
    ref: RefOption = "main",
    files_only: Annotated[
        bool, typer.Option("--files-only", help="Look at the files only, not at the lake's tables.")
    ] = False,
    context: ContextOption = None,
    project: ProjectOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Check the model's files and their SQL against the tables of a ref; every problem with its place.

    Example: ingot model validate --ref main
    """
    from ingot.project import ProjectError

    security = _security(context)
    where, problems = "files only", []
    opened, model = None, None
    try:
        opened = _loaded(project, profile, security)
        model = _compiled(opened)
    except ProjectError as error:
        problems = list(error.problems)
    if opened is not None and model is not None and not files_only:
        where, problems = _bound(opened, model, ref, security)
    counts = _counts(model)
    if json:
        listed = [_problem(one) for one in problems]
        output.print_json({"valid": not problems, "checked": where, **counts, "problems": listed})
    else:
        for one in problems:
            print(one)
        said = ", ".join(f"{number} {name}" for name, number in counts.items())
        how_many = f"{len(problems)} problem{'s' if len(problems) != 1 else ''}"
        print(f"{how_many}  {where}" if problems else f"valid  {said}  ({where})")
    if problems:
        raise typer.Exit(2)


def graph(
    format: Annotated[
        Drawing, typer.Option("--format", "-f", help="How the graph is written.")
    ] = Drawing.MERMAID,
    start: Annotated[
        str | None, typer.Option("--from", metavar="CUBE", help="Show the ways from here …")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="CUBE", help="… to here.")] = None,
    project: ProjectOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Draw the cubes and their joins, or explain how two cubes are joined and which rows repeat then.

    Example: ingot model graph --from orders --to products
    """
    from ingot.semantic.compiler import graph as drawn

    if (start is None) != (end is None):
        raise UsageError("The ways between two cubes need both.", hint="ingot model graph --from A --to B")
    model = _compiled(_loaded(project, profile, None))
    if start is not None and end is not None:
        found = drawn.between(model, start, end)
        if json or format is Drawing.JSON:
            output.print_json(
                {
                    "ways": [list(way) for way in found.ways],
                    "used": None if found.used is None else list(found.used.cubes),
                    "ambiguous": found.is_ambiguous,
                    "refusal": found.refusal,
                    "fanOut": list(found.multiplied),
                    "through": list(found.through),
                }
            )
            return
        for line in found.lines(model):
            print(line)
        return
    if json or format is Drawing.JSON:
        output.print_json(drawn.plain(model))
    else:
        print(drawn.mermaid(model) if format is Drawing.MERMAID else drawn.dot(model))


def render(
    file: Annotated[Path, typer.Argument(help="A file of the semantic model that is a Jinja template.")],
    context: ContextOption = None,
    project: ProjectOption = None,
    profile: ProfileOption = None,
) -> None:
    """Print what Jinja makes of a model file.

    Example: ingot model render semantic/cubes/orders.yml --context '{"tenant": "acme"}'
    """
    from ingot.project import ProjectError
    from ingot.project.model_parts import Template
    from ingot.project.rendering.compile_context import Reads

    try:
        parts = _loaded(project, profile, _security(context)).parts
    except ProjectError as error:
        # The text is wanted most where it is wrong.
        if error.parts is None:
            raise
        parts = error.parts
    assert parts is not None
    templates = {one.path.resolve(): one for one in parts.parts if isinstance(one, Template)}
    wanted = templates.get(file.resolve())
    if wanted is None:
        if file.is_file():
            print(file.read_text("utf-8"), end="")
            return
        raise NotFoundError("template", str(file), [one.name for one in templates.values()])
    problems: list[Problem] = []
    made = parts.templates.render(wanted.template, wanted.text, parts.security, Reads(), problems)
    if made is None:
        raise ProjectError(problems)
    print(made.text, end="" if made.text.endswith("\n") else "\n")


def _security(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UsageError(
            f"The context is not JSON: {error}.", hint='--context \'{"tenant": "acme"}\''
        ) from None
    if not isinstance(found, dict):
        raise UsageError("The context is a JSON object.", hint='--context \'{"tenant": "acme"}\'')
    return found


def _loaded(directory: Path | None, profile: str | None, security: dict[str, Any] | None) -> "Project":
    from ingot import project

    return project.load(project.find(directory or Path.cwd()), profile=profile, compile_context=security)


def _compiled(project: "Project") -> "Model":
    from ingot.semantic import check_project

    return check_project(project)


def _bound(
    project: "Project", model: "Model", ref: str, security: dict[str, Any] | None
) -> "tuple[str, list[Problem]]":
    from ingot.engines.duckdb import DuckDBEngine
    from ingot.lake import Lake
    from ingot.semantic.compiler.binding import check_binding
    from ingot.semantic.context import Context

    with Lake.open(project) as lake:
        state = lake.at(ref)
        if not state.tables and not state.views:
            return f"files only: {ref} has no tables yet, ingot run makes them", []
        engine = DuckDBEngine(lake)
        try:
            return f"against {ref} at {state.hash[:8]}", check_binding(
                model, state, engine, context=Context(security or {})
            )
        finally:
            engine.close()


def _counts(model: "Model | None") -> dict[str, int]:
    if model is None:
        return {}
    cubes = [cube for cube in model.cubes.values() if cube.specs]
    return {"cubes": len(cubes), "views": len(model.views), "members": len(model.members)}


def _problem(one: "Problem") -> dict[str, Any]:
    return {
        "file": one.place.file,
        "line": one.place.line,
        "column": one.place.column,
        "message": one.message,
        "expected": one.expected,
        "nearest": one.nearest,
    }
