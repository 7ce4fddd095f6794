"""The generated shop: its shape, its keys, its sums, and the same bytes for the same seed."""

import csv
import hashlib
from datetime import date
from pathlib import Path

import pytest
from tests.templates.conftest import UNTIL, Shop
from tests.templates.expected import TABLES, ask, opened

from ingot.errors import UsageError
from ingot.templates import generate

pytestmark = pytest.mark.slow

COLUMNS = {
    "customers": "customer_id, first_name, last_name, email, phone, company, job_title, segment, gender, birth_date, signup_date, acquisition_channel, acquisition_campaign_id, street, city, state, postal_code, country, latitude, longitude, language, currency, lifecycle_stage, lead_score, is_active, marketing_opt_in, loyalty_tier, preferred_payment_method, last_login_at, updated_at",
    "orders": "order_id, order_number, customer_id, order_date, order_status, payment_method, payment_status, paid_at, channel, device, campaign_id, coupon_code, currency, subtotal, discount_amount, shipping_amount, tax_amount, total_amount, shipping_method, carrier, tracking_number, shipped_at, delivered_at, ship_city, ship_state, ship_country, ship_postal_code, is_gift, is_first_order, sales_rep, notes, updated_at",
    "order_items": "item_id, order_id, product_id, line_number, quantity, unit_price, unit_cost, discount_amount, tax_amount, line_total, is_returned",
    "products": "product_id, sku, product_name, category, subcategory, brand, supplier, price, cost, weight_kg, color, size, launch_date, discontinued_at, is_active, inventory_quantity, reorder_level, reorder_quantity, rating, updated_at",
    "clickstream": "event_id, session_id, customer_id, event_time, event_type, page_url, product_id, referrer, campaign_id, device, country",
    "campaigns": "campaign_id, name, channel, start_date, end_date, budget, spend, target_segment, objective",
    "inventory": "snapshot_date, product_id, warehouse, on_hand, reserved, incoming",
}


def digest(directory: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(directory.iterdir())}


@pytest.mark.parametrize("table", TABLES)
def test_each_file_has_exactly_the_promised_columns(shop: Shop, table: str) -> None:
    with (shop.path / f"{table}.csv").open(newline="") as file:
        assert next(csv.reader(file)) == COLUMNS[table].split(", ")


def test_scale_one_has_the_promised_numbers_of_rows(tmp_path: Path) -> None:
    rows = generate(tmp_path, until=UNTIL)
    assert {name: rows[name] for name in ("customers", "products", "orders", "clickstream", "campaigns")} == {
        "customers": 2_500, "products": 650, "orders": 12_000, "clickstream": 75_000, "campaigns": 25,
    }  # fmt: skip
    assert 28_000 < rows["order_items"] < 33_000
    mondays = ask(tmp_path, "SELECT count(DISTINCT snapshot_date) FROM inventory")[0][0]
    assert mondays in (104, 105)
    assert rows["inventory"] == 650 * 3 * mondays
    for table in TABLES:
        assert int(ask(tmp_path, f"SELECT count(*) FROM {table}")[0][0]) == rows[table]


def test_the_same_seed_scale_and_day_give_the_same_bytes(shop: Shop, tmp_path: Path) -> None:
    generate(tmp_path, until=UNTIL)
    assert digest(tmp_path) == digest(shop.path)


def test_another_seed_gives_another_shop(shop: Shop, tmp_path: Path) -> None:
    generate(tmp_path, until=UNTIL, seed=7)
    before, after = digest(shop.path), digest(tmp_path)
    assert all(before[name] != after[name] for name in before)


@pytest.mark.parametrize("scale", [1, 3])
def test_keys_fit_together_whatever_the_scale(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scale: int
) -> None:
    if scale == 3:
        monkeypatch.setattr("ingot.templates.generator.UNITS_A_CHUNK", 2)
        rows = generate(tmp_path, until=UNTIL, scale=3)
        shop = Shop(tmp_path, opened(tmp_path))
        assert rows["customers"] == 7_500
        assert rows["products"] == 1_950
        assert rows["orders"] == 36_000
        assert rows["clickstream"] == 225_000
        assert (shop.path / "orders_0002.csv").is_file()
        assert not (shop.path / "orders.csv").exists()
    for child, key, parent, parent_key in (
        ("orders", "customer_id", "customers", "customer_id"),
        ("orders", "campaign_id", "campaigns", "campaign_id"),
        ("order_items", "order_id", "orders", "order_id"),
        ("orders", "order_id", "order_items", "order_id"),
        ("order_items", "product_id", "products", "product_id"),
        ("customers", "acquisition_campaign_id", "campaigns", "campaign_id"),
        ("clickstream", "customer_id", "customers", "customer_id"),
        ("clickstream", "product_id", "products", "product_id"),
        ("clickstream", "campaign_id", "campaigns", "campaign_id"),
        ("inventory", "product_id", "products", "product_id"),
    ):
        lost = f"SELECT count(*) FROM {child} WHERE {key} IS NOT NULL AND {key} NOT IN (SELECT {parent_key} FROM {parent})"
        assert shop.one(lost) == 0, (child, key)
    for table, key in (
        ("customers", "customer_id"),
        ("customers", "email"),
        ("products", "sku"),
        ("orders", "order_id"),
        ("orders", "order_number"),
        ("order_items", "item_id"),
        ("order_items", "(order_id, product_id)"),
        ("order_items", "(order_id, line_number)"),
        ("clickstream", "event_id"),
        ("inventory", "(snapshot_date, product_id, warehouse)"),
    ):
        assert shop.one(f"SELECT count(*) - count(DISTINCT {key}) FROM {table}") == 0, (table, key)
    if scale == 3:
        shop.con.close()


