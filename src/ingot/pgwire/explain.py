"""EXPLAIN of a SELECT over cubes and views: what the model is asked, what is read for it, and the engine's SQL.

Whoever is under a policy hears that it applies, and nothing that it hides: no SQL, no tables, no names of rollups.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import orjson
import sqlglot

from ingot.errors import IngotError
from ingot.pgwire import messages
from ingot.pgwire.errors import PgError, move
from ingot.pgwire.model_source import ModelSource, ModelStatement, opened
from ingot.pgwire.ports import Chunk, Field, Rows, Value
from ingot.pgwire.rows import Look
from ingot.pgwire.shape import Explained
from ingot.pgwire.types import JSON, TEXT
from ingot.semantic.model import Model
from ingot.semantic.planner.resolve import Condition, Resolved, Tree
from ingot.semantic.sql.statement import SqlPlan

if TYPE_CHECKING:
    from ingot.pgwire.lake_source import LakeBeside

_UNNAMED = {
    "#key": "keys of rows",
    "#value": "values of measures in a row",
    "#rows": "the groups",
    "#join": "the rows that the statement joins",
}
_SIGNS = {"equals": "=", "notEquals": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


async def explaining(
    source: ModelSource,
    asked: Explained,
    parameters: Sequence[int] = (),
    beside: "LakeBeside | None" = None,
) -> "Explaining":
    """The statement whose rows tell the plan of another one. Raises `IngotError`."""
    if asked.other is not None:
        raise PgError(
            f'EXPLAIN over the model has no format "{asked.other}"',
            sqlstate="0A000",
            hint="FORMAT TEXT, or JSON.",
        )
    began = perf_counter()
    try:
        inner = await source.prepare(asked.text, parameters, beside)
    except IngotError as error:
        move(error, asked.start)
        raise
    return Explaining(source, asked, inner, perf_counter() - began)


class Explaining:
    """EXPLAIN; see `ports.Statement`."""

    def __init__(self, source: ModelSource, asked: Explained, inner: ModelStatement, seconds: float) -> None:
        """`seconds`: how long it took to prepare."""
        self.fields = (Field("QUERY PLAN", JSON if asked.json else TEXT),)
        self.parameters = inner.parameters
        self._source = source
        self._asked = asked
        self._inner = inner
        self._seconds = seconds

    async def run(self, values: Sequence[Value], formats: Sequence[int]) -> Rows:  # noqa: ARG002 - text in both
        """See `Statement.run`."""
        began = perf_counter()
        plan = await self._inner.plan(values)
        planned = perf_counter()
        source = self._source
        service = source.service
        seen = await source.seen()
        told = described(plan, seen, kept=service.sql_kept(plan) is not None)
        if self._asked.analyze:
            count = 0
            rows = await opened(source, plan, Look(self._inner.fields, (), source.info.settings))
            try:
                while (chunk := await rows.fetch(0)) is not None:
                    count += chunk.rows
            finally:
                await rows.close()
            told["Actual Rows"] = count
            told["Planning Time"] = round((self._seconds + planned - began) * 1000, 3)
            told["Execution Time"] = round((perf_counter() - planned) * 1000, 3)
        if self._asked.json:
            lines = [orjson.dumps([{"Plan": told}], option=orjson.OPT_INDENT_2).decode()]
        else:
            lines = list(written(told))
        return Lines(self.fields, lines)


@dataclass
class Lines:
    """Texts as rows of one column; see `ports.Rows`."""

    fields: tuple[Field, ...]
    lines: list[str]

    async def fetch(self, most: int) -> Chunk | None:
        """See `Rows.fetch`."""
        taken = self.lines[: most or None]
        self.lines = self.lines[len(taken) :]
        return Chunk(b"".join(messages.data_row([one]) for one in taken), len(taken)) if taken else None

    async def close(self) -> None:
        """Nothing runs."""


def described(plan: SqlPlan, seen: Model, *, kept: bool) -> dict[str, Any]:
    """What a plan does, for who sees the model so."""
    open_ = seen.whole is None
    told: dict[str, Any] = {
        "Node Type": "Semantic Query",
        "Ref": plan.at.ref,
        "Commit": plan.at.state.hash[:12],
        "Cache": _cache(plan, kept=kept),
        "Questions": [_question(one, seen) for one in plan.queries],
    }
    for question, choice in zip(told["Questions"], plan.rollups, strict=False):
        question.update(_rollups(choice["rollups"], open_=open_))
    if plan.pushed and plan.queries:
        told["Above"] = "joins, sets, windows or aggregates on the rows of the questions"
    if plan.beside:
        told["Tables Beside"] = list(plan.beside)
    if plan.databases:
        told["Databases"] = list(plan.databases)
    if open_:
        told["Tables"] = list(plan.tables)
        told["SQL"] = plan.sql
        if plan.parameters:
            told["Parameters"] = [str(one) for one in plan.parameters]
    elif plan.queries:
        told["SQL"] = "not shown: policies apply to you"
    return told


def _cache(plan: SqlPlan, *, kept: bool) -> str:
    if kept:
        return "kept"
    if plan.databases:
        return "never kept: it reads databases that change without notice"
    return "not yet kept" if plan.key is not None else "never kept: it asks for the clock or chance"


def _question(query: Resolved, seen: Model) -> dict[str, Any]:
    told: dict[str, Any] = {
        "Measures": [column.found.name for column in query.measures],
        "Dimensions": list(
            dict.fromkeys(_dimension(column.found.name, column.granularity) for column in query.dimensions)
        ),
        "Filters": [_condition(one, seen) for one in (*query.where, *query.having)],
        "Segments": [one.name for one in query.segments],
        "Time Zone": query.timezone,
    }
    if query.ungrouped:
        told["Grouped"] = "no: the rows themselves"
    if query.rows or query.limits:
        told["Policy"] = "rows are limited to those that you may see"
    return {key: value for key, value in told.items() if value}


def _dimension(name: str, granularity: str | None) -> str:
    if name.startswith("#"):
        return _UNNAMED.get(name.partition(".")[0], "an expression over dimensions")
    return name if granularity is None else f"{name} by {granularity}"


def _condition(one: Tree, seen: Model) -> str:
    if not isinstance(one, Condition):
        word = " AND " if one.every else " OR "
        return "(" + word.join(_condition(each, seen) for each in one.parts) + ")"
    if one.found.name.startswith("#"):
        return _UNNAMED.get(one.found.name, "an expression over dimensions")
    if one.found.name not in seen.members:
        return "a default filter of the view"
    sign = _SIGNS.get(one.operator, one.operator)
    values = ", ".join("NULL" if value is None else f"'{value}'" for value in one.values)
    return f"{one.found.name} {sign} {values}".rstrip()


def _rollups(tried: Sequence[dict[str, Any]], *, open_: bool) -> dict[str, Any]:
    used = [one["preAggregation"] for one in tried if one["used"]]
    if not open_:
        return {"Rollup": "read" if used else "none is read"}
    told: dict[str, Any] = {"Rollup": used or "none is read"}
    reasons = [reason for one in tried if not one["used"] for reason in one["reasons"]]
    if reasons:
        told["Rollups Not Read"] = reasons
    return told


def written(told: dict[str, Any]) -> Iterator[str]:
    """A plan as lines of text."""
    rest = dict(told)
    head = rest.pop("Node Type")
    where = f"ref={rest.pop('Ref')} commit={rest.pop('Commit')}"
    timing = ""
    if "Execution Time" in rest:
        timing = f" (actual time={rest['Execution Time']:.3f} ms rows={rest.pop('Actual Rows')})"
    planning, execution = rest.pop("Planning Time", None), rest.pop("Execution Time", None)
    yield f"{head}  ({where}){timing}"
    for number, question in enumerate(rest.pop("Questions"), 1):
        yield f"  ->  Question {number}"
        for key, value in question.items():
            yield from _line(key, value, "        ")
    for key, value in rest.items():
        yield from _line(key, _laid_out(value) if key == "SQL" else value, "  ")
    if planning is not None:
        yield f"Planning Time: {planning:.3f} ms"
        yield f"Execution Time: {execution:.3f} ms"


def _line(key: str, value: Any, indent: str) -> Iterator[str]:
    text = ", ".join(value) if isinstance(value, list) and key != "Rollups Not Read" else value
    if isinstance(text, list):
        for each in text:
            yield from _line(key, each, indent)
        return
    first, *others = str(text).split("\n")
    yield f"{indent}{key}: {first}".rstrip()
    for each in others:
        yield f"{indent}  {each}"


def _laid_out(sql: str) -> str:
    """The engine's SQL in lines, to be read; as it is where it cannot be laid out."""
    try:
        return "\n" + sqlglot.parse_one(sql, read="duckdb").sql("duckdb", pretty=True)
    except sqlglot.errors.SqlglotError:
        return sql
