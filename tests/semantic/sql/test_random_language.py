"""Random expressions beside a real PostgreSQL: numbers, texts, times and templates at their edges."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from tests.semantic.sql.judged import Judged, judged

pytestmark = pytest.mark.slow
QUICK = settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
LETTERS = "abAB ,%_'é\\0"


@pytest.fixture(scope="module")
def both() -> Iterator[Judged]:
    with judged() as made:
        yield made


def agreed(both: Judged, expression: str) -> None:
    note(expression)
    found = both.differs(f"SELECT {expression} FROM t WHERE k < 1")
    assert found is None or found.startswith("this raises 0A000")


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def dynamic(value: str) -> str:
    """A value that no planner knows beforehand."""
    return f"(CASE WHEN k >= 0 THEN {value} END)"


wholes = st.integers(-40, 40).map(lambda n: f"({n})")
decimals = st.decimals(-10_000, 10_000, places=3).map(lambda n: f"({n:f})")
floats = st.sampled_from([0.0, 0.5, 1.5, 2.5, -0.5, -1.5, 1e15, 1e16, 1e-5, 123456.789, -2.675, 0.1]).map(
    lambda n: f"('{n!r}'::float8)"
)
numbers = st.one_of(wholes, decimals, floats)
words = st.text(LETTERS, max_size=6).map(quoted)
days = st.dates().map(lambda d: f"(date '{d.isoformat()}')" if d.year >= 1000 else "(date '2024-02-29')")
moments = st.datetimes().map(
    lambda d: (
        f"(timestamp '{d.isoformat(sep=' ')}')"
        if 1000 <= d.year <= 9000
        else "(timestamp '2024-02-29 23:59:59')"
    )
)
spans = st.tuples(st.integers(-30, 30), st.integers(-70, 70), st.integers(-200_000, 200_000)).map(
    lambda p: f"(interval '{p[0]} months {p[1]} days {p[2]} seconds')"
)


@given(a=numbers, b=numbers, sign=st.sampled_from(["+", "-", "*", "/", "%", "<", "<=", "=", "<>"]))
@QUICK
def test_arithmetic(both: Judged, a: str, b: str, sign: str) -> None:
    agreed(both, f"{dynamic(a)} {sign} {dynamic(b)}")


@given(
    a=numbers,
    form=st.sampled_from(
        ["round({})", "trunc({})", "ceil({})", "floor({})", "abs({})", "sign({})", "{}::int", "{}::bigint", "{}::text", "{}::numeric(12, 2)", "-{}", "round({}::numeric, 1)", "trunc({}::numeric, 1)"]
    ),
)  # fmt: skip
@QUICK
def test_numbers(both: Judged, a: str, form: str) -> None:
    agreed(both, form.format(dynamic(a)))


@given(
    a=words,
    b=words,
    n=st.integers(-7, 9),
    m=st.integers(0, 7),
    form=st.sampled_from(
        ["left({a}, {n})", "right({a}, {n})", "substring({a}, {n})", "substring({a}, {n}, {m})", "lpad({a}, {n}, {b})", "rpad({a}, {n}, {b})", "strpos({a}, {b})", "replace({a}, {b}, 'x')", "repeat({a}, {n})", "translate({a}, {b}, 'xy')",
         "btrim({a}, {b})", "ltrim({a}, {b})", "{a} || {b}", "{a} LIKE 'a%'", "{a} < {b}", "reverse({a})", "initcap({a})", "quote_literal({a})", "quote_ident({a})", "concat_ws({a}, {b}, NULL, 'z')", "upper({a})", "ascii({a})", "md5({a})", "split_part({a}, ',', {n})",
         "starts_with({a}, {b})", "overlay({a} placing {b} from {m} + 1)", "string_to_array({a}, ',')", "regexp_replace({a}, '[ab]+', '<\\&>', 'g')", "{a} ~ '^[a-b]+$'", "length({a})", "octet_length({a})", "format('%s-%L', {a}, {b})", "ARRAY[{a}, {b}]"]
    ),
)  # fmt: skip
@QUICK
def test_texts(both: Judged, a: str, b: str, n: int, m: int, form: str) -> None:
    agreed(both, form.format(a=dynamic(a), b=dynamic(b), n=f"({n})", m=m))


@given(
    a=moments,
    b=moments,
    d=days,
    i=spans,
    j=spans,
    n=st.integers(-500, 500),
    form=st.sampled_from(
        ["{a} + {i}", "{a} - {i}", "{d} + {i}", "{a} - {b}", "{d} + ({n})", "{d} - {d2}", "{a} < {b}", "{d} <= {a}", "age({a}, {b})", "{i} + {j}", "{i} - {j}", "-{i}", "{i} < {j}", "{i} = {j}", "{i} * 3", "{a}::date", "justify_days({i})", "justify_hours({i})",
         "date_bin('7 minutes', {a}, {b})", "{a} AT TIME ZONE 'America/New_York'", "{i}::text", "extract(epoch from {i})", "make_date(2024, 2, 29) + {i}"]
        + [f"date_trunc('{unit}', {{a}})" for unit in ("millennium", "century", "decade", "year", "quarter", "month", "week", "day", "hour", "minute", "second", "milliseconds")]
        + [f"extract({part} from {{a}})" for part in ("century", "decade", "year", "isoyear", "quarter", "month", "week", "day", "doy", "dow", "isodow", "hour", "minute", "second", "milliseconds", "microseconds", "epoch", "julian", "millennium")]
        + [f"extract({part} from {{i}})" for part in ("year", "month", "day", "hour", "minute", "second", "epoch", "quarter", "decade")]
        + [f"date_trunc('{unit}', {{i}})" for unit in ("year", "quarter", "month", "day", "hour", "minute", "second")]
    ),
)  # fmt: skip
@QUICK
def test_times(both: Judged, a: str, b: str, d: str, i: str, j: str, n: int, form: str) -> None:
    given_ = {
        "a": dynamic(a),
        "b": dynamic(b),
        "d": dynamic(d),
        "d2": "date '2000-01-01'",
        "i": dynamic(i),
        "j": dynamic(j),
    }
    agreed(both, form.format(n=n, **given_))


@given(
    value=st.one_of(wholes, decimals, floats),
    before=st.text("9990,", min_size=1, max_size=7).filter(lambda t: any(c in "90" for c in t)),
    after=st.one_of(st.just(""), st.text("990", min_size=1, max_size=4).map(lambda t: f".{t}")),
    form=st.sampled_from(["{}", "FM{}", "{}", "FM{}", "S{}", "{}S", "{}MI", "MI{}", "{}PR", "FM{}PR", "${}", "{}%", "FM{}MI", "FM{}S"]),
)  # fmt: skip
@QUICK
def test_templates_of_numbers(both: Judged, value: str, before: str, after: str, form: str) -> None:
    agreed(both, f"to_char({dynamic(value)}, {quoted(form.format(before + after))})")


@given(
    a=moments,
    parts=st.lists(
        st.sampled_from(["YYYY", "YYY", "YY", "Y", "IYYY", "MM", "DD", "HH24", "HH12", "HH", "MI", "SS", "MS", "US", "FF3", "AM", "pm", "a.m.", "Month", "MON", "day", "Dy", "DDD", "IDDD", "D", "ID", "W", "WW", "IW", "CC", "J", "Q", "RM", "SSSS", "FM", "TH", "th", "-", " ", ":", "\"of\"", "/", "T"]),
        min_size=1,
        max_size=7,
    ),
)  # fmt: skip
@QUICK
def test_templates_of_times(both: Judged, a: str, parts: list[str]) -> None:
    agreed(both, f"to_char({dynamic(a)}, {quoted(''.join(parts))})")
