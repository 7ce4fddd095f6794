"""Intervals that clients send, as texts and in the binary form."""

import struct
from dataclasses import dataclass

from ingot.pgwire.errors import PgError
from ingot.pgwire.values.intervals import postgres
from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.postgres import intervals


@dataclass(frozen=True, slots=True)
class Interval:
    """A span of time; none of its parts is made another."""

    months: int
    days: int
    micros: int

    def __str__(self) -> str:
        return postgres(self.months, self.days, self.micros)


def interval(text: str) -> Interval:
    """The interval that a text says. Raises `PgError` (22007, 22015)."""
    try:
        return Interval(*intervals.interval(text))
    except SqlError as error:
        raise PgError(error.message, sqlstate=error.sqlstate) from None


def binary_interval(raw: bytes) -> Interval:
    """Microseconds, days and months."""
    micros, days, months = struct.unpack(">qii", raw)
    return Interval(months, days, micros)
