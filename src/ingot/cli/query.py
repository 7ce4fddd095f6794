"""`ingot query`: SQL over the lake, or a semantic query, at any ref."""

import csv
import json as json_module
import sys
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ingot.cli import output
from ingot.cli.options import JsonOption, ProfileOption, ProjectOption, RefOption, open_project
from ingot.errors import UsageError

if TYPE_CHECKING:
    from ingot.engines import Result
    from ingot.project import Project


class Format(StrEnum):
    """How the rows are written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def query(
    text: Annotated[
        str, typer.Argument(metavar="QUERY", help="SQL, a JSON object, or - to read it from a pipe.")
    ],
    ref: RefOption = "main",
    format: Annotated[
        Format, typer.Option("--format", "-f", help="How the rows are written.")
    ] = Format.TABLE,
    out: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to a file instead.")
    ] = None,
    project: ProjectOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Ask the lake in SQL, or the metrics in a JSON object as Cube's.

    Example: ingot query "select count(*) from gold.fact_orders" --ref main
    Example: ingot query '{"measures": ["orders.total_revenue"]}' --format csv
    """
    opened = open_project(project, profile)
    asked = sys.stdin.read() if text == "-" else text
    wanted = Format.JSON if json else format
    if wanted is Format.PARQUET and out is None and sys.stdout.isatty():
        raise UsageError("Parquet is not for a terminal.", hint="Name a file: --output rows.parquet")
    if asked.lstrip().startswith("{"):
        columns, rows = _semantic(opened, asked, ref)
        if wanted is Format.PARQUET:
            raise UsageError("A semantic query is written as table, csv or json.", hint="--format csv")
        _write(columns, rows, wanted, out)
        return
    if wanted is Format.PARQUET:
        _export(opened, asked, ref, out)
        return
    result = _sql(opened, asked, ref)
    _write([column.name for column in result.columns], result.rows, wanted, out, _numeric(result))


def _sql(project: "Project", sql: str, ref: str) -> "Result":
    from ingot.engines.duckdb import DuckDBEngine
    from ingot.lake import Lake

    with Lake.open(project) as lake:
        engine = DuckDBEngine(lake)
        try:
            return engine.query(sql, at=lake.at(ref))
        finally:
            engine.close()


def _export(project: "Project", sql: str, ref: str, out: Path | None) -> None:
    import shutil
    import tempfile

    from ingot.engines.duckdb import DuckDBEngine
    from ingot.lake import Lake

    with tempfile.TemporaryDirectory() as scratch, Lake.open(project) as lake:
        path = Path(scratch) / "rows.parquet"
        engine = DuckDBEngine(lake, readable=(scratch,))
        try:
            engine.export(sql, at=lake.at(ref), path=path)
        finally:
            engine.close()
        if out is not None:
            shutil.move(path, out)
        else:
            with path.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)


def _semantic(project: "Project", text: str, ref: str) -> tuple[list[str], list[list[Any]]]:
    from ingot.engines.duckdb import DuckDBEngine
    from ingot.lake import Lake
    from ingot.semantic import Service

    try:
        asked = json_module.loads(text)
    except json_module.JSONDecodeError as error:
        raise UsageError(f"The query is not JSON: {error}.") from error
    stored = project.state_dir / "rollups"
    with Lake.open(project) as lake:
        engine = DuckDBEngine(lake, readable=[stored])
        try:
            answer = Service(project, lake, engine, rollups=stored).load(
                {**asked, "responseFormat": "compact"}, ref=ref
            )
        finally:
            engine.close()
    return list(answer["data"]["members"]), [list(row) for row in answer["data"]["dataset"]]


def _write(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    format: Format,
    out: Path | None,
    right: Sequence[int] = (),
) -> None:
    if out is not None:
        with out.open("w", encoding="utf-8", newline="") as file:
            previous, sys.stdout = sys.stdout, file
            try:
                _write(columns, rows, format, None, right)
            finally:
                sys.stdout = previous
        return
    match format:
        case Format.TABLE:
            output.print_table(columns, [[_text(value) for value in row] for row in rows], right=right)
        case Format.CSV:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows([_text(value) for value in row] for row in rows)
        case _:
            objects = [dict(zip(columns, row, strict=True)) for row in rows]
            json_module.dump(objects, sys.stdout, default=_plain, ensure_ascii=False)
            sys.stdout.write("\n")


def _numeric(result: "Result") -> list[int]:
    numbers = ("INT", "DECIMAL", "DOUBLE", "FLOAT", "HUGEINT")
    return [i for i, column in enumerate(result.columns) if any(word in column.type for word in numbers)]


def _text(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list | tuple):
        return json_module.dumps(value, default=_plain, ensure_ascii=False)
    return value


def _plain(value: object) -> object:
    """What JSON has no type for. Decimals stay exact, as text."""
    if isinstance(value, Decimal):
        return (
            int(value)
            if value == value.to_integral_value() and value.as_tuple().exponent == 0
            else str(value)
        )
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return str(value)
