"""Marketing campaigns: when they run, what they cost, and how many orders they bring on each day."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from ingot.templates.generator.clock import DAY, Floats, Ints, month_of, seconds, two_years
from ingot.templates.generator.words import CAMPAIGN_CHANNELS, OBJECTIVES, TARGETS, THEMES
from ingot.templates.generator.writing import Writer, maybe, money, pick, when, word

COUPONS = np.array([10, 15, 20, 25, 0])


@dataclass(frozen=True, slots=True)
class Campaigns:
    """One element a campaign; `day_edges` and `choices` find the campaign of an order by its day."""

    first_day: Ints
    last_day: Ints
    channel: Ints
    target: Ints
    percent: Ints
    lift: Floats
    columns: dict[str, npt.NDArray[np.generic]]
    per_day: Floats
    choices: Ints
    starts: Ints
    weights: Floats

    def running(self, rng: np.random.Generator, day: Ints, size: int) -> Ints:
        """The campaign that brought each of `size` orders (day counted from the start); -1 for none."""
        brought = rng.random(size) < self.per_day[day] / (1.0 + self.per_day[day])
        found = np.full(size, -1, dtype=np.int64)
        days = day[brought]
        low, high = self.starts[days], self.starts[days + 1]
        total = np.concatenate([[0.0], np.cumsum(self.weights)])
        aim = total[low] + rng.random(len(days)) * (total[high] - total[low])
        place = np.clip(np.searchsorted(total, aim, side="right") - 1, low, high - 1)
        found[brought] = self.choices[place]
        return found


def campaigns(rng: np.random.Generator, until: date, scale: int) -> Campaigns:
    """25 campaigns a unit of scale, spread over the two years."""
    n = 25 * scale
    first, last = two_years(until)
    start, days = seconds(first), (last - first).days
    slot = (np.arange(n) + rng.random(n) * 0.8) / n
    first_day = np.minimum((slot * (days - 5)).astype(np.int64), days - 6)
    length = rng.integers(7, 46, n)
    last_day = first_day + length - 1
    channel = pick(rng, [26, 24, 20, 12, 10, 8], n)
    target = pick(rng, [50, 28, 14, 8], n)
    coupon = pick(rng, [30, 22, 14, 8, 26], n)
    lift = rng.uniform(0.20, 0.65, n)
    budget = np.round(lift * length * rng.uniform(60, 170, n) / 10).astype(np.int64) * 100
    done = np.clip((days - first_day) / length, 0.0, 1.0)
    spend = np.round(budget * 100 * done * rng.uniform(0.82, 1.0, n)).astype(np.int64)

    # For each day the campaigns that run on it, one list after the other.
    inside = np.minimum(last_day, days - 1) - first_day + 1
    which = np.repeat(np.arange(n), inside)
    offset = np.arange(len(which)) - np.repeat(np.cumsum(inside) - inside, inside)
    on_day = first_day[which] + offset
    order = np.argsort(on_day, kind="stable")
    weights = lift[which] / scale
    per_day = np.bincount(on_day, weights=weights, minlength=days).astype(np.float64)
    starts = np.concatenate([[0], np.cumsum(np.bincount(on_day, minlength=days))])
    begins = start + first_day * DAY
    columns: dict[str, npt.NDArray[np.generic]] = {
        "id": np.arange(1, n + 1),
        "begins": begins,
        "ends": start + last_day * DAY,
        "theme": month_of(begins),
        "channel": channel,
        "target": target,
        "objective": pick(rng, [34, 26, 14, 14, 12], n),
        "budget": budget,
        "spend": spend,
    }
    return Campaigns(
        first_day,
        last_day,
        channel,
        target,
        COUPONS[coupon],
        lift,
        columns,
        per_day,
        which[order],
        starts,
        weights[order],
    )


def write(writer: Writer, made: Campaigns) -> None:
    """Write the campaigns."""
    writer.words("theme", THEMES)
    writer.words("campaign_channel", CAMPAIGN_CHANNELS)
    writer.words("campaign_channel_title", [name.replace("_", " ").title() for name in CAMPAIGN_CHANNELS])
    writer.words("target", TARGETS)
    writer.words("objective", OBJECTIVES)
    writer.write(
        "campaigns",
        made.columns,
        [
            "id AS campaign_id",
            (
                f"{word('theme', 'theme')} || ' ' || year(make_timestamp(begins * 1000000)) || ' (' || "
                f"{word('campaign_channel_title', 'channel')} || ')' AS name"
            ),
            f"{word('campaign_channel', 'channel')} AS channel",
            f"({when('begins')})::DATE AS start_date",
            f"({when('ends')})::DATE AS end_date",
            "budget::DECIMAL(12, 2) AS budget",
            f"{money('spend')} AS spend",
            f"{maybe('target >= 0', word('target', 'target'))} AS target_segment",
            f"{word('objective', 'objective')} AS objective",
        ],
    )
