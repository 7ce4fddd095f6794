"""How large the JSON of a query may be, found out before anything recurses into it or checks each part of it."""

from typing import Any

from ingot.semantic.errors import QueryError

MAX_NODES = 25_000
"""Names, values, lists and objects of one query."""
MAX_NESTED = 64


def check(data: Any) -> None:
    """Raises `QueryError` for JSON that is larger or deeper than any query."""
    level, count = [data], 0
    for _ in range(MAX_NESTED):
        inner: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                count += len(one)
                inner += one.values()
            elif isinstance(one, list | tuple):
                count += len(one)
                inner += one
            if count > MAX_NODES:
                raise QueryError(f"The query is too large: it has more than {MAX_NODES:,} names and values.")
        if not inner:
            return
        level = inner
    raise QueryError(f"The query is nested more than {MAX_NESTED} deep.")
