"""Packed bodies, at the Iceberg catalog and at Nessie's API: unpacked up to a limit, refused where damaged."""

import gzip
from collections.abc import Callable

import httpx2
import orjson
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from ingot.lake import Lake, nessie
from ingot.lake.rest import bodies, routes

Post = Callable[..., httpx2.Response]

ICEBERG, NESSIE = "/iceberg/v1/main/namespaces", "/api/v2/trees?name=packed&type=BRANCH"


@pytest.fixture
def post(lake: Lake, serve: Callable[[ASGIApp], str]) -> Post:
    """Sends bytes as a packed body to a path; a refusal must have the shape of the API."""
    address = serve(Starlette(routes=[Mount("/iceberg", routes=routes(lake)), *nessie.routes(lake)]))

    def post(path: str, content: bytes, encoding: str = "gzip") -> httpx2.Response:
        headers = {"content-encoding": encoding, "content-type": "application/json"}
        found = httpx2.post(f"{address}{path}", content=content, headers=headers, timeout=20)
        if found.status_code != 200:
            told = found.json()
            error = told["error"] if path == ICEBERG else told
            assert error["code" if path == ICEBERG else "status"] == found.status_code
            assert error["message"]
        return found

    return post


def asked(path: str, lake: Lake) -> bytes:
    """A body that makes something at `path`."""
    if path == ICEBERG:
        return orjson.dumps({"namespace": ["packed"]})
    return orjson.dumps({"type": "BRANCH", "name": "main", "hash": lake.at().hash})


def made(lake: Lake) -> bool:
    return "packed" in lake.at("main").namespaces or "packed" in {ref.name for ref in lake.catalog.refs()}


@pytest.mark.parametrize("path", [ICEBERG, NESSIE])
@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip"])
def test_a_packed_body_is_read(post: Post, lake: Lake, path: str, encoding: str) -> None:
    assert post(path, gzip.compress(asked(path, lake)), encoding).status_code == 200
    assert made(lake)


@pytest.mark.parametrize("path", [ICEBERG, NESSIE])
def test_a_damaged_body_is_refused(post: Post, lake: Lake, path: str) -> None:
    packed = gzip.compress(asked(path, lake))
    wrong_sum = packed[:-8] + bytes(4) + packed[-4:]
    for content in (packed[:-9], wrong_sum, packed + b"more", packed * 2, b"\x1f\x8bnonsense", b"", b"{}"):
        assert post(path, content).status_code == 400
    for encoding in ("br", "deflate", "gzip, gzip"):
        assert post(path, packed, encoding).status_code == 415
    assert not made(lake)


@pytest.mark.parametrize("path", [ICEBERG, NESSIE])
def test_a_body_that_grows_beyond_the_limit_is_refused(post: Post, lake: Lake, path: str) -> None:
    limit = bodies.LARGEST
    bomb = gzip.compress(asked(path, lake) + b" " * limit)
    assert len(bomb) < limit / 500
    assert post(path, bomb).status_code == 413
    assert not made(lake)


@pytest.mark.parametrize("path", [ICEBERG, NESSIE])
def test_a_body_of_just_the_limit_is_read(
    post: Post, lake: Lake, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = asked(path, lake)
    monkeypatch.setattr(bodies, "LARGEST", len(body) - 1)
    assert post(path, gzip.compress(body)).status_code == 413
    assert post(path, body, "identity").status_code == 413
    # What is packed is longer than such a short body.
    monkeypatch.setattr(bodies, "LARGEST", len(gzip.compress(body)))
    assert post(path, gzip.compress(body)).status_code == 200
