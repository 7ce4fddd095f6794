"""What those hear who are not there, or do not know the password, and how often they may ask."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ingot.pgwire import door
from ingot.pgwire.attempts import FREE, LONGEST, MOST_USER, WINDOW, Attempts
from ingot.project.verifier import Verifier
from tests.pgwire.answering import Running
from tests.pgwire.logins import PLAIN, USERS, Talk, connect, final, initial, ours, users_text, verifiers


def _challenge(port: int, user: str) -> tuple[bytes, dict[bytes, bytes]]:
    with Talk(port, user) as talk:
        offered = talk.hear()
        talk.say(initial(PLAIN, b"n,,n=,r=abc"))
        reply = talk.hear()
        assert offered is not None
        assert reply is not None
        return offered.body, dict(part.split(b"=", 1) for part in reply.body[4:].split(b","))


def test_who_is_not_there_cannot_be_told_from_who_is(server: Running) -> None:
    known, unknown = _challenge(server.port, "ann"), _challenge(server.port, "nobody")
    assert known[0] == unknown[0]
    assert [(key, len(value)) for key, value in known[1].items()] == [
        (key, len(value)) for key, value in unknown[1].items()
    ]
    assert known[1][b"i"] == unknown[1][b"i"]
    assert _challenge(server.port, "nobody")[1][b"s"] == unknown[1][b"s"]
    assert _challenge(server.port, "nobody2")[1][b"s"] != unknown[1][b"s"]


def test_made_up_iterations_are_those_of_most_users(tmp_path: Path) -> None:
    made = {name: str(Verifier.of("x", iterations=5000)) for name in "abc"} | {"d": str(Verifier.of("x"))}
    (tmp_path / "users.yml").write_text(users_text(made))
    with ours(tmp_path) as found:
        assert _challenge(found.port, "nobody")[1][b"i"] == b"5000"


def test_made_up_salts_outlast_the_server(tmp_path: Path) -> None:
    first = door.server_secret(tmp_path / "state")
    assert len(first) == 32
    assert door.server_secret(tmp_path / "state") == first
    assert (tmp_path / "state" / "login.key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "state" / "login.key").write_bytes(b"cut")
    assert len(door.server_secret(tmp_path / "state")) == 32


def test_which_databases_there_are_is_told_to_users_only(server: Running) -> None:
    where: dict[str, Any] = {
        "host": "localhost",
        "port": server.port,
        "dbname": "other",
        "sslmode": "disable",
        "user": "ann",
    }
    for password, said in (
        ("wrong", "password authentication failed"),
        ("pencil", 'database "other" does not exist'),
    ):
        with pytest.raises(psycopg.OperationalError, match=said):
            psycopg.connect(**where, password=password)


def test_failures_slow_down_and_then_shut_out_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingot.pgwire.attempts.WINDOW", WINDOW or 60.0)
    now = 1000.0
    attempts = Attempts(lambda: now)
    waits = [attempts.failed("10.0.0.1", "ann") for _ in range(MOST_USER)]
    assert waits[:FREE] == [0.0] * FREE
    assert waits[FREE : FREE + 3] == [0.25, 0.5, 1.0]
    assert max(waits) == LONGEST
    assert attempts.wait("10.0.0.1", "ann") > 50
    assert attempts.wait("10.0.0.1", "bob") == 0
    assert attempts.wait("10.0.0.2", "ann") == 0
    now += 61
    assert attempts.wait("10.0.0.1", "ann") == 0
    assert attempts.failed("10.0.0.1", "ann") == 0


def test_one_address_cannot_try_all_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingot.pgwire.attempts.WINDOW", 60.0)
    attempts = Attempts(lambda: 1000.0)
    for number in range(20_000):
        attempts.failed("10.0.0.1", f"user{number}")
    assert attempts.wait("10.0.0.1", "ann") > 0
    assert attempts.wait("10.0.0.2", "ann") == 0
    assert len(attempts._failed) <= 10_000


def test_who_fails_too_often_is_refused_before_his_password_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingot.pgwire.attempts.WINDOW", 60.0)
    monkeypatch.setattr("ingot.pgwire.attempts.STEP", 0.0)
    (tmp_path / "users.yml").write_text(users_text(verifiers()))
    with ours(tmp_path) as found:
        for user in ("ann", "nobody"):
            for _ in range(MOST_USER):
                with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                    connect(found.port, user, "wrong")
            with pytest.raises(psycopg.OperationalError, match="too many failed logins"):
                connect(found.port, user, "pencil")
        with connect(found.port, "李", USERS["李"]):
            pass


def test_guessing_at_the_same_time_is_no_faster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingot.pgwire.attempts.WINDOW", 60.0)
    monkeypatch.setattr("ingot.pgwire.attempts.STEP", 0.0)
    (tmp_path / "users.yml").write_text(users_text(verifiers()))
    with ours(tmp_path) as found, ExitStack() as stack:
        talks = [stack.enter_context(Talk(found.port)) for _ in range(MOST_USER + 5)]
        told = []
        for talk in talks:
            talk.hear()
            talk.say(initial(PLAIN, b"n,,n=,r=abc"))
        challenges = [talk.hear() for talk in talks]
        for number, (talk, challenge) in enumerate(zip(talks, challenges, strict=True)):
            assert challenge is not None
            # The last ones know the password, and learn nothing of it.
            password = "guess" if number < MOST_USER else "pencil"
            talk.say(final(challenge.body[4:], b"n=,r=abc", password=password))
            reply = talk.hear()
            assert reply is not None
            told.append((reply.kind, reply.fields["C"]))
    assert told == [("E", "28P01")] * MOST_USER + [("E", "28000")] * 5
