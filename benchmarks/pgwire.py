"""The SQL port beside a PostgreSQL with the same rows: throughput, latency, memory, cancelling.

`python -m benchmarks.pgwire [ROWS]`, 1,000,000 by default. Both servers run at the same time on the same machine and
take turns; of throughput the best turn counts, of latencies the median.
"""

import gc
import os
import re
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import psycopg
from tests.lake.postgres import programs, server

from benchmarks.results import percentile, report
from benchmarks.serve import rss
from ingot.engines.duckdb import connect
from ingot.lake import Lake
from ingot.project import load

TURNS, ASKED, STREAMS = 3, 500, 15
IDLE, STALLED = 500, 4
SOURCE = """
SELECT range AS id, 'name ' || (hash(range) % 1000) AS name,
    CAST((hash(range + 1) % 100000000) / 100 AS DECIMAL(14, 2)) AS amount,
    TIMESTAMP '2020-01-01' + to_microseconds(CAST(range * (94608000000000 // {rows}) + range % 7 * 1000 AS BIGINT)) AS at,
    CAST(hash(range + 2) % 1000000 AS DOUBLE) / 7 AS value
FROM range({rows})
"""
TABLE = "id int8, name varchar, amount numeric(14,2), at timestamp, value float8"
CUBE = """cubes:
  - name: facts
    sql_table: gold.facts
    dimensions:
      - {name: id, sql: id, type: number, primary_key: true}
      - {name: name, sql: name, type: string}
      - {name: at, sql: at, type: time}
    measures:
      - {name: count, type: count}
      - {name: total, type: sum, sql: amount}
"""
ROWS = "SELECT * FROM gold.facts"
SEMANTIC = "SELECT date_trunc('month', at) AS month, SUM(total) AS total FROM facts GROUP BY 1 ORDER BY 1"
PLAIN = "SELECT date_trunc('month', at) AS month, SUM(amount) AS total FROM gold.facts GROUP BY 1 ORDER BY 1"
CUBE_ROWS, PLAIN_ROWS = "SELECT id, name, at FROM facts", "SELECT id, name, at FROM gold.facts"
ENDLESS = "SELECT count(*) FROM gold.facts AS a, gold.facts AS b WHERE a.value * b.value = 3"


def main() -> int:
    """Exit code 1 where there is no PostgreSQL to compare with."""
    if programs() is None:
        print("PostgreSQL is not installed; install its server and run this again.", file=sys.stderr)
        return 1
    rows = int(sys.argv[1]) if sys.argv[1:] else 1_000_000
    with tempfile.TemporaryDirectory() as scratch, server() as url:
        folder = Path(scratch)
        folder.chmod(0o755)
        theirs = url.replace("+psycopg", "")
        project = made(folder / "bench", rows)
        filled(theirs, folder, rows)
        with serving(project) as (ours, process):
            lines = measured(theirs, ours, process, rows)
    report(
        "pgwire", ["what", "PostgreSQL", "Ingot", "unit", "ratio", "target", "met"], lines, table_rows=rows
    )
    return 0


def made(folder: Path, rows: int) -> Path:
    """A project whose lake has the rows, and a cube over them."""
    (folder / "semantic" / "cubes").mkdir(parents=True)
    (folder / "ingot.yml").write_text("name: bench\n")
    (folder / "semantic" / "cubes" / "facts.yml").write_text(CUBE)
    with connect(temp_directory=folder / "tmp") as con, Lake.open(load(folder)) as lake:
        staged = lake.stage(con, "gold.facts", SOURCE.format(rows=rows), on="main")
        lake.commit("main", [staged], message="bench")
    shutil.rmtree(folder / "tmp", ignore_errors=True)
    return folder


