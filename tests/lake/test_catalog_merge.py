"""Three-way merges: what they bring, what they refuse, and that earlier merges count."""

import time

import pytest

from ingot.errors import NotFoundError, UsageError
from ingot.lake import CommitConflictError, ConflictType, Delete, Put, RefKind, SqlCatalog

from .contents import drop, namespace, put, table, view

A, B, C = ("s", "a"), ("s", "b"), ("s", "c")


@pytest.fixture
def branched(catalog: SqlCatalog) -> SqlCatalog:
    """`main` with A and B, and `dev` at the same commit."""
    put(catalog, "main", A, B)
    catalog.create_ref(RefKind.BRANCH, "dev", catalog.resolve("main"))
    return catalog


def head(catalog: SqlCatalog, name: str) -> dict[tuple[str, ...], str]:
    return {key: one.metadata_location for key, one in catalog.entries(catalog.resolve(name)).items()}


def test_a_merge_brings_every_change_in_one_commit_with_the_source_as_second_parent(
    branched: SqlCatalog,
) -> None:
    base = branched.resolve("main")
    put(branched, "dev", A)
    put(branched, "dev", A, C)
    drop(branched, "dev", B)
    result = branched.merge("dev", "main", message="publish", author="ann", properties={"run": "7"})
    made = branched.commit_of(result.hash)
    assert result.applied
    assert result.common_ancestor == base
    assert result.changed == (A, B, C)
    assert made.parents == (base, branched.resolve("dev"))
    assert (made.message, made.author, made.properties) == ("publish", "ann", {"run": "7"})
    assert head(branched, "main") == head(branched, "dev")
    assert {one.key for one in made.operations} == {A, B, C}


def test_changes_of_different_keys_on_both_sides_come_together(branched: SqlCatalog) -> None:
    put(branched, "dev", A)
    put(branched, "main", B, C)
    branched.merge("dev", "main")
    assert head(branched, "main")[A] == head(branched, "dev")[A]
    assert head(branched, "main")[B] != head(branched, "dev")[B]
    assert C in head(branched, "main")


def test_a_merge_with_nothing_new_is_not_applied(branched: SqlCatalog) -> None:
    put(branched, "main", A)
    before = branched.resolve("main")
    result = branched.merge("dev", "main")
    assert (result.applied, result.hash, result.changed) == (False, before, ())
    assert branched.resolve("main") == before


def test_a_second_merge_brings_only_what_is_new_since_the_first(branched: SqlCatalog) -> None:
    put(branched, "dev", A)
    branched.merge("dev", "main")
    put(branched, "main", A)
    put(branched, "dev", B)
    result = branched.merge("dev", "main")
    assert result.changed == (B,)
    assert not branched.merge("dev", "main").applied


def test_merging_back_and_forth_keeps_both_sides_equal(branched: SqlCatalog) -> None:
    put(branched, "dev", A)
    put(branched, "main", B)
    branched.merge("dev", "main")
    branched.merge("main", "dev")
    assert head(branched, "main") == head(branched, "dev")
    put(branched, "dev", B)
    assert branched.merge("dev", "main").changed == (B,)


def test_histories_that_crossed_are_merged_by_what_both_ancestors_agree_on(branched: SqlCatalog) -> None:
    put(branched, "dev", A)
    put(branched, "main", B)
    main, dev = branched.resolve("main"), branched.resolve("dev")
    branched.merge(dev, "main")
    branched.merge(main, "dev")
    put(branched, "dev", A)
    # Each of the two common ancestors alone would make one of these keys look changed on both sides.
    put(branched, "main", B, C)
    result = branched.merge("dev", "main")
    assert result.changed == (A,)
    assert head(branched, "main")[A] == head(branched, "dev")[A]


def test_identical_changes_on_both_sides_are_no_conflict(branched: SqlCatalog) -> None:
    before = branched.content(branched.resolve("main"), A)
    wanted = table(before)
    for name in ("dev", "main"):
        branched.commit(name, [Put(A, wanted, before), Delete(B)], message="same")
    assert not branched.merge("dev", "main").applied


