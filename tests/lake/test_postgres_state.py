"""The state database seen closely: what its URL may reveal, and what PostgreSQL does unlike SQLite."""

import sys
import threading
from pathlib import Path

import duckdb
import pytest
from sqlalchemy import create_engine, text

from ingot.errors import ConflictError
from ingot.lake import CatalogUnavailableError, Lake, MovedError, SqlCatalog, Store
from ingot.pipeline import RunStore
from ingot.pipeline.lock import run_lock

from .contents import put

SECRET = "Hunter2-s3cret"
UNREADABLE = [
    f"postgresql://ingot:{SECRET}",  # read as a port
    f"postgresql://ingot:a@{SECRET}@127.0.0.1/db",
    f"{SECRET}",
    f"mysql://ingot:{SECRET}@127.0.0.1/db",
    f"postgresql+nothing://ingot:{SECRET}@127.0.0.1/db",
    f"postgresql://ingot:{SECRET}@127.0.0.1:1/db",
    f"postgres://ingot:{SECRET}@127.0.0.1:1/db",
    f"postgresql://127.0.0.1:1/db?user=ingot&password={SECRET}",
    f"postgresql://127.0.0.1:1/db?user=ingot&sslpassword={SECRET}&port=wrong",
    f"postgresql://127.0.0.1:1/db?unknown_option={SECRET}",
]


@pytest.mark.parametrize("url", UNREADABLE)
@pytest.mark.parametrize("kind", [SqlCatalog, RunStore])
def test_a_url_that_does_not_work_is_one_error_without_its_password(
    url: str, kind: type[SqlCatalog] | type[RunStore]
) -> None:
    with pytest.raises(CatalogUnavailableError) as caught:
        kind(url)
    cause: BaseException | None = caught.value
    assert caught.value.hint
    while cause is not None:
        assert SECRET not in f"{cause} {cause!r}"
        cause = cause.__cause__


# SQLite's writers take turns, and nobody elsewhere shares its file.
POSTGRES_ONLY = pytest.mark.parametrize(
    "url", [pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True
)


def test_a_server_that_is_not_there_is_named_with_the_setting_to_look_at() -> None:
    with pytest.raises(CatalogUnavailableError) as caught:
        SqlCatalog(f"postgresql://ingot:{SECRET}@127.0.0.1:1/db")
    said = str(caught.value)
    assert said.startswith("The catalog postgresql://ingot@127.0.0.1:1/db cannot be used: ")
    assert "refused" in said
    assert "`state`" in said


def test_a_missing_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(CatalogUnavailableError, match=r"ingot\[postgres\]"):
        SqlCatalog("postgresql://ingot@127.0.0.1/db")


def test_a_reader_sees_one_state_of_the_database(url: str, catalog: SqlCatalog) -> None:
    """Garbage collection would otherwise see a ref and not its commit, and remove what that needs."""
    put(catalog, "main", ("s", "a"))
    store = Store(url)
    try:
        count = text("SELECT count(*) FROM lake_commits")
        before, after = store.read(
            lambda tx: (tx.scalar(count), put(catalog, "main", ("s", "b")) and tx.scalar(count))
        )
        assert before == after
        assert store.read(lambda tx: tx.scalar(count)) == before + 1
    finally:
        store.close()


@POSTGRES_ONLY
def test_an_inventory_knows_every_move_before_its_mark(url: str, catalog: SqlCatalog) -> None:
    """In PostgreSQL a move may become visible after a later one; a sweep would never hear of it."""
    head = put(catalog, "main", ("s", "a"))
    engine = create_engine(url)
    found = []
    with engine.connect() as slow:
        moved = "INSERT INTO lake_ref_moves (name, hash, moved_at) VALUES ('slow', :hash, 1)"
        slow.execute(text(moved), {"hash": head})
        later = put(catalog, "main", ("s", "b"))
        thread = threading.Thread(target=lambda: found.append(catalog.inventory()))
        thread.start()
        thread.join(0.3)
        slow.commit()
        thread.join(10)
    engine.dispose()
    (inventory,) = found
    seen = {(one.name, one.hash) for one in inventory.moves}
    assert {("slow", head), ("main", later)} <= seen
    assert catalog.moved_since(inventory.mark) == []
    last = put(catalog, "main", ("s", "c"))
    assert catalog.moved_since(inventory.mark) == [last]
    mark, done = catalog.standing_still(inventory.mark, lambda moved: moved)
    assert done == [last]
    assert catalog.moved_since(mark) == []


def test_no_ref_moves_while_they_stand_still(url: str, catalog: SqlCatalog) -> None:
    other = SqlCatalog(url)
    writer = threading.Thread(target=lambda: put(other, "main", ("s", "a")))
    before = catalog.inventory()

    def work(_: list[str]) -> tuple[str, bool]:
        writer.start()
        writer.join(0.3)
        return catalog.resolve("main"), writer.is_alive()

    _, (head, waited) = catalog.standing_still(before.mark, work)
    writer.join(10)
    assert waited
    assert head == before.refs[0].hash
    assert catalog.moved_since(before.mark) == [catalog.resolve("main")]
    other.close()


@POSTGRES_ONLY
def test_connections_that_the_server_has_closed_are_replaced(url: str, catalog: SqlCatalog) -> None:
    first = put(catalog, "main", ("s", "a"))
    engine = create_engine(url)
    with engine.begin() as tx:
        ended = tx.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        ).all()
    engine.dispose()
    assert ended
    assert catalog.resolve("main") == first
    put(catalog, "main", ("s", "b"))


@POSTGRES_ONLY
def test_runs_elsewhere_with_the_same_state_wait_for_each_other(url: str, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with (
        run_lock(tmp_path, url),
        pytest.raises(ConflictError, match="another machine"),
        run_lock(tmp_path / "other", url),
    ):
        pass
    with run_lock(tmp_path / "other", url):
        pass


def test_a_second_project_in_the_same_database_is_told_to_use_its_own(
    url: str, lake: Lake, con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    lake.commit("main", [lake.stage(con, "s.t", "SELECT 1 AS a", on="main")], message="t")
    with pytest.raises(MovedError, match="of its own"):
        Lake(url, tmp_path / "elsewhere")
