"""The login, message by message, as a real PostgreSQL with the same users has it."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import sql

from ingot.project.verifier import Verifier
from tests.pgwire.answering import Running
from tests.pgwire.certificates import Files
from tests.pgwire.logins import PLAIN, PLUS, USERS, Talk, connect, final, initial, judge, ours, users_text
from tests.pgwire.raw import Reply


@pytest.fixture(scope="module")
def real(tls: Files) -> Iterator[tuple[int, Any]]:
    with judge(tls) as found:
        yield found


@pytest.mark.slow
@pytest.mark.parametrize("user", USERS)
def test_verifiers_of_postgresql_and_ours_are_the_same_thing(
    real: tuple[int, Any], tmp_path: Path, user: str
) -> None:
    port, owner = real
    row = owner.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", [user]).fetchone()
    theirs, password = row[0], USERS[user]
    (tmp_path / "users.yml").write_text(users_text({user: theirs}))
    with ours(tmp_path) as found, connect(found.port, user, password):
        pass
    owner.execute(
        "UPDATE pg_authid SET rolpassword = %s WHERE rolname = %s", [str(Verifier.of(password)), user]
    )
    with connect(port, user, password):
        pass
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(port, user, password + "x")


_odd = st.sampled_from(
    "\u00a0\u00ad\u200b\u2028\u0627\u05d0\u0221\u2168\ufb01\u0301\ufffd\u0600\ue000\U000e0001\ufeff1aé "
)


@pytest.mark.slow
@given(
    st.text(
        st.one_of(st.characters(codec="utf-8", exclude_characters="\0"), _odd),
        min_size=1,
        max_size=8,
    )
)
@settings(max_examples=150)
def test_any_password_has_the_verifier_that_postgresql_makes_of_it(
    real: tuple[int, Any], password: str
) -> None:
    owner = real[1]
    owner.execute(sql.SQL("ALTER ROLE ingot PASSWORD {}").format(sql.Literal(password)))
    row = owner.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'ingot'").fetchone()
    theirs = Verifier.read(row[0])
    assert theirs is not None
    assert theirs.fits(password)
    assert Verifier.of(password, salt=theirs.salt) == theirs


@pytest.mark.slow
def test_salts_and_iterations_of_postgresql_are_taken(real: tuple[int, Any], tmp_path: Path) -> None:
    (tmp_path / "users.yml").write_text(
        users_text({"ann": str(Verifier.of("pencil", iterations=12_345, salt=b"short"))})
    )
    with ours(tmp_path) as found, connect(found.port):
        pass


FIRSTS = {
    "nothing": b"",
    "a zero": b"n,,n=,r=a\0b",
    "only a zero": b"\0",
    "unknown flag": b"x,,n=,r=abc",
    "no comma": b"nn,n=,r=abc",
    "another identity": b"n,a=root,n=,r=abc",
    "no second comma": b"n,n=,r=abc",
    "an extension": b"n,,m=x,n=,r=abc",
    "no name": b"n,,r=abc",
    "no equals": b"n,,n,r=abc",
    "no nonce": b"n,,n=",
    "another attribute": b"n,,n=,x=abc",
    "odd nonce": b"n,,n=,r=a b",
    "odd attribute": b"n,,n=,r=abc,1=x",
    "attribute without a value": b"n,,n=,r=abc,x",
    "high byte": b"\xff,,n=,r=abc",
    "flag y": b"y,,n=,r=abc",
    "binding without PLUS": b"p=tls-server-end-point,,n=,r=abc",
    "unknown binding": b"p=tls-unique,,n=,r=abc",
    "odd binding": b"p=\xff,,n=,r=abc",
    "end after the flag": b"n",
    "long": b"n,,n=,r=" + b"a" * 900,
}
LASTS = {
    "right": lambda challenge: final(challenge, b"n=,r=abc"),
    "wrong password": lambda challenge: final(challenge, b"n=,r=abc", password="pen"),
    "another binding": lambda challenge: final(challenge, b"n=,r=abc", b"eSws"),
    "odd binding": lambda challenge: final(challenge, b"n=,r=abc", b"AAAA"),
    "another nonce": lambda challenge: final(challenge, b"n=,r=abc").replace(b"r=abc", b"r=abd"),
    "no proof": lambda challenge: final(challenge, b"n=,r=abc").split(b",p=")[0],
    "short proof": lambda challenge: final(challenge, b"n=,r=abc")[:-5],
    "odd proof": lambda challenge: final(challenge, b"n=,r=abc")[:-5] + b"!!!!=",
    "garbage": lambda challenge: final(challenge, b"n=,r=abc") + b",x=y",
    "extension before the proof": lambda challenge: final(challenge, b"n=,r=abc").replace(b",p=", b",x=y,p="),
    "nothing": lambda _: b"",
    "a zero": lambda _: b"c=biws,r=\0",
    "no attribute": lambda _: b"xyz",
}  # fmt: skip


def heard(reply: Reply | None, user: str = "ann") -> Any:
    """What matters of a reply."""
    if reply is None:
        return "gone"
    if reply.kind == "E":
        return {key: value for key, value in reply.fields.items() if key in "SVCMD"}
    code = struct.unpack("!i", reply.body[:4])[0]
    return (reply.kind, code, reply.body[4:] if code == 10 else b"")


def first_of(port: int, mechanism: bytes, said: bytes | None, *, tls: bool) -> list[Any]:
    with Talk(port, tls=tls) as talk:
        told = [heard(talk.hear())]
        talk.say(initial(mechanism, said))
        told.append(heard(talk.hear()))
        return told


@pytest.mark.slow
@pytest.mark.parametrize("encrypted", [False, True])
@pytest.mark.parametrize("mechanism", [PLAIN, PLUS, b"SCRAM-SHA-1", b""])
@pytest.mark.parametrize("said", FIRSTS.values(), ids=FIRSTS)
def test_first_messages_are_answered_as_by_postgresql(
    real: tuple[int, Any], server: Running, said: bytes, mechanism: bytes, encrypted: bool
) -> None:
    theirs = first_of(real[0], mechanism, said, tls=encrypted)
    assert first_of(server.port, mechanism, said, tls=encrypted) == theirs


@pytest.mark.slow
@pytest.mark.parametrize("last", LASTS.values(), ids=LASTS)
def test_last_messages_are_answered_as_by_postgresql(
    real: tuple[int, Any], server: Running, last: Any
) -> None:
    told = []
    for port in (real[0], server.port):
        with Talk(port) as talk:
            talk.hear()
            talk.say(initial(PLAIN, b"n,,n=,r=abc"))
            challenge = talk.hear()
            assert challenge is not None
            talk.say(last(challenge.body[4:]))
            told.append(heard(talk.hear()))
    assert told[1] == told[0]


BODIES = {
    "no zero": (b"SCRAM-SHA-256", "p"),
    "no length": (b"SCRAM-SHA-256\0", "p"),
    "short length": (b"SCRAM-SHA-256\0\0\0", "p"),
    "too long a length": (b"SCRAM-SHA-256\0\0\0\0\x20n,,n=,r=abc", "p"),
    "too short a length": (b"SCRAM-SHA-256\0\0\0\0\x03n,,n=,r=abc", "p"),
    "nothing and something": (b"SCRAM-SHA-256\0\xff\xff\xff\xffabc", "p"),
    "a query": (b"select 1\0", "Q"),
    "nothing": (b"", "p"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("body", "kind"), BODIES.values(), ids=BODIES)
def test_broken_messages_are_refused_as_by_postgresql(
    real: tuple[int, Any], server: Running, body: bytes, kind: str
) -> None:
    told = []
    for port in (real[0], server.port):
        with Talk(port) as talk:
            talk.hear()
            talk.say(body, kind)
            told.append(heard(talk.hear()))
    assert told[1] == told[0]


@pytest.mark.slow
def test_who_is_not_there_hears_what_postgresql_says(real: tuple[int, Any], server: Running) -> None:
    for user in ("ann", "nobody", 'no"body', "x" * 60):
        told = []
        for port in (real[0], server.port):
            with pytest.raises(psycopg.OperationalError) as caught:
                connect(port, user, "wrong")
            told.append(str(caught.value).partition("FATAL")[2].strip())
        assert told[0] == told[1]
        assert told[0] == f':  password authentication failed for user "{user}"'
