"""Chromium of the system, driven by Playwright: how tests, screenshots and benchmarks open the page."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
)
APP = Path(__file__).parents[2] / "src" / "ingot" / "ui" / "app"
DRAWN = """() => {
    const grid = document.querySelector('[data-tiles]')
    const tiles = [...document.querySelectorAll('[data-tile]')]
    return Boolean(grid?.dataset.tiles) && tiles.length === Number(grid.dataset.tiles)
        && tiles.every((tile) => tile.dataset.state !== 'loading')
        && [...document.querySelectorAll('[data-chart]')].every((chart) => chart.dataset.chart !== 'drawing')
}"""
AXE = APP / "node_modules" / "axe-core" / "axe.min.js"


def chromium() -> str | None:
    """Where Debian's Chromium is, or None."""
    return shutil.which("chromium")


def missing(what: str) -> str:
    """The reason why a test is skipped; in CI nothing may be missing."""
    if os.environ.get("CI"):
        raise RuntimeError(f"{what}, and in CI nothing may be skipped")
    return what


@contextmanager
def launched() -> Iterator[Browser]:
    """A running browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(ARGS))
        try:
            yield browser
        finally:
            browser.close()


def drawn(page: Page, timeout: float = 30_000) -> None:
    """Waits until every tile of the dashboard has its answer and every chart is drawn."""
    page.wait_for_function(DRAWN, timeout=timeout)
