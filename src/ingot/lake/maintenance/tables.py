"""The steps on tables: planned on what a branch holds now, written, and committed where it still holds that.

A concurrent writer always wins: where a table moved meanwhile the step is done again on what the table is
now, and given up after a few times. A table that another branch has changed and not merged yet is left alone,
because its merge would conflict.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from ingot.errors import NotFoundError
from ingot.lake import names
from ingot.lake.errors import CommitConflictError, LakeError, SchemaError
from ingot.lake.lake import Lake
from ingot.lake.maintenance import compact, expire, tidy
from ingot.lake.maintenance.compact import UnsuitableError
from ingot.lake.maintenance.model import Outcome, Policy, Step, TableReport
from ingot.lake.model import Commit, RefKind
from ingot.lake.staged import Staged
from ingot.lake.state import Table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_ATTEMPTS = 3
_VERBS = {Step.COMPACT: "compact", Step.MANIFESTS: "rewrite manifests of", Step.EXPIRE: "expire"}
STEPS = tuple(_VERBS)


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of one branch, to be worked on one by one."""

    lake: Lake
    con: "DuckDBPyConnection"
    policy: Policy
    branch: str
    cutoff: datetime
    dry_run: bool
    partitions: frozenset[str] | None
    held: dict[str, str]
    """Tables with unmerged changes elsewhere, and the name of the branch that has them."""
    forgotten: dict[str, frozenset[int]] = field(default_factory=dict)
    """In a dry run: the snapshots that each metadata file would no longer list."""

    def do(self, step: Step, name: str) -> TableReport | None:
        """One step on one table; None where there is nothing to do. What fails leaves nothing behind."""
        import duckdb  # noqa: PLC0415 (heavy)

        try:
            return self._settled(step, name)
        except (UnsuitableError, SchemaError) as error:
            return TableReport(step, name, Outcome.SKIPPED, str(error))
        except (LakeError, duckdb.Error) as error:
            return TableReport(step, name, Outcome.FAILED, str(error))

    def _settled(self, step: Step, name: str) -> TableReport | None:
        for _ in range(_ATTEMPTS):
            state = self.lake.at(self.lake.catalog.ref(self.branch).hash)
            if name not in state.tables:
                return None  # dropped meanwhile
            prepared = self._prepare(step, state.table(name))
            if prepared is None:
                return None
            report, stage = prepared
            if name in self.held:
                reason = f"the branch '{self.held[name]}' has changes of it that are not merged"
                return replace(report, outcome=Outcome.SKIPPED, reason=reason)
            if self.dry_run:
                return report
            staged = stage()
            try:
                made = self._commit(step, name, staged)
            except CommitConflictError:
                self.lake.discard([staged])
            else:
                return _finished(report, staged, made)
        return TableReport(step, name, Outcome.SKIPPED, "other writers were faster each time")

    def _prepare(self, step: Step, table: Table) -> tuple[TableReport, Callable[[], Staged]] | None:
        report = TableReport(step, table.name, Outcome.PLANNED)
        if step is Step.COMPACT:
            rewritten = compact.plan(
                self.con, table, target_bytes=self.policy.target_bytes, partitions=self.partitions
            )
            if rewritten is None:
                return None
            facts = replace(report, files_before=len(rewritten.removed), bytes_before=rewritten.bytes)
            return facts, partial(compact.stage, self.con, rewritten)
        if step is Step.MANIFESTS:
            joined = tidy.plan(table)
            if joined is None:
                return None
            return replace(report, files_before=joined.before), partial(tidy.stage, joined)
        expired = expire.plan(table, cutoff=self.cutoff, keep=self.policy.keep)
        if expired is None:
            return None
        if self.dry_run:
            self.forgotten[table.metadata_location] = expired.snapshots
        return replace(report, snapshots=len(expired.snapshots)), partial(expire.stage, expired)

    def _commit(self, step: Step, name: str, staged: Staged) -> Commit:
        return self.lake.commit(
            self.branch,
            [staged],
            message=f"maintain: {_VERBS[step]} {name}",
            properties={"ingot.maintain": step.value},
            # A protected branch is protected from changes, and no row changes here.
            force=True,
        )


def unmerged(lake: Lake, branch: str, passing: tuple[str, ...]) -> dict[str, str]:
    """Tables that another branch has changed since it left `branch`, and which; not those of `passing` ones."""
    found: dict[str, str] = {}
    for ref in lake.catalog.refs():
        if ref.kind is not RefKind.BRANCH or ref.name == branch or ref.name.startswith(passing):
            continue
        try:
            result = lake.catalog.merge(ref.name, branch, dry_run=True)
        except NotFoundError:
            continue  # gone since it was listed
        for key in (*result.changed, *(conflict.key for conflict in result.conflicts)):
            found.setdefault(names.dotted(key), ref.name)
    return found


def _finished(report: TableReport, staged: Staged, made: Commit) -> TableReport:
    written = [path.rpartition(".")[2] for path in staged.files]
    count = 0
    if report.step is Step.COMPACT:
        count = written.count("parquet")
    elif report.step is Step.MANIFESTS:
        count = written.count("avro") - 1  # one is the manifest list
    return replace(
        report, outcome=Outcome.DONE, files_after=count, bytes_after=staged.bytes, commit=made.hash
    )
