"""The rows behind a value: the filter `measureFilter`, with which Cube's clients open (drill into) a measure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ingot.semantic.model import Found, Measure, Segment
from ingot.semantic.query import Filter

OPERATOR = "measureFilter"


@dataclass(frozen=True, slots=True, eq=False)
class Opened(Segment):
    """What the rows fulfil that a measure counts: its own filters. No member of the model."""


def asked(filters: Iterable[Filter]) -> Iterator[str]:
    """The measures that are opened: conditions that all must hold, so not those inside of an `or`."""
    for one in filters:
        if one.and_ is not None:
            yield from asked(one.and_)
        elif one.operator == OPERATOR and one.member is not None:
            yield one.member


def opened(found: Found) -> Found | None:
    """The filters of a measure as a segment; None for one without, or one that is computed from others."""
    measure = found.member
    assert isinstance(measure, Measure)
    if measure.condition is None or measure.stage is not None:
        return None
    segment = Opened(measure.cube, measure.name, measure.condition, measure.paths, measure.label)
    return Found(found.name, segment, found.path, found.label)
