"""`ingot serve` of a project with users: what it says at its start, and what each user sees over SQL."""

import json
import logging
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ingot.cli import serve
from ingot.project import load
from ingot.project.verifier import Verifier
from tests.pgwire import certificates

MODEL = """
cubes:
  - name: orders
    sql_table: raw.orders
    dimensions:
      - {name: id, sql: id, type: number, primary_key: true}
      - {name: city, sql: city, type: string}
    measures: [{name: count, type: count}]
    access_policy:
      - group: sales
        row_level: {filters: [{member: city, operator: equals, values: ["{ security_context.city }"]}]}
"""


def write(folder: Path, settings: str) -> None:
    users = {
        "ann": {"groups": ["sales"], "security": {"city": "Rome"}},
        "bob": {},
        "eng": {"groups": ["sales", "engineers"], "security": {"city": "Oslo"}},
    }
    for name, entry in users.items():
        entry["verifier"] = str(Verifier.of(f"{name}'s"))
    (folder / "ingot.yml").write_text(
        f"name: shop\nauth: {{users: users.yml, lake_groups: engineers}}\n{settings}"
    )
    (folder / "users.yml").write_text(json.dumps({"users": users}))
    (folder / "orders.csv").write_text("id,city\n1,Rome\n2,Rome\n3,Oslo\n")
    (folder / "semantic").mkdir()
    (folder / "semantic" / "orders.yml").write_text(MODEL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shop")


@pytest.fixture(scope="module")
def port(folder: Path) -> Iterator[int]:
    certificates.made(folder)
    write(folder, "serve: {sql_tls: {certificate: server.crt, key: server.key}}\n")
    run = [sys.executable, "-m", "ingot", "run", "--project", str(folder)]
    subprocess.run(run, check=True, capture_output=True)
    command = [sys.executable, "-m", "ingot", "serve", "--project", str(folder), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        said = ""
        for line in server.stdout:
            said += line
            if line.strip() == "ready":
                break
        try:
            found = re.search(r"postgresql://localhost:(\d+)/shop", said)
            assert found is not None, said
            assert "Every question needs a user's password" in said
            yield int(found[1])
        finally:
            server.terminate()


def connect(port: int, user: str) -> psycopg.Connection[Any]:
    return psycopg.connect(
        host="127.0.0.1", port=port, user=user, password=f"{user}'s", dbname="shop", autocommit=True,
        sslmode="require", channel_binding="require",
    )  # fmt: skip


@pytest.mark.slow
def test_each_user_sees_his_rows(port: int) -> None:
    for user, rows in (("ann", [("Rome", 2)]), ("eng", [("Oslo", 1)])):
        with connect(port, user) as con:
            assert con.execute("SELECT city, measure(count) FROM orders GROUP BY 1").fetchall() == rows
            assert con.execute("SELECT current_user").fetchone() == (user,)


@pytest.mark.slow
def test_who_may_not_see_a_cube_or_a_table_does_not_learn_that_it_is_there(port: int) -> None:
    with connect(port, "bob") as con:
        said = []
        for table in ("orders", "nothing", "raw.orders", "raw.nothing"):
            with pytest.raises(psycopg.errors.UndefinedTable) as caught:
                con.execute(f"SELECT * FROM {table}")
            said.append(str(caught.value).partition("\n")[0].replace(table, "TABLE"))
        assert len(set(said)) == 1
        assert con.execute("SELECT count(*) FROM pg_class WHERE relname = 'orders'").fetchone() == (0,)


@pytest.mark.slow
def test_the_lake_is_for_its_groups(port: int) -> None:
    with connect(port, "eng") as con:
        assert con.execute("SELECT count(*) FROM raw.orders").fetchone() == (3,)
    with connect(port, "ann") as con, pytest.raises(psycopg.errors.UndefinedTable):
        con.execute("SELECT count(*) FROM raw.orders")


@pytest.mark.slow
def test_a_session_sees_what_its_user_may_see_now(port: int, folder: Path) -> None:
    """Rows of the model, tables of the lake and the catalog, in one session; other sessions go on."""
    file = folder / "users.yml"
    before = file.read_text()
    users = json.loads(before)["users"]
    count = "SELECT city, measure(count) FROM orders GROUP BY 1"
    listed = "SELECT count(*) FROM pg_class WHERE relname = 'orders'"

    def become(**entry: Any) -> None:
        users["eng"] = {"verifier": users["eng"]["verifier"], **entry}
        file.write_text(json.dumps({"users": users}))

    try:
        with connect(port, "eng") as con, connect(port, "ann") as other:
            assert con.execute(count).fetchall() == [("Oslo", 1)]
            assert con.execute("SELECT count(*) FROM raw.orders").fetchone() == (3,)
            assert con.execute(listed).fetchone() == (2,)
            become(groups=["sales", "engineers"], security={"city": "Rome"})
            assert con.execute(count).fetchall() == [("Rome", 2)]
            become(groups=["sales"], security={"city": "Rome"})
            with pytest.raises(psycopg.errors.UndefinedTable):
                con.execute("SELECT count(*) FROM raw.orders")
            assert con.execute(listed).fetchone() == (1,)
            become(groups=["engineers"])
            assert con.execute("SELECT count(*) FROM raw.orders").fetchone() == (3,)
            with pytest.raises(psycopg.errors.UndefinedTable):
                con.execute(count)
            assert con.execute(listed).fetchone() == (1,)
            del users["eng"]
            file.write_text(json.dumps({"users": users}))
            with pytest.raises(psycopg.errors.AdminShutdown, match='user "eng" was removed'):
                con.execute(count)
            assert other.execute(count).fetchall() == [("Rome", 2)]
    finally:
        file.write_text(before)


@pytest.mark.parametrize(
    ("settings", "host", "sql", "http"),
    [
        ("", "127.0.0.1", False, False),
        ("", "0.0.0.0", True, True),
        ("serve: {sql_tls: {certificate: server.crt, key: server.key}}", "0.0.0.0", False, True),
    ],
)
def test_what_others_could_read_is_said_at_the_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], settings: str, host: str, sql: bool, http: bool
) -> None:
    write(tmp_path, settings)
    project = load(tmp_path)
    with socket.socket() as one, socket.socket() as other:
        one.bind((host, 0))
        other.bind((host, 0))
        serve._print_addresses(project, one, other)
    said = capsys.readouterr().err
    assert ("SQL is not encrypted" in said) is sql
    assert ("HTTP is not encrypted" in said) is http


def test_tokens_alone_leave_the_sql_port_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ingot.yml").write_text("auth: {jwt: {secret: '${S}'}}")
    project = load(tmp_path, environ={**os.environ, "S": "x" * 40})
    listener, sql_listener = serve.listen_all(project, port=0)
    with listener:
        assert sql_listener is None
        serve._print_addresses(project, listener, None)
    assert "off: it has no users; ingot user add NAME" in capsys.readouterr().out


def test_logins_are_shown_at_the_servers_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = logging.getLogger("ingot.login")
    before = logger.level, logger.propagate
    monkeypatch.setattr(logger, "handlers", [])
    try:
        serve._log_logins()
        serve._log_logins()
        logger.info("sql login user=%r ok", "ann")
    finally:
        logger.setLevel(before[0])
        logger.propagate = before[1]
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  sql login user='ann' ok\n", capsys.readouterr().err
    )
