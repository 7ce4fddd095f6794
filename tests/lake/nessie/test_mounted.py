"""The whole application: Nessie's paths beside Ingot's own, which begin alike, and what `ingot serve` prints."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from ingot.api import create_app
from ingot.cli import serve
from ingot.lake import Lake
from ingot.project import Project, load
from tests.lake.nessie.conftest import ROOT


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "ingot.yml").write_text("name: shop\n")
    return load(tmp_path)


def test_nessie_and_ingot_share_a_prefix_and_no_path(project: Project) -> None:
    with TestClient(create_app(project)) as client:
        assert client.get("/api/v2/config").json()["defaultBranch"] == "main"
        assert client.get("/api/v1/trees/tree").json() == {"type": "BRANCH", "name": "main", "hash": ROOT}
        assert client.get("/api/v1/refs").json()["refs"] == [{"kind": "BRANCH", "name": "main", "hash": ROOT}]
        assert client.get("/api/v1/project").json()["name"] == "shop"
        assert client.get("/api/v2/nothing").json()["status"] == 404
        body = {"type": "BRANCH", "name": "main", "hash": ROOT}
        made = client.post("/api/v2/trees", params={"name": "a/b", "type": "BRANCH"}, json=body)
        assert made.status_code == 200
        assert client.get("/api/v2/trees/a%2Fb/entries").json()["effectiveReference"]["name"] == "a/b"


def test_a_protected_branch_moves_only_by_merges(project: Project) -> None:
    with Lake.open(project) as lake:
        lake.catalog.protect("main")
        lake.branch("dev")
    commit = {
        "commitMeta": {"message": "m"},
        "operations": [
            {"type": "PUT", "key": {"elements": ["s"]}, "content": {"type": "NAMESPACE", "elements": ["s"]}}
        ],
    }
    with TestClient(create_app(project)) as client:
        refused = client.post(f"/api/v2/trees/main@{ROOT}/history/commit", json=commit)
        assert (refused.status_code, refused.json()["errorCode"]) == (403, "FORBIDDEN")
        assert client.post(f"/api/v2/trees/dev@{ROOT}/history/commit", json=commit).status_code == 200
        merged = client.post(f"/api/v2/trees/main@{ROOT}/history/merge", json={"fromRefName": "dev"})
        assert merged.json()["wasApplied"] is True


def test_the_address_is_printed_when_the_server_starts(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    with serve.listen(project, port=0) as listener:
        port = listener.getsockname()[1]
        serve._print_addresses(project, listener)
    assert f"nessie    http://localhost:{port}/api/v2" in capsys.readouterr().out
