"""What is kept of a password is what PostgreSQL would keep, and tells nobody the password."""

import base64
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingot.errors import UsageError
from ingot.project.saslprep import prepared
from ingot.project.verifier import Verifier

PENCIL = Verifier.of("pencil", salt=base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="))


def test_a_verifier_is_that_of_rfc_7677s_example() -> None:
    """Computed from the example's messages: the client's proof there gives this StoredKey, its `v=` this ServerKey."""
    assert str(PENCIL) == (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )


@given(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=30))
def test_a_verifier_fits_its_password_and_is_read_as_it_was_written(one: str, other: str) -> None:
    made = Verifier.of(one, iterations=1)
    assert made.fits(one)
    assert made.fits(other) == (prepared(one) == prepared(other))
    assert Verifier.read(str(made)) == made


def test_two_verifiers_of_a_password_differ() -> None:
    assert str(Verifier.of("x", iterations=1)) != str(Verifier.of("x", iterations=1))


def test_an_empty_password_has_none() -> None:
    with pytest.raises(UsageError):
        Verifier.of("")


def test_keys_are_not_shown() -> None:
    assert PENCIL.stored_key.hex()[:8] not in repr(PENCIL)
    assert "stored_key" not in repr(PENCIL)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "secret",
        "md5a3556571e93b0d20722ba62be61e8c2d",
        str(PENCIL)[:-1],
        str(PENCIL) + "=",
        str(PENCIL) + "\n",
        str(PENCIL).replace("SHA-256", "SHA-1"),
        str(PENCIL).replace("4096", "0"),
        str(PENCIL).replace("4096", "-1"),
        str(PENCIL).replace("4096", "9" * 30),
        str(PENCIL).replace("W22ZaJ0SNY7soEsUEjb6gQ==", ""),
        str(PENCIL).replace("W22ZaJ0SNY7soEsUEjb6gQ==", "===="),
        str(PENCIL).replace("WG5d", "WG5"),
    ],
)
def test_what_is_no_verifier_is_none(text: str) -> None:
    assert Verifier.read(text) is None


@pytest.mark.parametrize(
    ("password", "form"),
    [
        ("user", b"user"),
        ("USER", b"USER"),
        ("I\u00adX", b"IX"),
        ("\u00aa", b"a"),
        ("\u2168", b"IX"),
        ("a\u00a0b", b"a b"),
        ("a\u3000b", b"a b"),
        ("\x07", b"\x07"),  # RFC 4013 refuses it; PostgreSQL takes what is ASCII as it is
        ("\u0627\u0031", "\u0627\u0031".encode()),  # refused there (bidirectional), so taken as it is
        ("\u0627\u0031\u0628", "\u0627\u0031\u0628".encode()),
        ("\u00ad", "\u00ad".encode()),  # nothing would be left of it
        (
            "\u0221\u2168",
            "\u0221\u2168".encode(),
        ),  # unassigned in Unicode 3.2: taken as it is, Roman nine too
        ("é", "é".encode()),
        ("e\u0301", "é".encode()),
    ],
)
def test_saslprep_as_rfc_4013_and_postgresql_have_it(password: str, form: bytes) -> None:
    assert prepared(password) == form


@given(st.text(max_size=20))
def test_saslprep_is_the_same_for_equivalent_spellings(text: str) -> None:
    form = prepared(text)
    if form != text.encode():
        assert prepared(unicodedata.normalize("NFC", text)) == form
        assert prepared(form.decode()) == form
