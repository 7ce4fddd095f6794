"""What a worker does until it is killed: rounds of one operation on a real lake.

Each step is said before it is tried and again when the lake has acknowledged it. The part of a round in which
the worker is to be killed lies between `begin` and `end`. It can be told to kill itself at the `point`-th
moment of that part: just before or after a call that reaches a file or the state database, or (`deciding`)
one that ends a transaction or tells of it.
"""

import itertools
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from types import FrameType
from typing import Any

import duckdb

from ingot.engines.duckdb import connect
from ingot.lake import Lake
from ingot.lake.maintenance import Outcome, Policy, maintain
from ingot.lake.maintenance import Step as Maintenance

from .record import Step

NOTHING = Policy(older_than=timedelta(0), keep=1, orphan_age=timedelta(0))
"""Keeps no more than refs hold."""
TABLES = [Maintenance.COMPACT, Maintenance.MANIFESTS, Maintenance.EXPIRE]
SWEEPS = [Maintenance.GC, Maintenance.ORPHANS]
WIDTH = 100
"""Numbers that one step may use."""
Counted = Callable[[Any], bool]
_FILES = {"open", "read", "write", "fsync", "close", "replace", "unlink", "mkdir", "rmdir", "scandir"}
_REACHING = {"execute", "executemany", "commit", "rollback", "fetchall", *_FILES}


def _reaches(called: Any) -> bool:
    return called.__name__ in _REACHING and not isinstance(called.__self__, str | bytes)


def _decides(called: Any) -> bool:
    return called.__name__ == "commit" or called is os.write


def do(lake: Lake, con: duckdb.DuckDBPyConnection, step: Step) -> list[str]:
    """One step; the hashes of the commits that it made."""
    kind = step["do"]
    if kind == "commit":
        staged = [
            stage(lake, con, table, numbers, step["on"], mode)
            for mode, what in (("append", "add"), ("overwrite", "set"))
            for table, numbers in step.get(what, {}).items()
        ]
        return [lake.commit(step["on"], staged, message=step["id"]).hash]
    if kind == "branch":
        lake.branch(step["name"])
    elif kind == "tag":
        lake.tag(step["name"])
    elif kind == "drop":
        lake.delete_ref(step["name"])
    elif kind == "merge":
        return [lake.merge(step["from"], message=step["id"]).hash]
    else:
        report = maintain(lake, con, steps=step["steps"], policy=NOTHING)
        assert not report.warnings, report
        assert all(one.outcome is Outcome.DONE for one in report.tables), report
        return [one.commit for one in report.tables]
    return []


def stage(
    lake: Lake, con: duckdb.DuckDBPyConnection, table: str, numbers: list[int], on: str, mode: Any
) -> Any:
    """Rows with these numbers, and a text that goes with each."""
    query = f"SELECT i, 'text ' || i AS s FROM unnest({numbers}::BIGINT[]) t(i)"
    # Many small files, so that there is much to remove.
    parts = ["i"] if table == "s.parted" else []
    return lake.stage(con, table, query, on=on, mode=mode, partition_by=parts)


def run(
    start: Callable[[], int],
    *,
    folder: str,
    what: str,
    first: int,
    rounds: int = 0,
    point: int = 0,
    deciding: bool = False,
) -> None:
    """Rounds of `what` with numbers from `first` on; for ever, where `rounds` is 0.

    `start` waits until the worker may begin, and gives the pipe to speak into.
    """
    with (
        Lake(f"sqlite:///{folder}/lake.db", f"{folder}/warehouse") as lake,
        connect(threads=1, extensions=("avro", "iceberg")) as con,
    ):
        pipe = start()

        def say(**line: object) -> None:
            os.write(pipe, json.dumps(line).encode() + b"\n")

        def step(**step: Any) -> None:
            say(trying=step)
            made = do(lake, con, step)
            say(done=made)

        @contextmanager
        def window() -> Iterator[None]:
            say(begin=what)
            started = time.monotonic()
            with points({_decides if deciding else _reaches: point}) as passed:
                yield
            said = [passed[_reaches], passed[_decides]]
            say(end=what, seconds=time.monotonic() - started, points=said)
            if point:  # which this round did not come to
                os.kill(os.getpid(), signal.SIGKILL)

        for number in itertools.count(first, WIDTH):
            ROUNDS[what](step, window, number, lambda number=number: abandon(lake, con, number))
            if number == first + (rounds - 1) * WIDTH:
                return


def abandon(lake: Lake, con: duckdb.DuckDBPyConnection, number: int) -> None:
    """Files of a commit that never came."""
    stage(lake, con, "s.parted", [number + i for i in range(9)], "main", "overwrite")


Do = Callable[..., None]


def commits(step: Do, window: Any, n: int, _: Do) -> None:
    """One commit of two tables."""
    with window():
        step(do="commit", on="main", id=f"c{n}", add={"s.t": [n, n + 1, n + 2]}, set={"s.u": [n]})


def merges(step: Do, window: Any, n: int, _: Do) -> None:
    """A branch with changes of two tables, one of which main has changed meanwhile: its rows are brought together."""
    name = f"run-{n}"
    step(do="branch", name=name)
    step(do="commit", on=name, id=f"b{n}", add={"s.t": [n, n + 1]}, set={"s.u": [n]})
    step(do="commit", on="main", id=f"c{n}", add={"s.t": [n + 2]})
    with window():
        step(do="merge", id=f"m{n}", **{"from": name})
    step(do="drop", name=name)


def compacts(step: Do, window: Any, n: int, _: Do) -> None:
    """Small files are joined, manifests too, and what is older leaves the list of snapshots."""
    for i in range(3):
        step(do="commit", on="main", id=f"c{n + i}", add={"s.t": [n + i], "s.v": [n + 10 + i]})
    with window():
        step(do="maintain", steps=TABLES)


def collects(step: Do, window: Any, n: int, abandon: Do) -> None:
    """Files of overwritten rows, and of a commit that never came, are removed."""
    for i in (0, 20):
        numbers = [n + i + j for j in range(9)]
        step(do="commit", on="main", id=f"c{n + i}", set={"s.parted": numbers})
    step(do="maintain", steps=TABLES)
    abandon()
    with window():
        step(do="maintain", steps=SWEEPS)


ROUNDS = {"commit": commits, "merge": merges, "compact": compacts, "collect": collects}


@contextmanager
def points(last: Mapping[Counted, int]) -> Iterator[Mapping[Counted, int]]:
    """Counts the moments before and after calls of each kind, and dies at the last one."""
    passed: dict[Counted, int] = {_reaches: 0, _decides: 0}

    def watch(_: FrameType, event: str, called: Any) -> None:
        if event in ("c_call", "c_return"):
            for kind in filter(lambda kind: kind(called), passed):
                passed[kind] += 1
                if passed[kind] == last.get(kind):
                    os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)
    try:
        yield passed
    finally:
        sys.setprofile(None)
