"""Refs beyond branch and tag: new names, protection, differences, bases, and commits found by time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from ingot.errors import ConflictError, NotFoundError, UsageError
from ingot.lake import (
    ROOT_HASH,
    CommitConflictError,
    Difference,
    InvalidNameError,
    Key,
    KeyMerge,
    MergeMode,
    ProtectedRefError,
    RefKind,
    SqlCatalog,
)
from ingot.lake.catalog import refs

from .contents import drop, put, table

A, B, C = ("s", "a"), ("s", "b"), ("s", "c")
DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)


def locations(catalog: SqlCatalog, spec: str) -> dict[tuple[str, ...], str]:
    return {key: one.metadata_location for key, one in catalog.entries(catalog.resolve(spec)).items()}


def test_a_renamed_branch_keeps_its_commit_and_frees_its_name(catalog: SqlCatalog) -> None:
    head = put(catalog, "main", A)
    catalog.create_ref(RefKind.BRANCH, "dev", head)
    moved = catalog.rename_ref("dev", "feature/x", expected=head)
    assert (moved.kind, moved.name, moved.hash) == (RefKind.BRANCH, "feature/x", head)
    assert [one.name for one in catalog.refs()] == ["feature/x", "main"]
    put(catalog, "feature/x", B)
    catalog.create_ref(RefKind.TAG, "dev", head)


def test_a_name_that_is_taken_reserved_or_stale_is_refused(catalog: SqlCatalog) -> None:
    head = put(catalog, "main", A)
    for name in ("dev", "other"):
        catalog.create_ref(RefKind.BRANCH, name, head)
    with pytest.raises(ConflictError, match="already a branch 'other'"):
        catalog.rename_ref("dev", "other")
    with pytest.raises(InvalidNameError):
        catalog.rename_ref("dev", "a..b")
    with pytest.raises(UsageError, match="default branch"):
        catalog.rename_ref("main", "trunk")
    with pytest.raises(NotFoundError, match="did you mean 'dev'"):
        catalog.rename_ref("dve", "x")
    with pytest.raises(CommitConflictError):
        catalog.rename_ref("dev", "x", expected=ROOT_HASH)
    assert [one.name for one in catalog.refs()] == ["dev", "main", "other"]


def test_nothing_is_protected_until_somebody_asks_for_it(catalog: SqlCatalog) -> None:
    assert catalog.protected() == frozenset()
    put(catalog, "main", A)


def test_a_protected_branch_moves_only_by_merges(catalog: SqlCatalog) -> None:
    first = put(catalog, "main", A)
    head = put(catalog, "main", B)
    catalog.create_ref(RefKind.BRANCH, "dev", head)
    catalog.protect("main")
    side = put(catalog, "dev", C)
    attempts: list[Callable[[], object]] = [
        lambda: put(catalog, "main", B),
        lambda: catalog.assign_ref("main", first),
        lambda: catalog.revert("main", head),
        lambda: catalog.rollback("main", first),
        lambda: catalog.transplant([side], "main"),
    ]
    for attempt in attempts:
        with pytest.raises(ProtectedRefError, match="'main' is protected"):
            attempt()
    assert catalog.resolve("main") == head
    assert not catalog.transplant([side], "main", dry_run=True).conflicts
    assert catalog.merge("dev", "main").applied
    assert C in locations(catalog, "main")


def test_force_and_the_end_of_protection_let_writers_through(catalog: SqlCatalog) -> None:
    first, _ = put(catalog, "main", A), put(catalog, "main", B)
    catalog.protect("main")
    catalog.protect("main")
    assert catalog.protected() == {"main"}
    catalog.rollback("main", first, force=True)
    catalog.assign_ref("main", first, force=True)
    catalog.protect("main", on=False)
    put(catalog, "main", B)


def test_protection_follows_a_new_name_and_ends_with_the_branch(catalog: SqlCatalog) -> None:
    head = put(catalog, "main", A)
    catalog.create_ref(RefKind.BRANCH, "stable", head)
    catalog.create_ref(RefKind.TAG, "v1", head)
    catalog.protect("stable")
    with pytest.raises(ProtectedRefError):
        catalog.rename_ref("stable", "x")
    with pytest.raises(ProtectedRefError):
        catalog.delete_ref("stable")
    catalog.rename_ref("stable", "release", force=True)
    assert catalog.protected() == {"release"}
    catalog.delete_ref("release", force=True)
    assert catalog.protected() == frozenset()
    with pytest.raises(UsageError, match="tag"):
        catalog.protect("v1")
    with pytest.raises(NotFoundError):
        catalog.protect("nobody")


def test_what_the_project_protects_stays_so_whatever_the_database_says(url: str) -> None:
    catalog = SqlCatalog(url, protected=["main", "later"])
    try:
        assert catalog.protected() == {"main", "later"}
        with pytest.raises(ProtectedRefError):
            put(catalog, "main", A)
        with pytest.raises(UsageError, match="project's file"):
            catalog.protect("main", on=False)
        catalog.create_ref(RefKind.BRANCH, "later", ROOT_HASH)
        catalog.create_ref(RefKind.BRANCH, "dev", ROOT_HASH)
        with pytest.raises(ProtectedRefError):
            put(catalog, "later", A)
        side = put(catalog, "dev", A)
        catalog.merge("dev", "main")
        catalog.assign_ref("later", side, force=True)
    finally:
        catalog.close()
    open_to_all = SqlCatalog(url)
    put(open_to_all, "main", B)
    open_to_all.close()


def test_a_difference_names_each_key_with_what_both_sides_hold(catalog: SqlCatalog) -> None:
    before = put(catalog, "main", A, B, ("t", "x"))
    put(catalog, "main", A, C, ("t", "x"))
    drop(catalog, "main", B)
    after = catalog.resolve("main")
    one, other = catalog.entries(before), catalog.entries(after)
    expected = [
        Difference(A, one[A], other[A]),
        Difference(B, one[B], None),
        Difference(C, None, other[C]),
        Difference(("t", "x"), one["t", "x"], other["t", "x"]),
    ]
    assert catalog.diff(before, after) == expected
    assert catalog.diff(before, after, prefix=("s",)) == expected[:3]
    assert catalog.diff(after, before) == [Difference(d.key, d.after, d.before) for d in expected]
    assert catalog.diff(after, after) == []


def test_the_merge_base_counts_earlier_merges(catalog: SqlCatalog) -> None:
    base = put(catalog, "main", A)
    catalog.create_ref(RefKind.BRANCH, "dev", base)
    head = put(catalog, "main", B)
    side = put(catalog, "dev", C)
    assert catalog.merge_base(side, head) == catalog.merge_base(head, side) == base
    catalog.merge("dev", "main")
    assert catalog.merge_base(side, catalog.resolve("main")) == side
    assert catalog.merge_base(head, ROOT_HASH) == ROOT_HASH


def test_modes_of_a_merge_force_drop_or_put_what_was_made_of_both(catalog: SqlCatalog) -> None:
    put(catalog, "main", A, B, C)
    catalog.create_ref(RefKind.BRANCH, "dev", catalog.resolve("main"))
    put(catalog, "dev", A, B, C)
    put(catalog, "main", A, B, C)
    ours = catalog.entries(catalog.resolve("main"))
    theirs = catalog.entries(catalog.resolve("dev"))
    both = table(ours[C])
    modes: dict[Key, KeyMerge] = {
        A: KeyMerge(MergeMode.FORCE),
        B: KeyMerge(MergeMode.DROP),
        C: KeyMerge(expected=ours[C], resolved=both),
    }
    assert catalog.merge("dev", "main", modes=modes).changed == (A, C)
    assert dict(catalog.entries(catalog.resolve("main"))) == {**ours, A: theirs[A], C: both}


def test_a_resolved_conflict_counts_only_for_the_content_that_was_seen(catalog: SqlCatalog) -> None:
    put(catalog, "main", A)
    catalog.create_ref(RefKind.BRANCH, "dev", catalog.resolve("main"))
    put(catalog, "dev", A)
    seen = catalog.content(put(catalog, "main", A), A)
    put(catalog, "main", A)
    with pytest.raises(CommitConflictError, match="after it was looked at"):
        catalog.merge("dev", "main", modes={A: KeyMerge(expected=seen, resolved=table(seen))})
    with pytest.raises(CommitConflictError, match="after it was looked at"):
        catalog.merge("dev", "main", modes={A: KeyMerge(MergeMode.FORCE, expected=seen)})


def test_the_default_mode_is_for_all_keys_that_are_not_named(catalog: SqlCatalog) -> None:
    put(catalog, "main", A, B)
    catalog.create_ref(RefKind.BRANCH, "dev", catalog.resolve("main"))
    put(catalog, "dev", A, C)
    drop(catalog, "dev", B)
    put(catalog, "main", A, B)
    ours, theirs = locations(catalog, "main"), locations(catalog, "dev")
    dropped = catalog.merge("dev", "main", default_mode=MergeMode.DROP)
    assert not dropped.applied
    named: dict[Key, KeyMerge] = {A: KeyMerge(MergeMode.DROP)}
    forced = catalog.merge("dev", "main", default_mode=MergeMode.FORCE, modes=named)
    assert forced.changed == (B, C)
    assert locations(catalog, "main") == {("s",): ours["s",], A: ours[A], C: theirs[C]}


@pytest.fixture
def days(catalog: SqlCatalog, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Five commits on `main`, one a day from `DAY` on."""
    made = []
    for index in range(5):
        at = int((DAY + timedelta(days=index)).timestamp()) * 1_000_000
        monkeypatch.setattr(refs, "now", lambda at=at: at)
        made.append(put(catalog, "main", A))
    return made


