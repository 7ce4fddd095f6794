"""The catalogue: what is sold since when, at what price, and how popular it is."""

from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from ingot.templates.generator.clock import DAY, Clock, Floats, Ints
from ingot.templates.generator.words import ADJECTIVES, BRANDS, CATEGORIES, COLORS, SIZES, SUPPLIERS
from ingot.templates.generator.writing import Writer, maybe, money, pick, when, word

SUBCATEGORIES = [sub for category in CATEGORIES for sub in category[3]]
SUBCATEGORY_STARTS = np.array([0, *accumulate(len(category[3]) for category in CATEGORIES)])
NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Products:
    """One element a product; money in cents, moments in seconds."""

    category: Ints
    subcategory: Ints
    noun: Ints
    adjective: Ints
    brand: Ints
    supplier: Ints
    price: Ints
    old_price: Ints
    raised: Ints
    cost: Ints
    weight: Floats
    color: Ints
    size: Ints
    launched: Ints
    gone: Ints
    reorder_level: Ints
    reorder_quantity: Ints
    rating: Ints
    tickets: npt.NDArray[np.int32]
    steady_tickets: npt.NDArray[np.int32]

    def price_at(self, product: Ints, moment: Ints) -> Ints:
        """The list price of each product at each moment."""
        return np.where(moment < self.raised[product], self.old_price[product], self.price[product])


