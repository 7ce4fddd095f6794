"""`Catalog.head`: the hash of a name without waiting."""

from pathlib import Path

from ingot.lake import RefKind, SqlCatalog


def test_the_head_of_a_name_is_what_another_connection_has_just_committed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/lake.db"
    one, other = SqlCatalog(url), SqlCatalog(url)
    try:
        assert one.head("main") == one.resolve("main")
        assert one.head("dev") is None
        made = other.create_ref(RefKind.TAG, "dev", one.resolve("main"))
        assert one.head("dev") == made.hash
        other.delete_ref("dev")
        assert one.head("dev") is None
        assert one.head("main' OR '1'='1") is None
    finally:
        one.close()
        other.close()
    assert one.head("main") is not None  # opened again, as every other verb is
    one.close()
