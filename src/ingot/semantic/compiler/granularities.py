"""Specs of granularities of a model's own -> `Granularity`: how long its periods are and where one begins."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlglot import exp

from ingot.semantic.compiler.snippet import SnippetError
from ingot.semantic.compiler.stages import length
from ingot.semantic.intervals import Interval
from ingot.semantic.stages import Granularity

# Where a period begins unless the model says it: for whole months, for weeks (a Monday), and for the rest.
_MONTHS = datetime(2000, 1, 1)  # noqa: DTZ001 - local times
_WEEKS = datetime(1970, 1, 5)  # noqa: DTZ001
_REST = datetime(1970, 1, 1)  # noqa: DTZ001


def granularities(spec: Any, read: Callable[[str], exp.Expr]) -> Mapping[str, Granularity]:
    """The granularities of a dimension by name. Raises `SnippetError`."""
    return {one.name: _granularity(one, read) for one in spec.granularities}


def _granularity(spec: Any, read: Callable[[str], exp.Expr]) -> Granularity:
    title = spec.title or spec.name.replace("_", " ").capitalize()
    if spec.sql is not None:
        return Granularity(spec.name, title, sql=read(spec.sql))
    every = length(spec.interval)
    where = f"granularity '{spec.name}'"
    if every.months and (every.days or every.seconds):
        raise SnippetError(f"{where}: months and days in one interval have no fixed length")
    if min(every.months, every.days, every.seconds) < 0 or not every:
        raise SnippetError(f"{where}: its interval is not longer than nothing")
    origin = _MONTHS if every.months else _WEEKS if every.days and every.days % 7 == 0 else _REST
    inside = Interval()
    if spec.origin is not None:
        origin, inside = _origin(spec.origin, every, where)
    elif spec.offset is not None:
        inside = length(spec.offset)
        if inside.months and not every.months:
            raise SnippetError(f"{where}: an offset in months moves periods of months only")
    return Granularity(spec.name, title, every, origin, None, inside, spec.interval, spec.offset, spec.origin)


def _origin(text: str, every: Interval, where: str) -> tuple[datetime, Interval]:
    try:
        origin = datetime.fromisoformat(text.strip()).replace(tzinfo=None)
    except ValueError:
        raise SnippetError(f"{where}: its origin is a time such as 2025-04-01, not '{text[:60]}'") from None
    if not every.months:
        return origin, Interval()
    if origin.day > 28:
        raise SnippetError(f"{where}: not every month has a day {origin.day} where a period could begin")
    first = origin.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    rest = origin - first
    return first, Interval(days=rest.days, seconds=rest.seconds)
