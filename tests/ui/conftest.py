"""A served storefront with three states of the lake, and a browser that notes every complaint."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from ingot.engines.duckdb import DuckDBEngine
from ingot.lake import Lake
from ingot.project import load
from tests.conftest import UNTIL, Ingot
from tests.ui.browser import chromium, drawn, launched, missing


@dataclass(frozen=True)
class Served:
    """A storefront project behind a server of its own process."""

    url: str
    data: Path
    run: str


@pytest.fixture(scope="session")
def served(ingot: Ingot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`main` as built; on `dev` only orders of the web; on `broken` the table of orders is gone."""
    # Not the shared demo: it is read only, and a copy would still read the original's files.
    directory = tmp_path_factory.mktemp("page") / "storefront"
    made = ingot("demo", "--no-serve", "--dir", str(directory), "--until", str(UNTIL), "--json")
    assert made.returncode == 0, made.stderr
    project = load(directory)
    with Lake.open(project) as lake:
        engine = DuckDBEngine(lake)
        try:
            lake.branch("dev")
            web = "SELECT * FROM gold.fact_orders WHERE channel = 'web'"
            with engine.session(lake.at("dev")) as con:
                staged = lake.stage(con, "gold.fact_orders", web, on="dev")
            lake.commit("dev", [staged], message="only orders of the web")
            lake.branch("broken")
            lake.commit("broken", [lake.stage_drop("gold.fact_orders", on="broken")], message="no orders")
        finally:
            engine.close()
    command = [sys.executable, "-m", "ingot", "serve", "--project", str(directory), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        said = ""
        for line in server.stdout:
            said += line
            if line.strip() == "ready":
                break
        found = re.search(r"page\s+(http://\S+)", said)
        assert found, said
        try:
            yield Served(found[1], directory / "data", json.loads(made.stdout)["run"])
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Not for the session: while Playwright is open its event loop counts as running in this thread, and no other
    # test of this process could start one.
    if not chromium():
        pytest.skip(missing("Chromium is not installed"))
    with launched() as browser:
        yield browser


@dataclass
class Visit:
    """A person with a browser, and what the browser complained about."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Opens a page and waits until all its tiles are there."""
        self.page.goto(self.url + path)
        if path.startswith("/dashboards/"):
            drawn(self.page)
        else:
            self.page.wait_for_selector("h1")
        return self.page

    def number(self, tile: str) -> str:
        """The exact number that a KPI tile stands for, as the server sent it."""
        drawn(self.page)
        value = self.page.get_attribute(f"[data-tile={tile}] [data-value]", "data-value")
        assert value is not None
        return value


Theme = Literal["light", "dark"]


class Visits:
    """Opens browser windows that are closed after the test."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self._url = url
        self._contexts: list[BrowserContext] = []

    def __call__(self, *, theme: Theme = "light", width: int = 1440, height: int = 900) -> Visit:
        # A zone far from UTC: a page that mixes up the two shows other numbers there.
        settings: dict[str, Any] = {"timezone_id": "America/Los_Angeles", "accept_downloads": True}
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,
            reduced_motion="reduce",
            **settings,
        )
        self._contexts.append(context)
        page = context.new_page()
        page.clock.set_fixed_time("2026-11-20T03:00:00Z")
        visit = Visit(page, self._url)
        page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        page.on(
            "console",
            lambda message: (
                visit.complaints.append(message.text) if message.type in ("error", "warning") else None
            ),
        )
        page.on("request", lambda request: visit.requests.append(request.url))
        return visit

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@pytest.fixture
def visits(browser: Browser, served: Served) -> Iterator[Visits]:
    opened = Visits(browser, served.url)
    yield opened
    opened.close()


@pytest.fixture
def visit(visits: Visits) -> Visit:
    return visits()
