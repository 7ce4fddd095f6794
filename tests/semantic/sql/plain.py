"""SELECTs over plain tables, without a model, so that types are PostgreSQL's own."""

from datetime import UTC, datetime

from sqlglot import exp

from ingot.semantic.sql.allowed import check
from ingot.semantic.sql.postgres.input import Clock
from ingot.semantic.sql.postgres.writing import Writing
from ingot.semantic.sql.rows.plain import Find, Plain


def translated(
    tree: exp.Query, find: Find, *, zone: str = "UTC", now: datetime | None = None
) -> tuple[exp.Query, bool]:
    """What `parsed` gave, in the engine's words, and whether its answer is another one at another time.

    Each output column has a name and its type in `meta[TYPE]` (`writing.output_types` gives them all).

    Raises:
        SqlError: for what is not known, or not allowed.
    """
    check(tree)
    writing = Writing(Clock(now or datetime.now(UTC), zone))
    return Plain(writing, find).query(tree, {}), writing.volatile
