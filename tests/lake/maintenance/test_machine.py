"""Maintenance against a plain model in memory: whatever is written, compacted, expired and collected on
whichever branch, every ref reads exactly the rows that the model has.

The retention window is nothing and one snapshot is kept, so everything that may be removed is.
"""

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ingot.engines.duckdb import connect
from ingot.lake import Lake, RefKind
from ingot.lake.maintenance import Outcome, Policy, Step, maintain

from .conftest import NOTHING, disk, forget
from .deletes import delete_rows

TABLES = ["s.plain", "s.parted"]

State = dict[str, list[int]]


class MaintenanceMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.warehouse = Path(self.folder.name) / "warehouse"
        self.lake = Lake(f"sqlite:///{self.folder.name}/lake.db", self.warehouse)
        self.con = connect(extensions=("avro", "iceberg"), threads=1)
        self.refs: dict[str, State] = {"main": {}}
        self.tags: set[str] = set()
        self.count = 0

    def teardown(self) -> None:
        self.con.close()
        self.lake.close()
        self.folder.cleanup()

    @initialize()
    def begin(self) -> None:
        for name in TABLES:
            self.write("main", name, "append", 4)
        self.lake.tag("r0")
        self.refs["r0"] = self.refs["main"]
        self.tags.add("r0")
        for name in TABLES:
            self.write("main", name, "append", 4)

    def branch_of(self, pick: int) -> str:
        names = sorted(self.refs.keys() - self.tags)
        return names[pick % len(names)]

    def write(self, branch: str, name: str, mode: Any, size: int) -> None:
        first, self.count = self.count, self.count + size
        query = f"SELECT i, i % 3 AS p, 'text ' || i AS s FROM range({first}, {first + size}) r(i)"
        staged = self.lake.stage(
            self.con, name, query, on=branch, mode=mode, partition_by=["p"] if "parted" in name else []
        )
        self.lake.commit(branch, [staged], message=mode)
        before = self.refs[branch].get(name, []) if mode == "append" else []
        self.refs[branch] = {**self.refs[branch], name: before + list(range(first, first + size))}

    @rule(
        pick=st.integers(0, 5),
        name=st.sampled_from(TABLES),
        mode=st.sampled_from(["append", "append", "append", "overwrite"]),
        size=st.integers(1, 7),
    )
    def writes(self, pick: int, name: str, mode: str, size: int) -> None:
        self.write(self.branch_of(pick), name, mode, size)

    @rule(pick=st.integers(0, 5), name=st.sampled_from(TABLES), rest=st.integers(0, 2))
    def deletes_rows(self, pick: int, name: str, rest: int) -> None:
        branch = self.branch_of(pick)
        if name in self.refs[branch]:
            delete_rows(self.lake, self.con, branch, name, f"i % 4 = {rest}")
            kept = [row for row in self.refs[branch][name] if row % 4 != rest]
            self.refs[branch] = {**self.refs[branch], name: kept}

    @rule(pick=st.integers(0, 5), name=st.sampled_from(TABLES))
    def drops(self, pick: int, name: str) -> None:
        branch = self.branch_of(pick)
        if name in self.refs[branch]:
            self.lake.commit(branch, [self.lake.stage_drop(name, on=branch)], message="drop")
            self.refs[branch] = {key: rows for key, rows in self.refs[branch].items() if key != name}

    @precondition(lambda self: len(self.refs) < 6)
    @rule(pick=st.integers(0, 5), tag=st.booleans())
    def names_a_commit(self, pick: int, tag: bool) -> None:
        at = self.branch_of(pick)
        self.count += 1
        name = f"r{self.count}"
        (self.lake.tag if tag else self.lake.branch)(name, at)
        self.refs[name] = self.refs[at]
        if tag:
            self.tags.add(name)

    @rule(pick=st.integers(0, 5))
    def forgets_a_ref(self, pick: int) -> None:
        name = sorted(self.refs)[pick % len(self.refs)]
        if name != "main":
            self.lake.delete_ref(name)
            del self.refs[name]
            self.tags.discard(name)

    @rule(source=st.integers(0, 5), into=st.integers(0, 5))
    def merges(self, source: int, into: int) -> None:
        ours, theirs = self.branch_of(into), self.branch_of(source)
        plan = self.lake.merge(theirs, ours, dry_run=True)
        if plan.conflicts or getattr(plan, "rebased", ()):
            return
        self.lake.merge(theirs, ours)
        after = dict(self.refs[ours])
        for key in plan.changed:
            name = ".".join(key)
            after.pop(name, None)
            if name in self.refs[theirs]:
                after[name] = self.refs[theirs][name]
        self.refs[ours] = after

    @rule(
        pick=st.integers(0, 5),
        step=st.sampled_from([Step.COMPACT, Step.COMPACT, Step.MANIFESTS, Step.EXPIRE]),
        size=st.sampled_from([None, None, 1, 2500]),
        passing=st.booleans(),
    )
    def tends_tables(self, pick: int, step: Step, size: int | None, passing: bool) -> None:
        # With `passing` the other branches do not hold a table back: some merges will then conflict.
        names = ("r",) if passing else ()
        policy = Policy(older_than=timedelta(0), keep=1, target_bytes=size, passing=names)
        report = maintain(self.lake, self.con, steps=[step], policy=policy, branch=self.branch_of(pick))
        assert all(one.outcome in (Outcome.DONE, Outcome.SKIPPED) for one in report.tables), report

    @rule(steps=st.sampled_from([[Step.GC], [Step.ORPHANS], [Step.GC, Step.ORPHANS]]))
    def tidies_files(self, steps: list[Step]) -> None:
        planned = maintain(self.lake, self.con, steps=steps, policy=NOTHING, dry_run=True)
        before = disk(self.warehouse)
        report = maintain(self.lake, self.con, steps=steps, policy=NOTHING)
        after = disk(self.warehouse)
        forget()
        assert not report.warnings
        assert report.bytes_freed == sum(before.values()) - sum(after.values())
        assert report.files_freed == len(before) - len(after)
        assert report.removed == planned.removed
        again = maintain(self.lake, self.con, steps=[Step.GC, Step.ORPHANS], policy=NOTHING, dry_run=True)
        if Step.ORPHANS in steps:
            assert again.files_freed == 0

    @invariant()
    def every_ref_reads_what_the_model_has(self) -> None:
        found = {ref.name: ref.kind for ref in self.lake.catalog.refs()}
        assert {name for name, kind in found.items() if kind is RefKind.TAG} == self.tags
        assert found.keys() == self.refs.keys()
        for ref, expected in self.refs.items():
            state = self.lake.at(ref)
            assert set(state.tables) == expected.keys()
            for name, rows in expected.items():
                got = self.con.execute(f"SELECT i, p, s FROM {state.scan(name)}").fetchall()
                assert sorted(got) == [(i, i % 3, f"text {i}") for i in sorted(rows)]
                assert state.table(name).rows == len(rows)


MaintenanceMachine.TestCase.settings = settings(
    max_examples=6,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # Shrinking replays the machine thousands of times and would outlast the test's time limit.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
TestMaintenance = MaintenanceMachine.TestCase
