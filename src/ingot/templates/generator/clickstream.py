"""What visitors do in the shop: sessions that end in an order of the orders table, and many that do not.

Only visitors who allow it are tracked, so that a part of the orders has no session.
"""

import numpy as np
import numpy.typing as npt

from ingot.templates.generator import words
from ingot.templates.generator.baskets import choose
from ingot.templates.generator.clock import DAY, Ints
from ingot.templates.generator.customers import Customers
from ingot.templates.generator.market import Market
from ingot.templates.generator.orders import Orders, order_number
from ingot.templates.generator.products import Products
from ingot.templates.generator.writing import Writer, maybe, pick, when, word

VIEW, SEARCH, PRODUCT, ADD, REMOVE, CHECKOUT, PURCHASE = range(7)
TRACKED = 0.13
PURCHASE_SHARE = 0.35  # of all events at most
Events = dict[str, npt.NDArray[np.generic]]
REFERRER_BY_CHANNEL = np.array([4, 0, 2, 5, 6, 2])  # of a campaign's channel
COUNTRY = np.array([words.COUNTRIES.index(city[3]) for city in words.CITIES])
KINDS = ("/", "/category/new", "/category/sale", "/about/shipping", "/account")


def bought(
    rng: np.random.Generator, products: Products, customers: Customers, orders: Orders, most: int
) -> Events:
    """The events of sessions that end in an order."""
    online = np.flatnonzero(orders.channel <= 1)
    tracked = np.sort(rng.permutation(online)[: int(len(online) * TRACKED)])
    first_line = np.searchsorted(orders.lines.order, tracked)
    carted = np.minimum(np.searchsorted(orders.lines.order, tracked, side="right") - first_line, 3)
    looks = rng.integers(0, 4, len(tracked))
    length = 3 + looks + 2 * carted
    keep = np.cumsum(length) <= most
    tracked, first_line, carted, looks, length = (
        values[keep] for values in (tracked, first_line, carted, looks, length)
    )
    session, place = unroll(length)
    order = tracked[session]
    pair = place - 1 - looks[session]
    left = length[session] - 1 - place
    kind = np.select(
        [place == 0, left == 0, left == 1, pair < 0],
        [VIEW, PURCHASE, CHECKOUT, PRODUCT],
        default=np.where(pair % 2 == 0, PRODUCT, ADD),
    )
    line = first_line[session] + np.clip(pair // 2, 0, None)
    seen = choose(rng, products, orders.segment[order], orders.placed[order])
    product = np.where(pair < 0, seen, orders.lines.product[np.minimum(line, len(orders.lines.order) - 1)])
    gaps = (rng.exponential(55, len(session)) + 3).astype(np.int64)
    back = from_end(np.where(left == 0, 0, gaps), session, length)
    return {
        "session": session,
        "moment": orders.placed[order] - back,
        "kind": kind,
        "product": np.where((kind == PRODUCT) | (kind == ADD), product, -1),
        "customer": customers.first_id + orders.customer[order],
        "campaign": orders.campaign[order],
        "device": orders.device[order],
        "country": COUNTRY[customers.city[orders.customer[order]]],
        "order": np.where(kind == PURCHASE, orders.first_id + order, -1),
        "referrer": referrers(rng, session, len(tracked)),
    }


def browsed(
    rng: np.random.Generator,
    market: Market,
    customers: Customers,
    events: int,
    first_session: int,
) -> Events:
    """Exactly `events` events of sessions that end without an order."""
    length = np.minimum(rng.geometric(0.27, max(events // 2, 8)), 25)
    upto = np.cumsum(length)
    n = int(np.searchsorted(upto, events)) + 1
    length = length[:n]
    length[-1] -= int(upto[n - 1]) - events
    who = rng.integers(0, len(customers.segment), n)
    known = rng.random(n) < 0.52
    since = np.where(known, market.clock.share(np.maximum(customers.signup[who], market.clock.start)), 0.0)
    begins = market.clock.moment(since + rng.random(n) * (1.0 - since))
    segment = np.where(known, customers.segment[who], 0)
    campaign = market.campaigns.running(rng, (begins - market.clock.start) // DAY, n)
    wanted = choose(rng, market.products, segment, begins)
    cart = (length >= 3) & (rng.random(n) < 0.24)
    leaves_at_till = cart & (length >= 4) & (rng.random(n) < 0.4)
    regrets = cart & ~leaves_at_till & (length >= 4) & (rng.random(n) < 0.2)

    session, place = unroll(length)
    # The place of each event counted from the moment at which the product goes into the cart.
    after = place - (length - 1 - leaves_at_till - regrets)[session]
    kind = np.where(
        place == 0, VIEW, np.array([VIEW, SEARCH, PRODUCT])[pick(rng, [24, 18, 58], len(session))]
    )
    in_cart = cart[session]
    kind = np.where(in_cart & (after == -1), PRODUCT, kind)
    kind = np.where(in_cart & (after == 0), ADD, kind)
    kind = np.where(in_cart & (after == 1), np.where(leaves_at_till[session], CHECKOUT, REMOVE), kind)
    on_target = (in_cart & (after >= -1)) | (rng.random(len(session)) < 0.4)
    aside = np.flatnonzero((kind == PRODUCT) & ~on_target)
    product = wanted[session]
    product[aside] = choose(rng, market.products, segment[session[aside]], begins[session[aside]])
    gaps = (rng.exponential(48, len(session)) + 2).astype(np.int64)
    elapsed = np.cumsum(np.where(place == 0, 0, gaps))
    starts = np.cumsum(length) - length
    elapsed -= np.repeat(elapsed[starts], length)
    country = np.where(known, COUNTRY[customers.city[who]], pick(rng, [80, 7, 8, 5], n))
    return {
        "session": first_session + session,
        "moment": np.minimum(begins[session] + elapsed, market.clock.end - 1),
        "kind": kind,
        "product": np.where(np.isin(kind, [PRODUCT, ADD, REMOVE]), product, -1),
        "customer": np.where(known, customers.first_id + who, -1)[session],
        "campaign": campaign[session],
        "device": pick(rng, [44, 48, 8], n)[session],
        "country": country[session],
        "order": np.full(len(session), -1),
        "referrer": referrers(rng, session, n),
    }


def unroll(length: Ints) -> tuple[Ints, Ints]:
    """For sessions of these lengths: each event's session and its place in it."""
    session = np.repeat(np.arange(len(length)), length)
    return session, np.arange(len(session)) - np.repeat(np.cumsum(length) - length, length)


def from_end(gaps: Ints, session: Ints, length: Ints) -> Ints:
    """The seconds from each event to the end of its session; a gap lies after its event."""
    run = np.cumsum(gaps[::-1])[::-1]
    ends = np.cumsum(length) - 1
    return np.asarray(run - run[ends][session], dtype=np.int64)


def referrers(rng: np.random.Generator, session: Ints, n: int) -> Ints:
    """Where each session came from, where no campaign says it; -1: directly."""
    drawn = pick(rng, [26, 5, 7, 5, 0, 3, 3, 51], n)
    return np.where(drawn == 7, -1, drawn)[session]


def write(
    writer: Writer,
    rng: np.random.Generator,
    market: Market,
    customers: Customers,
    orders: Orders,
    *,
    events: int,
    first_id: int,
) -> None:
    """Write `events` events, oldest first."""
    ended = bought(rng, market.products, customers, orders, int(events * PURCHASE_SHARE))
    sessions = int(ended["session"].max(initial=-1)) + 1
    rest = browsed(rng, market, customers, events - len(ended["session"]), sessions)
    both = {name: np.concatenate([ended[name], rest[name]]) for name in ended}
    both["moment"] = np.maximum(both["moment"], market.clock.start)
    oldest = np.argsort(both["moment"], kind="stable")
    # Where the events of a session share a second, their order within it stays: both parts come sorted.
    both = {name: values[oldest] for name, values in both.items()}
    came_by = REFERRER_BY_CHANNEL[market.campaigns.channel[both["campaign"].astype(np.int64)]]
    both["referrer"] = np.where(both["campaign"] >= 0, came_by, both["referrer"])
    both["id"] = np.arange(first_id, first_id + events)
    both["page"] = rng.integers(0, len(KINDS), events)
    both["placed"] = both["moment"]
    both["salt"] = np.full(events, first_id)
    writer.words("event", words.EVENTS)
    writer.words("referrer", words.REFERRERS)
    writer.words("device", words.DEVICES)
    writer.words("visitor_country", words.COUNTRIES)
    writer.words("page", KINDS)
    writer.write(
        "clickstream",
        both,
        [
            "id AS event_id",
            "'s' || lpad(lower(hex(((session + salt) * 2654435761) % 1099511627776)), 10, '0') AS session_id",
            f"{maybe('customer >= 0', 'customer')} AS customer_id",
            f"{when('moment')} AS event_time",
            f"{word('event', 'kind')} AS event_type",
            PAGE,
            f"{maybe('product >= 0', 'product + 1')} AS product_id",
            f"{word('referrer', 'referrer')} AS referrer",
            f"{maybe('campaign >= 0', 'campaign + 1')} AS campaign_id",
            f"{word('device', 'device')} AS device",
            f"{word('visitor_country', 'country')} AS country",
        ],
    )


PAGE = (
    f"CASE kind WHEN {VIEW} THEN {word('page', 'page')} "
    f"WHEN {SEARCH} THEN '/search?page=' || (page + 1) "
    f"WHEN {PRODUCT} THEN '/products/' || (product + 1) "
    f"WHEN {CHECKOUT} THEN '/checkout' "
    f"WHEN {PURCHASE} THEN '/orders/' || {order_number('placed', chr(34) + 'order' + chr(34))} "
    "ELSE '/cart' END AS page_url"
)
