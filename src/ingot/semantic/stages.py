"""What a model says of measures that are computed in several steps, and of granularities of its own."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from ingot.semantic.intervals import Interval

if TYPE_CHECKING:
    from ingot.semantic.model import Dimension


_NOTHING = Interval()


@dataclass(frozen=True, slots=True)
class Window:
    """The rows around a period that a rolling measure takes in.

    It reaches from `trailing` before the period's end (its start, with `at_start`) to `leading` after it; None is
    without bound. With `to_date` it reaches from the beginning of that granularity's period to the period's end.
    """

    trailing: Interval | None = _NOTHING
    leading: Interval | None = _NOTHING
    at_start: bool = False
    to_date: str | None = None


@dataclass(frozen=True, slots=True)
class Shift:
    """How far rows are moved in time, forward for `prior`. `time` None: along every time dimension asked for."""

    by: Interval
    time: str | None = None


@dataclass(frozen=True, slots=True)
class StageFilter:
    """Which of the query's filters hold inside, by full names of members; `keep` None: all but `drop`."""

    keep: frozenset[str] | None = None
    drop: frozenset[str] = frozenset()
    fixed: bool = False
    include: tuple[Any, ...] = ()
    """Filters (`project.Filter`) that hold inside besides, with full names."""


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """How a multi-stage measure changes the grain at which what it refers to is computed.

    `keep` (None: all) and `drop` choose from the dimensions of the query, `add` are more of them inside; all
    by full name. `order` is what a rank is by, True where descending.
    """

    keep: frozenset[str] | None = None
    drop: frozenset[str] = frozenset()
    add: tuple[str, ...] = ()
    shifts: tuple[Shift, ...] = ()
    filter: StageFilter | None = None
    order: tuple[tuple[exp.Expr, bool], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Granularity:
    """A granularity of a model's own: periods of `interval`, one of which begins `inside` after `origin`; or `sql`.

    The `origin` of periods of months is the beginning of a month. The last three are as the model writes them.
    """

    name: str
    title: str
    interval: Interval | None = None
    origin: datetime | None = None
    sql: exp.Expr | None = None
    inside: Interval = _NOTHING
    written_interval: str | None = None
    written_offset: str | None = None
    written_origin: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SubQuery:
    """The source of a dimension with `sub_query`: `sql` over measures, for each row of `cube`, by its `keys`.

    It stands in joins like a cube, under `name`, with the columns `key_0`, `key_1`, … and `value`.
    """

    name: str
    cube: str
    keys: tuple["Dimension", ...]
    sql: exp.Expr
    propagate: bool = False
