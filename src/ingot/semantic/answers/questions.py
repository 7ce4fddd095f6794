"""What a surface was given -> the queries that it stands for, and which of Cube's kinds of query that is."""

from collections.abc import Mapping
from typing import Any

from ingot.semantic import sizes
from ingot.semantic.errors import QueryError
from ingot.semantic.query import MAX_LIMIT, Query, parse

MAX_QUERIES = 50
Given = Mapping[str, Any] | Query | list[Mapping[str, Any]] | list[dict[str, Any]] | list[Query]


def questions(given: Given, *, most: int = MAX_LIMIT) -> tuple[str, list[Query]]:
    """Cube's name for the kind of query, and each query that has an answer of its own; `most` rows each.

    Raises `QueryError` for what is no query, or too many.
    """
    if not isinstance(given, list):
        one = parse(given, most=most)
        compared = _compared(one)
        return ("compareDateRangeQuery", compared) if compared else ("regularQuery", [one])
    if not 0 < len(given) <= MAX_QUERIES:
        raise QueryError(f"A list of queries has 1 to {MAX_QUERIES} entries.")
    sizes.check(given)
    queries = [parse(one, most=most) for one in given]
    if any(_compared(one) for one in queries):
        raise QueryError("A query with compareDateRange cannot stand in a list of queries.")
    return ("blendingQuery" if len(queries) > 1 else "regularQuery"), queries


def _compared(query: Query) -> list[Query]:
    """The queries that a compareDateRange stands for, one a range."""
    places = [n for n, time in enumerate(query.time_dimensions) if time.compare_date_range is not None]
    if not places:
        return []
    if len(places) > 1:
        raise QueryError("compareDateRange can exist for one time dimension only.")
    time = query.time_dimensions[places[0]]
    found = []
    for one in time.compare_date_range or ():
        single = time.model_copy(update={"compare_date_range": None, "date_range": one})
        # Cube's clients look for the compared dimension in the first place.
        others = tuple(t for n, t in enumerate(query.time_dimensions) if n != places[0])
        found.append(query.model_copy(update={"time_dimensions": (single, *others)}))
    return found
