"""SIGKILL at 200 random moments of commit, merge, compaction and collection."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingot.engines.duckdb import connect
from ingot.lake import Lake, RefKind
from ingot.lake.maintenance import USUAL, maintain
from tests.lake.maintenance.conftest import forget

from .nursery import Nursery, Worker
from .record import Branch, Record, Step, after
from .work import NOTHING, ROUNDS, WIDTH, do

KILLS = 200


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[Nursery]:
    made = Nursery(tmp_path)
    yield made
    made.close()


def opened(folder: Path) -> Lake:
    return Lake(f"sqlite:///{folder}/lake.db", folder / "warehouse")


@dataclass
class Heard:
    """What a worker said before it died."""

    done: list[tuple[Step, list[str]]] = field(default_factory=list)
    """The steps that the lake acknowledged, with the commits of each."""
    open: Step | None = None
    """The one that it was at."""
    inside: bool = False
    """Whether it died in the part in which it was to die."""
    ends: list[dict[str, Any]] = field(default_factory=list)


def hear(worker: Worker, kill_after: float | None = None) -> Heard:
    heard = Heard()
    for line in worker.said():
        assert "failed" not in line, line["failed"]
        if "trying" in line:
            heard.open = line["trying"]
        elif "done" in line:
            assert heard.open is not None
            heard.done.append((heard.open, line["done"]))
            heard.open = None
        elif "begin" in line:
            heard.inside = True
            if kill_after is not None:
                time.sleep(kill_after)
                worker.kill()
                kill_after = None  # it may have begun once more meanwhile
        else:
            heard.inside = False
            heard.ends.append(line)
    return heard


@dataclass
class Watch:
    """The lake beside the record of what it must hold."""

    con: duckdb.DuckDBPyConnection
    record: Record
    hashes: dict[str, str] = field(default_factory=dict)
    """The hash that each commit was acknowledged with."""
    tended: set[str] = field(default_factory=set)
    """Acknowledged commits of maintenance."""

    used: int = 0

    def free(self) -> int:
        """The first of many numbers that nobody has used."""
        self.used += 100 * WIDTH
        return self.used

    def acknowledged(self, step: Step, made: list[str]) -> None:
        self.record = after(self.record, step)
        if step["do"] == "maintain":
            self.tended |= set(made)
        elif made:
            self.hashes[step["id"]] = made[0]

    def steps(self, lake: Lake, *steps: Step) -> None:
        for step in steps:
            self.acknowledged(step, do(lake, self.con, step))

    def found(self, lake: Lake) -> Record:
        """Everything that can be read, from the disk; every acknowledged commit stands where it was made."""
        forget()
        found: dict[str, Branch] = {}
        tended: set[str] = set()
        for ref in lake.catalog.refs():
            log = list(lake.catalog.log(ref.hash))[::-1]
            tended |= {one.hash for one in log if one.message.startswith("maintain: ")}
            named = [one for one in log if not one.message.startswith("maintain: ")]
            for one in named:
                assert self.hashes.get(one.message, one.hash) == one.hash
            state = lake.at(ref.name)
            rows = {}
            for name in state.tables:
                got = self.con.execute(f"SELECT i, s FROM {state.scan(name)} ORDER BY i").fetchall()
                assert len(got) == state.table(name).rows
                assert all(text == f"text {i}" for i, text in got)
                numbers = [i for i, _ in got]
                assert len(set(numbers)) == len(numbers)
                rows[name] = frozenset(numbers)
            found[ref.name] = Branch(tuple(one.message for one in named), rows)
        assert self.tended <= tended
        return found

    def settle(self, lake: Lake, unsure: Step | None) -> str:
        """Checks everything; whether the step that was not acknowledged is `there`, or `absent`."""
        found = self.found(lake)
        if unsure is None:
            assert found == self.record
            return "between steps"
        possible = after(self.record, unsure)
        if found == self.record:
            return "nothing to see" if possible == self.record else "absent"
        assert found == possible
        self.record = possible
        return "there"

    def tend(self, lake: Lake, warehouse: Path) -> None:
        """Maintenance goes on after a kill, leaves no file that nobody needs, and loses nothing."""
        # What a round makes itself is within its window: the next one removes that.
        for _ in range(2):
            do(lake, self.con, {"do": "maintain", "steps": USUAL})
        assert self.found(lake) == self.record
        assert not any(warehouse.rglob(".*.tmp"))
        assert maintain(lake, self.con, policy=NOTHING, dry_run=True).files_freed == 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_kills_at_any_moment_lose_nothing_and_leave_nothing_half_done(
    nursery: Nursery, tmp_path: Path
) -> None:
    chance = random.Random(20261121)
    seen: Counter[tuple[str, str]] = Counter()
    inside = 0
    plan = [what for what in ROUNDS for _ in range(KILLS // len(ROUNDS))]
    chance.shuffle(plan)
    with connect(threads=1, extensions=("avro", "iceberg")) as con, opened(tmp_path) as lake:
        watch = Watch(con, {"main": Branch()})
        tables = {"s.t": [1], "s.u": [2], "s.v": [3], "s.parted": [4]}
        watch.steps(lake, {"do": "commit", "on": "main", "id": "begin", "set": tables})
        usual = measured(watch, nursery, tmp_path)

        def next_one(number: int) -> tuple[Worker, float | None]:
            what = plan[number]
            seconds, (reached, decided) = usual[what]
            # By turns at a random time, before or after a random call that reaches the disk, and one of the
            # last that decide whether the step is there.
            wait, how = [
                (chance.uniform(0, seconds), {}),
                (None, {"point": chance.randint(1, reached)}),
                (chance.uniform(0, seconds), {}),
                (None, {"point": decided - chance.randint(0, 4), "deciding": True}),
            ][number % 4]
            return nursery.born(folder=str(tmp_path), what=what, first=watch.free(), **how), wait

        ready = [next_one(0)]
        for number, what in enumerate(plan):
            heard = hear(*ready.pop())
            if number + 1 < KILLS:
                ready.append(next_one(number + 1))  # while this one's traces are looked at
            for step, made in heard.done:
                watch.acknowledged(step, made)
            with opened(tmp_path) as fresh:
                seen[what, watch.settle(fresh, heard.open)] += 1
            inside += heard.inside
            recover(watch, lake, number)
            if number % 8 == 7:
                watch.tend(lake, tmp_path / "warehouse")
            if number % 40 == 39:
                usual = measured(watch, nursery, tmp_path)
        watch.tend(lake, tmp_path / "warehouse")
    print(f"{inside} of {KILLS} inside of the operation; {dict(seen)}")  # noqa: T201 (with -s, and where it fails)
    assert inside > 0.75 * KILLS
    for what in ("commit", "merge"):
        assert seen[what, "absent"] > 10
        assert seen[what, "there"] > 0


def measured(watch: Watch, nursery: Nursery, folder: Path) -> dict[str, tuple[float, list[int]]]:
    """How long each operation takes a new process, and how many calls to the disk."""
    found = {}
    for what in ROUNDS:
        heard = hear(nursery.born(folder=str(folder), what=what, first=watch.free(), rounds=1))
        for step, made in heard.done:
            watch.acknowledged(step, made)
        (end,) = heard.ends
        found[what] = (end["seconds"], end["points"])
    return found


def recover(watch: Watch, lake: Lake, number: int) -> None:
    """Another process goes on: it merges what is left of a branch (once more, if it was), writes, makes tags."""
    for ref in lake.catalog.refs():
        if ref.kind is RefKind.BRANCH and ref.name != "main":
            number_of = ref.name.removeprefix("run-")
            merge = {"do": "merge", "from": ref.name, "id": f"again {ref.name}"}
            if f"m{number_of}" in watch.record["main"].log:
                do(lake, watch.con, merge)  # merged already: nothing comes of it
            elif f"b{number_of}" in watch.record[ref.name].log:
                watch.steps(lake, merge)
            watch.steps(lake, {"do": "drop", "name": ref.name})
    watch.steps(
        lake, {"do": "commit", "on": "main", "id": f"goes on {number}", "add": {"s.t": [watch.free()]}}
    )
    if number % 10 == 5:
        watch.steps(lake, {"do": "tag", "name": f"v{number}"})
        if f"v{number - 40}" in watch.record:
            watch.steps(lake, {"do": "drop", "name": f"v{number - 40}"})
