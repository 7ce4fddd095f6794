"""The catalog at size: commits, branches, merges, the log, and writers that append to one table at once.

`python -m benchmarks.lake`; every figure is with the state database's flush to disk.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from uuid import uuid4

import duckdb
from sqlalchemy import Connection
from starlette.applications import Starlette
from starlette.routing import Mount
from tests.lake.rest.conftest import serving

from benchmarks.results import percentile, report
from ingot.lake import Content, ContentType, Lake, Put, RefKind, SqlCatalog
from ingot.lake.catalog import refs
from ingot.lake.catalog.history import History
from ingot.lake.catalog.store import Store
from ingot.lake.rest import routes

TABLES = 10_000
CHANGED = 1_000
COMMITS = 100_000
PAGE = 100
WRITERS = 8
APPENDS = 10

DUCKDB = """
import sys
from ingot.engines.duckdb import connect
address, writer, count = sys.argv[1:]
with connect(extensions=("avro", "httpfs", "iceberg")) as con:
    con.execute(f"ATTACH 'main' AS lake (TYPE iceberg, ENDPOINT '{address}/iceberg', AUTHORIZATION_TYPE none)")
    for index in range(int(count)):
        con.execute(f"INSERT INTO lake.s.t VALUES ({writer}, {index})")
"""
PYICEBERG = """
import sys
import pyarrow as pa
from pyiceberg.catalog.rest import RestCatalog
address, writer, count = sys.argv[1:]
table = RestCatalog("lake", uri=f"{address}/iceberg", warehouse="main").load_table("s.t")
for index in range(int(count)):
    table.append(pa.table({"w": pa.array([int(writer)], pa.int32()), "i": pa.array([index], pa.int32())}))
"""
Row = list[object]


def main() -> int:
    """Measures everything in a temporary folder."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        rows += sizes(Path(folder))
        rows += log(Path(folder))
        rows += writers(Path(folder))
    report("lake", ["what", "size", "times", "p50 ms", "p95 ms", "target ms"], rows)
    return 0


def sizes(folder: Path) -> Iterator[Row]:
    """Commits, branches and merges in a catalog of many tables."""
    catalog = SqlCatalog(f"sqlite:///{folder}/many.db")
    space = Put(("s",), Content(ContentType.NAMESPACE, str(uuid4())))
    keys = [("s", f"t{number}") for number in range(TABLES)]
    catalog.commit("main", [space, *(Put(key, table()) for key in keys)], message="all")

    def commit(number: int) -> None:
        key = keys[number]
        before = catalog.content(catalog.ref("main").hash, key)
        catalog.commit("main", [Put(key, table(before), before)], message="one")

    yield row("commit one table", f"{TABLES} tables", timed(commit, 200), 5)

    def branch(number: int) -> None:
        catalog.create_ref(RefKind.BRANCH, f"b{number}", head)

    head = catalog.ref("main").hash
    yield row("create a branch", f"{TABLES} tables", timed(branch, 200), 3)

    def merge(number: int) -> None:
        catalog.merge(f"b{number}", "main")

    for number in range(5):
        name = f"b{number}"
        at = catalog.ref("main").hash
        catalog.assign_ref(name, at)
        entries = catalog.entries(at)
        chosen = keys[number * CHANGED : (number + 1) * CHANGED]
        catalog.commit(name, [Put(key, table(entries[key]), entries[key]) for key in chosen], message="many")
    yield row("merge changed tables", f"{CHANGED} of {TABLES}", timed(merge, 5), 200)
    catalog.close()


def log(folder: Path) -> Iterator[Row]:
    """Pages of a long history, from a process that has seen nothing of it."""
    url = f"sqlite:///{folder}/long.db"
    SqlCatalog(url).close()
    store, history = Store(url), History()

    def fill(tx: Connection) -> None:
        # One transaction without a flush for each: what is measured is reading it.
        hash = refs.find(tx, "main").hash
        for number in range(COMMITS):
            put = Put(("t",), Content(ContentType.TABLE, "t", f"/warehouse/{number}.metadata.json", number))
            about = {"author": "bench", "message": f"commit {number}", "at": refs.now()}
            hash = history.add(tx, [hash], [put], properties={}, **about).hash  # type: ignore[arg-type]
        refs.move(tx, "main", hash)

    store.write(fill)
    store.close()
    for what, spec in (("first page", "main"), ("page in the middle", f"main~{COMMITS // 2}")):
        catalog = SqlCatalog(url)
        at = catalog.resolve(spec)
        catalog.close()
        times: list[float] = []
        for _ in range(20):
            catalog = SqlCatalog(url)
            started = time.perf_counter()
            list(catalog.log(at, limit=PAGE))
            times.append((time.perf_counter() - started) * 1000)
            catalog.close()
        yield row(f"log, {what} of {PAGE}", f"{COMMITS} commits", times, 20)


def writers(folder: Path) -> Iterator[Row]:
    """Processes that append to one table at once through the REST catalog; all must succeed."""
    for client, code in (("DuckDB", DUCKDB), ("PyIceberg", PYICEBERG)):
        where = folder / client
        with Lake(f"sqlite:///{where}/lake.db", where / "warehouse") as lake, duckdb.connect() as con:
            query = "SELECT 0::INTEGER AS w, 0::INTEGER AS i WHERE false"
            lake.commit("main", [lake.stage(con, "s.t", query, on="main")], message="empty")
            with serving(Starlette(routes=[Mount("/iceberg", routes=routes(lake))])) as address:
                started = time.perf_counter()
                command = [sys.executable, "-c", code, address]
                running = [
                    subprocess.Popen([*command, str(number), str(APPENDS)]) for number in range(WRITERS)
                ]
                failed = sum(1 for one in running if one.wait())
                seconds = time.perf_counter() - started
            found = con.execute(f"SELECT w, i FROM {lake.at('main').scan('s.t')} ORDER BY ALL").fetchall()
        wanted = [(writer, index) for writer in range(WRITERS) for index in range(APPENDS)]
        if failed or found != wanted:
            raise SystemExit(
                f"{client}: {failed} writers failed, {len(found)} of {len(wanted)} rows are there"
            )
        each = round(seconds * 1000 / len(wanted), 2)
        yield [f"append, {client}, with its start", f"{WRITERS} processes", len(wanted), each, "", ""]


def table(of: Content | None = None) -> Content:
    """A new table, or the next version of one."""
    return Content(ContentType.TABLE, of.id if of else str(uuid4()), f"/warehouse/{uuid4()}.metadata.json", 1)


def timed(work: Callable[[int], object], times: int) -> list[float]:
    """Milliseconds of each call."""
    found = []
    for number in range(times):
        started = time.perf_counter()
        work(number)
        found.append((time.perf_counter() - started) * 1000)
    return found


def row(what: str, size: str, times: Sequence[float], target: float | None) -> Row:
    """One line of the report."""
    p50, p95 = (round(percentile(times, share), 2) for share in (0.5, 0.95))
    return [what, size, len(times), p50, p95, target if target is not None else ""]


if __name__ == "__main__":
    sys.exit(main())
