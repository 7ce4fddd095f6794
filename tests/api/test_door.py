"""A server with a login: tokens that open it, tokens that do not, and what each of them opens."""

import base64
import json
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from ingot.api import create_app, keys
from ingot.api.tokens import Tokens
from ingot.errors import IngotError
from ingot.project import Auth, load
from tests.lake.rest.conftest import serving

SECRET = "the-secret-of-the-tests-with-32-characters"
FUTURE, PAST = int(time.time()) + 3600, int(time.time()) - 3600

OPEN = ["/health", "/", "/dashboards/sales"]
ASKED = ["/cubejs-api/v1/meta", "/api/v1/refs", "/api/v1/project"]
LAKE = [
    "/iceberg/v1/config",
    "/api/v2/config",
    "/api/v1/config",
    "/api/v1/tables",
    "/api/v1/log",
    "/api/v1/runs",
]


def signed(payload: dict[str, Any], key: Any = SECRET, algorithm: str = "HS256", **header: Any) -> str:
    return jwt.encode(payload, key, algorithm, headers=header)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    root = tmp_path_factory.mktemp("shop")
    (root / "ingot.yml").write_text(
        "name: shop\nauth: {jwt: {secret: '${API_SECRET}'}, groups_claim: app.roles, lake_groups: [engineers]}\n"
    )
    project = load(root, environ={"API_SECRET": SECRET})
    with TestClient(create_app(project, local=True), base_url="https://metrics.example.com") as made:
        yield made


def get(client: TestClient, path: str, token: str | None = None) -> Any:
    return client.get(path, headers={} if token is None else {"authorization": token})


@pytest.mark.parametrize("path", OPEN)
def test_health_and_the_pages_files_need_no_token(client: TestClient, path: str) -> None:
    assert get(client, path).status_code == 200


@pytest.mark.parametrize(
    "path", [*ASKED, *LAKE, "/cubejs-api/v1/load", "/mcp", "/job/1/status", "/process-job"]
)
def test_everything_else_needs_one(client: TestClient, path: str) -> None:
    for method in ("GET", "POST", "DELETE", "PUT"):
        answer = client.request(method, path)
        assert answer.status_code == 403
        assert "Authorization header isn't set" in answer.text


@pytest.mark.parametrize("path", ASKED)
def test_a_token_opens_what_policies_govern_with_and_without_bearer(client: TestClient, path: str) -> None:
    token = signed({"sub": "ann"})
    for header in (token, f"Bearer {token}", f"bearer  {token} "):
        assert get(client, path, header).status_code == 200


@pytest.mark.parametrize("path", LAKE)
def test_the_lake_opens_to_its_groups_only(client: TestClient, path: str) -> None:
    for payload in ({}, {"app": {"roles": ["sales"]}}, {"groups": ["engineers"]}, {"app": {"roles": "*"}}):
        answer = get(client, path, signed(payload))
        assert answer.status_code == 403
        assert "lake_groups" in answer.text
    assert get(client, path, signed({"app": {"roles": ["sales", "engineers"]}})).status_code == 200


def test_the_refusals_are_in_the_shapes_of_the_clients(client: TestClient) -> None:
    assert get(client, "/cubejs-api/v1/meta", "nonsense").json() == {"error": "Invalid token"}
    iceberg = get(client, "/iceberg/v1/config", "nonsense").json()["error"]
    assert (iceberg["code"], iceberg["type"]) == (403, "NotAuthorizedException")
    assert get(client, "/api/v2/config", "nonsense").json()["errorCode"] == "FORBIDDEN"


def unsigned(payload: dict[str, Any], **header: Any) -> str:
    parts = [{"typ": "JWT", **header}, payload]
    return ".".join(base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in parts)


BAD = {
    "of another secret": signed({}, SECRET + "x"),
    "past its time": signed({"exp": PAST}),
    "before its time": signed({"nbf": FUTURE}),
    "of another algorithm": signed({}, SECRET * 2, "HS512"),
    "without an algorithm": unsigned({}, alg="none") + ".",
    "without an algorithm in capitals": unsigned({}, alg="None") + ".",
    "without a signature": unsigned({}, alg="HS256") + ".",
    "of an unknown algorithm": unsigned({}, alg="HS1") + ".abc",
    "that is no token": "x",
    "of empty parts": "..",
    "that is not text": "\xff\xfe.a.b",
    "that is endless": "a" * 20_000,
    "that carries its own key": signed({}, "k" * 32, "HS256", jwk={"kty": "oct", "k": "a2tr"}),
    "with a payload that is no object": jwt.api_jws.encode(b"[1]", SECRET, "HS256"),
    "with an expiry that is no time": jwt.api_jws.encode(b'{"exp": "soon"}', SECRET, "HS256"),
}


@pytest.mark.parametrize("token", BAD.values(), ids=BAD.keys())
def test_a_bad_token_opens_nothing_and_learns_nothing(client: TestClient, token: str) -> None:
    answer = client.get("/cubejs-api/v1/meta", headers={b"authorization": token.encode("latin-1")})
    assert answer.status_code == 403
    assert answer.json() == {"error": "Invalid token"}


