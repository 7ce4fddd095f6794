"""A process of its own that works on a lake until it is told or killed to stop.

`python worker.py URL WAREHOUSE write NAME COUNT` appends one row after another to `s.t` (its number, and who wrote
it) and now and then overwrites a table of its own; prints the number of each row that was acknowledged.
`python worker.py URL WAREHOUSE maintain` does one round of maintenance after another, with no retention at all.
"""

import itertools
import random
import sys
import time
from datetime import timedelta

from ingot.engines.duckdb import connect
from ingot.lake import CommitConflictError, Lake
from ingot.lake.maintenance import Policy, maintain


def write(lake: Lake, name: str, count: int) -> None:
    """Appends `count` rows; a row whose table another writer or a compaction changed is written again."""
    with connect(threads=1) as con:
        for number in range(count):
            while True:
                query = f"SELECT {number} AS i, '{name}' AS writer"
                staged = lake.stage(con, "s.t", query, on="main", mode="append")
                try:
                    lake.commit("main", [staged], message=f"{name} {number}")
                    break
                except CommitConflictError:
                    lake.discard([staged])
            print(number, flush=True)  # noqa: T201
            time.sleep(random.uniform(0, 0.05))


def tend(lake: Lake) -> None:
    """Compacts, expires and collects for ever."""
    policy = Policy(older_than=timedelta(seconds=2), keep=1, orphan_age=timedelta(seconds=60))
    with connect(threads=1, extensions=("avro", "iceberg")) as con:
        print("ready", flush=True)  # noqa: T201
        for number in itertools.count():
            report = maintain(lake, con, policy=policy)
            problems = [one.reason for one in report.tables if one.outcome.value == "failed"]
            print(number, *report.warnings, *problems, flush=True)  # noqa: T201


if __name__ == "__main__":
    with Lake(sys.argv[1], sys.argv[2]) as opened:
        if sys.argv[3] == "write":
            write(opened, sys.argv[4], int(sys.argv[5]))
        else:
            tend(opened)
