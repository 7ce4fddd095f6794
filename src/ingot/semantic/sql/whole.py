"""Which numbers of the model are whole: dimensions that are plain columns of tables of the lake, with their types."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sqlglot import exp

from ingot.errors import IngotError
from ingot.semantic.answers.recent import Recent
from ingot.semantic.model import Cube, Dimension, Model
from ingot.semantic.sql.postgres.kinds import WHOLE, from_engine

if TYPE_CHECKING:
    from ingot.lake import State

Whole = Callable[[Dimension], str | None]
"""PostgreSQL's type of a dimension that is a whole number; None for any other."""


class WholeNumbers:
    """Remembers the columns of tables. Safe to use from several threads."""

    def __init__(self) -> None:
        self._columns: Recent[tuple[str, str], Mapping[str, str]] = Recent(2_000)

    def of(self, model: Model, state: "State") -> Whole:
        """For the dimensions of a model, over the tables of one state."""

        def kind(one: Dimension) -> str | None:
            cube = model.cubes.get(one.cube)
            table = _table(cube) if cube is not None else None
            if table is None or not isinstance(one.sql, exp.Column) or one.sql.table not in ("", one.cube):
                return None
            return self._known(state, table).get(one.sql.name.casefold())

        return kind

    def _known(self, state: "State", table: str) -> Mapping[str, str]:
        found = self._columns.get((state.hash, table))
        return self._columns.keep((state.hash, table), _whole(state, table)) if found is None else found


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


def _whole(state: "State", table: str) -> Mapping[str, str]:
    name = next((one for one in state.tables if one.casefold() == table.casefold()), None)
    if name is None:
        return {}
    try:
        schema = state.table(name).schema
    except (IngotError, OSError):
        return {}  # a damaged table is told of where it is read
    told = ((one.name.casefold(), from_engine(one.type)) for one in schema)
    return {name: kind for name, kind in told if kind in WHOLE}
