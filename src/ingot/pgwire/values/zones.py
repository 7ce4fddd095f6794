"""Offsets of a time zone for many times at once, also where Python's own datetime ends."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt

from ingot.pgwire.errors import PgError

DAY = 86_400
_CYCLE = 146_097
"""Days after which the Gregorian calendar repeats."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = -719_162 + 1, 2_932_896 - 1
"""The days that `datetime` has, with one to spare on either side."""
_POSIX = re.compile(r"(?:<[^<>]*>|[A-Za-z]{3,})?([+-]?)(\d{1,2})(?::(\d\d)(?::(\d\d))?)?")
_NUMBER = re.compile(r"([+-]?)(\d{1,2})(?::?(\d\d))?")
Seconds = npt.NDArray[np.int64]


class Zone:
    """A time zone. Safe to use from several threads."""

    def __init__(self, zone: ZoneInfo | int) -> None:
        """`zone`: one that has rules, or the seconds east of Greenwich for good."""
        self._rules = zone if isinstance(zone, ZoneInfo) else None
        self.constant = zone if isinstance(zone, int) else None
        """The offset in seconds where it never changes."""
        self._known: dict[int, int | None] = {}

    @staticmethod
    @lru_cache(256)
    def named(name: str) -> "Zone":
        """The zone as `SET TimeZone` and `SHOW TimeZone` write it. Raises `PgError` for an unknown one."""
        if name.upper() in ("UTC", "GMT", "ZULU", "Z", "ETC/UTC", "DEFAULT", ""):
            return Zone(0)
        if found := _NUMBER.fullmatch(name):
            seconds = int(found[2]) * 3600 + int(found[3] or 0) * 60
            return Zone(-seconds if found[1] == "-" else seconds)
        try:
            return Zone(ZoneInfo(name))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass
        if found := _POSIX.fullmatch(name):
            seconds = int(found[2]) * 3600 + int(found[3] or 0) * 60 + int(found[4] or 0)
            return Zone(seconds if found[1] == "-" else -seconds)
        raise PgError(f'invalid value for parameter "TimeZone": "{name}"', sqlstate="22023")

    def offsets(self, seconds: Seconds) -> Seconds:
        """The seconds east of Greenwich at each time (seconds since 1970, UTC)."""
        if self.constant is not None:
            return np.full(len(seconds), self.constant, np.int64)
        days = seconds // DAY
        unique, places = np.unique(days, return_inverse=True)
        known = [self._of_day(int(day)) for day in unique]
        offsets = np.array([0 if each is None else each for each in known], np.int64)[places]
        changing = np.array([each is None for each in known], np.bool_)[places]
        if changing.any():
            offsets[changing] = [self.offset(int(each)) for each in seconds[changing]]
        return offsets

    def offset(self, second: int) -> int:
        """The seconds east of Greenwich at one time."""
        if self._rules is None:
            return self.constant or 0
        day, rest = divmod(second, DAY)
        if day > _LAST:
            day = _LAST - _CYCLE + 1 + (day - _LAST - 1) % _CYCLE
        day = max(day, _FIRST)
        moment = (_EPOCH + timedelta(days=day, seconds=rest)).astimezone(self._rules)
        east = moment.utcoffset()
        assert east is not None, "it has a zone"
        return round(east.total_seconds())

    def local_to_utc(self, seconds: Seconds) -> Seconds:
        """The times (seconds since 1970, UTC) at which clocks of the zone show these.

        As PostgreSQL does it: of a time that there is twice, the one in standard time; one that is skipped counts by
        the offset before.
        """
        if self.constant is not None:
            return seconds - self.constant
        before = self.offsets(seconds - DAY)
        after = self.offsets(seconds + DAY)
        guess_before, guess_after = seconds - before, seconds - after
        fits_before = self.offsets(guess_before) == before
        fits_after = self.offsets(guess_after) == after
        both = fits_before & fits_after
        later = np.maximum(guess_before, guess_after)
        return np.where(both, later, np.where(fits_after, guess_after, guess_before))

    def _of_day(self, day: int) -> int | None:
        if day in self._known:
            return self._known[day]
        first, last = self.offset(day * DAY), self.offset(day * DAY + DAY - 1)
        found = first if first == last else None
        if len(self._known) > 200_000:
            self._known.clear()
        self._known[day] = found
        return found