def test_order_amounts_are_the_sums_of_the_items_to_the_cent(shop: Shop) -> None:
    wrong = """
        SELECT count(*) FROM orders o JOIN (
            SELECT order_id, sum(quantity * unit_price) AS s, sum(discount_amount) AS d, sum(tax_amount) AS t
            FROM order_items GROUP BY 1) i USING (order_id)
        WHERE o.subtotal <> s OR o.discount_amount <> d OR o.tax_amount <> t
           OR total_amount <> subtotal - o.discount_amount + shipping_amount + o.tax_amount"""
    assert shop.one(wrong) == 0
    assert (
        shop.one(
            "SELECT count(*) FROM order_items WHERE line_total <> quantity * unit_price - discount_amount"
        )
        == 0
    )
    assert shop.one("SELECT count(*) FROM products WHERE NOT (0 < cost AND cost < price)") == 0


def test_statuses_agree_with_dates(shop: Shop) -> None:
    contradictions = """
        SELECT count(*) FROM orders WHERE CASE order_status
            WHEN 'completed' THEN delivered_at IS NULL
            WHEN 'returned' THEN delivered_at IS NULL
            WHEN 'shipped' THEN shipped_at IS NULL OR delivered_at IS NOT NULL
            ELSE shipped_at IS NOT NULL OR delivered_at IS NOT NULL END
          OR shipped_at < order_date OR delivered_at < shipped_at OR paid_at < order_date OR updated_at < order_date
          OR (payment_status IN ('paid', 'partially_refunded')) > (paid_at IS NOT NULL)
          OR (tracking_number IS NULL) <> (shipped_at IS NULL)"""
    assert shop.one(contradictions) == 0
    late = f"SELECT max(greatest(order_date, paid_at, shipped_at, delivered_at, updated_at)) < '{UNTIL}' FROM orders"
    assert shop.one(late)
    open_old = f"SELECT count(*) FROM orders WHERE order_status IN ('pending', 'processing') AND order_date < DATE '{UNTIL}' - 21"
    assert shop.one(open_old) == 0
    assert (
        shop.one(
            f"SELECT avg((order_status IN ('completed', 'cancelled', 'returned'))::INT) FROM orders WHERE order_date < DATE '{UNTIL}' - 30"
        )
        == 1
    )


def test_returned_orders_are_those_whose_items_all_came_back(shop: Shop) -> None:
    wrong = """
        SELECT count(*) FROM orders JOIN (
            SELECT order_id, bool_and(is_returned) AS all_items, bool_or(is_returned) AS any_item FROM order_items GROUP BY 1
        ) USING (order_id)
        WHERE all_items <> (order_status = 'returned') OR (any_item AND order_status NOT IN ('completed', 'returned'))"""
    assert shop.one(wrong) == 0


def test_the_first_order_of_each_customer_is_marked_and_no_other(shop: Shop) -> None:
    wrong = """
        SELECT count(*) FROM (SELECT is_first_order,
            row_number() OVER (PARTITION BY customer_id ORDER BY order_date, order_id) = 1 AS first FROM orders)
        WHERE is_first_order <> first"""
    assert shop.one(wrong) == 0


def test_nobody_orders_before_signing_up_or_what_is_not_on_sale(shop: Shop) -> None:
    assert (
        shop.one(
            "SELECT count(*) FROM orders JOIN customers USING (customer_id) WHERE order_date < signup_date"
        )
        == 0
    )
    off = """
        SELECT count(*) FROM order_items JOIN orders USING (order_id) JOIN products USING (product_id)
        WHERE order_date < launch_date OR order_date >= discontinued_at"""
    assert shop.one(off) == 0


def test_campaigns_bring_orders_only_while_they_run_and_to_whom_they_aim(shop: Shop) -> None:
    wrong = """
        SELECT count(*) FROM orders JOIN campaigns c USING (campaign_id) JOIN customers USING (customer_id)
        WHERE order_date::DATE NOT BETWEEN start_date AND end_date
           OR target_segment NOT IN ('All', segment)"""
    assert shop.one(wrong) == 0
    assert shop.one("SELECT count(DISTINCT campaign_id) FROM orders") >= 20


