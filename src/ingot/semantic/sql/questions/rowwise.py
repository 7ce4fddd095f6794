"""What one row has of a measure: a value, or none where groups are needed, or rows of others."""

from sqlglot import exp

from ingot.semantic.errors import QueryError
from ingot.semantic.model import Measure, Model
from ingot.semantic.planner.fanout import leaf_path, plain_name
from ingot.semantic.planner.joins import tree
from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.postgres.kinds import ANY


def has_value(model: Model, measure: Measure) -> bool:
    """Whether a row has a value of a measure: nothing in it aggregates by itself, or takes several steps."""
    leaves = [model.measure(plain_name(name)) for name in measure.leaves]
    return not any(one.staged or one.aggregate == "raw" for one in (measure, *leaves))


def keeps_rows(model: Model, measure: Measure) -> bool:
    """Whether the rows of its cube stay what they are beside it: no others are joined that there are several of."""
    paths = [(measure.cube,), *measure.paths]
    for name in measure.leaves:
        way = leaf_path((measure.cube,), name)
        paths += [way[:-1] + path for path in model.measure(plain_name(name)).paths]
    try:
        joined = tree(model.edges, paths)
    except QueryError:
        return False
    return joined.root == measure.cube and not joined.multiplies(measure.cube)


def nothing(kind: str) -> exp.Cast:
    """No value, of one of PostgreSQL's types."""
    type_ = exp.DataType.build("text" if kind == ANY else kind, dialect="postgres")
    return exp.Cast(this=exp.null(), to=type_)


def repeated(name: str, at: exp.Expr | None) -> SqlError:
    """The error of adding up what rows have of a measure, where joins repeat these rows."""
    return SqlError(
        f"'{name}' would be added up once for each row that it is joined with: aggregate it by GROUP BY in a sub-query, "
        "and compute the window on that.",
        at=at,
        sqlstate="0A000",
    )
