"""What a spec means: names, hashes, times and steps back."""

from datetime import UTC, datetime, timedelta

import pytest

from ingot.errors import NotFoundError, UsageError
from ingot.lake import ROOT_HASH, RefKind, SqlCatalog
from ingot.lake.catalog import refs

from .contents import put

A = ("s", "a")
DAY = datetime(2026, 1, 31, tzinfo=UTC)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The catalog's clock; its last element is now."""
    now = [DAY]
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    monkeypatch.setattr(refs, "now", lambda: (now[-1] - epoch) // timedelta(microseconds=1))
    return now


def test_names_tags_full_and_short_hashes_and_steps(catalog: SqlCatalog) -> None:
    hashes = [put(catalog, "main", A) for _ in range(4)]
    catalog.create_ref(RefKind.TAG, "v1", hashes[1])
    assert catalog.resolve("main") == catalog.resolve(" main ") == hashes[3]
    assert catalog.resolve("v1") == hashes[1]
    assert catalog.resolve(hashes[2]) == catalog.resolve(hashes[2][:8].upper()) == hashes[2]
    assert catalog.resolve(f"main@{hashes[0]}") == catalog.resolve(f"@{hashes[0][:10]}") == hashes[0]
    assert catalog.resolve("main~") == catalog.resolve("main^") == catalog.resolve("main~1") == hashes[2]
    assert catalog.resolve("main~2^") == catalog.resolve("v1~1") == hashes[0]
    assert catalog.resolve("main~0") == hashes[3]
    assert (
        catalog.resolve("main~4")
        == catalog.resolve(ROOT_HASH)
        == catalog.resolve(ROOT_HASH[:12])
        == ROOT_HASH
    )


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "@",
        "main@",
        "~1",
        "main~5",
        "main^2",
        "main@yesterday",
        "@main",
        "main@2026-13-01",
        "12345678",
        "main@main",
    ],
)
def test_a_spec_that_means_nothing_is_an_error_with_a_reason(catalog: SqlCatalog, spec: str) -> None:
    for _ in range(4):
        put(catalog, "main", A)
    with pytest.raises(UsageError):
        catalog.resolve(spec)


def test_a_hash_of_another_branch_is_not_in_this_one(catalog: SqlCatalog) -> None:
    first = put(catalog, "main", A)
    catalog.create_ref(RefKind.BRANCH, "dev", first)
    other = put(catalog, "dev", A)
    put(catalog, "main", ("s", "b"))
    assert catalog.resolve(f"dev@{other}") == other
    with pytest.raises(NotFoundError):
        catalog.resolve(f"main@{other}")
    catalog.merge("dev", "main")
    assert catalog.resolve(f"main@{other}") == catalog.resolve("main^2") == other


def test_an_unknown_name_is_answered_with_the_nearest(catalog: SqlCatalog) -> None:
    catalog.create_ref(RefKind.BRANCH, "develop", ROOT_HASH)
    with pytest.raises(NotFoundError, match="did you mean 'develop'"):
        catalog.resolve("devlop")


def test_a_time_means_the_branch_as_it_stood_then(catalog: SqlCatalog, clock: list[datetime]) -> None:
    hashes = []
    for hour in (9, 15, 33):
        clock.append(DAY + timedelta(hours=hour))
        hashes.append(put(catalog, "main", A))
    assert catalog.resolve("main@2026-01-31") == hashes[1]
    assert catalog.resolve("main@2026-02-01") == hashes[2]
    assert catalog.resolve("main@2026-01-31T09:00:00Z") == hashes[0]
    assert catalog.resolve("main@2026-01-31T16:00:00+02:00") == hashes[0]
    assert catalog.resolve("main@2026-01-31 15:00") == hashes[1]
    assert catalog.resolve("main@2026-02-01~1") == hashes[1]


def test_a_time_before_everything_says_when_history_begins(catalog: SqlCatalog) -> None:
    put(catalog, "main", A)
    with pytest.raises(
        UsageError, match=r"did not exist at 2001-01-01 23:59:59 UTC\. Its history begins at 20"
    ):
        catalog.resolve("main@2001-01-01")


def test_a_branch_that_was_pointed_elsewhere_is_remembered_where_it_stood(
    catalog: SqlCatalog, clock: list[datetime]
) -> None:
    clock.append(DAY + timedelta(hours=1))
    first = put(catalog, "main", A)
    clock.append(DAY + timedelta(hours=2))
    mistake = put(catalog, "main", A)
    clock.append(DAY + timedelta(hours=3))
    catalog.assign_ref("main", first)
    assert catalog.resolve("main@2026-01-31T02:30:00") == mistake
    assert catalog.resolve("main@2026-01-31T03:00:00") == first


def test_a_branch_is_looked_up_in_its_origin_before_it_had_a_name(
    catalog: SqlCatalog, clock: list[datetime]
) -> None:
    clock.append(DAY + timedelta(hours=1))
    first = put(catalog, "main", A)
    clock.append(DAY + timedelta(hours=2))
    second = put(catalog, "main", A)
    clock.append(DAY + timedelta(hours=5))
    catalog.create_ref(RefKind.BRANCH, "dev", second)
    assert catalog.resolve("dev@2026-01-31T01:30:00") == first


def test_a_clock_that_goes_back_does_not_reorder_history(catalog: SqlCatalog, clock: list[datetime]) -> None:
    clock.append(DAY + timedelta(hours=5))
    first = put(catalog, "main", A)
    clock.append(DAY + timedelta(hours=1))
    second = put(catalog, "main", A)
    times = [commit.time for commit in catalog.log(second)]
    assert times == sorted(times, reverse=True)
    assert catalog.commit_of(first).time == DAY + timedelta(hours=5)