def test_every_purchase_event_belongs_to_its_order(shop: Shop) -> None:
    sold = shop.one("SELECT count(*) FROM clickstream WHERE event_type = 'purchase'")
    matched = """
        SELECT count(*) FROM clickstream c JOIN orders o
        ON c.page_url = '/orders/' || o.order_number AND c.customer_id = o.customer_id AND c.event_time = o.order_date
        WHERE event_type = 'purchase'"""
    assert sold > 500
    assert shop.one(matched) == sold
    in_cart = """
        SELECT count(*) FROM clickstream p JOIN clickstream a USING (session_id)
        JOIN orders o ON p.page_url = '/orders/' || o.order_number
        LEFT JOIN order_items i ON i.order_id = o.order_id AND i.product_id = a.product_id
        WHERE p.event_type = 'purchase' AND a.event_type = 'add_to_cart' AND i.item_id IS NULL"""
    assert shop.one(in_cart) == 0


def test_a_session_begins_with_a_page_and_stays_with_one_visitor(shop: Shop) -> None:
    mixed = """
        SELECT count(*) FROM (SELECT session_id FROM clickstream GROUP BY 1
        HAVING count(DISTINCT coalesce(customer_id, 0)) > 1 OR count(DISTINCT device) > 1
            OR arg_min(event_type, event_id) <> 'page_view')"""
    assert shop.one(mixed) == 0


def test_a_products_stock_is_the_sum_of_the_last_count(shop: Shop) -> None:
    wrong = """
        SELECT count(*) FROM products JOIN (
            SELECT product_id, sum(on_hand) AS counted FROM inventory
            WHERE snapshot_date = (SELECT max(snapshot_date) FROM inventory) GROUP BY 1) USING (product_id)
        WHERE counted <> inventory_quantity"""
    assert shop.one(wrong) == 0
    assert (
        shop.one("SELECT count(*) FROM inventory WHERE on_hand < 0 OR reserved > on_hand OR incoming < 0")
        == 0
    )


def test_sales_have_the_shape_of_a_shop(shop: Shop) -> None:
    month = dict(shop.ask("SELECT strftime(order_date, '%Y-%m'), count(*) FROM orders GROUP BY 1"))
    assert month["2025-11"] > 1.3 * month["2025-10"], "November peaks"
    assert month["2025-11"] > 1.3 * month["2026-02"]
    assert sum(month[f"2026-{m:02}"] for m in range(3, 10)) > 1.2 * sum(
        month[f"2025-{m:02}"] for m in range(3, 10)
    )
    hour = dict(shop.ask("SELECT hour(order_date), count(*) FROM orders GROUP BY 1"))
    assert hour[20] > 8 * hour[4]
    orders = sorted(
        (n for (n,) in shop.ask("SELECT count(*) FROM orders GROUP BY customer_id")), reverse=True
    )
    assert orders.count(1) / len(orders) > 0.25, "many buy once"
    assert sum(orders[: len(orders) // 5]) > 0.5 * sum(orders), "a fifth brings most"
    basket = dict(
        shop.ask(
            "SELECT segment, avg(total_amount) FROM orders JOIN customers USING (customer_id) GROUP BY 1"
        )
    )
    assert basket["Consumer"] * 1.5 < basket["Small Business"] < basket["Enterprise"] / 1.5
    sold = sorted(
        (n for (n,) in shop.ask("SELECT count(*) FROM order_items GROUP BY product_id")), reverse=True
    )
    assert sum(sold[:65]) > 0.3 * sum(sold), "a tenth of the products sells a third"
    share = dict(shop.ask("SELECT order_status, count(*) / 12000 FROM orders GROUP BY 1"))
    assert 0.02 < share["cancelled"] < 0.07
    assert 0.005 < share["returned"] < 0.06


@pytest.mark.parametrize("until", [date(2024, 2, 29), date(2025, 3, 1), date(2026, 1, 1)])
def test_the_24_months_end_before_the_given_day(tmp_path: Path, until: date) -> None:
    generate(tmp_path, until=until)
    first, last = ask(tmp_path, "SELECT min(order_date)::DATE, max(order_date)::DATE FROM orders")[0]
    start = date(until.year - 2, until.month, min(until.day, 28))
    assert start <= first
    assert last < until
    assert (until - last).days <= 3
    assert (first - start).days <= 10


def test_a_new_generation_replaces_the_parts_of_the_one_before_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "orders_from_the_branch.csv").write_text("mine\n")
    with monkeypatch.context() as patch:
        patch.setattr("ingot.templates.generator.UNITS_A_CHUNK", 1)
        generate(tmp_path, until=UNTIL, scale=2)
    assert (tmp_path / "orders_0002.csv").is_file()
    generate(tmp_path, until=UNTIL)
    assert {file.name for file in tmp_path.iterdir()} == {f"{table}.csv" for table in TABLES} | {
        "orders_from_the_branch.csv"
    }


@pytest.mark.parametrize("scale", [0, -3])
def test_a_scale_below_one_is_refused_before_anything_is_written(tmp_path: Path, scale: int) -> None:
    with pytest.raises(UsageError, match="scale"):
        generate(tmp_path / "data", scale=scale)
    assert not (tmp_path / "data").exists()
