"""Customers: who they are, when they came, how often and how long they buy."""

from dataclasses import dataclass

import numpy as np

from ingot.templates.generator import words
from ingot.templates.generator.clock import DAY, Clock, Floats, Ints
from ingot.templates.generator.market import Market
from ingot.templates.generator.writing import Writer, maybe, pick, pick_rows, when, word

SEGMENT_SHARES = (0.70, 0.22, 0.08)
LIFE_DAYS = np.array([300.0, 480.0, 800.0])
RATES = np.array([1.0, 1.9, 3.4])
CHANNELS_BY_SEGMENT = ((30, 18, 20, 10, 10, 8, 4), (26, 24, 6, 12, 18, 12, 2), (12, 16, 4, 10, 34, 24, 0))
EARLY = 0.28  # of those who joined later, this many more had joined before
HEAD_START = 150 * DAY


@dataclass(frozen=True, slots=True)
class Customers:
    """One element a customer of this chunk; `first_id` is the first one's number."""

    first_id: int
    segment: Ints
    signup: Ints
    leaves: Ints
    rate: Floats
    city: Ints


@dataclass(frozen=True, slots=True)
class History:
    """What the chunk's orders say of each customer: how many, how much (cents), and when last (-1: never)."""

    orders: Ints
    spent: Ints
    last_order: Ints


def customers(rng: np.random.Generator, clock: Clock, n: int, first_id: int) -> Customers:
    """`n` customers, more of them joining as time goes on; a few before the shop opened."""
    segment = pick(rng, SEGMENT_SHARES, n)
    joined = rng.random(n) ** 0.85 * (1 + EARLY) - EARLY
    inside = clock.moment(np.clip(joined, 0.0, 0.9995))
    before = clock.start + (joined / EARLY * HEAD_START).astype(np.int64)
    signup = np.where(joined < 0, before, inside)
    leaves = signup + (rng.exponential(1.0, n) * LIFE_DAYS[segment] * DAY).astype(np.int64) + 3600
    # Poisson buying at gamma rates with an exponential life: the classic shape of repeat buying.
    rate = np.minimum(rng.gamma(0.7, 1.0, n), 3.5) * RATES[segment] * (rng.random(n) > 0.07)
    city = pick(rng, [place[6] for place in words.CITIES], n)
    return Customers(first_id, segment, signup, leaves, rate, city)


