"""The SQL port under load for minutes, by pgbench: transactions a second, latency, errors, and what memory grows by.

A storefront is served by a process of its own. Clients of pgbench ask it a mix of statements in each mode of the
protocol in turns: one order by its number, revenue by status, a view by category, 200 rows, the catalog, `SELECT 1`.
The resident memory of the server and of its catalog's processes is read every second; growth is the median of the last
fifth over that of the second fifth, because caches fill in the first.

    python -m benchmarks.pgbench [--minutes 10] [--clients 8]
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.results import report

GOAL = 1.1
SCRIPT = """\
\\set id random(1, 12000)
\\set start random(1, 11000)
SELECT order_number, order_date, total_amount FROM orders WHERE order_id = :id;
SELECT order_status, COUNT(*) AS n, SUM(total_revenue) AS revenue FROM orders GROUP BY 1 ORDER BY 1;
SELECT products_category, SUM(order_items_total_amount) AS amount FROM sales GROUP BY 1;
SELECT order_id, order_date, notes FROM orders WHERE order_id BETWEEN :start AND :start + 200;
SELECT relname FROM pg_catalog.pg_class WHERE relname = 'orders';
SELECT 1;
"""


def main() -> None:
    """Measures and reports."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--clients", type=int, default=8)
    chosen = parser.parse_args()
    pgbench = shutil.which("pgbench")
    if pgbench is None:
        sys.exit("pgbench is not installed: apt-get install postgresql-contrib")
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "storefront"
        demo = ["demo", "--no-serve", "--dir", str(project), "--until", str(date(2026, 10, 31)), "--json"]
        subprocess.run([sys.executable, "-m", "ingot", *demo], check=True, capture_output=True)
        found = _measured(project, pgbench, Path(folder), chosen.minutes * 60, chosen.clients)
    memory = found.pop("memory")
    report(
        "pgbench",
        ["mode", "transactions/s", "ms", "failed"],
        [
            [mode, told["per_second"], told["milliseconds"], told["failed"]]
            for mode, told in found["modes"].items()
        ],
        minutes=chosen.minutes,
        clients=chosen.clients,
        memory_mb_early=round(memory["early"]),
        memory_mb_late=round(memory["late"]),
        memory_mb_most=round(memory["most"]),
        growth=f"{memory['growth']:.3f} x; goal <= {GOAL} x: {'met' if memory['growth'] <= GOAL else 'missed'}",
    )


def _measured(project: Path, pgbench: str, work: Path, seconds: float, clients: int) -> dict[str, Any]:
    script = work / "load.sql"
    script.write_text(SCRIPT)
    command = [
        sys.executable,
        "-m",
        "ingot",
        "serve",
        "--project",
        str(project),
        "--port",
        "0",
        "--sql-port",
        "0",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            port = _port(server)
            sizes: list[float] = []
            ended = threading.Event()
            watcher = threading.Thread(target=_watch, args=(server.pid, sizes, ended), daemon=True)
            watcher.start()
            modes: dict[str, list[dict[str, float]]] = {"simple": [], "extended": [], "prepared": []}
            turn = max(seconds / 12, 1)
            begun = time.monotonic()
            while time.monotonic() - begun < seconds:
                for mode, told in modes.items():
                    told.append(_load(pgbench, script, port, mode, turn, clients))
            ended.set()
            watcher.join()
        finally:
            server.terminate()
    fifth = len(sizes) // 5
    early, late = statistics.median(sizes[fifth : 2 * fifth]), statistics.median(sizes[-fifth:])
    return {
        "seconds": seconds,
        "clients": clients,
        "modes": {mode: _together(told) for mode, told in modes.items()},
        "memory": {"early": early, "late": late, "most": max(sizes), "growth": late / early},
    }


def _port(server: "subprocess.Popen[str]") -> int:
    said = ""
    for line in server.stdout or ():
        said += line
        if line.strip() == "ready":
            break
    found = re.search(r"sql\s+postgresql://\S*?:(\d+)/", said)
    if found is None:
        raise RuntimeError(said)
    return int(found[1])


def _load(pgbench: str, script: Path, port: int, mode: str, seconds: float, clients: int) -> dict[str, float]:
    options = ["-n", "-f", str(script), "-c", str(clients), "-j", "2", "-T", str(round(seconds)), "-M", mode]
    where = {"PGHOST": "127.0.0.1", "PGPORT": str(port), "PGUSER": "load", "PGDATABASE": "storefront"}
    done = subprocess.run(
        [pgbench, *options], env={**os.environ, **where}, text=True, capture_output=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)

    def number(pattern: str) -> float:
        found = re.search(pattern, done.stdout)
        if found is None:
            raise RuntimeError(done.stdout)
        return float(found[1])

    return {
        "per_second": number(r"tps = ([\d.]+)"),
        "milliseconds": number(r"latency average = ([\d.]+)"),
        "failed": number(r"failed transactions: (\d+)"),
    }


def _together(told: list[dict[str, float]]) -> dict[str, float]:
    return {
        "per_second": statistics.mean(one["per_second"] for one in told),
        "milliseconds": statistics.mean(one["milliseconds"] for one in told),
        "failed": sum(one["failed"] for one in told),
    }


def _watch(process: int, sizes: list[float], ended: threading.Event) -> None:
    while not ended.wait(1):
        sizes.append(sum(_resident(one) for one in _family(process)) / 1e6)


def _family(process: int) -> list[int]:
    """The process and all that it has started, and they in turn."""
    parents: dict[int, list[int]] = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        parents.setdefault(parent, []).append(int(place.name))
    found = [process]
    for one in found:
        found.extend(parents.get(one, []))
    return found


def _resident(process: int) -> int:
    """Bytes in memory that are the process's own share: PostgreSQL's processes have most of theirs together."""
    try:
        told = (Path("/proc") / str(process) / "smaps_rollup").read_text()
    except OSError:
        return 0
    found = re.search(r"^Pss:\s+(\d+) kB", told, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


if __name__ == "__main__":
    main()