def test_a_time_after_a_star_finds_the_newest_commit_of_the_history_until_then(
    catalog: SqlCatalog, days: list[str]
) -> None:
    milliseconds = int((DAY + timedelta(days=2)).timestamp() * 1000)
    assert catalog.resolve("main*2026-03-02T12:00:00Z") == days[1]
    assert catalog.resolve("main*2026-03-02T14:00:00+01:00") == days[1]
    assert catalog.resolve("main*2026-03-02") == days[1]
    assert catalog.resolve(f"main*{milliseconds}") == days[2]
    assert catalog.resolve(f"main*{milliseconds - 1}") == days[1]
    assert catalog.resolve(f"{days[3]}*2026-04-01") == days[3]
    assert catalog.resolve("main*2026-03-04~1^1") == days[1]
    with pytest.raises(NotFoundError, match="begins later"):
        catalog.resolve("main*2026-02-28")
    with pytest.raises(UsageError):
        catalog.resolve("main*yesterday")


def test_commits_are_found_without_a_ref(catalog: SqlCatalog, days: list[str]) -> None:
    assert catalog.resolve(days[2]) == catalog.resolve(f"@{days[2]}") == days[2]
    assert catalog.resolve(f"{days[2]}~1") == catalog.resolve(f"main@{days[2]}^1") == days[1]
    assert catalog.resolve("main~4") == days[0]
    assert catalog.resolve("main~5") == ROOT_HASH
    for spec in ("main~6", "main~999999999999", "main^2"):
        with pytest.raises(NotFoundError):
            catalog.resolve(spec)


def test_a_long_history_is_read_in_pages_that_fit_together(catalog: SqlCatalog) -> None:
    made = [put(catalog, "main", A) for _ in range(45)]
    at, paged = catalog.resolve("main"), []
    while at != ROOT_HASH:
        page = list(catalog.log(at, limit=10))
        paged += [one.hash for one in page]
        at = page[-1].parents[0]
    assert paged == made[::-1]
    assert list(catalog.log(at, limit=10)) == []
    with pytest.raises(NotFoundError):
        list(catalog.log("ab" * 32, limit=1))
