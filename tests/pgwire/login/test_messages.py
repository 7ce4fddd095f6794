"""Logins by hand: what is said too late, too long, or instead of a password."""

import base64
import hashlib
import hmac
import socket
import struct
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingot.pgwire import door
from ingot.pgwire.errors import PgError
from ingot.pgwire.server import Limits
from ingot.project.verifier import Verifier
from tests.pgwire.answering import Running
from tests.pgwire.logins import (
    PLAIN,
    PLUS,
    Talk,
    final,
    initial,
    ours,
    users_text,
)


def test_a_client_that_says_nothing_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "users.yml").write_text(users_text({"ann": str(Verifier.of("pencil"))}))
    with ours(tmp_path, limits=Limits(login_seconds=0.2)) as found, Talk(found.port) as talk:
        talk.hear()
        started = time.monotonic()
        reply = talk.hear()
        assert reply is None or reply.fields["C"] == "08006"
        assert time.monotonic() - started < 3


def test_a_message_that_is_too_long_is_not_read(server: Running) -> None:
    with Talk(server.port) as talk:
        talk.hear()
        talk.sock.sendall(b"p" + struct.pack("!i", 1 << 30))
        reply = talk.hear()
        assert reply is None or reply.kind == "E"


@given(st.binary(max_size=60))
def test_any_first_response_is_read_or_refused(body: bytes) -> None:
    try:
        mechanism, said = door._initial(bytearray(body))
    except PgError as error:
        assert error.sqlstate == "08P01"  # noqa: PT017
    else:
        assert initial(mechanism.encode("latin-1"), said) == body


_responses = st.lists(
    st.tuples(
        st.sampled_from("pppppQXdS"),
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from(
                [initial(PLAIN, b"n,,n=,r=abc"), initial(PLAIN, None), initial(PLUS, b"y,,n=,r=a")]
            ),
            st.sampled_from([b"n,,n=,r=abc", b"c=biws,r=abc,p=AAAA", b"", b"\0"]),
        ),
    ),
    min_size=1,
    max_size=4,
)


@pytest.mark.slow
@given(_responses)
@settings(max_examples=150)
def test_whatever_is_said_instead_of_a_password_opens_nothing(
    server: Running, said: list[tuple[str, bytes]]
) -> None:
    with Talk(server.port) as talk:
        for kind, body in said:
            with suppress(ConnectionError):
                talk.say(body, kind)
        with suppress(OSError):
            talk.sock.shutdown(socket.SHUT_WR)
        heard = []
        while (reply := talk.hear()) is not None:
            heard.append(reply)
    assert {reply.kind for reply in heard} <= {"R", "E"}
    assert not any(reply.kind == "R" and reply.body[:4] == bytes(4) for reply in heard)
    assert server.settles()


def test_who_hears_first_speaks_second(server: Running) -> None:
    """A client may choose the mechanism before it says anything."""
    with Talk(server.port) as talk:
        talk.hear()
        talk.say(initial(PLAIN, None))
        empty = talk.hear()
        assert empty is not None
        assert empty.body == struct.pack("!i", 11)
        talk.say(b"n,,n=,r=abc")
        challenge = talk.hear()
        assert challenge is not None
        talk.say(final(challenge.body[4:], b"n=,r=abc"))
        done = talk.hear()
        assert done is not None
        assert done.body[:4] == struct.pack("!i", 12)


def test_the_server_proves_that_it_knows_the_verifier(server: Running) -> None:
    with Talk(server.port) as talk:
        talk.hear()
        talk.say(initial(PLAIN, b"n,,n=,r=abc"))
        challenge = talk.hear()
        assert challenge is not None
        said = final(challenge.body[4:], b"n=,r=abc")
        talk.say(said)
        done = talk.hear()
        assert done is not None
    parts = dict(part.split(b"=", 1) for part in challenge.body[4:].split(b","))
    salted = hashlib.pbkdf2_hmac("sha256", b"pencil", base64.b64decode(parts[b"s"]), 4096)
    key = hmac.new(salted, b"Server Key", hashlib.sha256).digest()
    signed = b"n=,r=abc," + challenge.body[4:] + b"," + said.split(b",p=")[0]
    assert done.body[4:] == b"v=" + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
