"""Tokens that are none, and true ones with hostile claims: 403 or an answer, and claims never become SQL."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.hostile.judge import judged
from tests.api.hostile.store import MARK, SECRET, Store, opened, token
from tests.api.hostile.texts import PLAIN, TEXTS

PATHS = {"/cubejs-api/v1/load": {"query": PLAIN}, "/cubejs-api/graphql": {"query": "{ cube { orders { count } } }"}, "/api/v1/sql": {"sql": "select 1"}}  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with opened(tmp_path_factory.mktemp("login"), login=True) as made:
        yield made


def packed(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def signed(header: str, payload: str) -> str:
    """A token with a true signature, whatever its parts are."""
    body = f"{packed(header)}.{packed(payload)}"
    made = hmac.new(SECRET.encode(), body.encode(), hashlib.sha256).digest()
    return f"{body}.{base64.urlsafe_b64encode(made).rstrip(b'=').decode()}"


HEADER = '{"alg":"HS256","typ":"JWT"}'
NONE = [
    "x", "a.b.c", "..", "." * 1000, "é", "Bearer", "Bearer Bearer x", "null", "{}", packed(HEADER), f"{packed(HEADER)}.{packed('{}')}.",
    f"{packed(HEADER)}.{packed('{}')}.AAAA", "a" * 60_000, f"{packed('[' * 11_000)}.e30.x", f"{packed('5')}.e30.x", f"{packed('null')}.e30.x",
    *(f"{packed(one)}.e30.x" for one in ('{"alg":"none"}', '{"alg":[]}', '{"alg":{}}', '{"alg":null}', '{"alg":"RS256"}', '{"alg":"HS256","kid":[]}',
      '{"alg":"HS256","crit":["x"]}', '{"alg":"HS256","b64":false}', '{"alg":"HS256","kid":"../../etc/passwd"}', '{"alg":"HS256","kid":"\\ud800"}')),
    f"{packed('{' + chr(34) + 'alg' + chr(34) + ':' + '[' * 5_000 + ']' * 5_000 + '}')}.e30.x",
    *(signed(HEADER, one) for one in ("", "5", "[]", "null", '"x"', "{", "[" * 5_000, '{"exp": "soon"}', '{"exp": 1}', '{"exp": {}}', '{"exp": 1e999}',
      '{"nbf": 99999999999}', '{"nbf": "x"}', '{"iat": []}')),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(NONE)))
def test_what_is_no_token_opens_nothing(store: Store, number: int) -> None:
    store.statements.clear()
    for path, body in PATHS.items():
        answer = store.post(path, body, headers={b"authorization": NONE[number].encode("latin-1")})
        assert answer.status_code == 403, (NONE[number][:80], answer.text)
        assert "Invalid token" in answer.text or "Authorization header" in answer.text
        assert len(answer.text) < 300
    assert not store.statements


CLAIMS: list[Any] = [
    *TEXTS[:40], {}, [], [[]], {"a": {"b": 1}}, 0, -1, 1.5, 2**63, 2**64, 2**70, -(2**300), float("nan"), float("inf"), True, None, "\ud800",
    ["a", None, "\x00"], ["x"] * 1000, json.loads("[" * 200 + "]" * 200), json.loads("[" * 500 + "]" * 500),
]  # fmt: skip
ASKED = [
    {"dimensions": ["orders.asker"]},
    PLAIN,
    {"measures": ["tickets.count"]},
    {"measures": ["tickets.count", "tickets.x"]},
]


@pytest.mark.slow
@pytest.mark.parametrize("claim", ["name", "state", "topic", "groups", "suspended", "sub", "x", "jti"])
def test_a_claim_may_be_anything(store: Store, claim: str) -> None:
    for value in CLAIMS:
        written = value + MARK if isinstance(value, str) else value
        who = {"authorization": token(**{"groups": ["clerk"], "topic": "bug"} | {claim: written})}
        store.statements.clear()
        for query in ASKED:
            answer = store.load(query, headers=who)
            judged(answer, "/cubejs-api/v1/load", f"{claim} {str(value)[:80]} {query}", str(store.root))
        document = {"query": "{ cube { orders { count asker } } }"}
        answer = store.post("/cubejs-api/graphql", document, headers=who)
        judged(answer, "/cubejs-api/graphql", f"{claim} {str(value)[:80]}", str(store.root))
        assert not [sql for sql in store.statements if MARK in sql], value


@pytest.mark.parametrize("claim", ["name", "state"])
def test_claims_become_no_sql(store: Store, claim: str) -> None:
    for text in TEXTS[1:30:3]:
        store.statements.clear()
        answer = store.load(ASKED[0], headers={"authorization": token(**{claim: text + MARK})})
        judged(answer, "/cubejs-api/v1/load", text, str(store.root))
        assert not [sql for sql in store.statements if MARK in sql], text


@pytest.mark.parametrize("text", ["'; DROP TABLE gold.orders; --", "$1", "{CUBE}", "%", "\\", "é\u202e"])
def test_a_claim_comes_back_as_the_text_that_it_is(store: Store, text: str) -> None:
    answer = store.load({"dimensions": ["orders.asker"]}, headers={"authorization": token(name=text)})
    assert answer.json()["data"] == [{"orders.asker": text}]


def test_claims_that_can_be_no_parameter_are_refused_at_the_door(store: Store) -> None:
    for value in ("\ud800", 2**70):
        answer = store.load(PLAIN, headers={"authorization": token(name=value)})
        assert (answer.status_code, answer.json()) == (403, {"error": "Invalid token"})
