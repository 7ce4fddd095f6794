"""SCRAM's messages: RFC 7677's example, and whatever else somebody may say."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingot.pgwire.errors import PgError
from ingot.pgwire.scram import Exchange
from ingot.project.verifier import Verifier
from tests.pgwire.logins import proof

VERIFIER = Verifier.of("pencil", salt=base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="))
SERVER = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
FIRST = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
FINAL = (
    b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
)


def test_the_example_of_rfc_7677() -> None:
    exchange = Exchange(VERIFIER, nonce=SERVER)
    assert exchange.first(FIRST) == (
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    )
    assert exchange.final(FINAL) == b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def test_the_right_proof_of_somebody_who_is_not_there_is_wrong() -> None:
    exchange = Exchange(VERIFIER, nonce=SERVER, is_known=False)
    exchange.first(FIRST)
    assert exchange.final(FINAL) is None


def test_each_login_has_a_nonce_of_its_own() -> None:
    assert Exchange(VERIFIER).first(FIRST) != Exchange(VERIFIER).first(FIRST)


@pytest.mark.parametrize("position", range(len(FINAL)))
def test_no_changed_byte_of_a_right_answer_is_right(position: int) -> None:
    exchange = Exchange(VERIFIER, nonce=SERVER)
    exchange.first(FIRST)
    changed = bytearray(FINAL)
    changed[position] ^= 1
    try:
        assert exchange.final(bytes(changed)) is None
    except PgError as error:
        assert error.sqlstate == "08P01"  # noqa: PT017 - either is a refusal


def test_a_login_is_bound_to_the_certificate() -> None:
    binding = hashlib.sha256(b"certificate").digest()
    for other in (binding, hashlib.sha256(b"of somebody in between").digest()):
        exchange = Exchange(VERIFIER, binding=binding, binds=True)
        challenge = exchange.first(b"p=tls-server-end-point,,n=,r=abc")
        nonce = challenge.split(b",")[0]
        without = b"c=" + base64.b64encode(b"p=tls-server-end-point,," + other) + b"," + nonce
        said = without + b",p=" + proof("pencil", challenge, b"n=,r=abc", without)
        if other == binding:
            assert exchange.final(said) is not None
        else:
            with pytest.raises(PgError, match="channel binding check failed") as caught:
                exchange.final(said)
            assert caught.value.sqlstate == "28000"


_words = b"n y p = , r= n= c= a= m= p= biws eSws x=1 tls-server-end-point rOprNGfwEbeRWgbNEkqO".split()
_piece = st.sampled_from([*_words, b"rOprNGfwEbeRWgbNEkqO" + SERVER.encode(), b"", b"\0", b"\xff", b"A" * 44])
_anything = st.one_of(st.binary(max_size=60), st.lists(_piece, max_size=12).map(b"".join))


@given(_anything, _anything, st.booleans(), st.booleans())
def test_whatever_is_said_is_refused_in_protocol(first: bytes, final: bytes, tls: bool, binds: bool) -> None:
    exchange = Exchange(VERIFIER, binding=b"x" * 32 if tls else None, binds=tls and binds, nonce=SERVER)
    try:
        answer = exchange.first(first)
        assert answer.endswith(b",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")
    except PgError as error:
        assert error.sqlstate in ("08P01", "28000", "0A000")  # noqa: PT017
        exchange.first(FIRST.replace(b"n,,", b"p=tls-server-end-point,,") if tls and binds else FIRST)
    try:
        assert exchange.final(final) is None
    except PgError as error:
        assert error.sqlstate in ("08P01", "28000")  # noqa: PT017
