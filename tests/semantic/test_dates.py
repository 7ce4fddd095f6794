"""Date ranges in words and ISO form, and their instants where clocks change."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingot.semantic import QueryError
from ingot.semantic.planner.dates import instant, span

NOW = datetime(2026, 11, 20, 22, 30, 15, tzinfo=UTC)  # a Friday


@pytest.mark.parametrize(
    ("words", "start", "end"),
    [
        ("today", "2026-11-20", "2026-11-20"),
        ("Yesterday", "2026-11-19", "2026-11-19"),
        ("tomorrow", "2026-11-21", "2026-11-21"),
        ("this week", "2026-11-16", "2026-11-22"),
        ("last week", "2026-11-09", "2026-11-15"),
        ("next week", "2026-11-23", "2026-11-29"),
        ("this month", "2026-11-01", "2026-11-30"),
        ("last month", "2026-10-01", "2026-10-31"),
        ("this quarter", "2026-10-01", "2026-12-31"),
        ("last quarter", "2026-07-01", "2026-09-30"),
        ("this year", "2026-01-01", "2026-12-31"),
        ("last 7 days", "2026-11-13", "2026-11-19"),
        ("last 12 months", "2025-11-01", "2026-10-31"),
        ("last 2 quarters", "2026-04-01", "2026-09-30"),
        ("next 3 days", "2026-11-21", "2026-11-23"),
        ("from 7 days ago to now", "2026-11-13", "2026-11-20"),
        ("from yesterday to tomorrow", "2026-11-19", "2026-11-21"),
        ("from 2026-01-05 to 2026-02-03", "2026-01-05", "2026-02-03"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2024", "2024-01-01", "2024-12-31"),
        ("2024-02-29", "2024-02-29", "2024-02-29"),
    ],
)
def test_words_mean_whole_days(words: str, start: str, end: str) -> None:
    assert span(words, now=NOW, zone="UTC").texts() == (f"{start}T00:00:00.000", f"{end}T23:59:59.999")


def test_hours_are_cut_at_hours() -> None:
    assert span("last 2 hours", now=NOW, zone="UTC").texts() == (
        "2026-11-20T20:00:00.000",
        "2026-11-20T21:59:59.999",
    )
    assert span("from 2 hours ago to now", now=NOW, zone="UTC").texts() == (
        "2026-11-20T20:00:00.000",
        "2026-11-20T22:59:59.999",
    )


def test_today_is_the_day_of_the_zone() -> None:
    assert span("today", now=NOW, zone="Asia/Tokyo").texts()[0] == "2026-11-21T00:00:00.000"


def test_a_pair_of_times_is_taken_as_it_is_and_offsets_become_local() -> None:
    assert span(["2026-01-01T10:00:00", "2026-01-01 11:30"], now=NOW, zone="UTC").texts() == (
        "2026-01-01T10:00:00.000",
        "2026-01-01T11:30:00.000",
    )
    assert span(
        ["2026-01-01T10:00:00Z", "2026-01-01T10:00:00.5Z"], now=NOW, zone="Europe/Berlin"
    ).texts() == ("2026-01-01T11:00:00.000", "2026-01-01T11:00:00.500")


@pytest.mark.parametrize("bad", ["", "soon", "last", "last 0 days", "this 3 weeks", "last 999999 years", "2026-13", "2026-02-30", "2026-01-01T25:00", "from x to y", "0000-01-01", ["2026-02-01", "2026-01-01"], ["2026-01-01T00:00:00+99:00", "x"]])  # fmt: skip
def test_what_is_no_range_is_refused(bad: str | list[str]) -> None:
    with pytest.raises(QueryError):
        span(bad, now=NOW, zone="UTC")


def test_the_last_day_of_the_calendar_is_a_day() -> None:
    assert span("9999-12-31", now=NOW, zone="UTC").texts()[1] == "9999-12-31T23:59:59.999"


def test_a_day_is_23_or_25_hours_long_where_clocks_change() -> None:
    def length(day: str, zone: str) -> timedelta:
        found = span(day, now=NOW, zone=zone)
        return instant(found.end, zone, last=True) + timedelta(milliseconds=1) - instant(found.start, zone)

    assert length("2026-03-29", "Europe/Berlin") == timedelta(hours=23)
    assert length("2026-10-25", "Europe/Berlin") == timedelta(hours=25)
    # Midnight itself happened twice in Havana.
    assert length("2026-11-01", "America/Havana") == timedelta(hours=25)


@given(st.text(max_size=40))
def test_any_text_is_a_range_or_refused(text: str) -> None:
    try:
        found = span(text, now=NOW, zone="America/New_York")
    except QueryError:
        return
    assert found.start <= found.end
