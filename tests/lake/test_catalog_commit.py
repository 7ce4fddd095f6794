"""Commits and refs of the embedded catalog: what is refused, with which reason, and what is left behind."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ingot.errors import ConflictError, NotFoundError, UsageError
from ingot.lake import (
    ROOT_HASH,
    CatalogUnavailableError,
    CommitConflictError,
    ConflictType,
    Delete,
    InvalidNameError,
    Operation,
    Put,
    RefKind,
    SqlCatalog,
    Unchanged,
)

from .contents import drop, namespace, put, table, view

A, B = ("s", "a"), ("s", "b")


def reasons(error: pytest.ExceptionInfo[CommitConflictError]) -> dict[tuple[str, ...], ConflictType]:
    return {conflict.key: conflict.type for conflict in error.value.conflicts}


def test_a_new_catalog_has_an_empty_main_at_the_root(catalog: SqlCatalog) -> None:
    assert [(ref.kind, ref.name, ref.hash) for ref in catalog.refs()] == [(RefKind.BRANCH, "main", ROOT_HASH)]
    assert dict(catalog.entries(ROOT_HASH)) == {}
    assert list(catalog.log(ROOT_HASH)) == []


def test_what_was_committed_is_there_when_the_catalog_is_opened_again(catalog: SqlCatalog, url: str) -> None:
    head = put(catalog, "main", A, B)
    again = SqlCatalog(url)
    try:
        assert again.ref("main").hash == head
        assert again.entries(head) == catalog.entries(head)
        assert again.commit_of(head) == catalog.commit_of(head)
    finally:
        again.close()


def test_every_commit_of_a_long_history_reads_as_it_was(catalog: SqlCatalog, url: str) -> None:
    expected = {}
    for index in range(70):
        hash = put(catalog, "main", ("s", f"t{index % 7}"))
        expected[hash] = dict(catalog.entries(hash))
    again = SqlCatalog(url)
    try:
        for hash, entries in reversed(expected.items()):
            assert dict(again.entries(hash)) == entries
        assert [commit.hash for commit in again.log(again.ref("main").hash)] == list(reversed(expected))
        assert [commit.hash for commit in again.log(again.ref("main").hash, limit=3)] == list(expected)[
            :-4:-1
        ]
    finally:
        again.close()


def test_the_hash_of_a_commit_depends_on_its_parent_and_everything_in_it(catalog: SqlCatalog) -> None:
    first = put(catalog, "main", A)
    second = catalog.commit("main", [Put(A, table(), catalog.content(first, A))], message="one")
    catalog.create_ref(RefKind.BRANCH, "side", first)
    other = catalog.commit("side", [Put(A, table(), catalog.content(first, A))], message="one")
    assert len({first, second.hash, other.hash}) == 3
    assert second.parents == other.parents == (first,)
    assert len(second.hash) == 64


def test_a_moved_branch_is_fine_as_long_as_the_own_keys_have_not_moved(catalog: SqlCatalog) -> None:
    seen = put(catalog, "main", A, B)
    before = catalog.content(seen, B)
    put(catalog, "main", A)
    made = catalog.commit("main", [Put(B, table(before), before)], message="b", expected=seen)
    assert catalog.ref("main").hash == made.hash


def test_two_writers_of_one_key_get_one_winner_and_one_named_conflict(catalog: SqlCatalog) -> None:
    seen = put(catalog, "main", A)
    before = catalog.content(seen, A)
    head = put(catalog, "main", A)
    with pytest.raises(CommitConflictError) as error:
        catalog.commit("main", [Put(A, table(before), before)], message="late", expected=seen)
    assert reasons(error) == {A: ConflictType.VALUE_DIFFERS}
    assert "s.a" in str(error.value)
    assert catalog.ref("main").hash == head


def test_each_conflict_has_the_type_that_nessie_gives_it(catalog: SqlCatalog) -> None:
    seen = put(catalog, "main", A, B, ("s", "gone"), ("s", "again"), ("s", "kind"))
    entries = catalog.entries(seen)
    drop(catalog, "main", ("s", "gone"))
    catalog.commit("main", [Put(("s", "again"), table(), entries["s", "again"])], message="recreate")
    catalog.commit("main", [Put(("s", "kind"), view(), entries["s", "kind"])], message="to a view")
    cases: list[tuple[Operation, ConflictType]] = [
        (Put(A, table()), ConflictType.KEY_EXISTS),
        (Put(("s", "gone"), table(), entries["s", "gone"]), ConflictType.KEY_DOES_NOT_EXIST),
        (Delete(("s", "gone")), ConflictType.KEY_DOES_NOT_EXIST),
        (Put(("s", "again"), table(), entries["s", "again"]), ConflictType.CONTENT_ID_DIFFERS),
        (Put(("s", "kind"), table(), entries["s", "kind"]), ConflictType.PAYLOAD_DIFFERS),
        (Unchanged(("s", "again")), ConflictType.CONTENT_ID_DIFFERS),
        (Put(("no", "x"), table()), ConflictType.NAMESPACE_ABSENT),
        (Put(("s", "a", "x"), table()), ConflictType.NOT_A_NAMESPACE),
        (Delete(("s",)), ConflictType.NAMESPACE_NOT_EMPTY),
    ]
    for operation, expected in cases:
        operations: list[Operation] = [operation]
        if isinstance(operation, Unchanged):
            operations.append(Put(("s", "new"), table()))
        head = catalog.ref("main").hash
        with pytest.raises(CommitConflictError) as error:
            catalog.commit("main", operations, message="no", expected=seen)
        assert reasons(error) == {operation.key: expected}
        assert catalog.ref("main").hash == head


def test_an_unchanged_key_lets_the_commit_pass_and_leaves_no_trace(catalog: SqlCatalog) -> None:
    seen = put(catalog, "main", A)
    made = catalog.commit("main", [Unchanged(A), Put(B, table())], message="b", expected=seen)
    assert [one.key for one in catalog.commit_of(made.hash).operations] == [B]


def test_a_namespace_and_what_is_in_it_can_go_in_one_commit(catalog: SqlCatalog) -> None:
    put(catalog, "main", A)
    drop(catalog, "main", A, ("s",))
    assert dict(catalog.entries(catalog.ref("main").hash)) == {}


def test_commits_without_changes_or_with_a_key_twice_or_an_empty_key_are_refused(catalog: SqlCatalog) -> None:
    put(catalog, "main", A)
    refused: list[list[Operation]] = [
        [],
        [Unchanged(A)],
        [Delete(A), Put(A, table())],
        [Put((), table())],
        [Put(("s", ""), table())],
    ]
    for operations in refused:
        with pytest.raises(UsageError):
            catalog.commit("main", operations, message="no")


def test_a_tag_does_not_move_and_a_missing_branch_names_the_nearest(catalog: SqlCatalog) -> None:
    head = put(catalog, "main", A)
    catalog.create_ref(RefKind.TAG, "v1", head)
    with pytest.raises(UsageError, match="'v1' is a tag"):
        catalog.commit("v1", [Put(B, table())], message="no")
    with pytest.raises(NotFoundError, match="did you mean 'main'"):
        catalog.commit("mian", [Put(B, table())], message="no")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "1a",
        "a b",
        "a..b",
        "a/",
        "a.",
        "deadbeef",
        "HEAD",
        "a@b",
        "a~1",
        "ä",
        "a\n",
        "-",
        "../x",
        "a" * 300,
    ],
)
def test_a_ref_name_that_could_mean_something_else_is_refused(catalog: SqlCatalog, name: str) -> None:
    with pytest.raises(InvalidNameError):
        catalog.create_ref(RefKind.BRANCH, name, ROOT_HASH)


def test_refs_are_created_assigned_and_deleted_by_compare_and_set(catalog: SqlCatalog) -> None:
    first = put(catalog, "main", A)
    second = put(catalog, "main", A)
    catalog.create_ref(RefKind.BRANCH, "run/1", first)
    with pytest.raises(ConflictError, match="already a branch"):
        catalog.create_ref(RefKind.TAG, "run/1", first)
    with pytest.raises(NotFoundError):
        catalog.create_ref(RefKind.BRANCH, "nowhere", "ab" * 32)
    changes: list[Callable[[], object]] = [
        lambda: catalog.assign_ref("run/1", second, expected=second),
        lambda: catalog.delete_ref("run/1", expected=second),
    ]
    for change in changes:
        with pytest.raises(CommitConflictError) as error:
            change()
        assert reasons(error) == {(): ConflictType.UNEXPECTED_HASH}
    assert catalog.assign_ref("run/1", second, expected=first).hash == second
    assert catalog.delete_ref("run/1").hash == second
    assert [ref.name for ref in catalog.refs()] == ["main"]
    with pytest.raises(UsageError, match="default branch"):
        catalog.delete_ref("main")


def test_entries_can_be_listed_below_a_namespace(catalog: SqlCatalog) -> None:
    head = put(catalog, "main", A, B, ("s2", "a"), ("s", "deep", "x"))
    assert set(catalog.entries(head, prefix=("s",))) == {A, B, ("s", "deep"), ("s", "deep", "x")}


def test_a_catalog_that_cannot_be_opened_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "lake.db").write_bytes(b"this is not a database, whatever its name may say" * 100)
    for url in (
        f"sqlite:///{tmp_path}/lake.db",
        f"sqlite:///{tmp_path}/lake.db/sub/lake.db",
        f"sqlite:///{tmp_path}",
    ):
        with pytest.raises(CatalogUnavailableError):
            SqlCatalog(url)


def test_namespaces_keep_their_properties(catalog: SqlCatalog) -> None:
    made = replace(namespace(), properties={"owner": "ä'\""})
    head = catalog.commit("main", [Put(("n",), made)], message="n").hash
    assert catalog.content(head, ("n",)) == made


@pytest.mark.parametrize("url", ["mysql://u:secret@localhost/x", "nothing://u:secret@localhost/x"])
def test_a_database_without_its_driver_is_refused_without_the_password(url: str) -> None:
    with pytest.raises(CatalogUnavailableError, match="driver") as error:
        SqlCatalog(url)
    assert "secret" not in str(error.value)
