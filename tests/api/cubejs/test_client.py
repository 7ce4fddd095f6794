"""Cube's own client, unmodified, against `ingot serve`; the numbers are those of SQL over the raw files."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import jwt
import pytest

from tests.api.cubejs import kiosk
from tests.api.cubejs.install import installed
from tests.api.cubejs.running import run

pytestmark = pytest.mark.slow

TOKEN = jwt.encode({"sub": "ann"}, kiosk.SECRET, "HS256")


@contextmanager
def served(directory: Path, **environment: str) -> Iterator[str]:
    """The address of a project behind `ingot serve`, in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ingot", "serve", "--port", "0", "--project", str(directory)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **environment},
    )
    assert process.stdout is not None
    try:
        lines = []
        for line in process.stdout:
            lines.append(line.strip())
            if line.strip() == "ready":
                break
        assert "ready" in lines, lines
        [page] = [line.split()[-1] for line in lines if line.startswith("page")]
        yield page.replace("localhost", "127.0.0.1")
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


@pytest.fixture(scope="module")
def modules() -> Path:
    return installed()


@pytest.fixture(scope="module")
def directory(modules: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kiosk.make(tmp_path_factory.mktemp("kiosk") / "project")


@pytest.fixture(scope="module")
def address(directory: Path) -> Iterator[str]:
    with served(directory, KIOSK_SECRET=kiosk.SECRET) as url:
        yield url


def expected(directory: Path) -> dict[str, Any]:
    """What the answers must be, by plain SQL over the files."""
    with duckdb.connect() as con:
        for name in ("orders", "customers", "items"):
            con.execute(f"CREATE TABLE {name} AS FROM read_csv('{directory}/data/{name}.csv')")

        def rows(sql: str) -> list[Any]:
            return [list(row) for row in con.execute(sql).fetchall()]

        def per(unit: str, starts: list[date], where: str = "true", time: str = "created_at") -> list[Any]:
            found = dict(
                con.execute(
                    f"SELECT {unit.format(t=time)}::DATE, count(*) FROM orders WHERE {where} GROUP BY 1"
                ).fetchall()
            )
            return [[f"{start}T00:00:00.000", found.get(start, 0)] for start in starts]

        months = [date(2026, month, 1) for month in range(1, 7)]
        monday = date(2025, 12, 29)
        [[last]] = rows("SELECT max(created_at)::DATE FROM orders")
        weeks = [monday + timedelta(weeks=n) for n in range(30) if monday + timedelta(weeks=n) <= last]
        in_range = "created_at < TIMESTAMP '2026-07-01'"
        fortnight = "time_bucket(INTERVAL 14 DAYS, {t}, TIMESTAMP '2026-01-05')"
        moved = "(created_at + INTERVAL 14 HOURS)"
        return {
            "by_status": rows(
                "SELECT status, count(*), sum(amount)::DOUBLE FROM orders GROUP BY 1 ORDER BY 2 DESC, 1"
            ),
            "months": per("date_trunc('month', {t})", months, in_range),
            "done_months": [n for _, n in per("date_trunc('month', {t})", months, f"{in_range} AND status = 'done'")],
            "totals": [
                rows(f"SELECT coalesce(sum(amount), 0)::DOUBLE FROM orders WHERE created_at::DATE BETWEEN '{start}' AND last_day(DATE '{start}')")[0][0]
                for start in months
            ],
            "weeks": per("date_trunc('week', {t})", weeks),
            "fortnights": per(
                fortnight,
                [date(2026, 1, 5) + timedelta(days=14 * n) for n in range(4)],
                "created_at::DATE BETWEEN '2026-01-05' AND '2026-03-01'",
            ),
            "january": rows("SELECT status, count(*) FROM orders WHERE created_at < '2026-02-01' GROUP BY 1"),
            "kiritimati": per("date_trunc('month', {t})", months, f"{moved} < '2026-07-01' AND {moved} >= '2026-01-01'", moved),
            "opened": [
                n
                for [n] in rows(
                    "SELECT o.id FROM orders o JOIN customers c ON c.id = customer_id WHERE city = 'Rome' AND"
                    " status = 'done' AND month(created_at) = 3 ORDER BY 1"
                )
            ],
            "nowhere": rows(
                "SELECT count(DISTINCT (o.id, status, city)) FROM orders o JOIN customers c ON c.id = customer_id"
                " WHERE city IS NULL"
            )[0][0],
            "groups": rows(
                "SELECT count(*) FROM (SELECT DISTINCT city, status FROM orders o JOIN customers c ON c.id = customer_id)"
            )[0][0],
            "by_city": rows(
                "SELECT city, count(*) FROM orders o JOIN customers c ON c.id = customer_id GROUP BY 1"
                " ORDER BY city NULLS LAST"
            ),
            "large": rows("SELECT count(*) FROM orders WHERE amount >= 50")[0][0],
        }  # fmt: skip


def test_what_applications_do_with_the_client(
    directory: Path, address: str, modules: Path, tmp_path: Path
) -> None:
    said = {"url": address, "token": TOKEN, "expected": expected(directory)}
    run("client", json.loads(json.dumps(said)), modules, tmp_path)


def test_an_edit_of_the_model_is_seen_by_the_client(
    directory: Path, address: str, modules: Path, tmp_path: Path
) -> None:
    file = directory / "semantic/cubes/customers.yml"
    run("live", {"url": address, "token": TOKEN, "file": str(file)}, modules, tmp_path)
