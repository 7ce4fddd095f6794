"""CSV to Iceberg: `ingot.sources.load` and its commit, against DuckDB's own COPY of the same file to Parquet.

The rows are written to CSV once. Both sides read it from the system's cache and write zstd Parquet to the
same disk; the runs alternate, so that a busy machine harms both alike, and the best of each counts. Ingot
infers types over all rows, checks every value, counts rows, hashes the file and commits; COPY does none of it.

    python benchmarks/ingest.py [--rows 1000000] [--repeat 5]
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from ingot.engines.duckdb import connect
from ingot.lake import Lake
from ingot.project import load as load_project
from ingot.sources import load, plan

GOAL = 1.5
ROWS = """
SELECT range AS id, 'customer ' || hash(range) % 50000 AS name, (hash(range + 1) % 1000000) / 100.0 AS amount,
    DATE '2020-01-01' + (hash(range + 2) % 1500)::INTEGER AS day,
    TIMESTAMP '2020-01-01' + to_seconds((hash(range + 3) % 100000000)::BIGINT) AS at,
    ['open', 'paid', 'sent', 'lost'][(hash(range + 4) % 4)::INTEGER + 1] AS status
FROM range({rows})
"""


def main() -> None:
    """Prints the comparison and writes it to `benchmarks/results/ingest.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=5)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        source = _project(root, chosen.rows)
        seconds: dict[str, list[float]] = {"COPY": [], "ingot": []}
        for number in range(chosen.repeat):
            seconds["COPY"].append(_timed(lambda: _copy(source, root / "out.parquet")))
            seconds["ingot"].append(_timed(lambda: _ingest(root, number, chosen.rows)))  # noqa: B023 - called at once
        size = source.stat().st_size
    best = {name: min(each) for name, each in seconds.items()}
    ratio = best["ingot"] / best["COPY"]
    print(
        f"{chosen.rows:,} rows, 6 columns, {size / 1e6:.0f} MB of CSV; best of {chosen.repeat}, {os.cpu_count()} cores"
    )
    for name, each in best.items():
        print(
            f"  {name:<6} {each:6.3f} s  {chosen.rows / each / 1e6:5.2f} M rows/s  {each / best['COPY']:5.2f} x"
        )
    print(f"  goal: <= {GOAL} x: {'met' if ratio <= GOAL else 'missed'}")
    results = Path(__file__).parent / "results" / "ingest.json"
    results.parent.mkdir(exist_ok=True)
    document = {
        "rows": chosen.rows,
        "bytes": size,
        "cores": os.cpu_count(),
        "seconds": {name: [round(one, 4) for one in each] for name, each in seconds.items()},
        "ratio": round(ratio, 3),
        "goal": GOAL,
    }
    results.write_text(json.dumps(document, indent=2) + "\n")


def _project(root: Path, rows: int) -> Path:
    (root / "ingot.yml").write_text("")
    (root / "sources").mkdir()
    (root / "sources" / "bench.yml").write_text("path: data\ntables: {rows: {path: rows.csv}}\n")
    (root / "data").mkdir()
    source = root / "data" / "rows.csv"
    with duckdb.connect() as con:
        con.execute(f"COPY ({ROWS.format(rows=rows)}) TO '{source}' (HEADER)")
    return source


def _copy(source: Path, target: Path) -> None:
    with connect() as con:
        con.execute(
            f"COPY (SELECT * FROM read_csv('{source}')) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
        )


def _ingest(root: Path, number: int, rows: int) -> None:
    """A first load into a lake of its own."""
    project = load_project(root)
    catalog = root / ".ingot" / f"lake{number}.db"
    catalog.parent.mkdir(exist_ok=True)
    with Lake(f"sqlite:///{catalog}", root / ".ingot" / f"warehouse{number}") as lake, connect() as con:
        [source] = project.sources
        staged, result = load(con, lake, plan(project, source, source.tables[0], lake.at("main")), on="main")
        lake.commit("main", [staged], message="benchmark")
        if result.rows != rows:
            raise SystemExit(f"{result.rows} rows arrived instead of {rows}")


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
