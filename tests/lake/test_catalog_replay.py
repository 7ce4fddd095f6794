"""Transplant, revert and rollback: what they bring or take back, what they refuse, and that history stays."""

import pytest

from ingot.errors import NotFoundError, UsageError
from ingot.lake import (
    ROOT_HASH,
    CommitConflictError,
    ConflictType,
    Delete,
    Key,
    KeyMerge,
    MergeMode,
    Put,
    RefKind,
    SqlCatalog,
)

from .contents import drop, put, table

A, B, C = ("s", "a"), ("s", "b"), ("s", "c")


@pytest.fixture
def branched(catalog: SqlCatalog) -> SqlCatalog:
    """`main` with A and B, and `dev` at the same commit."""
    put(catalog, "main", A, B)
    catalog.create_ref(RefKind.BRANCH, "dev", catalog.resolve("main"))
    return catalog


def held(catalog: SqlCatalog, spec: str) -> dict[tuple[str, ...], str]:
    return {key: one.metadata_location for key, one in catalog.entries(catalog.resolve(spec)).items()}


def test_a_transplant_replays_each_commit_with_its_own_author_and_message(branched: SqlCatalog) -> None:
    put(branched, "main", C)
    one = branched.commit(
        "dev", [Put(("x",), table())], message="one", author="ann", properties={"ticket": "7"}
    )
    two = branched.commit("dev", [Delete(B)], message="two", author="bob")
    before = branched.resolve("main")
    result = branched.transplant([one.hash, two.hash], "main")
    made = [branched.commit_of(hash) for hash in result.commits]
    assert [(one.author, one.message, dict(one.properties)) for one in made] == [
        ("ann", "one", {"ticket": "7"}),
        ("bob", "two", {}),
    ]
    assert made[0].parents == (before,)
    assert made[1].parents == (made[0].hash,)
    assert result.hash == branched.resolve("main") == made[1].hash
    assert result.changed == (B, ("x",))
    assert held(branched, "main").keys() == {("s",), A, C, ("x",)}


def test_only_the_chosen_commits_are_transplanted(branched: SqlCatalog) -> None:
    put(branched, "dev", A)
    wanted = put(branched, "dev", B)
    put(branched, "dev", C)
    before = held(branched, "main")
    branched.transplant(["dev~1"], "main")
    assert held(branched, "main") == {**before, B: held(branched, wanted)[B]}


def test_a_transplant_that_conflicts_half_way_leaves_nothing(branched: SqlCatalog) -> None:
    first, second = put(branched, "dev", C), put(branched, "dev", A)
    put(branched, "main", A)
    before = branched.resolve("main")
    with pytest.raises(CommitConflictError) as error:
        branched.transplant([first, second], "main")
    assert [(one.key, one.type) for one in error.value.conflicts] == [(A, ConflictType.VALUE_DIFFERS)]
    assert branched.resolve("main") == before
    dry = branched.transplant([first, second], "main", dry_run=True)
    assert [one.key for one in dry.conflicts] == [A]


def test_what_is_there_already_leaves_no_commit(branched: SqlCatalog) -> None:
    done = put(branched, "dev", A)
    branched.transplant([done], "main")
    before = branched.resolve("main")
    result = branched.transplant([done], "main")
    assert (result.applied, result.hash, result.commits) == (False, before, ())


def test_modes_decide_for_single_keys_of_a_transplant(branched: SqlCatalog) -> None:
    done = put(branched, "dev", A, B)
    put(branched, "main", A, B)
    ours, theirs = held(branched, "main"), held(branched, done)
    modes: dict[Key, KeyMerge] = {A: KeyMerge(MergeMode.FORCE), B: KeyMerge(MergeMode.DROP)}
    assert branched.transplant([done], "main", modes=modes).changed == (A,)
    assert held(branched, "main") == {**ours, A: theirs[A]}


@pytest.mark.parametrize("commits", [[], [ROOT_HASH]])
def test_a_transplant_of_nothing_is_refused(branched: SqlCatalog, commits: list[str]) -> None:
    with pytest.raises(UsageError):
        branched.transplant(commits, "main")