def filled(url: str, folder: Path, rows: int) -> None:
    """Puts the same rows into PostgreSQL."""
    file = folder / "facts.csv"
    with connect(temp_directory=folder / "spill") as con:
        con.execute(f"COPY ({SOURCE.format(rows=rows)}) TO '{file}' (FORMAT csv, HEADER false)")
    with psycopg.connect(url, autocommit=True) as other, other.cursor() as cursor:
        cursor.execute("CREATE SCHEMA gold")
        cursor.execute(f"CREATE TABLE gold.facts ({TABLE})".encode())
        with cursor.copy("COPY gold.facts FROM STDIN (FORMAT csv)") as copy, file.open("rb") as read:
            while data := read.read(1 << 20):
                copy.write(data)
        cursor.execute("VACUUM ANALYZE gold.facts")
    file.unlink()


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """The URL of the SQL port of `ingot serve`, and its process."""
    command = [
        sys.executable,
        "-m",
        "ingot",
        "serve",
        "--port",
        "0",
        "--sql-port",
        "0",
        "--project",
        str(folder),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    url = ""
    for line in process.stdout:
        if found := re.search(r"postgresql://\S+", line):
            url = found[0]
        if line.strip() == "ready":
            break
    try:
        parts = urlsplit(url)
        yield f"postgresql://bench@{parts.hostname}:{parts.port}{parts.path}", process
    finally:
        process.terminate()
        process.wait(10)


def measured(theirs: str, ours: str, process: "subprocess.Popen[str]", rows: int) -> list[list[object]]:
    """Every line of the report."""
    lines: list[list[object]] = []

    def add(what: str, measure: Callable[[str], float], unit: str, target: float | None, **how: Any) -> None:
        line = compared(measure, theirs, ours, how.get("turns", 1), higher=unit == "rows/s")
        line[2] = line[2] if unit == "rows/s" else None
        of = line[2] if unit == "rows/s" else line[1]
        met = (
            None
            if target is None
            else ("yes" if (of >= target if unit == "rows/s" else of <= target) else "no")
        )
        lines.append(
            [
                what,
                line[0],
                line[1],
                unit,
                "" if line[2] is None else line[2],
                "" if target is None else target,
                met or "",
            ]
        )
        print(f"  {what}: PostgreSQL {line[0]:.3f}, Ingot {line[1]:.3f} {unit}", file=sys.stderr, flush=True)

    for what, fetch in (
        ("psycopg, text", lambda url: fetched(url, binary=False)),
        ("psycopg, binary", lambda url: fetched(url, binary=True)),
        ("psql -At", printed),
    ):
        add(what, per_second(fetch, rows), "rows/s", 0.9, turns=TURNS)
    add("select 1, p50", lambda url: asked(url, "SELECT 1", 0.5), "ms", 0.5)
    add("select 1, p99", lambda url: asked(url, "SELECT 1", 0.99), "ms", None)
    add(
        "semantic query that is kept, p50",
        lambda url: asked(url, SEMANTIC if url == ours else PLAIN, 0.5, ours=url == ours),
        "ms",
        2.0,
    )
    add("first row of a stream, p50", lambda url: first(url, ROWS), "ms", 10.0)
    add(
        "first row of a cube's rows, p50",
        lambda url: first(url, CUBE_ROWS if url == ours else PLAIN_ROWS),
        "ms",
        10.0,
    )
    add("cancel", cancelled, "ms", 100.0)
    for what, value, target in (
        (f"memory of {IDLE} idle connections", idle(ours, process.pid), 50.0),
        (f"memory of {STALLED} readers that do not read", stalled(ours, process.pid), 100.0),
    ):
        lines.append([what, "", value, "MB", "", target, "yes" if value <= target else "no"])
    lines.append(["memory (RSS) after all", "", rss(process.pid), "MB", "", "", ""])
    return lines


def per_second(fetch: Callable[[str], float], rows: int) -> Callable[[str], float]:
    """Rows a second of what takes so many seconds."""
    return lambda url: rows / fetch(url)


def compared(
    measure: Callable[[str], float], theirs: str, ours: str, turns: int, *, higher: bool
) -> list[Any]:
    """Theirs, ours, and ours by theirs; the best of all turns."""
    best = max if higher else min
    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(turns):
        for url, values in zip((theirs, ours), found, strict=True):
            values.append(measure(url))
            gc.collect()
    one, other = best(found[0]), best(found[1])
    return [one, other, other / one]


def fetched(url: str, *, binary: bool) -> float:
    """Seconds until a client of Python has all rows."""
    with psycopg.connect(url, autocommit=True) as con, con.cursor(binary=binary) as cursor:
        began = time.perf_counter()
        cursor.execute(ROWS)
        gc.disable()
        try:
            count = len(cursor.fetchall())
        finally:
            gc.enable()
        taken = time.perf_counter() - began
    assert count
    return taken


def printed(url: str) -> float:
    """Seconds until psql has written all rows."""
    began = time.perf_counter()
    subprocess.run(["psql", "-X", "-At", "-c", ROWS, url], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def asked(url: str, query: str, share: float, *, ours: bool = True) -> float:
    """Milliseconds of an answer, asked again and again."""
    taken = []
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as con:
        for _ in range(ASKED if ours or len(query) < 20 else 10):
            began = time.perf_counter()
            con.execute(query.encode()).fetchall()
            taken.append((time.perf_counter() - began) * 1000)
    return percentile(taken[len(taken) // 10 :], share)


def first(url: str, query: str) -> float:
    """Milliseconds until the first of all rows is there."""
    taken = []
    for _ in range(STREAMS):
        with psycopg.connect(url, autocommit=True) as con, con.cursor() as cursor:
            began = time.perf_counter()
            with closing(cast("Generator[Any]", cursor.stream(query.encode()))) as rows:
                next(rows)
                taken.append((time.perf_counter() - began) * 1000)
                con.cancel_safe()
    return statistics.median(taken)


def cancelled(url: str) -> float:
    """Milliseconds from a cancel to the error that ends the statement."""
    taken = []
    for _ in range(5):
        with psycopg.connect(url, autocommit=True) as con:
            said: list[float] = []

            def cancel(con: psycopg.Connection[Any] = con, said: list[float] = said) -> None:
                said.append(time.perf_counter())
                con.cancel_safe()

            timer = threading.Timer(0.7, cancel)
            timer.start()
            try:
                con.execute(ENDLESS)
            except psycopg.errors.QueryCanceled:
                taken.append((time.perf_counter() - said[0]) * 1000)
            timer.join()
    return statistics.median(taken)


def idle(url: str, pid: int) -> float:
    """Megabytes that idle connections add, after one that has warmed the server up."""
    with ExitStack() as stack:
        stack.enter_context(psycopg.connect(url)).execute("SELECT 1")
        time.sleep(1)
        before = rss(pid)
        for _ in range(IDLE):
            stack.enter_context(psycopg.connect(url, autocommit=True))
        time.sleep(1)
        return rss(pid) - before


def stalled(url: str, pid: int) -> float:
    """Megabytes that clients add who ask for all rows and read none."""
    parts = urlsplit(url)
    begin = b"\0\3\0\0user\0bench\0database\0" + parts.path[1:].encode() + b"\0\0"
    query = ROWS.encode() + b"\0"
    with ExitStack() as stack:
        before = rss(pid)
        for _ in range(STALLED):
            each = stack.enter_context(socket.create_connection((parts.hostname or "", parts.port or 0)))
            each.sendall(struct.pack(">i", len(begin) + 4) + begin)
            while not each.recv(1 << 16).endswith(b"I"):
                pass
            each.sendall(b"Q" + struct.pack(">i", len(query) + 4) + query)
        time.sleep(3)
        return rss(pid) - before


if __name__ == "__main__":
    os.environ.setdefault("PGCONNECT_TIMEOUT", "10")
    sys.exit(main())
