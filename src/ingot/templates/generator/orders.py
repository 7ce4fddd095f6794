"""Orders and their items: who buys when, through which channel and campaign, and what it comes to."""

from dataclasses import dataclass

import numpy as np

from ingot.templates.generator import words
from ingot.templates.generator.baskets import Lines, baskets
from ingot.templates.generator.clock import DAY, Clock, Ints, month_of
from ingot.templates.generator.customers import POSTAL, Customers, History, places
from ingot.templates.generator.fulfilment import CANCELLED, PHONE, PICKUP, STORE, Fulfilment, carriers, fulfil
from ingot.templates.generator.market import Market
from ingot.templates.generator.writing import Writer, maybe, money, pick_rows, when, word

CHANNELS = ((50, 30, 11, 9, 0), (58, 12, 6, 8, 16), (46, 4, 0, 0, 50))
DEVICES = ((58, 34, 8), (0, 88, 12), (52, 40, 8), (1, 0, 0), (1, 0, 0))
SHIPPING_CENTS = np.array([595, 1495, 2995, 0])
FREE_FROM = 7_500
NO_COUPON, CAMPAIGN_COUPON, WELCOME_COUPON = range(3)
ABROAD = np.array([city[3] != "US" for city in words.CITIES])
TAX = np.array([city[7] for city in words.CITIES])


@dataclass(frozen=True, slots=True)
class Orders:
    """One element an order, oldest first; `customer` counts from 0 within the chunk."""

    first_id: int
    customer: Ints
    segment: Ints
    placed: Ints
    campaign: Ints
    channel: Ints
    device: Ints
    city: Ints
    coupon: Ints
    percent: Ints
    is_first: np.ndarray[tuple[int], np.dtype[np.bool_]]
    lines: Lines
    fate: Fulfilment
    subtotal: Ints
    discount: Ints
    shipping: Ints
    tax: Ints

    @property
    def total(self) -> Ints:
        """What the customer pays."""
        return self.subtotal - self.discount + self.shipping + self.tax

    def history(self, customers: int) -> History:
        """What the orders say of each customer; cancelled ones count as nothing."""
        kept = self.fate.status != CANCELLED
        who = self.customer[kept]
        last = np.full(customers, -1, dtype=np.int64)
        np.maximum.at(last, who, self.placed[kept])
        spent = np.rint(np.bincount(who, weights=self.total[kept], minlength=customers)).astype(np.int64)
        return History(np.bincount(who, minlength=customers), spent, last)