def test_a_transplant_onto_a_head_that_moved_is_refused(branched: SqlCatalog) -> None:
    seen = branched.resolve("main")
    put(branched, "main", C)
    with pytest.raises(CommitConflictError) as error:
        branched.transplant([put(branched, "dev", A)], "main", expected=seen)
    assert [one.type for one in error.value.conflicts] == [ConflictType.UNEXPECTED_HASH]


def test_a_revert_takes_back_one_commit_and_keeps_the_later_ones(branched: SqlCatalog) -> None:
    before = held(branched, "main")
    wrong = branched.commit("main", [Delete(A), Put(("x",), table())], message="oops\nmore")
    later = put(branched, "main", B)
    made = branched.revert("main", wrong.hash, author="ann")
    assert held(branched, "main") == {**before, B: held(branched, later)[B]}
    assert made.parents == (later,)
    assert (made.author, made.message) == ("ann", f"Revert 'oops' ({wrong.hash[:12]})")
    assert [one.hash for one in branched.log(made.hash)][:3] == [made.hash, later, wrong.hash]


def test_a_revert_can_itself_be_reverted(branched: SqlCatalog) -> None:
    wrong = put(branched, "main", A)
    after = held(branched, "main")
    branched.revert("main", wrong)
    assert held(branched, "main") != after
    branched.revert("main", "main")
    assert held(branched, "main") == after


def test_a_revert_names_the_keys_that_moved_since(branched: SqlCatalog) -> None:
    wrong = put(branched, "main", A, B, C)
    put(branched, "main", A)
    drop(branched, "main", C)
    before = branched.resolve("main")
    with pytest.raises(CommitConflictError) as error:
        branched.revert("main", wrong)
    # C is gone, which is what taking it back would do.
    assert [(one.key, one.type) for one in error.value.conflicts] == [(A, ConflictType.VALUE_DIFFERS)]
    assert branched.resolve("main") == before


def test_a_revert_never_removes_the_namespace_of_later_tables(catalog: SqlCatalog) -> None:
    first = put(catalog, "main", ("n", "a"))
    put(catalog, "main", ("n", "b"))
    with pytest.raises(CommitConflictError) as error:
        catalog.revert("main", first)
    assert [one.type for one in error.value.conflicts] == [ConflictType.NAMESPACE_NOT_EMPTY]


def test_a_merge_is_reverted_like_any_commit(branched: SqlCatalog) -> None:
    put(branched, "dev", A, C)
    put(branched, "main", B)
    before = held(branched, "main")
    result = branched.merge("dev", "main")
    branched.revert("main", result.hash)
    assert held(branched, "main") == before


def test_a_rollback_restores_a_whole_state_as_a_new_commit(branched: SqlCatalog) -> None:
    target = branched.resolve("main")
    wanted = held(branched, "main")
    put(branched, "main", A, C)
    drop(branched, "main", B)
    last = branched.resolve("main")
    made = branched.rollback("main", target)
    assert held(branched, "main") == wanted
    assert made.parents == (last,)
    assert len(list(branched.log(made.hash))) == 4
    with pytest.raises(UsageError, match="nothing to roll back"):
        branched.rollback("main", target)


def test_a_rollback_reaches_the_empty_beginning(branched: SqlCatalog) -> None:
    branched.rollback("main", "main~1")
    assert held(branched, "main") == {}


@pytest.mark.parametrize("verb", ["revert", "rollback"])
def test_only_commits_of_the_own_history_are_taken_back(branched: SqlCatalog, verb: str) -> None:
    foreign = put(branched, "dev", A)
    with pytest.raises(NotFoundError, match="not in the history"):
        getattr(branched, verb)("main", foreign)


@pytest.mark.parametrize("verb", ["revert", "rollback"])
def test_taking_back_from_a_head_that_moved_is_refused(branched: SqlCatalog, verb: str) -> None:
    seen = branched.resolve("main")
    put(branched, "main", C)
    with pytest.raises(CommitConflictError):
        getattr(branched, verb)("main", seen, expected=seen)
