"""What is in an order: its lines, with products that were on sale at that moment, to the cent."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingot.templates.generator.clock import Ints, month_of
from ingot.templates.generator.products import Products

LINES = np.array([1.02, 1.62, 2.55])
# How much each segment wants of each category, and each category of each month (January first).
TASTE = np.array(
    [[0.7, 0.8, 0.9, 0.8, 0.9, 0.25], [0.8, 0.5, 0.3, 0.3, 0.4, 1.0], [1.0, 0.4, 0.2, 0.2, 0.3, 1.0]]
)
SEASON = np.array(
    [
        [0.7, 0.6, 0.6, 0.6, 0.6, 0.7, 0.7, 0.8, 0.7, 0.7, 1.0, 1.0],
        [0.8, 0.7, 0.8, 0.8, 0.8, 0.7, 0.6, 0.7, 0.8, 0.9, 1.0, 1.0],
        [0.6, 0.7, 0.9, 1.0, 0.9, 0.8, 0.7, 0.8, 1.0, 0.9, 0.9, 0.8],
        [0.8, 0.6, 0.8, 0.9, 1.0, 1.0, 1.0, 0.9, 0.7, 0.6, 0.6, 0.7],
        [0.8, 0.8, 0.8, 0.8, 0.9, 0.9, 0.9, 0.8, 0.8, 0.8, 0.9, 1.0],
        [1.0, 0.8, 0.8, 0.8, 0.7, 0.6, 0.7, 1.0, 1.0, 0.8, 0.7, 0.6],
    ]
)


@dataclass(frozen=True, slots=True)
class Lines:
    """One element a line, ordered by order; `order` counts from 0 within the chunk; money in cents."""

    order: Ints
    number: Ints
    product: Ints
    quantity: Ints
    price: Ints
    cost: Ints
    discount: Ints
    tax: Ints

    def total(self, values: Ints, orders: int) -> Ints:
        """The sum of a line value for each order."""
        return np.rint(np.bincount(self.order, weights=values, minlength=orders)).astype(np.int64)


def choose(rng: np.random.Generator, products: Products, segment: Ints, moment: Ints) -> Ints:
    """A product for each segment and moment: popular, in season, and on sale at that moment."""
    chosen = draw(rng, products.tickets, len(moment))
    month = month_of(moment)
    open_ = np.arange(len(moment))
    for _ in range(4):
        product = chosen[open_]
        category = products.category[product]
        fits = (
            (products.launched[product] <= moment[open_])
            & (products.gone[product] > moment[open_])
            & (rng.random(len(open_)) < TASTE[segment[open_], category] * SEASON[category, month[open_]])
        )
        open_ = open_[~fits]
        chosen[open_] = draw(rng, products.tickets, len(open_))
    product = chosen[open_]
    wrong = open_[(products.launched[product] > moment[open_]) | (products.gone[product] <= moment[open_])]
    chosen[wrong] = draw(rng, products.steady_tickets, len(wrong))
    return chosen


def draw(rng: np.random.Generator, tickets: npt.NDArray[np.int32], size: int) -> Ints:
    """Products drawn from an urn in which each has as many tickets as it is popular."""
    return tickets[rng.integers(0, len(tickets), size)].astype(np.int64)


def baskets(
    rng: np.random.Generator,
    products: Products,
    segment: Ints,
    moment: Ints,
    *,
    percent: Ints,
    tax_per_mille: Ints,
) -> Lines:
    """The lines of orders: for each order the buyer's segment, its moment, its discount and its tax."""
    season = np.where(month_of(moment) >= 10, 1.12, 1.0)
    count = np.minimum(1 + rng.poisson(LINES[segment] * season), 14)
    order = np.repeat(np.arange(len(segment)), count)
    product = choose(rng, products, segment[order], moment[order])
    # A product stands on one line of an order only.
    _, first = np.unique(order * len(products.price) + product, return_index=True)
    order, product = order[first], product[first]
    start = np.concatenate([[0], np.flatnonzero(np.diff(order)) + 1])
    number = np.arange(len(order)) - np.repeat(start, np.diff(np.concatenate([start, [len(order)]]))) + 1
    who = segment[order]
    small = 1 + (rng.random(len(order)) < 0.16) + (rng.random(len(order)) < 0.03)
    quantity = np.select(
        [who == 0, who == 1], [small, rng.geometric(0.45, len(order))], 1 + rng.poisson(4.0, len(order))
    )
    quantity = np.clip(quantity, 1, 24).astype(np.int64)
    price = products.price_at(product, moment[order])
    gross = quantity * price
    discount = (gross * percent[order] + 50) // 100
    tax = ((gross - discount) * tax_per_mille[order] + 500) // 1000
    return Lines(order, number, product, quantity, price, products.cost[product], discount, tax)
