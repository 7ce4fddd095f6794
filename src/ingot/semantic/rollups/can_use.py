"""Cube's question whether a set of members could serve a transformed query, without looking at any model."""

from typing import Any

from ingot.errors import UsageError
from ingot.semantic.rollups import periods


def can_use(transformed: dict[str, Any], references: dict[str, Any]) -> bool:
    """Whether a pre-aggregation with `references` has all members and fitting granularities of a query.

    Raises `UsageError` for what has another form.
    """
    dimensions = _texts(references, "dimensions")
    measures = _texts(references, "measures")
    stored = _times(references)
    asked = transformed.get("sortedTimeDimensions") or transformed.get("timeDimensions") or []
    if not isinstance(asked, list):
        raise UsageError('"sortedTimeDimensions" is a list of pairs.')
    wanted = _texts(transformed, "leafMeasures") or _texts(transformed, "measures")
    if not set(wanted) <= set(measures):
        return False
    if not set(_texts(transformed, "sortedDimensions")) <= set(dimensions):
        return False
    for pair in asked:
        if not isinstance(pair, list) or len(pair) != 2:
            raise UsageError('"sortedTimeDimensions" is a list of pairs.')
        name, granularity = str(pair[0]), pair[1]
        kept = [one for time, one in stored if time == name]
        if not any(one is None or (granularity and periods.inside(one, str(granularity))) for one in kept):
            return False
    return True


def _times(references: dict[str, Any]) -> list[tuple[str, str | None]]:
    found = references.get("timeDimensions") or []
    if not isinstance(found, list):
        raise UsageError('"timeDimensions" of the references is a list.')
    times = []
    for one in found:
        if not isinstance(one, dict) or not isinstance(one.get("dimension"), str):
            raise UsageError('Each of "timeDimensions" has a "dimension".')
        granularity = one.get("granularity")
        times.append((one["dimension"], None if granularity is None else str(granularity)))
    return times


def _texts(given: dict[str, Any], key: str) -> list[str]:
    found = given.get(key) or []
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise UsageError(f'"{key}" is a list of names.')
    return found
