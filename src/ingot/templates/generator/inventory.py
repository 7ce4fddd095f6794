"""Stock of each product in three warehouses, week by week.

Stock is a closed formula of product, warehouse and week (it falls, is ordered again and arrives), so that
any part of the table can be made on its own and the product's own stock is the sum of the last week.
"""

from dataclasses import dataclass

import numpy as np

from ingot.templates.generator.clock import DAY, Clock, Floats, Ints
from ingot.templates.generator.products import Products
from ingot.templates.generator.words import WAREHOUSES
from ingot.templates.generator.writing import Writer, word

PLACES = len(WAREHOUSES)
SHARES = np.array([0.42, 0.34, 0.24])
ROWS_A_CHUNK = 3_000_000


@dataclass(frozen=True, slots=True)
class Stock:
    """On hand, reserved and incoming of products (rows) in warehouses (columns)."""

    on_hand: Ints
    reserved: Ints
    incoming: Ints


def mondays(clock: Clock) -> Ints:
    """The days of the weekly count within the two years, in seconds."""
    first = clock.start + (-(clock.start // DAY + 3) % 7) * DAY
    return np.arange(first, clock.end, 7 * DAY, dtype=np.int64)


def stock(products: Products, monday: int, week: int) -> Stock:
    """The stock of all products in one week."""
    level = (products.reorder_level[:, None] * SHARES[None, :]).astype(np.float64)
    lot = products.reorder_quantity[:, None] * SHARES[None, :]
    product = np.arange(len(level))[:, None]
    place = np.arange(PLACES)[None, :]
    phase = noise(product * 7 + place)
    weeks = 3.0 + 9.0 * noise(product * 13 + place + 5)  # from one delivery to the next
    turn = week / weeks + phase
    left = 1.0 - turn % 1.0
    jitter = noise(product * 31 + place * 17 + week * 101 + 3)
    # Just before the next delivery the level is undercut, and sometimes nothing is left.
    on_hand = level * 0.55 + lot * left + level * (jitter - 0.5) * 0.5
    on_hand = np.where((left < 0.10) & (jitter < 0.22), 0.0, on_hand)
    alive = (products.launched[:, None] <= monday) & (products.gone[:, None] > monday)
    counted = np.where(alive, np.maximum(on_hand, 0), 0).astype(np.int64)
    reserved = (counted * 0.12 * noise(product * 11 + place + week * 7)).astype(np.int64)
    incoming = np.where(alive & (left < 0.25), lot, 0).astype(np.int64)
    return Stock(counted, reserved, incoming)


def noise(number: Ints) -> Floats:
    """A number in [0, 1) that looks random and depends only on `number` (splitmix64)."""
    mixed = np.asarray(number, dtype=np.int64).astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed = mixed ^ (mixed >> np.uint64(31))
    return (mixed >> np.uint64(11)).astype(np.float64) / float(1 << 53)


def weeks_a_chunk(products: int) -> int:
    """How many weeks of all products fit into one chunk."""
    return max(1, ROWS_A_CHUNK // (products * PLACES))


def write(writer: Writer, clock: Clock, products: Products) -> None:
    """Write the stock of every week, product and warehouse, oldest first."""
    writer.words("warehouse", WAREHOUSES)
    dates = mondays(clock)
    n = len(products.price)
    step = weeks_a_chunk(n)
    for low in range(0, len(dates), step):
        part = dates[low : low + step]
        counts = [stock(products, int(monday), low + week) for week, monday in enumerate(part)]
        writer.write(
            "inventory",
            {
                "day": np.repeat(part, n * PLACES).astype("datetime64[s]"),
                "product": np.tile(np.repeat(np.arange(1, n + 1), PLACES), len(part)),
                "place": np.tile(np.arange(PLACES), len(part) * n),
                "on_hand": np.concatenate([one.on_hand.ravel() for one in counts]),
                "reserved": np.concatenate([one.reserved.ravel() for one in counts]),
                "incoming": np.concatenate([one.incoming.ravel() for one in counts]),
            },
            [
                "day::DATE AS snapshot_date",
                "product AS product_id",
                f"{word('warehouse', 'place')} AS warehouse",
                "on_hand",
                "reserved",
                "incoming",
            ],
        )
