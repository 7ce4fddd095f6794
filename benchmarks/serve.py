"""`ingot serve` as a process under load: kept answers per second, memory, many clients beside slow queries, leaving.

`python -m benchmarks.serve [--project DIR]`: a project that has run; without one, the demo is made first. The
client is one process with raw keep-alive connections, so that it costs little of the two cores.
"""

import argparse
import asyncio
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.load import QUERIES
from benchmarks.results import percentile, report

SLOW = """cubes:
  - name: slow
    sql: SELECT count(*) AS n FROM range(3000000) a, range(100000) b WHERE (a.range * b.range) % 7 = 3
    measures: [{name: n, type: sum, sql: n}]
"""
CLIENTS = 200


def main() -> None:
    """Measures the project with one more, very slow cube."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path, help="a project that has run")
    parser.add_argument("--seconds", type=float, default=5.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.project or Path(scratch) / "demo"
        if given.project is None:
            command = [sys.executable, "-m", "ingot", "demo", "--no-serve", "--dir", str(folder), "--json"]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        slow = folder / "semantic" / "cubes" / "slow.yml"
        slow.write_text(SLOW)
        try:
            with serving(folder) as (port, process):
                rows = asyncio.run(measured(port, process, given.seconds))
        finally:
            slow.unlink()
    report("serve", ["what", "value", "unit", "target"], rows)


async def measured(port: int, process: "subprocess.Popen[str]", seconds: float) -> list[list[Any]]:
    """Every line of the report."""
    rows: list[list[Any]] = []
    query = QUERIES["joined by month"]
    for count in (1, 16):
        taken = await beside(port, query, count, seconds)
        rows.append(
            [
                f"kept answers, {count} connections",
                len(taken) / seconds,
                "per second",
                1500 if count > 1 else "",
            ]
        )
        rows.append(
            [
                f"kept answers, {count} connections, p50",
                percentile(taken, 0.5) * 1000,
                "ms",
                1.5 if count == 1 else "",
            ]
        )
    rows.append(["small queries of a new text, p50", await fresh(port), "ms", 6.0])
    rows.append(["memory (RSS)", rss(process.pid), "MB", 300])
    rows.append(["slow query stops after its client left", await left(port, process), "ms", 100])
    for count in (0, 1, 4):
        slow = [await sent(port, {"measures": ["slow.n"], "limit": 10 + n}) for n in range(count)]
        taken = await beside(port, query, CLIENTS, seconds)
        what = f"kept answers, {CLIENTS} clients beside {count} slow"
        rows.append([f"{what}, p95", percentile(taken, 0.95) * 1000, "ms", 50])
        rows.append([what, len(taken) / seconds, "per second", ""])
        for _, writer in slow:
            writer.close()
    rows.append(["memory (RSS) after all", rss(process.pid), "MB", 300])
    return rows


async def beside(port: int, query: dict[str, Any], clients: int, seconds: float) -> list[float]:
    """Seconds of each answer, for clients that ask as fast as they are answered (200: each twice a second)."""
    taken: list[float] = []
    until = time.perf_counter() + seconds
    pause = 0.5 if clients >= CLIENTS else 0.0

    async def one(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        message = request(query)
        await asyncio.sleep(pause * number / clients)
        while time.perf_counter() < until:
            began = time.perf_counter()
            writer.write(message)
            await answered(reader)
            taken.append(time.perf_counter() - began)
            if pause:
                await asyncio.sleep(pause)
        writer.close()

    await asyncio.gather(*(one(number) for number in range(clients)))
    return taken


async def fresh(port: int) -> float:
    """p50 of queries that differ in their SQL's text."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    taken = []
    for number in range(200):
        message = request({**QUERIES["by status"], "limit": 100 + number})
        began = time.perf_counter()
        writer.write(message)
        await answered(reader)
        taken.append(time.perf_counter() - began)
    writer.close()
    return percentile(taken, 0.5) * 1000


async def left(port: int, process: "subprocess.Popen[str]") -> float:
    """Milliseconds from the close of the connection until the server uses no processor any more."""
    worst = 0.0
    for number in range(5):
        _, writer = await sent(port, {"measures": ["slow.n"], "limit": 1000 + number})
        await asyncio.sleep(0.5)
        if cpu(process.pid, 0.1) < 0.05:
            raise SystemExit("the slow query does not run")
        writer.transport.abort()
        began = time.perf_counter()
        await asyncio.sleep(0)  # the loop closes the socket
        while cpu(process.pid, 0.02) > 0.5:
            pass
        worst = max(worst, (time.perf_counter() - began) * 1000)
    return worst


async def sent(port: int, query: dict[str, Any]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which `query` was asked."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request(query))
    await writer.drain()
    return reader, writer


def request(query: dict[str, Any]) -> bytes:
    """The bytes of a `/load`."""
    body = json.dumps({"query": query}).encode()
    head = f"POST /cubejs-api/v1/load HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def answered(reader: asyncio.StreamReader) -> bytes:
    """The body of one answer, which must be rows."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    assert length is not None
    body = await reader.readexactly(int(length[1]))
    if b" 200 " not in head[:20] or b'"data"' not in body:
        raise SystemExit(f"no rows: {body[:300]!r}")
    return body


def rss(pid: int) -> float:
    """Memory in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def cpu(pid: int, seconds: float) -> float:
    """Cores that the process used in the next `seconds`."""

    def used() -> int:
        # Of the threads: the process's own figure is refreshed once in a tick.
        return sum(
            int(Path(path, "schedstat").read_text().split()[0])
            for path in Path(f"/proc/{pid}/task").iterdir()
        )

    before = used()
    time.sleep(seconds)
    return (used() - before) / 1e9 / seconds


@contextmanager
def serving(folder: Path) -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    """The port of `ingot serve` and its process."""
    command = [sys.executable, "-m", "ingot", "serve", "--port", "0", "--project", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    port = 0
    for line in process.stdout:
        if found := re.search(r"page\s+http://[^:]+:(\d+)", line):
            port = int(found[1])
        if line.strip() == "ready":
            break
    try:
        yield port, process
    finally:
        process.terminate()
        process.wait(10)


if __name__ == "__main__":
    main()
