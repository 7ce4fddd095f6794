"""How the built page is handed out: paths, caching, compression, policy, size."""

import gzip
import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ingot.ui import routes
from ingot.ui.assets import DIST

FIRST_PAINT = 100_000
"""Bytes, compressed, of everything that is loaded before the first number is seen."""


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=routes()))


def assets() -> list[str]:
    return [f"/{path.relative_to(DIST).as_posix()}" for path in sorted((DIST / "assets").iterdir())]


@pytest.mark.parametrize("path", ["/", "/dashboards", "/dashboards/any", "/catalog", "/data/x/y", "/history"])
def test_every_address_of_the_page_is_the_page(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache"
    assert '<div id="app">' in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "/api/v1/nothing",
        "/cubejs-api/v1/nothing",
        "/assets/nothing.js",
        "/assets/../assets.py",
        "/x",
    ],
)
def test_other_addresses_are_not_turned_into_the_page(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_assets_are_kept_for_ever_because_their_names_hold_their_hash(client: TestClient) -> None:
    for path in assets():
        assert re.search(r"-[\w-]{8}\.\w+$", path), path
        assert "immutable" in client.get(path).headers["cache-control"]


def test_a_browser_that_has_the_page_is_told_so(client: TestClient) -> None:
    first = client.get("/")
    again = client.get("/dashboards", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/", headers={"if-none-match": '"other"'}).status_code == 200


def test_text_is_compressed_for_those_who_can_read_it(client: TestClient) -> None:
    script = next(path for path in assets() if path.endswith(".js"))
    raw = (DIST / script.removeprefix("/")).read_bytes()
    packed = client.get(script, headers={"accept-encoding": "gzip"})
    plain = client.get(script, headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content == raw
    assert int(packed.headers["content-length"]) < len(raw) / 2


def test_the_policy_forbids_everything_that_is_not_ours(client: TestClient) -> None:
    policy = client.get("/").headers["content-security-policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert "unsafe" not in policy
    assert "http" not in policy


def test_a_page_that_was_not_built_says_how_to_build_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="make ui"):
        routes(tmp_path)


def test_the_first_paint_is_small() -> None:
    first = [
        DIST / "index.html",
        *(DIST / path.removeprefix("/") for path in assets() if "/vega-" not in path),
    ]
    size = sum(
        path.stat().st_size if path.suffix == ".woff2" else len(gzip.compress(path.read_bytes()))
        for path in first
    )
    assert size < FIRST_PAINT
    index = (DIST / "index.html").read_text()
    assert "vega" not in index, "charts are loaded when the first one is drawn"


def test_the_package_stays_modest() -> None:
    assert sum(path.stat().st_size for path in DIST.rglob("*") if path.is_file()) < 1_500_000


def test_the_lock_holds_versions_and_hashes_but_no_addresses() -> None:
    lock = (DIST.parent / "app" / "package-lock.json").read_text()
    assert '"integrity"' in lock
    assert '"resolved"' not in lock