def write(
    writer: Writer, rng: np.random.Generator, market: Market, made: Customers, history: History
) -> None:
    """Write the customers with what their orders say of them."""
    n = len(made.segment)
    clock = market.clock
    firm = made.segment > 0
    bought = history.orders > 0
    last_seen = np.where(bought, np.maximum(history.last_order, made.signup), made.signup)
    idle = np.minimum(rng.exponential(16, n) * DAY, rng.random(n) * (clock.end - 1 - last_seen)).astype(
        np.int64
    )
    login = np.where(bought | (rng.random(n) < 0.6), last_seen + idle, -1)
    quiet = (clock.end - last_seen) // DAY
    stage = np.select(
        [~bought, quiet > 270, quiet > 130, history.orders >= 8, (clock.end - made.signup) // DAY < 90],
        [0, 5, 4, 3, 1],
        default=2,
    )
    tier = np.searchsorted(np.array([50_000, 200_000, 600_000]), history.spent, side="right")
    score = (
        22
        + 9 * np.log1p(history.orders)
        + 5 * made.segment
        - np.minimum(quiet, 400) / 16
        + rng.normal(18, 9, n)
    )
    channel = pick_rows(rng, CHANNELS_BY_SEGMENT, made.segment)
    day = np.clip((made.signup - clock.start) // DAY, 0, clock.days - 1)
    campaign = market.campaigns.running(rng, day, n)
    paid = np.isin(channel, [1, 2, 3, 6]) & (made.signup >= clock.start)
    birth = clock.end - ((19 + 58 * rng.beta(1.7, 2.6, n)) * 365.25 * DAY).astype(np.int64)
    names(writer)
    writer.write(
        "customers",
        {
            "id": np.arange(made.first_id, made.first_id + n),
            "first": rng.integers(0, len(words.FIRST_NAMES), n),
            "last": rng.integers(0, len(words.LAST_NAMES), n),
            "host": rng.integers(0, len(words.MAIL_HOSTS), n),
            "phone": np.where(rng.random(n) < 0.93, rng.integers(0, 80_000, n), -1),
            "company_head": np.where(firm, rng.integers(0, len(words.COMPANY_HEADS), n), -1),
            "company_tail": rng.integers(0, len(words.COMPANY_TAILS), n),
            "job": np.where(firm, rng.integers(0, len(words.JOB_TITLES), n), -1),
            "segment": made.segment,
            "gender": np.where(rng.random(n) < 0.9, pick(rng, [49, 48, 3], n), -1),
            "birth": birth.astype("datetime64[s]"),
            "has_birth": rng.random(n) < 0.82,
            "signup": made.signup.astype("datetime64[s]"),
            "channel": channel,
            "campaign": np.where(paid, campaign, -1),
            "house": rng.integers(1, 2400, n),
            "street": rng.integers(0, len(words.STREETS), n),
            "city": made.city,
            "post": rng.integers(0, 100, n),
            "north": rng.normal(0, 0.06, n),
            "east": rng.normal(0, 0.08, n),
            "stage": stage,
            "score": np.clip(np.round(score), 0, 100).astype(np.int64),
            "active": bought & (quiet <= 365),
            "opt_in": rng.random(n) < 0.62,
            "tier": tier,
            "pays": pick_rows(rng, PAYS, made.segment),
            "login": login,
            "changed": np.maximum(login, last_seen),
        },
        SELECT,
    )


PAYS = ((52, 24, 16, 5, 3, 0), (46, 20, 4, 0, 16, 14), (18, 4, 0, 0, 24, 54))


def names(writer: Writer) -> None:
    """Make the customers' word lists known."""
    for name, listed in (
        ("first_name", words.FIRST_NAMES),
        ("last_name", words.LAST_NAMES),
        ("mail_host", words.MAIL_HOSTS),
        ("company_head", words.COMPANY_HEADS),
        ("company_tail", words.COMPANY_TAILS),
        ("job_title", words.JOB_TITLES),
        ("segment", words.SEGMENTS),
        ("gender", words.GENDERS),
        ("acquisition", words.ACQUISITION),
        ("street", words.STREETS),
        ("stage", words.LIFECYCLE),
        ("tier", words.TIERS),
        ("payment", words.PAYMENT),
    ):
        writer.words(name, listed)
    places(writer)


def places(writer: Writer) -> None:
    """Make the cities known."""
    for place, name in enumerate(("city", "state", "post", "country", "latitude", "longitude")):
        writer.words(f"city_{name}" if name != "city" else "city", [city[place] for city in words.CITIES])


POSTAL = (
    f"{word('city_post', 'city')} || CASE {word('city_country', 'city')} "
    "WHEN 'CA' THEN ' ' || (post % 9 + 1) || chr((65 + post % 20)::INTEGER) || (post // 11) "
    "WHEN 'GB' THEN ' ' || (post % 9 + 1) || chr((65 + post % 20)::INTEGER) || 'B' "
    "ELSE lpad(post::VARCHAR, 2, '0') END"
)
PHONE = "'+1-' || (201 + phone // 100) || '-555-01' || lpad((phone % 100)::VARCHAR, 2, '0')"
MAIL = (
    f"lower(replace({word('first_name', 'first')} || '.' || {word('last_name', 'last')}, '''', '')) "
    f"|| id || '@' || {word('mail_host', 'host')}"
)
SELECT = [
    "id AS customer_id",
    f"{word('first_name', 'first')} AS first_name",
    f"{word('last_name', 'last')} AS last_name",
    f"{MAIL} AS email",
    f"{maybe('phone >= 0', PHONE)} AS phone",
    f"{word('company_head', 'company_head')} || ' ' || {word('company_tail', 'company_tail')} AS company",
    f"{word('job_title', 'job')} AS job_title",
    f"{word('segment', 'segment')} AS segment",
    f"{word('gender', 'gender')} AS gender",
    f"{maybe('has_birth', 'birth::DATE')} AS birth_date",
    "signup::DATE AS signup_date",
    f"{word('acquisition', 'channel')} AS acquisition_channel",
    f"{maybe('campaign >= 0', 'campaign + 1')} AS acquisition_campaign_id",
    f"house || ' ' || {word('street', 'street')} AS street",
    f"{word('city', 'city')} AS city",
    f"{word('city_state', 'city')} AS state",
    f"{POSTAL} AS postal_code",
    f"{word('city_country', 'city')} AS country",
    f"round({word('city_latitude', 'city')} + north, 5)::DECIMAL(9, 5) AS latitude",
    f"round({word('city_longitude', 'city')} + east, 5)::DECIMAL(9, 5) AS longitude",
    f"CASE {word('city_country', 'city')} WHEN 'DE' THEN 'de' ELSE CASE WHEN {word('city_state', 'city')} = 'QC' THEN 'fr' ELSE 'en' END END AS language",
    "'USD' AS currency",
    f"{word('stage', 'stage')} AS lifecycle_stage",
    "score AS lead_score",
    "active AS is_active",
    "opt_in AS marketing_opt_in",
    f"{word('tier', 'tier')} AS loyalty_tier",
    f"{word('payment', 'pays')} AS preferred_payment_method",
    f"{when('login')} AS last_login_at",
    f"{when('changed')} AS updated_at",
]
