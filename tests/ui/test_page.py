"""The page in a real browser on the real storefront; numbers are compared with SQL over the raw files."""

import csv
import io
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from tests.templates import expected
from tests.ui.browser import AXE, drawn, missing
from tests.ui.conftest import Served, Theme, Visit, Visits

pytestmark = [pytest.mark.browser, pytest.mark.slow]

EXECUTIVE = "/dashboards/executive"
QUARTER = "?range=2026-01-01..2026-03-31"
IN_QUARTER = "order_date >= DATE '2026-01-01' AND order_date < DATE '2026-04-01'"


def revenue(data: Path, where: str = "true") -> Decimal:
    sql = (
        "SELECT sum(total_amount) FROM orders JOIN customers USING (customer_id) "
        f"WHERE {expected.REVENUE} AND {where}"
    )
    return Decimal(expected.ask(data, sql)[0][0])


def cents(text: str) -> Decimal:
    """A number of the page, which JavaScript holds as a float, to the cent."""
    return Decimal(text).quantize(Decimal("0.01"))


def query_of(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def choose_range(page: Page, name: str) -> None:
    page.get_by_role("button", name="Date range").click()
    page.get_by_role("button", name=name, exact=True).click()
    drawn(page)


@pytest.mark.parametrize("name", ["executive", "customers", "products"])
def test_every_tile_of_a_dashboard_is_drawn_without_a_complaint(visit: Visit, name: str) -> None:
    page = visit.open(f"/dashboards/{name}?range=2026-01-01..2026-03-31")
    states = page.locator("[data-tile]").evaluate_all("tiles => tiles.map(tile => tile.dataset.state)")
    assert states
    assert set(states) == {"ready"}
    assert page.locator(".host svg path").count() > 0
    assert visit.complaints == []


def test_the_start_page_is_the_executive_dashboard(visit: Visit) -> None:
    visit.page.goto(visit.url)
    visit.page.wait_for_url(f"**{EXECUTIVE}")
    drawn(visit.page)
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("Executive summary")


def test_a_kpi_is_the_number_of_sql_over_the_raw_files(visit: Visit, served: Served) -> None:
    visit.open(EXECUTIVE + QUARTER)
    wanted = revenue(served.data, IN_QUARTER)
    assert cents(visit.number("revenue")) == wanted
    shown = visit.page.locator("[data-tile=revenue] [data-value]")
    expect(shown).to_have_text(
        f"${wanted / 1000:.0f}K" if wanted < 1_000_000 else f"${wanted / 1_000_000:.2f}M"
    )
    [(count,)] = expected.ask(served.data, f"SELECT count(*) FROM orders WHERE {IN_QUARTER}")
    assert visit.number("orders") == str(count)


def test_the_change_is_measured_against_the_period_before(visit: Visit, served: Served) -> None:
    page = visit.open(EXECUTIVE + QUARTER)
    expect(page.get_by_text(re.compile("Compared with Oct . Dec 2025"))).to_be_visible()
    now = revenue(served.data, IN_QUARTER)
    before = revenue(served.data, "order_date >= DATE '2025-10-01' AND order_date < DATE '2026-01-01'")
    change = (now - before) / before * 100
    delta = page.locator("[data-tile=revenue] .delta")
    text = delta.inner_text()
    assert f"{abs(change):.1f}%" in text
    assert ("down" if change < 0 else "up") in text
    expect(delta).to_have_class(re.compile("bad" if change < 0 else "good"))


def test_a_range_changes_the_address_and_the_numbers_and_outlives_a_reload(
    visit: Visit, served: Served
) -> None:
    page = visit.open(EXECUTIVE)
    usual = visit.number("revenue")
    assert cents(usual) == revenue(
        served.data, "order_date >= DATE '2025-11-01' AND order_date < DATE '2026-11-01'"
    )
    choose_range(page, "Last year")
    assert query_of(page) == {"range": ["last-year"]}
    in_2025 = revenue(served.data, "year(order_date) = 2025")
    assert cents(visit.number("revenue")) == in_2025
    page.reload()
    drawn(page)
    assert cents(visit.number("revenue")) == in_2025
    page.go_back()
    drawn(page)
    page.wait_for_function("() => !location.search")
    assert visit.number("revenue") == usual


def test_two_days_of_ones_own_are_a_range(visit: Visit, served: Served) -> None:
    page = visit.open(EXECUTIVE)
    page.get_by_role("button", name="Date range").click()
    page.get_by_label("From", exact=True).fill("2026-02-03")
    page.get_by_label("To", exact=True).fill("2026-02-09")
    page.get_by_role("button", name="Apply").click()
    drawn(page)
    assert query_of(page) == {"range": ["2026-02-03..2026-02-09"]}
    wanted = revenue(served.data, "order_date >= DATE '2026-02-03' AND order_date < DATE '2026-02-10'")
    assert cents(visit.number("revenue")) == wanted


def test_a_click_on_a_value_filters_the_whole_dashboard(visit: Visit, served: Served) -> None:
    page = visit.open(EXECUTIVE + QUARTER)
    everything = visit.number("revenue")
    page.locator("[data-tile=revenue-by-segment]").get_by_role("button", name="Enterprise").click()
    drawn(page)
    assert query_of(page)["f"] == ["sales.customers_segment=Enterprise"]
    wanted = revenue(served.data, f"{IN_QUARTER} AND segment = 'Enterprise'")
    assert cents(visit.number("revenue")) == wanted
    by_channel = (
        page.locator("[data-tile=revenue-by-channel] li").filter(has_text="web").get_by_role("button")
    )
    web = revenue(served.data, f"{IN_QUARTER} AND segment = 'Enterprise' AND channel = 'web'")
    assert f"${web:,.2f}" in (by_channel.get_attribute("title") or "")
    # The tile that was clicked goes on showing the other segments, to choose from.
    assert page.locator("[data-tile=revenue-by-segment] li").count() == 3
    page.get_by_role("button", name="Remove the filter Segment Enterprise").click()
    drawn(page)
    assert "f" not in query_of(page)
    assert visit.number("revenue") == everything


def test_a_click_on_a_row_filters_by_its_values_and_a_second_click_takes_it_back(visit: Visit) -> None:
    page = visit.open(EXECUTIVE + QUARTER)
    row = page.locator("[data-tile=top-products] tbody tr").first
    product, category = row.locator("td").all_inner_texts()[:2]
    row.click()
    drawn(page)
    assert query_of(page)["f"] == [
        f"sales.products_product_name={product}",
        f"sales.products_category={category}",
    ]
    expect(page.locator("[data-tile=top-products] tbody tr")).to_have_count(1)
    page.locator("[data-tile=top-products] tbody tr button").click()
    drawn(page)
    assert "f" not in query_of(page)


def test_another_ref_shows_its_own_numbers_under_a_banner(visit: Visit, served: Served) -> None:
    page = visit.open(EXECUTIVE + QUARTER)
    expect(page.locator(".banner")).to_have_count(0)
    page.get_by_role("button", name="Branch or tag: main").click()
    page.get_by_role("button", name="dev", exact=False).filter(has_text="dev").click()
    drawn(page)
    assert query_of(page)["ref"] == ["dev"]
    expect(page.locator(".banner")).to_contain_text("You are looking at dev")
    assert cents(visit.number("revenue")) == revenue(served.data, f"{IN_QUARTER} AND channel = 'web'")
    page.get_by_role("button", name="Back to main").click()
    drawn(page)
    assert cents(visit.number("revenue")) == revenue(served.data, IN_QUARTER)


def test_a_tile_that_fails_says_what_happened_and_leaves_the_others(visit: Visit) -> None:
    page = visit.open("/dashboards/customers?ref=broken")
    failed = page.locator("[data-tile=customers-who-ordered]")
    assert failed.get_attribute("data-state") == "error"
    expect(failed.get_by_role("alert")).to_contain_text("This tile could not be computed")
    expect(failed.get_by_role("alert")).to_contain_text("fact_orders")
    assert page.locator("[data-tile=active-customers]").get_attribute("data-state") == "ready"


def test_a_failed_tile_can_be_tried_again(visit: Visit) -> None:
    def refuse(route: Route) -> None:
        route.fulfill(status=503, json={"error": "The server is busy.", "hint": "Wait a little."})

    visit.page.route("**/cubejs-api/v1/load", refuse)
    page = visit.open(EXECUTIVE + QUARTER)
    tile = page.locator("[data-tile=revenue]")
    expect(tile.get_by_role("alert")).to_contain_text("The server is busy.")
    expect(tile.get_by_role("alert")).to_contain_text("Wait a little.")
    page.unroute("**/cubejs-api/v1/load", refuse)
    tile.get_by_role("button", name="Try again").click()
    expect(tile.locator("[data-value]")).to_be_visible()


def test_a_range_without_rows_says_so(visit: Visit) -> None:
    page = visit.open(f"{EXECUTIVE}?range=1999-01-01..1999-01-31")
    for tile in ("revenue", "revenue-over-time", "revenue-by-segment", "top-products"):
        expect(page.locator(f"[data-tile={tile}]")).to_contain_text("No data in this range")
    assert visit.number("orders") == "0"
    assert visit.complaints == []


def test_an_address_that_was_tampered_with_does_no_harm(visit: Visit) -> None:
    page = visit.open(
        f"{EXECUTIVE}?range=%3Cscript%3E&f=%3Cimg%20src=x%3E&f=sales.customers_segment=%27%3B--"
    )
    expect(page.get_by_role("button", name="Date range: Last 12 months")).to_be_visible()
    assert page.locator("img").count() == 0
    expect(page.locator("[data-tile=revenue]")).to_contain_text("No data in this range")
    assert visit.complaints == []


def test_an_unknown_ref_dashboard_and_page_are_said_to_be_unknown(visit: Visit) -> None:
    page = visit.page
    page.goto(f"{visit.url}{EXECUTIVE}?ref=nowhere")
    expect(page.get_by_role("alert").first).to_contain_text("nowhere")
    page.goto(f"{visit.url}/dashboards/nothing")
    expect(page.get_by_role("alert").first).to_contain_text("nothing")


def test_the_dark_theme_is_chosen_and_kept(visit: Visit) -> None:
    page = visit.open(EXECUTIVE + QUARTER)
    light = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    page.get_by_role("button", name="Dark theme").click()
    drawn(page)
    dark = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert brightness(light) > 200
    assert brightness(dark) < 40
    page.reload()
    drawn(page)
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == dark
    assert visit.complaints == []


def brightness(color: str) -> float:
    red, green, blue = (int(part) for part in re.findall(r"\d+", color)[:3])
    return (red + green + blue) / 3


def test_a_chart_can_be_read_as_a_table_and_saved_as_csv(visit: Visit, served: Served) -> None:
    page = visit.open(f"{EXECUTIVE}?range=2025-11-01..2026-10-31")
    tile = page.locator("[data-tile=revenue-over-time]")
    tile.get_by_role("button", name="Options of").click()
    tile.get_by_role("button", name="View as table").click()
    months = expected.revenue_by_month(served.data)
    cells = tile.locator("tbody tr").first.locator("td").all_inner_texts()
    assert cells == ["Nov 2025", f"${months['2025-11']:,.2f}", f"${months['2024-11']:,.2f}"]
    tile.get_by_role("button", name="Options of").click()
    with page.expect_download() as waiting:
        tile.get_by_role("button", name="Download CSV").click()
    assert waiting.value.suggested_filename == "revenue-over-time.csv"
    rows = list(csv.reader(io.StringIO(Path(waiting.value.path()).read_text(encoding="utf-8-sig"))))
    assert rows[0] == ["Period", "Total revenue", "Period before"]
    saved = {row[0][:7]: cents(row[1]) for row in rows[1:]}
    assert saved == {month: value for month, value in months.items() if "2025-11" <= month <= "2026-10"}


def test_the_pointer_reads_exact_numbers_off_a_chart(visit: Visit, served: Served) -> None:
    page = visit.open(f"{EXECUTIVE}?range=2025-11-01..2026-10-31")
    chart = page.locator("[data-tile=revenue-over-time] .host")
    box = chart.bounding_box()
    assert box is not None
    for x in (box["width"] - 22, box["width"] - 14):  # the last month is at the right edge
        page.mouse.move(box["x"] + x, box["y"] + box["height"] / 2)
    months = expected.revenue_by_month(served.data)
    tip = page.locator("[data-tile=revenue-over-time] .tip")
    expect(tip).to_contain_text("Oct 2026")
    expect(tip).to_contain_text(f"${months['2026-10']:,.2f}")
    expect(tip).to_contain_text(f"${months['2025-10']:,.2f}")


def test_a_chart_can_be_saved_as_a_picture(visit: Visit) -> None:
    page = visit.open(EXECUTIVE + QUARTER)
    for name in ("revenue-over-time", "revenue-by-segment", "sales-by-category"):
        tile = page.locator(f"[data-tile={name}]")
        tile.get_by_role("button", name="Options of").click()
        with page.expect_download() as waiting:
            tile.get_by_role("button", name="Download PNG").click()
        picture = Path(waiting.value.path()).read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert len(picture) > 10_000
    assert visit.complaints == []


def test_a_table_is_sorted_by_a_click_on_its_heading(visit: Visit) -> None:
    page = visit.open(EXECUTIVE + QUARTER)
    table = page.locator("[data-tile=top-products] table")
    table.get_by_role("button", name="Total quantity").click()
    cells = table.locator("tbody tr td:nth-child(3)").all_inner_texts()
    numbers = [int(cell.replace(",", "")) for cell in cells]
    assert len(numbers) == 10
    assert numbers == sorted(numbers, reverse=True)
    expect(table.locator("th").nth(2)).to_have_attribute("aria-sort", "descending")


def test_a_range_can_be_chosen_without_a_mouse(visit: Visit) -> None:
    page = visit.open(EXECUTIVE)
    page.get_by_role("button", name="Date range").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    drawn(page)
    assert query_of(page) == {"range": ["last-30-days"]}
    expect(page.get_by_role("button", name="Date range: Last 30 days")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Date range")).to_have_attribute("aria-expanded", "false")


def test_the_catalog_finds_a_measure_by_its_words(visit: Visit) -> None:
    page = visit.open("/catalog")
    page.get_by_role("searchbox").fill("cancelled shipping")
    expect(page.locator("dt code").filter(has_text="sales.orders_total_revenue")).to_be_visible()
    page.get_by_role("searchbox").fill("no such thing")
    expect(page.get_by_text("Nothing matches")).to_be_visible()


def test_the_data_page_counts_the_rows_of_the_ref(visit: Visit, served: Served) -> None:
    def orders(path: str, where: str) -> None:
        page = visit.open(path)
        [(count,)] = expected.ask(served.data, f"SELECT count(*) FROM orders WHERE {where}")
        expect(page.locator("summary").filter(has_text="fact_orders")).to_contain_text(f"{count:,} rows")

    orders("/data", "true")
    orders("/data?ref=dev", "channel = 'web'")


def test_the_history_shows_the_run_with_its_steps_and_the_commits(visit: Visit, served: Served) -> None:
    page = visit.open("/history?ref=dev")
    run = page.locator("details").filter(has_text=served.run)
    run.locator("summary").click()
    expect(run.locator("tbody tr").filter(has_text="fact_orders").first).to_contain_text("ok")
    expect(page.get_by_text("only orders of the web")).to_be_visible()
    assert visit.complaints == []


def test_it_fits_on_a_phone(visits: Visits) -> None:
    visit = visits(width=390, height=844)
    for path in (EXECUTIVE + QUARTER, "/dashboards", "/catalog", "/data", "/history"):
        page = visit.open(path)
        page.wait_for_timeout(200)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
    page.get_by_role("navigation").get_by_role("link", name="Metrics").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Metrics")


AREAS = ["/dashboards", EXECUTIVE + QUARTER, "/dashboards/customers", "/catalog", "/data", "/history"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_barrier(visits: Visits, theme: Theme) -> None:
    if not AXE.exists():
        pytest.skip(missing("axe-core is not installed; run: make ui"))
    visit = visits(theme=theme)
    found: list[dict[str, Any]] = []
    for area in AREAS:
        page = visit.open(area)
        page.wait_for_timeout(300)
        if area == EXECUTIVE + QUARTER:
            tile = page.locator("[data-tile=revenue-by-segment]")
            tile.get_by_role("button", name="Enterprise").click()
            drawn(page)
            found += barriers(page)
            page.get_by_role("button", name="Date range").click()
        found += barriers(page)
    assert not found, json.dumps(found, indent=1)


def barriers(page: Page) -> list[dict[str, Any]]:
    page.evaluate(AXE.read_text())
    answer = page.evaluate(
        "() => axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']})"
    )
    return [
        {"url": page.url, "rule": one["id"], "nodes": [node["html"][:160] for node in one["nodes"][:3]]}
        for one in answer["violations"]
    ]


def test_nothing_is_fetched_from_elsewhere(visit: Visit) -> None:
    for path in (EXECUTIVE + QUARTER, "/catalog", "/data", "/history"):
        visit.open(path)
        visit.page.wait_for_load_state("networkidle")
    assert len(visit.requests) > 20
    assert {urlsplit(url).netloc for url in visit.requests} == {urlsplit(visit.url).netloc}


def test_the_security_policy_stops_eval_in_the_pages_own_scripts(visit: Visit) -> None:
    """A script of Playwright would not be held back by the policy, so the page's own one tries."""
    attempt = """
        try { new Function('return 1')(); window.tried = 'ran' } catch (error) { window.tried = error.name }
        const style = document.createElement('style'); style.textContent = 'html { outline: 3px solid red }'
        document.head.append(style)
    """

    def poison(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text() + ";" + attempt)

    visit.page.route("**/assets/index-*.js", poison)
    page = visit.open(EXECUTIVE + QUARTER)
    assert page.evaluate("window.tried") == "EvalError"
    assert page.evaluate("getComputedStyle(document.documentElement).outlineStyle") == "none"
    assert page.locator("[data-tile=revenue-over-time] .host svg path").count() > 0
