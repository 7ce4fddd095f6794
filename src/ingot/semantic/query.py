"""The grammar of Cube's JSON queries: what may be asked, checked before anything is looked up.

Nothing here knows the model. Sizes are limited, so that a hostile query costs no more than a large one.
"""

import math
from functools import cache
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from ingot.errors import did_you_mean
from ingot.semantic import sizes
from ingot.semantic.errors import QueryError

DEFAULT_LIMIT = 10_000
MAX_LIMIT = 50_000
MAX_EXPORT = 1_000_000
"""The limit where rows go to a file."""
MAX_MEMBERS = 200
MAX_VALUES = 10_000
"""Values of all filters together."""
MAX_PATTERNS = 1_000
"""The same of the filters that look into texts, which cost an engine a test each."""
MAX_FILTERS = 500
MAX_DEPTH = 20

Operator = Literal[
    "equals", "notEquals", "contains", "notContains", "startsWith", "notStartsWith", "endsWith", "notEndsWith",
    "in", "notIn", "gt", "gte", "lt", "lte", "set", "notSet", "inDateRange", "notInDateRange", "onTheDate",
    "beforeDate", "beforeOrOnDate", "afterDate", "afterOrOnDate", "measureFilter",
]  # fmt: skip

_PATTERNS = (
    "contains", "notContains", "startsWith", "notStartsWith", "endsWith", "notEndsWith",
)  # fmt: skip

Name = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=300)]
Names = Annotated[tuple[Name, ...], Field(max_length=MAX_MEMBERS)]


def _text(value: Any) -> Any:
    """Numbers and truth values as Cube's clients would write them as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(value) if math.isfinite(value) else value
    return value


Value = Annotated[
    Annotated[str, StringConstraints(strict=True, max_length=100_000)] | None, BeforeValidator(_text)
]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Filter(_Part):
    """A condition on one member, or several joined by `and` or `or`."""

    member: Name | None = Field(None, validation_alias=AliasChoices("member", "dimension"))
    operator: Operator | None = None
    values: Annotated[tuple[Value, ...], Field(max_length=MAX_VALUES)] | None = None
    and_: tuple["Filter", ...] | None = Field(None, alias="and")
    or_: tuple["Filter", ...] | None = Field(None, alias="or")

    @model_validator(mode="after")
    def _one_kind(self) -> "Filter":
        kinds = [self.member is not None, self.and_ is not None, self.or_ is not None]
        if sum(kinds) != 1:
            raise ValueError("a filter has either 'member', 'and' or 'or'")
        if self.member is not None and self.operator is None:
            raise ValueError("a filter on a member needs an 'operator'")
        if self.member is None and (self.operator is not None or self.values is not None):
            raise ValueError("'operator' and 'values' stand beside 'member' only")
        return self


DateRange = (
    Annotated[str, StringConstraints(strict=True, max_length=200)]
    | Annotated[
        tuple[Annotated[str, StringConstraints(strict=True, max_length=100)], ...],
        Field(min_length=1, max_length=2),
    ]
)


class TimeDimension(_Part):
    """A time dimension with its granularity and range."""

    dimension: Name
    granularity: Name | None = None
    date_range: DateRange | None = Field(None, alias="dateRange")
    compare_date_range: Annotated[tuple[DateRange, ...], Field(min_length=1, max_length=20)] | None = Field(
        None, alias="compareDateRange"
    )

    @model_validator(mode="after")
    def _one_range(self) -> "TimeDimension":
        if self.date_range is not None and self.compare_date_range is not None:
            raise ValueError("a time dimension has either 'dateRange' or 'compareDateRange'")
        return self


_OF_THIS_MACHINE = ("posix/", "right/", "posixrules", "localtime", "Factory")
"""Files beside those of the zones, which mean something else elsewhere, or nothing."""


@cache
def _zones() -> tuple[str, ...]:
    return tuple(sorted(available_timezones()))


def _pairs(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple(value.items())
    if isinstance(value, list) and value and all(isinstance(one, dict) and "id" in one for one in value):
        return tuple((one["id"], "desc" if one.get("desc") else "asc") for one in value)
    return value


def _limit(value: Any) -> Any:
    return (
        int(value)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10
        else value
    )


Order = Annotated[
    Annotated[tuple[tuple[Name, Literal["asc", "desc", "none"]], ...], Field(max_length=MAX_MEMBERS)],
    BeforeValidator(_pairs),
]
Count = Annotated[int, BeforeValidator(_limit), Field(strict=True, ge=0, le=2**53)]


Hint = Annotated[tuple[Name, ...], Field(min_length=2, max_length=MAX_DEPTH)]
"""Cubes on the way that joins take."""


class Query(_Part):
    """One query. `ref` is Ingot's own: the branch, tag, commit or time that it is asked of."""

    measures: Names = ()
    dimensions: Names = ()
    time_dimensions: Annotated[tuple[TimeDimension, ...], Field(max_length=MAX_MEMBERS)] = Field(
        (), alias="timeDimensions"
    )
    segments: Names = ()
    filters: Annotated[tuple[Filter, ...], Field(max_length=MAX_FILTERS)] = ()
    order: Order | None = None
    limit: Count | None = None
    row_limit: Count | None = Field(None, alias="rowLimit")
    offset: Count | None = None
    total: Annotated[bool, Field(strict=True)] = False
    join_hints: Annotated[tuple[Hint, ...], Field(max_length=MAX_MEMBERS)] = Field((), alias="joinHints")
    timezone: Name = "UTC"
    ungrouped: Annotated[bool, Field(strict=True)] = False
    response_format: Literal["default", "compact", "columnar"] = Field("default", alias="responseFormat")
    ref: Annotated[str, StringConstraints(strict=True, max_length=300)] | None = None
    renew_query: Any = Field(None, alias="renewQuery", exclude=True)
    cache: Any = Field(None, exclude=True)

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            if value.startswith(_OF_THIS_MACHINE):
                raise ValueError(value)
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            near = did_you_mean(value[:60], _zones())
            said = f"'{value[:60]}' is not an IANA time zone such as 'Europe/Berlin'{near}"
            raise ValueError(said) from None
        return value

    @model_validator(mode="after")
    def _whole(self, info: ValidationInfo) -> "Query":
        if not (self.measures or self.dimensions or any(t.granularity for t in self.time_dimensions)):
            raise ValueError("a query needs measures, dimensions or timeDimensions with a granularity")
        most = info.context["most"] if info.context else MAX_LIMIT
        if (self.limit or 0) > most or (self.row_limit or 0) > most:
            raise ValueError(f"the limit is at most {most}")
        return self

    @property
    def rows(self) -> int:
        """The limit that holds."""
        given = self.limit if self.limit is not None else self.row_limit
        return DEFAULT_LIMIT if given is None else given