def products(rng: np.random.Generator, clock: Clock, scale: int) -> Products:
    """650 products a unit of scale."""
    n = 650 * scale
    category = pick(rng, [share[1] for share in CATEGORIES], n)
    category[: len(CATEGORIES)] = np.arange(len(CATEGORIES))
    low, high = SUBCATEGORY_STARTS[category], SUBCATEGORY_STARTS[category + 1]
    subcategory = low + (rng.random(n) * (high - low)).astype(np.int64)
    median = np.array([sub[1] for sub in SUBCATEGORIES])[subcategory]
    dollars = np.maximum(np.round(median * np.exp(rng.normal(0.0, 0.42, n))), 4)
    price = (dollars * 100).astype(np.int64) - 1
    raised = np.where(
        rng.random(n) < 0.4,
        clock.start + (rng.random(n) * (clock.end - clock.start)).astype(np.int64),
        clock.start,
    )
    old_price = np.maximum(np.round(dollars * rng.uniform(0.90, 0.97, n)) * 100, 100).astype(np.int64) - 1
    cost = np.round(price * rng.uniform(0.38, 0.72, n)).astype(np.int64)

    always = rng.random(n) < 0.72
    launched = np.where(
        always,
        clock.start - (rng.random(n) * 900 * DAY).astype(np.int64) - DAY,
        clock.start + (rng.random(n) * (clock.end - clock.start) * 0.95).astype(np.int64),
    )
    launched = launched // DAY * DAY
    life = launched + (rng.exponential(1800, n) * DAY).astype(np.int64) + 200 * DAY
    gone = np.where(
        (rng.random(n) < 0.35) & (life < clock.end), np.maximum(life, clock.start + 30 * DAY), NEVER
    )
    gone = np.where(gone < clock.end, gone // DAY * DAY, NEVER)

    rank = rng.permutation(n)
    popularity = 1.0 / (rank / scale + 9.0) ** 0.95
    weekly = np.maximum(popularity / popularity.sum() * n * 3.0, 0.4)
    level = np.maximum(np.round(weekly * rng.uniform(4, 8, n)), 6).astype(np.int64)
    # An urn: drawing from it is faster than searching in cumulated weights.
    tickets = np.repeat(
        np.arange(n, dtype=np.int32),
        np.ceil(popularity / popularity.sum() * max(32 * n, 1 << 16)).astype(np.int64),
    )
    steady = (launched <= clock.start) & (gone == NEVER)
    clothes = (category == 2) & (subcategory != SUBCATEGORY_STARTS[2] + 2)
    return Products(
        category=category,
        subcategory=subcategory,
        noun=rng.integers(0, 5, n),
        adjective=rng.integers(0, len(ADJECTIVES), n),
        brand=rng.integers(0, len(BRANDS), n),
        supplier=rng.integers(0, len(SUPPLIERS), n),
        price=price,
        old_price=np.where(raised > clock.start, np.minimum(old_price, price), price),
        raised=raised,
        cost=cost,
        weight=(np.round(np.exp(rng.normal(-0.2, 0.8, n)), 2) + 0.05).astype(np.float64),
        color=np.where(rng.random(n) < 0.75, rng.integers(0, len(COLORS), n), -1),
        size=np.where(clothes, rng.integers(0, len(SIZES), n), -1),
        launched=launched,
        gone=gone,
        reorder_level=level,
        reorder_quantity=np.maximum(np.round(level * rng.uniform(1.5, 3.5, n) / 5) * 5, 10).astype(np.int64),
        rating=np.where(rng.random(n) < 0.94, np.clip(np.round(rng.normal(42, 4.5, n)), 10, 50), -1).astype(
            np.int64
        ),
        tickets=tickets,
        steady_tickets=tickets[steady[tickets]],
    )


def write(writer: Writer, clock: Clock, made: Products, on_hand: Ints) -> None:
    """Write the products; `on_hand` is the stock of each in all warehouses."""
    n = len(made.price)
    writer.words("category", [category[0] for category in CATEGORIES])
    writer.words("subcategory", [sub[0] for sub in SUBCATEGORIES])
    writer.words("subcategory_code", [sub[0][:3].upper() for sub in SUBCATEGORIES])
    writer.words("noun", [noun for sub in SUBCATEGORIES for noun in sub[2].split("|")])
    for name, words in (
        ("adjective", ADJECTIVES),
        ("brand", BRANDS),
        ("supplier", SUPPLIERS),
        ("color", COLORS),
        ("size", SIZES),
    ):
        writer.words(name, words)
    gone = np.where(made.gone == NEVER, -1, made.gone)
    changed = np.maximum.reduce([made.launched, made.raised, gone, np.full(n, clock.start)])
    writer.write(
        "products",
        {
            "id": np.arange(1, n + 1),
            "category": made.category,
            "subcategory": made.subcategory,
            "noun": made.subcategory * 5 + made.noun,
            "adjective": made.adjective,
            "brand": made.brand,
            "supplier": made.supplier,
            "price": made.price,
            "cost": made.cost,
            "weight": made.weight,
            "color": made.color,
            "size": made.size,
            "launched": made.launched.astype("datetime64[s]"),
            "gone": gone,
            "on_hand": on_hand,
            "level": made.reorder_level,
            "quantity": made.reorder_quantity,
            "rating": made.rating,
            "changed": np.minimum(changed, clock.end - 1),
        },
        [
            "id AS product_id",
            f"{word('subcategory_code', 'subcategory')} || '-' || lpad(id::VARCHAR, 6, '0') AS sku",
            f"{word('brand', 'brand')} || ' ' || {word('adjective', 'adjective')} || ' ' || {word('noun', 'noun')} AS product_name",
            f"{word('category', 'category')} AS category",
            f"{word('subcategory', 'subcategory')} AS subcategory",
            f"{word('brand', 'brand')} AS brand",
            f"{word('supplier', 'supplier')} AS supplier",
            f"{money('price')} AS price",
            f"{money('cost')} AS cost",
            "weight::DECIMAL(8, 2) AS weight_kg",
            f"{word('color', 'color')} AS color",
            f"{word('size', 'size')} AS size",
            "launched::DATE AS launch_date",
            f"({when('gone')})::DATE AS discontinued_at",
            "gone < 0 AS is_active",
            "on_hand AS inventory_quantity",
            "level AS reorder_level",
            "quantity AS reorder_quantity",
            f"{maybe('rating >= 0', '(rating * 0.1)::DECIMAL(3, 1)')} AS rating",
            f"{when('changed')} AS updated_at",
        ],
    )