def test_every_key_that_moved_on_both_sides_is_named_with_its_reason(branched: SqlCatalog) -> None:
    put(branched, "main", ("s", "d"), ("s", "e"))
    branched.assign_ref("dev", branched.resolve("main"))
    entries = branched.entries(branched.resolve("main"))
    put(branched, "dev", A, B, C, ("s", "d"), ("s", "e"))
    put(branched, "main", A, C)
    drop(branched, "main", B)
    branched.commit("main", [Put(("s", "d"), table(), entries["s", "d"])], message="recreate")
    branched.commit("main", [Put(("s", "e"), view(), entries["s", "e"])], message="a view now")
    before = branched.resolve("main")
    expected = {
        A: ConflictType.VALUE_DIFFERS,
        B: ConflictType.KEY_DOES_NOT_EXIST,
        C: ConflictType.KEY_EXISTS,
        ("s", "d"): ConflictType.CONTENT_ID_DIFFERS,
        ("s", "e"): ConflictType.PAYLOAD_DIFFERS,
    }
    dry = branched.merge("dev", "main", dry_run=True)
    assert {conflict.key: conflict.type for conflict in dry.conflicts} == expected
    with pytest.raises(CommitConflictError) as error:
        branched.merge("dev", "main")
    assert {conflict.key: conflict.type for conflict in error.value.conflicts} == expected
    assert branched.resolve("main") == before


def test_a_dry_run_says_what_would_happen_and_does_nothing(branched: SqlCatalog) -> None:
    put(branched, "dev", A)
    before = branched.resolve("main")
    result = branched.merge("dev", "main", dry_run=True)
    assert (result.applied, result.hash, result.changed, result.conflicts) == (False, before, (A,), ())
    assert branched.resolve("main") == before


def test_a_required_key_that_moved_refuses_the_merge(branched: SqlCatalog) -> None:
    put(branched, "dev", A)
    put(branched, "main", B)
    with pytest.raises(CommitConflictError) as error:
        branched.merge("dev", "main", require=[B, C])
    assert [(one.key, one.type) for one in error.value.conflicts] == [(B, ConflictType.VALUE_DIFFERS)]
    assert branched.merge("dev", "main", require=[A, C]).applied


def test_an_input_that_appeared_meanwhile_counts_as_moved(branched: SqlCatalog) -> None:
    put(branched, "dev", A)
    put(branched, "main", C)
    with pytest.raises(CommitConflictError) as error:
        branched.merge("dev", "main", require=[C])
    assert [(one.key, one.type) for one in error.value.conflicts] == [(C, ConflictType.KEY_EXISTS)]


def test_an_expected_head_that_moved_refuses_the_merge(branched: SqlCatalog) -> None:
    expected = branched.resolve("main")
    put(branched, "dev", A)
    put(branched, "main", C)
    with pytest.raises(CommitConflictError) as error:
        branched.merge("dev", "main", expected=expected)
    assert [one.type for one in error.value.conflicts] == [ConflictType.UNEXPECTED_HASH]


def test_the_same_namespace_made_on_both_sides_is_no_conflict(branched: SqlCatalog) -> None:
    put(branched, "dev", ("new", "x"))
    put(branched, "main", ("new", "y"))
    branched.merge("dev", "main")
    assert {("new", "x"), ("new", "y")} <= head(branched, "main").keys()


def test_a_merge_never_leaves_a_table_without_its_namespace(branched: SqlCatalog) -> None:
    put(branched, "dev", C)
    drop(branched, "main", A, B, ("s",))
    with pytest.raises(CommitConflictError) as error:
        branched.merge("dev", "main")
    assert [(one.key, one.type) for one in error.value.conflicts] == [(C, ConflictType.NAMESPACE_ABSENT)]
    branched.commit("main", [Put(("s",), namespace())], message="back")
    branched.create_ref(RefKind.BRANCH, "cleaner", branched.resolve("main"))
    drop(branched, "cleaner", ("s",))
    put(branched, "main", C)
    with pytest.raises(CommitConflictError) as error:
        branched.merge("cleaner", "main")
    assert [(one.key, one.type) for one in error.value.conflicts] == [
        (("s",), ConflictType.NAMESPACE_NOT_EMPTY)
    ]


def test_a_commit_hash_can_be_merged_and_a_tag_cannot_be_merged_into(branched: SqlCatalog) -> None:
    first = put(branched, "dev", A)
    put(branched, "dev", A)
    branched.merge(first, "main")
    assert head(branched, "main")[A] == branched.entries(first)[A].metadata_location
    branched.create_ref(RefKind.TAG, "v1", first)
    with pytest.raises(UsageError):
        branched.merge("dev", "v1")
    with pytest.raises(NotFoundError):
        branched.merge("nowhere", "main")


def test_a_run_branch_with_sixty_tables_merges_within_fifty_milliseconds(catalog: SqlCatalog) -> None:
    tables = [("s", f"t{index}") for index in range(300)]
    put(catalog, "main", *tables)
    took = []
    for run in range(5):
        catalog.create_ref(RefKind.BRANCH, f"run/{run}", catalog.resolve("main"))
        for start in range(0, 60, 6):
            put(catalog, f"run/{run}", *tables[start : start + 6])
        started = time.perf_counter()
        result = catalog.merge(f"run/{run}", "main", require=tables[200:])
        took.append(time.perf_counter() - started)
        assert len(result.changed) == 60
    assert min(took) < 0.05
