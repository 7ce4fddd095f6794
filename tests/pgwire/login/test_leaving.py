"""Sessions of users who are removed, get another password, or have other rights, while they are connected."""

import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ingot.project.user_edits import UsersFile
from ingot.project.verifier import Verifier
from tests.pgwire.answering import Running
from tests.pgwire.logins import connect, ours

PASSWORDS = {name: str(Verifier.of("pencil")) for name in ("ann", "bob")}


def write(folder: Path, names: str = "ann bob", **more: Any) -> None:
    """`users.yml` with these users; `more` is what is said of ann besides."""
    users = {name: {"verifier": PASSWORDS[name], "groups": ["sales"]} for name in names.split()}
    users.get("ann", {}).update(more)
    (folder / "users.yml").write_text(json.dumps({"users": users}))


@contextmanager
def connected(folder: Path) -> Iterator[tuple[Running, psycopg.Connection[Any], psycopg.Connection[Any]]]:
    """A server with two users, who are both connected."""
    (folder / "ingot.yml").write_text("name: shop\n")
    write(folder)
    with (
        ours(folder) as server,
        connect(server.port, autocommit=True) as ann,
        connect(server.port, "bob", autocommit=True) as bob,
    ):
        yield server, ann, bob


def ended(con: psycopg.Connection[Any], said: str) -> None:
    """The next statement hears why the session has ended."""
    with pytest.raises(psycopg.errors.AdminShutdown) as caught:
        con.execute("select hello")
    assert caught.value.diag.severity == "FATAL"
    assert caught.value.diag.message_primary == f"terminating connection because {said}"
    assert con.broken


def test_who_is_removed_is_out_at_his_next_statement(tmp_path: Path) -> None:
    with connected(tmp_path) as (_, ann, bob):
        UsersFile(tmp_path).remove("ann")
        ended(ann, 'user "ann" was removed')
        assert bob.execute("select hello").fetchone() == ("hello",)


def test_who_has_another_password_logs_in_anew(tmp_path: Path) -> None:
    with connected(tmp_path) as (server, ann, bob):
        UsersFile(tmp_path).set_verifier("ann", str(Verifier.of("other")))
        ended(ann, 'the password of user "ann" was changed')
        with connect(server.port, "ann", "other") as again:
            assert again.execute("select hello").fetchone() == ("hello",)
        assert bob.execute("select hello").fetchone() == ("hello",)


def test_who_says_nothing_is_out_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ingot.login")
    monkeypatch.setattr("ingot.pgwire.server.EVERY", 0.05)
    with connected(tmp_path) as (server, ann, _):
        UsersFile(tmp_path).remove("ann")
        until = time.monotonic() + 5
        while server.server.sessions > 1 and time.monotonic() < until:
            time.sleep(0.02)
        assert server.server.sessions == 1
        ended(ann, 'user "ann" was removed')
    assert [one.getMessage() for one in caplog.records if "ended" in one.getMessage()] == [
        "sql session user='ann' ended: user \"ann\" was removed"
    ]


def test_what_he_runs_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingot.pgwire.server.EVERY", 0.05)
    with connected(tmp_path) as (_, ann, _):
        timer = threading.Timer(0.2, lambda: UsersFile(tmp_path).remove("ann"))
        timer.start()
        started = time.monotonic()
        with pytest.raises(psycopg.errors.AdminShutdown, match="was removed"):
            ann.execute("select sleep(20)")
        assert time.monotonic() - started < 5
        timer.join()


def test_other_rights_hold_from_the_next_statement_on(tmp_path: Path) -> None:
    with connected(tmp_path) as (server, ann, bob):
        ann.execute("select hello")
        before = [source for source in server.sources if source.info.user == "ann"]
        write(tmp_path, groups=["boss"], security={"country": "IT"})
        assert ann.execute("select hello").fetchone() == ("hello",)
        now = server.sources[-1].info
        assert now.user == "ann"
        assert now.context.groups == ("boss",)
        assert dict(now.context.security) == {"user": "ann", "country": "IT"}
        assert all(source.closed for source in before)
        bob.execute("select hello")
        assert server.sources[-1].info is now, "bob's rights are what they were"


def test_settings_and_prepared_statements_outlast_other_rights(tmp_path: Path) -> None:
    with connected(tmp_path) as (server, ann, _):
        ann.execute("SET timezone TO 'Europe/Rome'")
        cursor = ann.cursor()
        cursor.execute("select %s", ["x"], prepare=True)
        write(tmp_path, groups=["boss"])
        assert cursor.execute("select %s", ["y"], prepare=True).fetchone() == ("y",)
        assert server.sources[-1].info.context.groups == ("boss",)
        assert ann.execute("SHOW timezone").fetchone() == ("Europe/Rome",)
        assert server.sources[-1].info.settings["timezone"] == "Europe/Rome"


def test_cursors_of_the_old_rights_are_closed_with_a_warning(tmp_path: Path) -> None:
    with connected(tmp_path) as (_, ann, _):
        said = []
        ann.add_notice_handler(lambda one: said.append((one.severity, one.sqlstate, one.message_primary)))
        ann.execute("BEGIN")
        ann.execute("DECLARE c CURSOR FOR select * from series(1000)")
        assert len(ann.execute("FETCH 10 FROM c").fetchall()) == 10
        write(tmp_path, groups=[])
        with pytest.raises(psycopg.errors.InvalidCursorName):
            ann.execute("FETCH 10 FROM c")
        ann.execute("ROLLBACK")
        assert said == [("WARNING", "01000", 'the rights of user "ann" have changed: cursors are closed')]
        assert ann.execute("select hello").fetchone() == ("hello",)


def test_a_file_that_is_being_written_ends_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An editor that empties the file first, and one that moves it away."""
    monkeypatch.setattr("ingot.pgwire.login.SETTLED", 20.0)
    with connected(tmp_path) as (_, ann, bob):
        whole = (tmp_path / "users.yml").read_text()
        for empty in (lambda: (tmp_path / "users.yml").write_text("{}"), (tmp_path / "users.yml").unlink):
            empty()
            timer = threading.Timer(0.1, lambda: (tmp_path / "users.yml").write_text(whole))
            timer.start()
            for con in (ann, bob):
                assert con.execute("select hello").fetchone() == ("hello",)
            timer.join()
        (tmp_path / "users.yml").write_text("users: {ann: oops")
        assert ann.execute("select hello").fetchone() == ("hello",)
        monkeypatch.setattr("ingot.pgwire.login.SETTLED", 0.1)
        (tmp_path / "users.yml").unlink()
        ended(bob, 'user "bob" was removed')
