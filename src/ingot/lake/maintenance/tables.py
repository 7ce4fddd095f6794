"""The steps on tables: planned on what a branch holds now, written, and committed where it still holds that.

A concurrent writer always wins: where a table moved meanwhile the step is done again on what the table is
now, and given up after a few times. A table that another branch has changed and not merged yet is left alone,
because its merge would conflict.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from ingot.errors import NotFoundError
from ingot.lake import files, names
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
_HASTE = 10
"""How often a snapshot of compacted files is put on what the table has become meanwhile."""
_VERBS = {Step.COMPACT: "compact", Step.MANIFESTS: "rewrite manifests of", Step.EXPIRE: "expire"}
STEPS = tuple(_VERBS)
_Work = Callable[[], dict[str, Any] | None]
"""Does it and gives the facts for the report; None where another writer was faster."""


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
            table = self._now(name)
            prepared = None if table is None else self._prepare(step, table)
            if prepared is None:
                return None  # nothing to do, or dropped meanwhile
            report, work = prepared
            if name in self.held:
                reason = f"the branch '{self.held[name]}' has changes of it that are not merged"
                return replace(report, outcome=Outcome.SKIPPED, reason=reason)
            if self.dry_run:
                return report
            if (done := work()) is not None:
                return replace(report, outcome=Outcome.DONE, **done)
        return TableReport(step, name, Outcome.SKIPPED, "other writers were faster each time")

    def _now(self, name: str) -> Table | None:
        state = self.lake.at(self.lake.catalog.ref(self.branch).hash)
        return state.table(name) if name in state.tables else None

    def _prepare(self, step: Step, table: Table) -> tuple[TableReport, _Work] | None:
        report = TableReport(step, table.name, Outcome.PLANNED)
        if step is Step.COMPACT:
            small = compact.plan(
                self.con, table, target_bytes=self.policy.target_bytes, partitions=self.partitions
            )
            if small is None:
                return None
            facts = replace(report, files_before=len(small.removed), bytes_before=small.bytes)
            return facts, partial(self._compact, small)
        if step is Step.MANIFESTS:
            joined = tidy.plan(table)
            if joined is None:
                return None
            return replace(report, files_before=joined.before), partial(self._tidy, joined)
        expired = expire.plan(table, cutoff=self.cutoff, keep=self.policy.keep)
        if expired is None:
            return None
        if self.dry_run:
            self.forgotten[table.metadata_location] = expired.snapshots
        return replace(report, snapshots=len(expired.snapshots)), partial(self._expire, expired)

    def _compact(self, plan: compact.Plan) -> dict[str, Any] | None:
        added = compact.write(self.con, plan)
        now: compact.Plan | None = plan
        for _ in range(_HASTE):
            if now is None:
                break
            try:
                staged = compact.stage(self.con, now, added)
            except BaseException:
                files.remove(one.path for one in added)
                raise
            # Whether a commit that ended otherwise was applied is not known, so its files stay.
            if (made := self._commit(Step.COMPACT, staged)) is not None:
                size = sum(one.bytes for one in added)
                return {"files_after": len(added), "bytes_after": size, "commit": made.hash}
            # Rows that were only added meanwhile do not make the new files wrong.
            table = self._now(plan.table.name)
            now = None if table is None else compact.again(plan, table)
        files.remove(one.path for one in added)
        return None

    def _tidy(self, plan: tidy.Plan) -> dict[str, Any] | None:
        made = self._commit(Step.MANIFESTS, tidy.stage(plan))
        return None if made is None else {"files_after": len(plan.groups), "commit": made.hash}

    def _expire(self, plan: expire.Plan) -> dict[str, Any] | None:
        made = self._commit(Step.EXPIRE, expire.stage(plan))
        return None if made is None else {"commit": made.hash}

    def _commit(self, step: Step, staged: Staged) -> Commit | None:
        """The commit; None where the table has moved, and then what was staged is gone."""
        try:
            return self.lake.commit(
                self.branch,
                [staged],
                message=f"maintain: {_VERBS[step]} {staged.name}",
                properties={"ingot.maintain": step.value},
                # A protected branch is protected from changes, and no row changes here.
                force=True,
            )
        except CommitConflictError:
            self.lake.discard([staged])
            return None


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
