"""HTTP Basic: the users of the SQL port at the door of HTTP."""

import base64
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from starlette.testclient import TestClient

import ingot
from ingot.api import create_app
from ingot.errors import UsageError
from ingot.pgwire.attempts import MOST_USER
from ingot.project import load
from ingot.project.verifier import Verifier
from tests.lake.rest.conftest import serving as real_server

SECRET = "the-secret-of-the-tests-with-32-characters"
ANN, ODD = "pencil", "pä:ss\"w'ö 密码🔑"
META = "/cubejs-api/v1/meta"
MODEL = """
cubes:
  - name: orders
    sql_table: raw.orders
    dimensions: [{name: id, sql: id, type: number, primary_key: true}]
    measures: [{name: count, type: count}]
    access_policy: [{group: sales}]
"""


def write_users(folder: Path, **passwords: str) -> None:
    lines = ["users:"]
    for name, password in passwords.items():
        lines += [f"  {name}:", f"    verifier: {Verifier.of(password)}", f"    groups: [{name}]"]
    (folder / "users.yml").write_text("\n".join(lines))


def folder_of(folder: Path, auth: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "ingot.yml").write_text(f"name: shop\n{auth}")
    (folder / "semantic").mkdir()
    (folder / "semantic" / "orders.yml").write_text(MODEL)
    write_users(folder, sales=ANN, jürgen=ODD, engineers="wrench")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "shop", "auth: {users: users.yml, lake_groups: engineers}\n")


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    with serving(folder) as made:
        yield made


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A server for tests that change nothing and fail seldom."""
    folder = tmp_path_factory.mktemp("shared")
    with serving(folder_of(folder / "shop", "auth: {users: users.yml, lake_groups: engineers}\n")) as made:
        yield made


def serving(folder: Path) -> TestClient:
    project = load(folder, environ={"API_SECRET": SECRET})
    return TestClient(create_app(project, local=True), base_url="https://metrics.example.com")


def basic(user: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_a_user_gets_in_and_sees_what_his_groups_see(shared: TestClient) -> None:
    for user, password, cubes in (("sales", ANN, 1), ("jürgen", ODD, 0)):
        for _ in range(2):
            answer = shared.get(META, headers=basic(user, password))
            assert answer.status_code == 200
            assert len(answer.json()["cubes"]) == cubes


@pytest.mark.parametrize("path", ["/api/v1/tables", "/iceberg/v1/config", "/api/v2/config"])
def test_the_lake_is_for_its_groups(shared: TestClient, path: str) -> None:
    assert shared.get(path, headers=basic("sales", ANN)).status_code == 403
    assert shared.get(path, headers=basic("engineers", "wrench")).status_code == 200


WRONG = {
    "another password": basic("sales", "pen"),
    "the empty password": basic("sales", ""),
    "somebody who is not there": basic("nobody", ANN),
    "no name": basic("", ANN),
    "no base64": {"authorization": "Basic !!!"},
    "no text": {"authorization": "Basic " + base64.b64encode(b"\xff:\xff").decode()},
    "no colon": {"authorization": "Basic " + base64.b64encode(b"sales").decode()},
    "nothing": {"authorization": "Basic"},
    "endless": {"authorization": "Basic " + base64.b64encode(b"sales:" + b"x" * 10_000).decode()},
    "no header": {},
}


@pytest.mark.parametrize("headers", WRONG.values(), ids=WRONG)
def test_everybody_else_is_asked_again_and_learns_nothing(
    shared: TestClient, headers: dict[str, str]
) -> None:
    answer = shared.get(META, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic realm=")
    assert answer.json()["error"] in ("Invalid user or password", "Authorization header isn't set")


@pytest.mark.parametrize(
    "value", [f"Bearer {SECRET}", "sales", "Digest x", "Bearer " + base64.b64encode(b"sales:pencil").decode()]
)
def test_without_tokens_no_token_opens(shared: TestClient, value: str) -> None:
    assert shared.get(META, headers={"authorization": value}).status_code == 403


def test_tokens_and_users_open_the_same_door(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "both", "auth: {jwt: {secret: '${API_SECRET}'}}\n")
    with serving(folder) as client:
        token = jwt.encode({"groups": ["sales"]}, SECRET, "HS256")
        for headers in ({"authorization": token}, basic("sales", ANN)):
            assert len(client.get(META, headers=headers).json()["cubes"]) == 1
        assert client.get(META, headers={"authorization": "nonsense"}).status_code == 403


def test_users_alone_close_the_server(tmp_path: Path) -> None:
    """A file of users is a login, also where ingot.yml does not say so."""
    with serving(folder_of(tmp_path / "plain")) as client:
        assert client.get(META).status_code == 401
        assert client.get("/health").status_code == 200
        assert client.get(META, headers=basic("sales", ANN)).status_code == 200


def test_a_server_whose_users_are_missing_lets_nobody_in(folder: Path) -> None:
    (folder / "users.yml").unlink()
    with serving(folder) as client:
        assert client.get(META).status_code == 401
        assert client.get(META, headers=basic("sales", ANN)).status_code == 401
        write_users(folder, sales=ANN)
        assert client.get(META, headers=basic("sales", ANN)).status_code == 200


def test_a_changed_or_removed_user_is_out_at_once(client: TestClient, folder: Path) -> None:
    assert client.get(META, headers=basic("sales", ANN)).status_code == 200
    write_users(folder, sales="other")
    assert client.get(META, headers=basic("sales", ANN)).status_code == 401
    assert client.get(META, headers=basic("sales", "other")).status_code == 200
    write_users(folder, jürgen=ODD)
    assert client.get(META, headers=basic("sales", "other")).status_code == 401


def test_only_the_first_request_computes(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get(META, headers=basic("sales", ANN)).status_code == 200

    def fits(*_: Any) -> bool:
        raise AssertionError("computed again")

    monkeypatch.setattr(Verifier, "fits", fits)
    assert client.get(META, headers=basic("sales", ANN)).status_code == 200


def test_guessing_is_stopped(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingot.pgwire.attempts.STEP", 0.0)
    client.get(META, headers=basic("sales", ANN))
    for _ in range(MOST_USER):
        assert client.get(META, headers=basic("sales", "guess")).status_code == 401
        assert client.get(META, headers=basic("jürgen", "guess")).status_code == 401
    assert client.get(META, headers=basic("jürgen", ODD)).status_code == 401
    # Who is in already stays in: nobody can shut him out by guessing.
    assert client.get(META, headers=basic("sales", ANN)).status_code == 200


def test_who_is_not_there_takes_as_long_as_who_is(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[int] = []

    def counted(_hash: str, _password: bytes, _salt: bytes, iterations: int) -> bytes:
        computed.append(iterations)
        return bytes(32)

    monkeypatch.setattr("hashlib.pbkdf2_hmac", counted)
    for user in ("sales", "nobody"):
        client.get(META, headers=basic(user, "wrong"))
    assert computed == [4096, 4096]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://evil.example.org"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "https://metrics.example.com"}, 200),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "same-origin", "origin": "https://behind.a.proxy"}, 200),
        ({"sec-fetch-site": "none"}, 200),
    ],
)
def test_a_browser_that_knows_the_password_does_not_lend_it_to_other_sites(
    shared: TestClient, headers: dict[str, str], status: int
) -> None:
    assert shared.get(META, headers={**basic("sales", ANN), **headers}).status_code == status


def test_logins_are_logged_without_secrets(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ingot.login")
    for password in (ANN, ANN, "hunter2"):
        client.get(META, headers=basic("sales", password))
    lines = [record.getMessage() for record in caplog.records if record.name == "ingot.login"]
    assert [line.rpartition(" ")[0].partition(" from=")[0] for line in lines][:1] == [
        "http login user='sales'"
    ]
    assert [line.endswith(" ok") for line in lines] == [True, False]
    assert not any(ANN in line or "hunter2" in line for line in lines)


@pytest.mark.slow
def test_a_known_user_costs_microseconds(client: TestClient) -> None:
    headers = basic("sales", ANN)
    client.get(META, headers=headers)
    started = time.perf_counter()
    for _ in range(50):
        client.get(META, headers=headers)
    assert (time.perf_counter() - started) / 50 < 0.05


def test_the_documentation_says_how_to_log_in(shared: TestClient) -> None:
    told = shared.get("/openapi.json").json()
    assert told["security"] == [{"password": []}]
    assert told["components"]["securitySchemes"] == {"password": {"type": "http", "scheme": "basic"}}


def test_python_logs_in_with_name_and_password(folder: Path) -> None:
    with real_server(create_app(load(folder))) as address:
        with ingot.open(address, user="sales", password=ANN) as session:
            assert [one.name for one in session.metrics()] == ["orders.count"]
        with ingot.open(address, user="jürgen", password=ODD) as session:
            assert session.metrics() == []
        with (
            ingot.open(address, user="sales", password="x") as session,
            pytest.raises(UsageError, match="Invalid user"),
        ):
            session.metrics()
    for given in ({"user": "sales"}, {"password": "x"}, {"user": "sales", "password": "x", "token": "x"}):
        with pytest.raises(UsageError, match="either a token"):
            ingot.open("http://127.0.0.1:1", **given)
