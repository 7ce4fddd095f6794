"""Drivers with SCRAM of their own, and those of libpq in other hands, log in with users' passwords."""

import asyncio
import json
import ssl
import subprocess
from pathlib import Path
from urllib.parse import quote

import asyncpg  # type: ignore[import-untyped]
import pg8000.native  # type: ignore[import-untyped]
import psycopg2  # type: ignore[import-untyped]
import pytest

from tests.lake.clients.parts import java, part
from tests.pgwire.answering import Running
from tests.pgwire.certificates import Files
from tests.pgwire.clients.go import install as go
from tests.pgwire.clients.node.install import installed
from tests.pgwire.logins import USERS

pytestmark = pytest.mark.slow


def test_asyncpg_over_tls(server: Running, tls: Files) -> None:
    context = ssl.create_default_context(cafile=str(tls.certificate))

    async def run(user: str, password: str) -> None:
        con = await asyncpg.connect(
            host="localhost", port=server.port, user=user, password=password, database="shop", ssl=context
        )
        await con.close()

    for name, password in USERS.items():
        asyncio.run(run(name, password))
        with pytest.raises(asyncpg.InvalidPasswordError):
            asyncio.run(run(name, f"{password}x"))


def test_psycopg2(server: Running, tls: Files) -> None:
    for name, password in USERS.items():
        for mode in ("disable", "verify-full"):
            psycopg2.connect(
                host="localhost", port=server.port, user=name, password=password, dbname="shop",
                sslmode=mode, sslrootcert=str(tls.certificate),
            ).close()  # fmt: skip
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            psycopg2.connect(host="localhost", port=server.port, user=name, password="x", dbname="shop")


def test_pgjdbc(server: Running, tls: Files, tmp_path: Path) -> None:
    told: list[tuple[str, str, str, str]] = []
    wanted: list[str] = []
    for name in USERS:
        told += [
            (name, USERS[name], "disable", ""),
            (name, USERS[name], "verify-full", ""),
            (name, "x", "disable", ""),
        ]
        wanted += ["ok", "ok", "28P01"]
    (tmp_path / "given").write_text("".join("\t".join((*each, str(tls.certificate))) + "\n" for each in told))
    program = java(17) / "bin" / "java"
    jar = part("pgjdbc") / "postgresql.jar"
    source = Path(__file__).parent.parent / "clients" / "java" / "Login.java"
    done = subprocess.run(
        [program, "-Dfile.encoding=UTF-8", "-XX:TieredStopAtLevel=1", "-cp", str(jar), str(source), f"postgresql://localhost:{server.port}/shop", str(tmp_path / "given")],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == wanted


NODE = """
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
const [folder, port, users, ca] = process.argv.slice(1);
const { Client } = createRequire(folder + '/')('pg');
const told = [];
for (const [user, password, tls, binding] of JSON.parse(users)) {
  const ssl = tls ? { ca: readFileSync(ca) } : false;
  const client = new Client({ host: 'localhost', port, user, password, database: 'shop', ssl, enableChannelBinding: binding });
  try { await client.connect(); told.push('ok'); await client.end(); } catch (error) { told.push(error.code); }
}
console.log(JSON.stringify(told));
"""


def test_node(server: Running, tls: Files) -> None:
    folder = installed()
    told = [
        (name, password, over, binding)
        for name in USERS
        if name
        != "jürgen"  # the driver takes passwords as they are, without SASLprep: PostgreSQL refuses it, too
        for password in (USERS[name], "x")
        for over, binding in ((False, False), (True, False), (True, True))
    ]
    done = subprocess.run(
        ["node", "--input-type=module", "-e", NODE, str(folder), str(server.port), json.dumps(told), str(tls.certificate)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    heard = json.loads(done.stdout)
    for each, answer in zip(told, heard, strict=True):
        assert answer == ("ok" if each[1] != "x" else "28P01"), each


def _address(server: Running, user: str, password: str, options: str) -> str:
    signed_in = f"{quote(user, safe='')}:{quote(password, safe='')}"
    return f"postgresql://{signed_in}@localhost:{server.port}/shop?{options}"


def test_pg8000(server: Running, tls: Files) -> None:
    """It binds its logins to the TLS that they go through."""
    context = ssl.create_default_context(cafile=str(tls.certificate))
    for name, password in USERS.items():
        if name in {"odd", "李", "emoji"}:
            continue  # the driver refuses passwords with characters that SASLprep does not know
        for security in (False, context):
            where = {"host": "localhost", "port": server.port, "database": "shop", "ssl_context": security}
            pg8000.native.Connection(name, password=password, **where).close()
    with pytest.raises(pg8000.native.DatabaseError, match="28P01"):
        pg8000.native.Connection("ann", password="x", **where)


def test_the_drivers_of_go(server: Running, tls: Files, tmp_path: Path) -> None:
    told: list[tuple[str, str]] = []
    wanted: list[str] = []
    for driver in ("postgres", "pgx"):
        for name, password in USERS.items():
            if name == "jürgen":
                continue  # as Node's: passwords without SASLprep
            for options in ("sslmode=disable", f"sslmode=verify-full&sslrootcert={tls.certificate}"):
                told += [(driver, _address(server, name, password, options))]
                wanted += ["ok"]
        told += [(driver, _address(server, "ann", "x", "sslmode=disable"))]
        wanted += ["28P01"]
    (tmp_path / "given").write_text(json.dumps(told))
    done = subprocess.run(
        [str(go.installed() / go.LOGIN), str(tmp_path / "given")],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == wanted
