"""Where a ref has pointed, as any catalog must tell it."""

import pytest

from ingot.errors import NotFoundError
from ingot.lake import RefKind, SqlCatalog
from tests.lake.contents import put


def hashes(catalog: SqlCatalog, name: str, limit: int = 100) -> list[str | None]:
    return [move.hash for move in catalog.moves(name, limit=limit)]


def test_every_move_of_a_ref_is_listed_newest_first(catalog: SqlCatalog) -> None:
    root = catalog.ref("main").hash
    one, two = put(catalog, "main", ("a",)), put(catalog, "main", ("b",))
    assert hashes(catalog, "main") == [two, one, root]
    catalog.assign_ref("main", one)
    assert hashes(catalog, "main") == [one, two, one, root]
    assert hashes(catalog, "main", 2) == [one, two]
    times = [move.time for move in catalog.moves("main", limit=100)]
    assert times == sorted(times, reverse=True)


def test_a_ref_does_not_remember_another_that_had_its_name(catalog: SqlCatalog) -> None:
    root = catalog.ref("main").hash
    one = put(catalog, "main", ("a",))
    catalog.create_ref(RefKind.BRANCH, "dev", root)
    catalog.delete_ref("dev")
    with pytest.raises(NotFoundError):
        catalog.moves("dev", limit=5)
    catalog.create_ref(RefKind.TAG, "dev", one)
    assert hashes(catalog, "dev") == [one]
