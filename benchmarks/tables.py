"""Writing and reading tables: a stage and commit against DuckDB's own COPY, a scan against `read_parquet`.

Both sides of a pair take turns, write the same rows with the same compression to the same disk, and the best
of each counts. `python -m benchmarks.tables [ROWS]`, 10,000,000 by default.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from duckdb import DuckDBPyConnection

from benchmarks.results import report
from ingot.engines.duckdb import connect
from ingot.engines.sql import quote_literal
from ingot.lake import Lake

WRITE_TARGET, READ_TARGET = 1.15, 1.1
READ_ROWS = 1_000_000
SOURCE = """
CREATE TABLE source AS SELECT range AS id, 'customer ' || hash(range) % 50000 AS name,
    (hash(range + 1) % 1000000)::DECIMAL(12, 2) / 100 AS amount, DATE '2020-01-01' + (range % 1500)::INTEGER AS day,
    TIMESTAMP '2020-01-01' + to_seconds((hash(range + 3) % 100000000)::BIGINT) AS at, hash(range) % 500 AS bucket
FROM range({rows})
"""
QUERY = "SELECT bucket, sum(amount), count(*) FROM {table} WHERE id % 3 = 0 GROUP BY bucket"


def main() -> None:
    """Prints both comparisons."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    with tempfile.TemporaryDirectory() as scratch, connect() as con:
        folder = Path(scratch)
        con.execute(SOURCE.format(rows=rows))
        with Lake(f"sqlite:///{folder / 'lake.db'}", folder / "warehouse") as lake:
            measured = [_write(con, lake, folder, rows), _read(con, lake)]
    report("tables", ["what", "rows", "plain s", "ingot s", "ratio", "target", "met"], measured)


def _write(con: DuckDBPyConnection, lake: Lake, folder: Path, rows: int) -> list[object]:
    def copy() -> None:
        target = folder / "raw"
        con.execute(f"COPY source TO {quote_literal(str(target))} (FORMAT parquet, COMPRESSION zstd)")
        target.unlink()

    def stage() -> None:
        staged = lake.stage(con, "bench.t", "SELECT * FROM source", on="main")
        lake.commit("main", [staged], message="bench")

    plain, ours = _turns(copy, stage, 3)
    return ["write and commit", rows, plain, ours, ours / plain, WRITE_TARGET, ours / plain <= WRITE_TARGET]


def _read(con: DuckDBPyConnection, lake: Lake) -> list[object]:
    staged = lake.stage(con, "bench.r", f"SELECT * FROM source LIMIT {READ_ROWS}", on="main")
    lake.commit("main", [staged], message="bench")
    state = lake.at("main")
    scanned, files = state.scan("bench.r"), [str(path) for path in state.table("bench.r").files]

    def plain() -> None:
        con.execute(QUERY.format(table=f"read_parquet({quote_literal(files)})")).fetchall()

    def ours() -> None:
        con.execute(QUERY.format(table=scanned)).fetchall()

    theirs, mine = _turns(plain, ours, 40)
    return ["aggregate", READ_ROWS, theirs, mine, mine / theirs, READ_TARGET, mine / theirs <= READ_TARGET]


def _turns(one: Callable[[], None], other: Callable[[], None], times: int) -> tuple[float, float]:
    """The best seconds of each, taking turns."""
    best = [float("inf"), float("inf")]
    for _ in range(times):
        for index, work in enumerate((one, other)):
            began = time.perf_counter()
            work()
            best[index] = min(best[index], time.perf_counter() - began)
    return best[0], best[1]


if __name__ == "__main__":
    main()
