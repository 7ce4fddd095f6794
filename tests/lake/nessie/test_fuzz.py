"""Whatever is sent to whichever endpoint is answered, or refused in Nessie's shape; the server never fails."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from ingot.lake import Lake
from ingot.lake.nessie import routes
from ingot.lake.nessie.endpoints import PATHS
from tests.lake.nessie.conftest import ROOT, Client, key, namespace, put
from tests.lake.rest.conftest import serving
from tests.lake.spoiled import bodies, junk

SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
ENDPOINTS = [(path.whole, method) for path in PATHS for method in path.methods]

_JUNK = junk(["dev", ROOT, "-", "DETACHED"])
_TABLE = {
    "type": "ICEBERG_TABLE", "id": None, "metadataLocation": "TABLE", "snapshotId": -1, "schemaId": 0,
    "specId": 0, "sortOrderId": 0,
}  # fmt: skip
_VIEW = {"type": "ICEBERG_VIEW", "metadataLocation": "VIEW", "versionId": 1, "schemaId": 0}
_META = {
    "message": "m", "authors": ["a"], "author": "b", "allProperties": {"a": ["b"]}, "signedOffBy": "c",
    "authorTime": "2026-01-31T00:00:00Z", "committer": None,
}  # fmt: skip
_MODE = {
    "key": key("s", "t"),
    "mergeBehavior": "FORCE",
    "expectedTargetContent": _TABLE,
    "resolvedContent": _TABLE,
}
_MERGE = {
    "fromRefName": "dev", "fromHash": "DEV", "hashesToTransplant": ["DEV"], "message": "m", "commitMeta": _META,
    "defaultKeyMergeMode": "NORMAL", "keyMergeModes": [_MODE], "dryRun": False, "returnConflictAsResult": True,
}  # fmt: skip
_OPERATIONS = [
    namespace("fresh", a="b"),
    put("s.fresh", _TABLE),
    put("s.t", _TABLE, expectedContent=_TABLE),
    put("s.v", _VIEW),
    {"type": "DELETE", "key": key("s", "t")},
    {"type": "UNCHANGED", "key": key("s")},
]
_RIGHT: st.SearchStrategy[Any] = st.one_of(
    st.lists(st.sampled_from(_OPERATIONS), min_size=1, max_size=3).map(
        lambda operations: {"commitMeta": _META, "operations": operations}
    ),
    st.just(_MERGE),
    st.just({"requestedKeys": [key("s", "t"), key("s")]}),
    st.sampled_from([{"type": kind, "name": "dev", "hash": "DEV"} for kind in ("BRANCH", "TAG", "DETACHED")]),
)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("fuzz")
    with Lake(f"sqlite:///{folder / 'lake.db'}", folder / "warehouse") as lake:
        app = Starlette(routes=routes(lake))
        with serving(app) as address, httpx2.Client(base_url=f"{address}/api/v2", timeout=20) as http:
            made = Client(http, lake)
            made.commit(namespace("s"))
            yield made


def check(response: httpx2.Response) -> None:
    """The answer is JSON, and a refusal is one of Nessie's."""
    assert response.status_code < 500, response.text
    if response.status_code >= 400:
        error = response.json()
        assert error["status"] == response.status_code
        assert isinstance(error["message"], str)
        assert error["message"]
        assert error["reason"]
        assert error["errorCode"]
        assert set(error) <= {"status", "reason", "message", "errorCode", "errorDetails"}
    elif response.content:
        assert isinstance(response.json(), dict)


REFS = st.sampled_from(
    ["main", "dev", "-", "nope", "main@HEAD", "main~1", "@HEAD", "a%2Fb", "%00", "%FF", "v1"]
)
KEYS = st.sampled_from(["s.t", "s", "s.v", ".a", "..s", "s..t", "%1D", "%00", "%F0%9F%92%A5", "a" * 2000])


@SETTINGS
@given(
    endpoint=st.sampled_from(ENDPOINTS),
    body=bodies(_RIGHT, _JUNK),
    ref=REFS,
    other=REFS,
    path=KEYS,
    usual=st.booleans(),
)
def test_no_body_at_any_endpoint_makes_the_server_fail(
    client: Client, endpoint: tuple[str, str], body: Any, ref: str, other: str, path: str, usual: bool
) -> None:
    if client.http.get("/trees/dev").status_code == 404:
        check(client.branch("dev"))
    head, dev = client.head(), client.head("dev")
    # Right most of the time, so that bodies meet something.
    ref = f"main@{head}" if usual else ref.replace("HEAD", head)
    template, method = endpoint
    names = {
        "ref": ref, "from": ref, "to": other, "refs": f"main...{other}", "key": path, "kind": "branch",
        "name": "dev" if usual else ref,
    }  # fmt: skip
    text = json.dumps(body).replace('"DEV"', f'"{dev}"')
    for name, make in (("TABLE", client.write_table), ("VIEW", client.write_view)):
        if f'"{name}"' in text:
            text = text.replace(f'"{name}"', json.dumps(make()["metadataLocation"]))
    # The address is the one of v2; this is the whole path.
    url = str(client.http.base_url).partition("/api/")[0] + template.format(**names)
    query = {"expectedHash": dev, "name": "fresh", "type": "TAG"} if usual else {}
    check(client.http.request(method, url, content=text.encode(), params=query))


@SETTINGS
@given(
    template=st.sampled_from([path.whole for path in PATHS if "GET" in path.methods]),
    ref=st.text(max_size=12)
    | st.sampled_from(["main@", "@", "main~1", "main^2", "main*1", "main*2026-01-31T00:00:00Z", "~", "^", "...", "-"])
    | st.from_regex(r"(main|-)?(@[0-9a-f]{8,12})?([~^*][0-9]{1,12}){0,3}", fullmatch=True),
    query=st.dictionaries(
        st.sampled_from(
            ["filter", "fetch", "max-records", "maxRecords", "page-token", "pageToken", "key", "min-key", "prefix-key",
             "limit-hash", "startHash", "endHash", "hashOnRef", "ref", "content", "type", "name"]
        ),
        st.text(max_size=10) | st.sampled_from(["ALL", "true", "entry.name == 'a'", "commit.author == 'a'", ROOT]),
        max_size=3,
    ),
)  # fmt: skip
def test_no_reference_and_no_query_makes_the_server_fail(
    client: Client, template: str, ref: str, query: dict[str, str]
) -> None:
    # Dots alone would be taken out of the path by the client.
    part = quote(ref, safe="") if ref.strip(".") else "-"
    names = {"ref": part, "from": part, "to": part, "refs": f"{part}...{part}", "key": part}
    url = str(client.http.base_url).partition("/api/")[0] + template.format(**names)
    check(client.http.get(url, params=query))


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{", b"\xff", b'{"a":' * 300 + b"1" + b"}" * 300, b"7"]
)
def test_bodies_that_are_not_objects_are_refused(client: Client, body: bytes) -> None:
    refused = client.http.post("/trees/main/contents", content=body)
    assert refused.status_code == 400
    check(refused)