def test_pages_of_other_sites_may_ask_because_they_need_a_token(client: TestClient) -> None:
    origin = {"origin": "https://app.example.org"}
    asked = client.options(
        "/cubejs-api/v1/load",
        headers={
            **origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization",
        },
    )
    assert asked.status_code == 200
    assert "authorization" in asked.headers["access-control-allow-headers"].lower()
    assert client.get("/cubejs-api/v1/meta", headers=origin).status_code == 403


def auth(**settings: Any) -> Auth:
    return Auth.model_validate({"jwt": settings.pop("jwt"), **settings})


def test_the_payload_or_its_namespace_is_the_security_context() -> None:
    token = signed({"tenant": 7, "groups": ["b", "a", 3], "u": {"x": 1, "groups": "c"}, "sub": 5})
    whole = Tokens(auth(jwt={"secret": SECRET})).context(token)
    assert whole is not None
    assert (whole.security["tenant"], whole.groups) == (7, ("a", "b"))
    part = Tokens(auth(jwt={"secret": SECRET, "claims_namespace": "u"})).context(token)
    assert part is not None
    assert (dict(part.security), part.groups) == ({"x": 1, "groups": "c"}, ("c",))
    assert whole.key != part.key


def test_issuer_and_audience_must_be_there_and_right() -> None:
    tokens = Tokens(auth(jwt={"secret": SECRET, "issuer": ["me", "us"], "audience": "shop"}))
    assert tokens.context(signed({"iss": "us", "aud": ["x", "shop"]})) is not None
    for payload in (
        {},
        {"iss": "us"},
        {"aud": "shop"},
        {"iss": "them", "aud": "shop"},
        {"iss": "me", "aud": "x"},
    ):
        assert tokens.context(signed(payload)) is None


def test_a_public_key_checks_signed_tokens_and_is_no_shared_secret() -> None:
    private = rsa.generate_private_key(65537, 2048)
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    tokens = Tokens(auth(jwt={"public_key": pem, "algorithms": "RS256"}))
    assert tokens.context(signed({"a": 1}, private, "RS256")) is not None
    confused = unsigned({"a": 1}, alg="HS256")
    digest = jwt.get_algorithm_by_name("HS256").sign(confused.encode(), pem.encode())
    assert tokens.context(f"{confused}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}") is None
    with pytest.raises(IngotError, match="no public key"):
        Tokens(auth(jwt={"public_key": "nonsense"}))


class Provider:
    """An identity provider that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.keys: dict[str, Any] = {}
        self.broken = False

    def add(self, kid: str, kind: str) -> Any:
        private: Any = (
            rsa.generate_private_key(65537, 2048)
            if kind == "RS256"
            else ec.generate_private_key(ec.SECP256R1())
        )
        algorithm = jwt.get_algorithm_by_name(kind)
        self.keys[kid] = {**algorithm.to_jwk(private.public_key(), as_dict=True), "kid": kid, "use": "sig"}
        return private

    async def answer(self, _request: Request) -> JSONResponse:
        self.asked += 1
        if self.broken:
            return JSONResponse({}, 500)
        return JSONResponse({"keys": [*self.keys.values(), {"kty": "oct", "k": "AAAA", "kid": "shared"}, 7]})


def test_keys_of_a_provider_are_fetched_when_needed_and_not_whenever_a_stranger_likes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provider = Provider()
    one, two = provider.add("one", "RS256"), provider.add("two", "ES256")
    with serving(Starlette(routes=[Route("/keys", provider.answer)])) as url:
        tokens = Tokens(auth(jwt={"jwks_url": f"{url}/keys"}))
        assert not tokens.is_quick
        assert tokens.context(signed({}, one, "RS256", kid="one")) is not None
        assert tokens.context(signed({}, two, "ES256", kid="two")) is not None
        assert tokens.context(signed({}, one, "RS256", kid="two")) is None
        assert tokens.context(signed({}, two, "ES256")) is None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert tokens.context(signed({}, "\0\0\0", "HS256", kid="shared")) is None
        for number in range(20):
            assert tokens.context(signed({}, one, "RS256", kid=f"guess{number}")) is None
        assert provider.asked == 1
        three = provider.add("three", "RS256")
        monkeypatch.setattr(keys, "PAUSE", 0.0)
        assert tokens.context(signed({}, three, "RS256", kid="three")) is not None
        provider.broken = True
        assert tokens.context(signed({}, one, "RS256", kid="one")) is not None


def test_a_provider_that_does_not_answer_is_said_and_not_asked_again_at_once() -> None:
    provider = Provider()
    provider.broken = True
    with serving(Starlette(routes=[Route("/keys", provider.answer)])) as url:
        tokens = Tokens(auth(jwt={"jwks_url": f"{url}/keys"}))
        for _ in range(3):
            with pytest.raises(keys.KeysUnavailableError):
                tokens.context(signed({}, SECRET, "HS256", kid="one"))
        assert provider.asked == 1


def test_a_server_with_a_login_does_not_print_its_secret(tmp_path: Path) -> None:
    (tmp_path / "ingot.yml").write_text("auth: {jwt: {secret: '${API_SECRET}'}}")
    project = load(tmp_path, environ={"API_SECRET": SECRET})
    assert project.auth is not None
    assert SECRET not in repr(Tokens(project.auth)) + repr(project.auth) + str(project.dump())