def orders(
    rng: np.random.Generator,
    market: Market,
    customers: Customers,
    *,
    n: int,
    first_id: int,
) -> Orders:
    """`n` orders of these customers."""
    clock, campaigns, products = market.clock, market.campaigns, market.products
    customer, placed = buyers(rng, clock, customers, n)
    segment = customers.segment[customer]
    is_first = np.zeros(n, dtype=np.bool_)
    is_first[np.unique(customer, return_index=True)[1]] = True
    channel = pick_rows(rng, CHANNELS, segment)
    device = np.where(channel >= STORE, -1, pick_rows(rng, DEVICES, channel))

    campaign = campaigns.running(rng, (placed - clock.start) // DAY, n)
    target = np.where(campaign >= 0, campaigns.target[campaign], 0)
    campaign = np.where((channel >= STORE) | ((target > 0) & (target - 1 != segment)), -1, campaign)
    offered = np.where(campaign >= 0, campaigns.percent[campaign], 0)
    uses = (offered > 0) & (rng.random(n) < 0.85)
    welcome = ~uses & is_first & (segment < 2) & (channel < STORE) & (rng.random(n) < 0.30)
    contract = ~uses & ~welcome & (segment > 0) & (rng.random(n) < np.where(segment == 2, 0.7, 0.15))
    percent = np.select([uses, welcome, contract], [offered, np.full(n, 10), np.where(segment == 2, 8, 5)], 0)
    coupon = np.select([uses, welcome], [CAMPAIGN_COUPON, WELCOME_COUPON], NO_COUPON)

    elsewhere = (rng.random(n) < 0.06) & (channel != STORE)
    city = np.where(elsewhere, rng.integers(0, len(words.CITIES), n), customers.city[customer])
    lines = baskets(rng, products, segment, placed, percent=percent, tax_per_mille=TAX[city])
    fate = fulfil(
        rng, clock, products, lines, placed=placed, segment=segment, channel=channel, abroad=ABROAD[city]
    )
    subtotal = lines.total(lines.quantity * lines.price, n)
    discount = lines.total(lines.discount, n)
    free = (fate.method == 0) & (subtotal - discount >= FREE_FROM)
    return Orders(
        first_id=first_id,
        customer=customer,
        segment=segment,
        placed=placed,
        campaign=campaign,
        channel=channel,
        device=device,
        city=city,
        coupon=coupon,
        percent=percent,
        is_first=is_first,
        lines=lines,
        fate=fate,
        subtotal=subtotal,
        discount=discount,
        shipping=np.where(free, 0, SHIPPING_CENTS[fate.method]),
        tax=lines.total(lines.tax, n),
    )


def buyers(rng: np.random.Generator, clock: Clock, made: Customers, n: int) -> tuple[Ints, Ints]:
    """Who places each of `n` orders and when, oldest first.

    Most buyers order soon after they have signed up; the rest come back at their own rate while they stay.
    """
    opens = clock.share(np.maximum(made.signup, clock.start))
    closes = clock.share(np.minimum(made.leaves, clock.end - 1))
    soon = opens + rng.exponential(0.006, len(opens))
    eager = np.flatnonzero(
        (made.rate > 0) & (made.signup >= clock.start) & (soon < closes) & (rng.random(len(opens)) < 0.8)
    )[:n]
    weights = np.cumsum(made.rate * np.maximum(closes - opens, 0.0))
    rest = n - len(eager)
    again = np.minimum(
        np.searchsorted(weights, rng.random(rest) * weights[-1], side="right"), len(weights) - 1
    )
    customer = np.concatenate([eager, again])
    at = np.concatenate([soon[eager], opens[again] + rng.random(rest) * (closes[again] - opens[again])])
    placed = np.maximum(clock.moment(at), made.signup[customer])
    oldest = np.argsort(placed, kind="stable")
    return customer[oldest], placed[oldest]


def order_number(moment: str, order: str) -> str:
    """SQL for the number on the invoice."""
    return f"'ORD-' || year({when(moment)}) || '-' || lpad({order}::VARCHAR, 8, '0')"


def write(writer: Writer, rng: np.random.Generator, customers: Customers, made: Orders) -> None:
    """Write the orders."""
    n = len(made.placed)
    fate = made.fate
    december = month_of(made.placed) == 11
    gift = (made.segment == 0) & (rng.random(n) < np.where(december, 0.26, 0.06))
    draws = rng.random(n)
    helped = (made.channel == PHONE) | (draws < np.array([0.0, 0.10, 0.55])[made.segment])
    for name, listed in (
        ("status", words.STATUSES),
        ("payment", words.PAYMENT),
        ("payment_status", words.PAYMENT_STATUSES),
        ("order_channel", words.CHANNELS),
        ("device", words.DEVICES),
        ("shipping_method", words.SHIPPING),
        ("carrier", words.CARRIERS),
        ("sales_rep", words.SALES_REPS),
        ("note", words.NOTES),
    ):
        writer.words(name, listed)
    places(writer)
    writer.write(
        "orders",
        {
            "id": np.arange(made.first_id, made.first_id + n),
            "customer": customers.first_id + made.customer,
            "placed": made.placed,
            "status": fate.status,
            "payment": fate.payment,
            "payment_status": fate.payment_status,
            "paid": fate.paid,
            "channel": made.channel,
            "device": made.device,
            "campaign": made.campaign,
            "coupon": made.coupon,
            "percent": made.percent,
            "subtotal": made.subtotal,
            "discount": made.discount,
            "shipping": made.shipping,
            "tax": made.tax,
            "total": made.total,
            "method": fate.method,
            "carrier": carriers(rng, ABROAD[made.city]),
            "parcel": rng.integers(10**11, 10**12, n),
            "shipped": fate.shipped,
            "delivered": fate.delivered,
            "city": made.city,
            "post": rng.integers(0, 100, n),
            "gift": gift,
            "is_first": made.is_first,
            "rep": np.where(helped, (customers.first_id + made.customer) % len(words.SALES_REPS), -1),
            "note": np.where(rng.random(n) < 0.045, rng.integers(0, len(words.NOTES), n), -1),
            "updated": fate.updated,
        },
        SELECT,
    )


SELECT = [
    "id AS order_id",
    f"{order_number('placed', 'id')} AS order_number",
    "customer AS customer_id",
    f"{when('placed')} AS order_date",
    f"{word('status', 'status')} AS order_status",
    f"{word('payment', 'payment')} AS payment_method",
    f"{word('payment_status', 'payment_status')} AS payment_status",
    f"{when('paid')} AS paid_at",
    f"{word('order_channel', 'channel')} AS channel",
    f"{word('device', 'device')} AS device",
    f"{maybe('campaign >= 0', 'campaign + 1')} AS campaign_id",
    (
        f"CASE coupon WHEN {CAMPAIGN_COUPON} THEN 'SAVE' || percent || '-' || (campaign + 1) "
        f"WHEN {WELCOME_COUPON} THEN 'WELCOME' || percent END AS coupon_code"
    ),
    "'USD' AS currency",
    f"{money('subtotal')} AS subtotal",
    f"{money('discount')} AS discount_amount",
    f"{money('shipping')} AS shipping_amount",
    f"{money('tax')} AS tax_amount",
    f"{money('total')} AS total_amount",
    f"{word('shipping_method', 'method')} AS shipping_method",
    f"{maybe(f'method <> {PICKUP}', word('carrier', 'carrier'))} AS carrier",
    f"{maybe('shipped >= 0', word('carrier', 'carrier') + ' || parcel')} AS tracking_number",
    f"{when('shipped')} AS shipped_at",
    f"{when('delivered')} AS delivered_at",
    f"{word('city', 'city')} AS ship_city",
    f"{word('city_state', 'city')} AS ship_state",
    f"{word('city_country', 'city')} AS ship_country",
    f"{POSTAL} AS ship_postal_code",
    "gift AS is_gift",
    "is_first AS is_first_order",
    f"{word('sales_rep', 'rep')} AS sales_rep",
    f"{word('note', 'note')} AS notes",
    f"{when('updated')} AS updated_at",
]


def write_items(writer: Writer, made: Orders, first_id: int) -> int:
    """Write the items; gives back the id after the last one."""
    lines = made.lines
    n = len(lines.order)
    writer.write(
        "order_items",
        {
            "id": np.arange(first_id, first_id + n),
            "order": made.first_id + lines.order,
            "product": lines.product + 1,
            "number": lines.number,
            "quantity": lines.quantity,
            "price": lines.price,
            "cost": lines.cost,
            "discount": lines.discount,
            "tax": lines.tax,
            "returned": made.fate.returned,
        },
        [
            "id AS item_id",
            '"order" AS order_id',
            "product AS product_id",
            "number AS line_number",
            "quantity",
            f"{money('price')} AS unit_price",
            f"{money('cost')} AS unit_cost",
            f"{money('discount')} AS discount_amount",
            f"{money('tax')} AS tax_amount",
            f"{money('(quantity * price - discount)')} AS line_total",
            "returned AS is_returned",
        ],
    )
    return first_id + n
