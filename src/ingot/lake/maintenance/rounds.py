"""One round of maintenance: tables first, each in a commit of its own, then the files that nobody needs."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ingot.errors import NotFoundError
from ingot.lake.lake import Lake
from ingot.lake.maintenance import clean, tags
from ingot.lake.maintenance.clean import Clean
from ingot.lake.maintenance.model import USUAL, Policy, Removed, Report, Step, TableReport
from ingot.lake.maintenance.tables import STEPS, Tables, unmerged

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

OnDone = Callable[[TableReport | Removed], None]


def maintain(
    lake: Lake,
    con: "DuckDBPyConnection",
    *,
    steps: Iterable[Step] = USUAL,
    policy: Policy | None = None,
    branch: str = "main",
    tables: Sequence[str] | None = None,
    partitions: Sequence[str] | None = None,
    dry_run: bool = False,
    on_done: OnDone = lambda _: None,
) -> Report:
    """Does the steps, in their own order, and says what each did; a dry run says what it would do.

    `tables` limits all steps to these tables and `partitions` compaction to these (`region=north`). `con` has
    DuckDB's extensions avro and iceberg, which read tables with deleted rows. Raises `NotFoundError` for an
    unknown table or branch; a table whose rewriting fails is reported, and the others go on.
    """
    policy = policy or Policy()
    wanted = [step for step in Step if step in set(steps)]
    now = datetime.now(UTC)
    chosen = _tables(lake, branch, tables)
    work = Tables(
        lake,
        con,
        policy,
        branch,
        now - policy.older_than,
        dry_run,
        None if partitions is None else frozenset(partitions),
        unmerged(lake, branch, policy.passing) if set(wanted) & set(STEPS) else {},
    )
    dropped = []
    if Step.TAGS in wanted and policy.passing:
        old = tags.old(lake, policy.passing, cutoff=work.cutoff, keep=policy.keep)
        dropped = [ref.name for ref in old if dry_run or tags.drop(lake, ref)]
    done: list[TableReport] = []
    for name in chosen:
        for step in wanted:
            if step in STEPS and (one := work.do(step, name)) is not None:
                done.append(one)
                on_done(one)
    removed, warnings = _clean(
        work,
        now,
        [step for step in wanted if step in clean.STEPS],
        None if tables is None else chosen,
        on_done,
    )
    return Report(branch, dry_run, tuple(done), tuple(removed), tuple(dropped), tuple(warnings))


def _tables(lake: Lake, branch: str, wanted: Sequence[str] | None) -> tuple[str, ...]:
    known = lake.at(lake.catalog.ref(branch).hash).tables
    for name in wanted or ():
        if name not in known:
            raise NotFoundError("table", name, known, hint=f"Looked at the branch '{branch}'.")
    return known if wanted is None else tuple(dict.fromkeys(wanted))


def _clean(
    work: Tables, now: datetime, steps: Sequence[Step], only: Sequence[str] | None, on_done: OnDone
) -> tuple[list[Removed], list[str]]:
    if not steps:
        return [], []
    marked = Clean.mark(work, now)
    removed: list[Removed] = []
    gone: set[str] = set()
    for step in steps:
        found = marked.find(step, only=only, but=gone)
        if not work.dry_run:
            found = marked.remove(found)
        gone |= {one.path for one in found}
        for one in marked.counted(step, found):
            removed.append(one)
            on_done(one)
    if Step.ORPHANS in steps and not work.dry_run and only is None and not marked.live.warnings:
        marked.remove_empty_folders()
    return removed, marked.live.warnings
