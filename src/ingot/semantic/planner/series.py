"""The series of periods that a statement's rolling measures share, written once each as a named table."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlglot import exp

from ingot.semantic.planner.rolling import Series, periods
from ingot.semantic.planner.times import as_timestamp
from ingot.semantic.planner.writing import Writing


@dataclass(slots=True)
class _One:
    table: str
    spans: list[exp.Select] = field(default_factory=list)


class AllSeries:
    """Collects the series of a statement; where a series has an open end, the rows that it must reach to."""

    def __init__(self, writing: Writing) -> None:
        self._writing = writing
        self._found: dict[Series, _One] = {}

    def table(self, series: Series) -> str:
        """The name of the table with the series' periods."""
        return self._found.setdefault(series, _One(f"#periods_{len(self._found) + 1}")).table

    def open(self, series: Series) -> bool:
        """Whether the query leaves an end open."""
        return series.bounds.first is None or series.bounds.last is None

    def extend(self, series: Series, span: exp.Select) -> None:
        """Lets the series reach over `first` and `last` of `span`."""
        self._found[series].spans.append(span)

    def on(self, select: exp.Select) -> exp.Select:
        """`select` with its series before it."""
        for series, one in self._found.items():
            made = self._made(series, one)
            alias = exp.TableAlias(this=exp.to_identifier(one.table, quoted=True))
            select = select.with_(alias, as_=made, copy=False)
        return select

    def _made(self, series: Series, one: _One) -> exp.Select:
        first, last = series.bounds.first, series.bounds.last
        start = self._time(first) if first is not None else self._reached(one, "first", exp.Min)
        if last is None:
            until = self._reached(one, "last", exp.Max)
        else:
            until = self._time(_following(last) if series.period is None else last)
        return periods(series, start, until)

    def _time(self, time: datetime) -> exp.Expr:
        return as_timestamp(self._writing.parameters.add(time.isoformat()))

    def _reached(self, one: _One, name: str, pick: type[exp.AggFunc]) -> exp.Expr:
        union: exp.Query = one.spans[0].copy()
        for span in one.spans[1:]:
            union = exp.union(union, span.copy(), distinct=False, copy=False)
        alias = exp.TableAlias(this=exp.to_identifier("#spans", quoted=True))
        value = pick(this=exp.column(name, table="#spans", quoted=True))
        return exp.Subquery(this=exp.Select().select(value).from_(exp.Subquery(this=union, alias=alias)))


def _following(last: datetime) -> datetime:
    """The first instant after a range: its last millisecond stands for all that follows it before the next one."""
    whole = last.microsecond == 999_000
    return last + (timedelta(milliseconds=1) if whole else timedelta(microseconds=1))
