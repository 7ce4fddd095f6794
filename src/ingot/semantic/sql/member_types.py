"""PostgreSQL's type of each member: catalogs show it, and expressions over the member are read by it."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sqlglot import exp

from ingot.errors import IngotError
from ingot.semantic.answers.recent import Recent
from ingot.semantic.model import Cube, Dimension, Measure, Member, Model, Segment
from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.postgres.kinds import named, spoken, unspoken
from ingot.semantic.sql.types import postgres

if TYPE_CHECKING:
    from ingot.lake import State

Columns = Callable[[str], Mapping[str, str]]
"""The types of a lake table's columns, as PostgreSQL writes them, by names in lower case; nothing where it is not known."""
Declared = Callable[[Member], str]
"""A member's type as PostgreSQL writes it (`numeric(14,2)`)."""

_SIMPLE = {"time": "timestamp", "boolean": "boolean", "string": "text", "switch": "text", "geo": "text"}
_WHOLE = ("smallint", "integer", "bigint")
_NUMBERS = (*_WHOLE, "real", "double precision", "numeric")


class MemberTypes:
    """Remembers the columns of tables. Safe to use from several threads."""

    def __init__(self) -> None:
        self._columns: Recent[tuple[str, str], Mapping[str, str]] = Recent(2_000)

    def of(self, model: Model, state: "State") -> Declared:
        """For the members of a model, over the tables of one state."""

        def columns(table: str) -> Mapping[str, str]:
            key = (state.hash, table.casefold())
            found = self._columns.get(key)
            return self._columns.keep(key, _columns(state, table)) if found is None else found

        return declared(model, columns)


def declared(model: Model, columns: Columns) -> Declared:
    """The types of a model's members, where those of tables are known."""

    def value(sql: exp.Expr, cube: str) -> str | None:
        """The type of a plain column, of a whole number that is written down, or of what is cast."""
        bare = sql.unnest()
        if isinstance(bare, exp.Literal):
            return "bigint" if bare.is_int else None
        if isinstance(bare, exp.Cast):
            return _written(bare.to)
        table = _table(model.cubes[cube]) if cube in model.cubes else None
        if table is None or not isinstance(bare, exp.Column) or bare.table not in ("", cube):
            return None
        return columns(table).get(bare.name.casefold())

    def number(sql: exp.Expr, cube: str) -> str | None:
        found = value(sql, cube)
        return found if found is not None and found.partition("(")[0] in _NUMBERS else None

    def measure(one: Measure) -> str:
        match one.aggregate:
            case "count" | "count_distinct" | "count_distinct_approx" | "rank":
                return "bigint"
            case "sum" | "min" | "max" if one.sql is not None and one.stage is None:
                if one.aggregate == "sum":
                    return _summed(number(one.sql, one.cube) or "numeric")
                return value(one.sql, one.cube) or "numeric"
            case "avg":
                return "double precision"
            case _:
                # The engine divides in floating point.
                return "double precision" if one.sql is not None and one.sql.find(exp.Div) else "numeric"

    def type_(one: Member) -> str:
        if isinstance(one, Segment):
            return "boolean"
        simple = _SIMPLE.get(one.type)
        if simple is not None:
            return simple
        return (number(one.sql, one.cube) or "numeric") if isinstance(one, Dimension) else measure(one)

    return type_


def short(declared_: str) -> str:
    """The name of a type without what it is limited to, as expressions know it: `int8`, `numeric`, `timestamp`."""
    name = declared_.removesuffix("[]").partition("(")[0]
    return unspoken(name) + ("[]" if declared_.endswith("[]") else "")


def limited(declared_: str) -> str:
    """The engine's type of a number with as many digits; nothing for a type without limits."""
    name, bracket, digits = declared_.partition("(")
    return f"DECIMAL({digits}" if name == "numeric" and bracket else ""


def _written(type_: exp.DataType) -> str | None:
    """A type that is written in the model; None for one that PostgreSQL does not have."""
    try:
        name, sizes = named(type_)
    except SqlError:
        return None
    digits = f"({','.join(map(str, sizes))})" if name == "numeric" and sizes else ""
    return _plain(spoken(name) + digits)


def _plain(name: str) -> str:
    """A type in as few words as it takes, as all catalogs know it."""
    return name.replace(" without time zone", "")


def _summed(inner: str) -> str:
    if inner in _WHOLE:
        return "bigint"
    return "double precision" if inner in ("real", "double precision") else "numeric"


def _table(cube: Cube) -> str | None:
    """The table whose columns the cube's are: its own, or that of a plain `SELECT * FROM table WHERE …`."""
    source = cube.source
    if isinstance(source, exp.Subquery) and isinstance(source.this, exp.Select):
        select = source.this
        first = select.args.get("from_")
        plain = all(isinstance(one, exp.Star | exp.Column) for one in select.expressions)
        if not plain or first is None or select.args.get("joins"):
            return None
        source = first.this
    return f"{source.db}.{source.name}" if isinstance(source, exp.Table) and source.db else None


def _columns(state: "State", table: str) -> Mapping[str, str]:
    folded = table.casefold()
    name = next((one for one in (*state.tables, *state.views) if one.casefold() == folded), None)
    if name is None:
        return {}
    try:
        schema = state.view(name).schema if name in state.views else state.table(name).schema
    except (IngotError, OSError):
        return {}  # a damaged table is told of where it is read
    return {one.name.casefold(): _plain(postgres(one.type)) for one in schema}
