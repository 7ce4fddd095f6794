"""The page's time to a dashboard: from the start of the navigation until the first number and until every tile.

`python -m benchmarks.page [URL]`; without an address the demo is built and served first.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page
from tests.ui.browser import DRAWN, chromium, launched

from benchmarks.results import percentile, report

LOADS = 10
DASHBOARD = "/dashboards/executive"

# The browser's own clock from the start of the navigation, read in the frame in which the condition holds.
WHEN = """() => new Promise((done) => {
    const holds = CONDITION
    const look = () => holds() ? done(performance.now()) : requestAnimationFrame(look)
    look()
})"""
FIRST_NUMBER = "() => document.querySelector('[data-tile] [data-value]')"


def main(url: str | None = None) -> int:
    """Measures `url` or a demo of its own. Exit code 1 where Chromium is missing."""
    if not chromium():
        print("Chromium is not installed; install it and run this again.", file=sys.stderr)
        return 1
    if url:
        measure(url)
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch) / "demo"
        demo = [sys.executable, "-m", "ingot", "demo", "--no-serve", "--dir", str(directory)]
        subprocess.run(demo, check=True, stdout=subprocess.DEVNULL)
        with serving(directory) as own:
            measure(own)
    return 0


def measure(url: str) -> None:
    """Loads the dashboard in fresh browsers and again in a browser that has the page's files."""
    address = url.rstrip("/") + ("" if "/dashboards/" in url else DASHBOARD)
    cold: list[tuple[float, float]] = []
    warm: list[tuple[float, float]] = []
    tiles = 0
    with launched() as browser:
        for _ in range(LOADS + 1):
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            page = context.new_page()
            cold.append(load(page, address))
            warm.append(load(page, address))
            tiles = page.locator("[data-tile]").count()
            context.close()
    first, *cold = cold
    rows = [row("empty browser cache", cold), row("files in the browser's cache", warm[1:])]
    report(
        "page",
        ["what", "loads", "first number p50 ms", "all tiles p50 ms", "all tiles p95 ms"],
        rows,
        tiles=tiles,
        first_load_of_all_ms=round(first[1], 1),
    )


def load(page: Page, address: str) -> tuple[float, float]:
    """Milliseconds until the first number, and until every tile is drawn."""
    page.goto(address, wait_until="commit")
    number = float(page.evaluate(WHEN.replace("CONDITION", FIRST_NUMBER)))
    return number, float(page.evaluate(WHEN.replace("CONDITION", DRAWN)))


def row(what: str, loads: list[tuple[float, float]]) -> list[object]:
    """One line of the report."""
    numbers, tiles = [first for first, _ in loads], [last for _, last in loads]
    figures = (percentile(numbers, 0.5), percentile(tiles, 0.5), percentile(tiles, 0.95))
    return [what, len(loads), *(round(figure, 1) for figure in figures)]


@contextmanager
def serving(directory: Path) -> Iterator[str]:
    """The address of a server of the project, which stops afterwards."""
    command = [sys.executable, "-m", "ingot", "serve", "--project", str(directory), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        said = ""
        for line in server.stdout:
            said += line
            if line.strip() == "ready":
                break
        found = re.search(r"page\s+(http://\S+)", said)
        try:
            if not found:
                raise SystemExit(f"the server did not start: {said}")
            yield found[1]
        finally:
            server.terminate()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
