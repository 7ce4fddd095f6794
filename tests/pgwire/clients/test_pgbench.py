"""pgbench with our own statements: many clients at once, in each mode of the protocol, and no error."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.pgwire.clients.missing import missing
from tests.pgwire.clients.sides import Sides

pytestmark = pytest.mark.slow

SCRIPT = """\
\\set id random(1, 12000)
SELECT order_number, total_amount FROM orders WHERE order_id = :id;
SELECT order_status, COUNT(*) AS n, SUM(total_revenue) AS revenue FROM orders GROUP BY 1;
SELECT 1;
"""


@pytest.mark.parametrize("mode", ["simple", "extended", "prepared"])
def test_many_clients_are_served_without_an_error(sides: Sides, tmp_path: Path, mode: str) -> None:
    pgbench = shutil.which("pgbench") or next(Path("/usr/lib/postgresql").glob("*/bin/pgbench"), None)
    if pgbench is None:
        missing("pgbench is not installed")
    script = tmp_path / "load.sql"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [pgbench, "-n", "-f", script, "-c", "6", "-j", "2", "-T", "2", "-M", mode],
        env={**os.environ, **sides.ours.environment},
        text=True, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "number of failed transactions: 0" in done.stdout
    told = re.search(r"number of transactions actually processed: (\d+)", done.stdout)
    assert told is not None
    assert int(told[1]) > 10
