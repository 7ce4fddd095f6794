"""The raw data of the storefront: seven tables whose keys fit together, the same for the same seed.

Made in chunks of customers with everything that hangs on them, so that memory does not grow with the scale.
"""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from ingot.errors import UsageError
from ingot.templates.generator import campaigns as campaigns_
from ingot.templates.generator import clickstream, inventory
from ingot.templates.generator import customers as customers_
from ingot.templates.generator import orders as orders_
from ingot.templates.generator import products as products_
from ingot.templates.generator.clock import clock as make_clock
from ingot.templates.generator.market import Market
from ingot.templates.generator.writing import GenerationError, Writer, clear

__all__ = ["SEED", "TABLES", "generate"]

TABLES = ("customers", "products", "campaigns", "orders", "order_items", "clickstream", "inventory")
SEED = 42
CUSTOMERS, ORDERS, EVENTS = 2_500, 12_000, 75_000
UNITS_A_CHUNK = 10


def generate(
    directory: Path | str, *, scale: int = 1, seed: int = SEED, until: date | None = None
) -> dict[str, int]:
    """Write the seven tables as CSV into a folder; gives back the number of rows of each.

    Args:
        directory: is made where it is missing; what an earlier generation left of these tables is replaced.
        scale: multiplies customers, products, campaigns, orders, events and stock. A table of more than one
            chunk becomes `orders_0001.csv`, `orders_0002.csv`, ...
        seed: another seed, another shop.
        until: the day before which the 24 months end (default: today, in UTC). The same seed, scale and day
            give the same bytes.

    Raises:
        UsageError: the scale is below 1.
        GenerationError: the folder or a file cannot be written.
    """
    if scale < 1:
        raise UsageError(f"The scale is {scale}; it is a whole number from 1.")
    day = until or datetime.now(UTC).date()
    directory = Path(directory)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GenerationError(f"The folder {directory} cannot be made: {error.strerror}.") from error

    made_campaigns = campaigns_.campaigns(draws(seed, 1), day, scale)
    clock = make_clock(day, made_campaigns.per_day)
    catalogue = products_.products(draws(seed, 2), clock, scale)
    market = Market(clock, made_campaigns, catalogue)
    weeks = inventory.mondays(clock)
    step = inventory.weeks_a_chunk(len(catalogue.price))
    parts = -(-scale // UNITS_A_CHUNK)
    chunks = dict.fromkeys(("customers", "orders", "order_items", "clickstream"), parts)
    chunks |= {"products": 1, "campaigns": 1, "inventory": -(-len(weeks) // step)}
    clear(directory, TABLES)
    writer = Writer(directory, chunks=chunks)
    try:
        campaigns_.write(writer, made_campaigns)
        last = inventory.stock(catalogue, int(weeks[-1]), len(weeks) - 1)
        products_.write(writer, clock, catalogue, last.on_hand.sum(axis=1))
        next_item = 1
        for part in range(parts):
            done = part * UNITS_A_CHUNK
            units = min(UNITS_A_CHUNK, scale - done)
            rng = draws(seed, 3, part)
            people = customers_.customers(rng, clock, CUSTOMERS * units, done * CUSTOMERS + 1)
            made = orders_.orders(rng, market, people, n=ORDERS * units, first_id=done * ORDERS + 1)
            orders_.write(writer, rng, people, made)
            next_item = orders_.write_items(writer, made, next_item)
            customers_.write(writer, rng, market, people, made.history(CUSTOMERS * units))
            clickstream.write(
                writer, rng, market, people, made, events=EVENTS * units, first_id=done * EVENTS + 1
            )
        inventory.write(writer, clock, catalogue)
        writer.wait()
    finally:
        writer.close()
    return {table: writer.rows[table] for table in TABLES}


def draws(*key: int) -> np.random.Generator:
    """A generator of its own for each part, so that one part's draws do not move another's."""
    return np.random.default_rng(key)
