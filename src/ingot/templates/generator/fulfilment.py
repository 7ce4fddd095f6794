"""What happens to an order after it was placed: paid, shipped, delivered, cancelled, sent back.

Every moment that would lie after the end of the data has not happened yet, and the status follows from
the moments, so that a status never contradicts a date.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingot.templates.generator.baskets import Lines
from ingot.templates.generator.clock import DAY, Clock, Ints
from ingot.templates.generator.products import Products
from ingot.templates.generator.words import CATEGORIES
from ingot.templates.generator.writing import pick, pick_rows

Bools = npt.NDArray[np.bool_]

PENDING, PROCESSING, SHIPPED, COMPLETED, CANCELLED, RETURNED = range(6)
UNPAID, PAID, REFUNDED, PARTLY, VOIDED = range(5)
BANK_TRANSFER, INVOICE = 4, 5
STORE, PHONE = 3, 4
PICKUP = 3
HOUR = 3600
TRANSIT = np.array([[2.0, 6.5], [1.0, 2.5], [0.6, 1.1], [0.0, 0.0]])
METHODS = ((70, 22, 8, 0), (52, 34, 14, 0), (34, 42, 24, 0))
PAYS = ((54, 24, 16, 6, 0, 0), (46, 20, 4, 0, 14, 16), (16, 2, 0, 0, 22, 60))


@dataclass(frozen=True, slots=True)
class Fulfilment:
    """One element an order (`returned`: a line); moments are -1 where they have not happened."""

    status: Ints
    payment: Ints
    payment_status: Ints
    method: Ints
    paid: Ints
    shipped: Ints
    delivered: Ints
    updated: Ints
    returned: Bools


def fulfil(
    rng: np.random.Generator,
    clock: Clock,
    products: Products,
    lines: Lines,
    *,
    placed: Ints,
    segment: Ints,
    channel: Ints,
    abroad: Bools,
) -> Fulfilment:
    """Follow each order to the end of the data."""
    n = len(placed)
    store = channel == STORE
    payment = pick_rows(rng, PAYS, segment)
    payment = np.where(store & (payment >= BANK_TRANSFER), 0, payment)
    method = np.where(store, PICKUP, pick_rows(rng, METHODS, segment))

    slow = np.select(
        [payment == BANK_TRANSFER, payment == INVOICE],
        [(rng.uniform(0.5, 3.5, n) * DAY), (rng.uniform(12, 38, n) * DAY)],
        rng.uniform(2, 180, n),
    ).astype(np.int64)
    paid = placed + slow
    ready = np.where(payment == INVOICE, placed, paid)
    weekend = np.isin((placed // DAY + 3) % 7, [5, 6])
    handling = (np.exp(rng.normal(np.log(17), 0.55, n)) * HOUR + weekend * DAY * rng.random(n)).astype(
        np.int64
    )
    shipped = ready + handling
    low, high = TRANSIT[method, 0], TRANSIT[method, 1]
    transit = ((low + (high - low) * rng.beta(2, 3.2, n) + abroad * rng.uniform(1, 4, n)) * DAY).astype(
        np.int64
    )
    delivered = np.where(store, paid + 60, shipped + transit)

    unlucky = 0.034 + 0.02 * (payment == INVOICE) + 0.015 * (channel == 2)
    called_off = placed + (rng.exponential(6, n) * HOUR).astype(np.int64) + 300
    cancelled = (rng.random(n) < unlucky) & ~store & (called_off < np.minimum(shipped, clock.end))
    paid_in_time = paid < np.where(cancelled, called_off, clock.end)
    gone_out = ~cancelled & ~store & (shipped < clock.end)
    arrived = ~cancelled & (delivered < clock.end)

    sent_back = delivered + (rng.uniform(3, 21, n) * DAY).astype(np.int64)
    rate = np.array([category[2] for category in CATEGORIES])[products.category[lines.product]]
    whole = rng.random(n) < 0.012
    wish = (rng.random(len(rate)) < rate) | whole[lines.order]
    returned = wish & (arrived & (sent_back < clock.end))[lines.order]
    some = np.bincount(lines.order, weights=returned, minlength=n) > 0
    every = some & (np.bincount(lines.order, weights=~returned, minlength=n) == 0)

    waiting = ~paid_in_time & (payment != INVOICE) | (clock.end - placed < 2 * HOUR)
    status = np.select(
        [cancelled, every, arrived, gone_out, waiting],
        [CANCELLED, RETURNED, COMPLETED, SHIPPED, PENDING],
        default=PROCESSING,
    )
    payment_status = np.select(
        [cancelled & paid_in_time, cancelled, ~paid_in_time, every, some],
        [REFUNDED, VOIDED, UNPAID, REFUNDED, PARTLY],
        default=PAID,
    )
    paid = np.where(paid_in_time, paid, -1)
    shipped = np.where(gone_out, shipped, -1)
    delivered = np.where(arrived, delivered, -1)
    updated = np.maximum.reduce(
        [placed, paid, shipped, delivered, np.where(cancelled, called_off, -1), np.where(some, sent_back, -1)]
    )
    return Fulfilment(
        status.astype(np.int64),
        payment,
        payment_status.astype(np.int64),
        method,
        paid,
        shipped,
        delivered,
        updated,
        returned,
    )


def carriers(rng: np.random.Generator, abroad: Bools) -> Ints:
    """Who carries each parcel: mostly DHL abroad."""
    n = len(abroad)
    return np.where(abroad & (rng.random(n) < 0.75), 3, pick(rng, [42, 30, 28], n))