def parse(data: Any, *, most: int = MAX_LIMIT) -> Query:
    """The query that `data` (decoded JSON) is; `most` is the highest limit that it may have.

    Raises:
        QueryError: for anything that is not a query; the message names the place in it.
    """
    if isinstance(data, Query):
        return data
    if not isinstance(data, dict):
        raise QueryError('A query is a JSON object, such as {"measures": ["orders.count"]}.')
    sizes.check(data)
    _measure_filters(data.get("filters"))
    try:
        given = {key: value for key, value in data.items() if value is not None}
        return Query.model_validate(given, context={"most": most})
    except ValidationError as error:
        raise QueryError(_worded(error)) from None


def _measure_filters(filters: Any) -> None:
    """Refuses trees that are too deep or too large, before anything recurses into them."""
    waiting = [(filters, 0)]
    count = values = patterns = 0
    while waiting:
        some, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise QueryError(f"The query's filters are nested more than {MAX_DEPTH} deep.")
        if not isinstance(some, list | tuple):
            continue
        count += len(some)
        if count > MAX_FILTERS:
            raise QueryError(f"A query has at most {MAX_FILTERS} filters.")
        for one in some:
            given = one.get("values") if isinstance(one, dict) else None
            if isinstance(given, list | tuple):
                values += len(given)
                patterns += len(given) if one.get("operator") in _PATTERNS else 0
        if values > MAX_VALUES:
            raise QueryError(f"A query's filters have at most {MAX_VALUES:,} values.")
        if patterns > MAX_PATTERNS:
            raise QueryError(
                f"A query's filters of parts of texts ('contains', 'startsWith', …) have at most {MAX_PATTERNS:,} values."
            )
        waiting += [
            (one[key], depth + 1)
            for one in some
            if isinstance(one, dict)
            for key in ("and", "or")
            if key in one
        ]


def _worded(error: ValidationError) -> str:
    said = []
    for one in error.errors(include_url=False, include_input=False)[:5]:
        where = ".".join(
            str(part)
            for part in one["loc"]
            if not str(part).startswith(("constrained", "tuple[", "function-"))
        )
        where = where[:120]
        if one["type"] == "extra_forbidden":
            name = str(one["loc"][-1])[:80]
            known = [info.alias or key for key, info in Query.model_fields.items()]
            said.append(f'"{where}" is not allowed{did_you_mean(name, known)}')
        elif one["type"] == "value_error":
            said.append(f"{where + ': ' if where else ''}{one['msg'].removeprefix('Value error, ')}")
        else:
            said.append(f"{where}: {one['msg']}")
    return "Invalid query format: " + "; ".join(said)
