"""When things happen in the shop: a share of all sales for each hour, and the way back from share to time.

Time is counted in seconds since 1970 in UTC. `share` and `moment` are inverse to each other, so that drawing
a uniform number between two shares draws a time between two moments with the shop's own seasons and hours.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

DAY = 86_400
MONTHS = np.array([0.86, 0.85, 0.94, 0.96, 1.0, 0.97, 0.93, 0.95, 1.0, 1.07, 1.36, 1.48])
WEEKDAYS = np.array([1.10, 1.05, 1.0, 1.0, 0.97, 0.88, 1.0])  # Monday first
HOURS = np.array(
    [10, 6, 4, 3, 3, 5, 10, 18, 30, 42, 50, 54, 58, 54, 50, 48, 48, 50, 56, 64, 68, 60, 42, 22], dtype=float
)


@dataclass(frozen=True, slots=True)
class Clock:
    """The two years of the shop, `start` <= time < `end`."""

    start: int
    end: int
    edges: Floats
    shares: Floats

    def share(self, moment: Ints) -> Floats:
        """The share of all sales that lies before a moment."""
        return np.asarray(np.interp(moment, self.edges, self.shares), dtype=np.float64)

    def moment(self, share: Floats) -> Ints:
        """The moment before which that share of all sales lies; always within the two years."""
        found = np.interp(share, self.shares, self.edges).astype(np.int64)
        return np.clip(found, self.start, self.end - 1)

    @property
    def days(self) -> int:
        """How many days the two years have."""
        return (self.end - self.start) // DAY


def two_years(until: date) -> tuple[date, date]:
    """The first day of the 24 months that end where `until` begins, and `until`."""
    try:
        return until.replace(year=until.year - 2), until
    except ValueError:  # 29 February
        return until.replace(year=until.year - 2, day=28), until


def seconds(day: date) -> int:
    """Midnight UTC at which a day begins."""
    return (day - date(1970, 1, 1)).days * DAY


def month_of(moments: Ints) -> Ints:
    """0 for January to 11 for December."""
    months = moments.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
    return np.asarray(months % 12, dtype=np.int64)


def clock(until: date, lift: Floats | None = None) -> Clock:
    """The shop's clock; `lift` adds to the sales of each day what campaigns bring (0.1: a tenth more)."""
    first, last = two_years(until)
    start, end = seconds(first), seconds(last)
    midnights = np.arange(start, end, DAY, dtype=np.int64)
    weekday = (midnights // DAY + 3) % 7  # 1970-01-01 was a Thursday
    days = MONTHS[month_of(midnights)] * WEEKDAYS[weekday] * black_friday(midnights)
    if lift is not None:
        days = days * (1.0 + lift)
    hours = (days[:, None] * HOURS[None, :]).ravel()
    shares = np.concatenate([[0.0], np.cumsum(hours)])
    edges = np.arange(start, end + 1, 3600, dtype=np.float64)
    return Clock(start, end, edges, shares / shares[-1])


def black_friday(midnights: Ints) -> Floats:
    """How much more is sold around the day after Thanksgiving, and how much less at Christmas itself."""
    dates = midnights.astype("datetime64[s]").astype("datetime64[D]")
    month_day = (dates - dates.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64) + 1
    month = month_of(midnights) + 1
    weekday = (midnights // DAY + 3) % 7
    factor = np.ones(len(midnights))
    factor[(month == 11) & (weekday == 4) & (month_day >= 23) & (month_day <= 29)] = 2.6
    factor[(month == 11) & (weekday >= 5) & (month_day >= 24)] = 1.5
    factor[(weekday == 0) & (((month == 11) & (month_day >= 26)) | ((month == 12) & (month_day <= 2)))] = 2.1
    factor[(month == 12) & (month_day >= 23) & (month_day <= 26)] = 0.55
    return factor
