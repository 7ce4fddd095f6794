"""Users and certificates that change while the server runs."""

import ssl
from pathlib import Path

import psycopg
import pytest

from ingot.errors import IngotError
from ingot.pgwire.tls import Certificate
from ingot.project.verifier import Verifier
from tests.pgwire import certificates
from tests.pgwire.logins import Talk, connect, ours, users_text


def test_edits_of_the_file_hold_for_the_next_connection(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "users.yml"
    ann, bob = str(Verifier.of("a")), str(Verifier.of("b"))
    with ours(tmp_path) as found:
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            connect(found.port, "ann", "a")
        file.write_text(users_text({"ann": ann}))
        connect(found.port, "ann", "a").close()
        file.write_text(users_text({"ann": bob, "bob": bob}))
        connect(found.port, "ann", "b").close()
        connect(found.port, "bob", "b").close()
        with pytest.raises(psycopg.OperationalError):
            connect(found.port, "ann", "a")
        file.write_text("users: {ann: {verifier: oops}}")
        connect(found.port, "ann", "b").close()
        assert "kept as they were" in caplog.text
        assert "oops" not in caplog.text
        file.unlink()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            connect(found.port, "ann", "b")


def test_a_new_certificate_is_shown_and_a_broken_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingot.pgwire.tls.EVERY", 0.0)
    (tmp_path / "users.yml").write_text(users_text({"ann": str(Verifier.of("pencil"))}))
    files = certificates.made(tmp_path)

    def shown(port: int) -> bytes:
        connect(port, sslmode="require", channel_binding="require").close()
        with Talk(port, tls=True) as talk:
            assert isinstance(talk.sock, ssl.SSLSocket)
            return talk.sock.getpeercert(binary_form=True) or b""

    with ours(tmp_path, files) as found:
        assert shown(found.port) == files.der
        new = certificates.made(tmp_path, signed="sha512")
        assert shown(found.port) == new.der != files.der
        files.certificate.write_text("nonsense")
        assert shown(found.port) == new.der


def test_a_key_with_a_password_or_of_another_certificate_is_refused_at_the_start(tmp_path: Path) -> None:
    locked = certificates.made(tmp_path / "locked", password=b"x")
    one, other = certificates.made(tmp_path / "one"), certificates.made(tmp_path / "other")
    for certificate, key in (
        (locked.certificate, locked.key),
        (one.certificate, other.key),
        (one.key, one.key),
        (tmp_path / "missing", one.key),
    ):
        with pytest.raises(IngotError, match=r"serve\.sql_tls"):
            Certificate(certificate, key)
