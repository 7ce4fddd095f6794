"""Appends, overwrites, compactions and merges of one table on branches against multisets of rows in memory."""

import tempfile
from collections import Counter
from dataclasses import dataclass
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from ingot.lake import CommitConflictError, Lake, RefKind
from ingot.lake.maintenance import compact


@dataclass(eq=False)
class Version:
    """The table after a write: batches of rows that were appended since the table was last written anew."""

    epoch: int
    batches: frozenset[int]


class RowsMachine(RuleBasedStateMachine):
    """The model's merge bases come from its own sets of ancestors, not from the catalog."""

    branches = Bundle("branches")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.con = duckdb.connect()
        self.lake = Lake(f"sqlite:///{self.folder.name}/lake.db", f"{self.folder.name}/wh")
        self.count = 0
        self.epochs = 0
        self.versions: dict[str, Version] = {}
        self.parents: dict[str, list[str]] = {}
        self.heads: dict[str, str] = {}

    def teardown(self) -> None:
        self.lake.close()
        self.con.close()
        self.folder.cleanup()

    @initialize(target=branches)
    def start(self) -> Any:
        self.write("main", "overwrite", [])
        for name in ("dev", "other"):
            self.branch_off(name, "main")
        return multiple("main", "dev", "other")

    def branch_off(self, name: str, origin: str) -> None:
        self.lake.catalog.create_ref(RefKind.BRANCH, name, self.heads[origin])
        self.heads[name] = self.heads[origin]

    def write(self, branch: str, mode: Any, parents: list[str]) -> None:
        self.count += 1
        # Each batch has rows of its own, and as many as its number's remainder: none are alike by chance.
        query = f"SELECT {self.count}::BIGINT AS batch, i AS n FROM range({self.count % 3 + 1}) t(i)"
        staged = self.lake.stage(self.con, "s.t", query, on=branch, mode=mode)
        made = self.lake.commit(branch, [staged], message=mode)
        if mode == "append":
            before = self.versions[parents[0]]
            version = Version(before.epoch, before.batches | {self.count})
        else:
            self.epochs += 1
            version = Version(self.epochs, frozenset({self.count}))
        self.made(branch, version, made.hash, parents)

    def made(self, branch: str, version: Version, hash: str, parents: list[str]) -> None:
        self.versions[hash], self.parents[hash], self.heads[branch] = version, parents, hash

    def ancestors(self, hash: str) -> set[str]:
        found = {hash}
        for parent in self.parents[hash]:
            found |= self.ancestors(parent)
        return found

    @rule(branch=branches)
    def append(self, branch: str) -> None:
        self.write(branch, "append", [self.heads[branch]])

    @rule(branch=branches, really=st.integers(0, 3))
    def overwrite(self, branch: str, really: int) -> None:
        if really == 0:
            self.write(branch, "overwrite", [self.heads[branch]])

    @rule(branch=branches)
    def compacts(self, branch: str) -> None:
        """The version is the same one: not a row changes."""
        plan = compact.plan(self.con, self.lake.at(branch).table("s.t"))
        if plan is not None:
            staged = compact.stage(self.con, plan, compact.write(self.con, plan))
            made = self.lake.commit(branch, [staged], message="compact")
            self.made(branch, self.versions[self.heads[branch]], made.hash, [self.heads[branch]])

    @rule(source=branches, into=branches)
    def merge(self, source: str, into: str) -> None:
        theirs, ours = self.heads[source], self.heads[into]
        common = self.ancestors(theirs) & self.ancestors(ours)
        bases = [one for one in common if not any(one in self.ancestors(c) - {c} for c in common)]
        there, here = self.versions[theirs], self.versions[ours]
        found = {self.versions[one] for one in bases}
        dry = self.lake.merge(source, into, dry_run=True)
        try:
            result = self.lake.merge(source, into)
        except CommitConflictError:
            assert dry.conflicts
            # With one base, nothing but a table that was written anew, and changed on both sides, is a conflict.
            changed = there not in found and here not in found
            assert len(bases) > 1 or (changed and len({one.epoch for one in (*found, there, here)}) > 1)
            return
        assert not dry.conflicts
        assert dry.changed == result.changed
        if not result.applied:
            assert there is here or there in found
            return
        if there.epoch == here.epoch:
            version = Version(here.epoch, here.batches | there.batches)
            version = next((one for one in (here, there) if one.batches == version.batches), version)
        else:
            # A side that was written anew goes through only where the other has nothing of its own.
            wanted = [one for one, other in ((there, here), (here, there)) if other in found]
            assert wanted
            assert len(bases) > 1 or len(wanted) == 1
            rows = {batch for (batch,) in self.con.execute(f"SELECT batch FROM {self.scan(into)}").fetchall()}
            version = next(one for one in wanted if one.batches == rows)
        self.made(into, version, result.hash, [ours, theirs])

    def scan(self, branch: str) -> str:
        return self.lake.at(branch).scan("s.t")

    @invariant()
    def every_branch_has_its_rows(self) -> None:
        for name, head in self.heads.items():
            wanted = Counter(
                (batch, n) for batch in self.versions[head].batches for n in range(batch % 3 + 1)
            )
            query = f"SELECT batch, n FROM {self.scan(name)}"
            assert Counter(self.con.execute(query).fetchall()) == wanted
            assert self.lake.at(name).table("s.t").rows == wanted.total()


class LongRowsMachine(RowsMachine):
    """The same with more patience."""


SHORT = settings(
    max_examples=4,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
RowsMachine.TestCase.settings = SHORT
LongRowsMachine.TestCase.settings = settings(SHORT, max_examples=40)
TestRows = RowsMachine.TestCase
TestRowsAtLength = pytest.mark.slow(LongRowsMachine.TestCase)
