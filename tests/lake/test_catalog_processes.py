"""Several processes and threads on one catalog. Writers that are killed, and their history: `tests/lake/crash`."""

import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ingot.lake import CommitConflictError, Content, ContentType, Put, RefKind, SqlCatalog

from .contents import namespace, table

pytestmark = pytest.mark.slow


def test_processes_that_open_a_new_catalog_at_once_agree_on_one(url: str) -> None:
    code = f"from ingot.lake import SqlCatalog; c = SqlCatalog({url!r}); print(len(c.refs())); c.close()"
    opened = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    assert [one.communicate(timeout=60)[0].strip() for one in opened] == ["1"] * 4


def test_branches_that_are_merged_at_once_lose_nothing(url: str) -> None:
    """Each thread moves its own branch and merges it; every merge stands in the log once, with its source."""
    catalog = SqlCatalog(url)
    begin = catalog.commit("main", [Put(("s",), namespace())], message="begin").hash
    merged: list[tuple[str, str]] = []

    def publish(writer: int) -> None:
        catalog.create_ref(RefKind.BRANCH, f"b{writer}", begin)
        for index in range(6):
            side = catalog.commit(f"b{writer}", [Put(("s", f"{writer}-{index}"), table())], message="t").hash
            merged.append((catalog.merge(f"b{writer}", "main").hash, side))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(publish, range(4)))
    log = list(catalog.log(catalog.resolve("main")))
    assert sorted((one.hash, one.parents[1]) for one in log[:-1]) == sorted(merged)
    assert len(catalog.entries(log[0].hash)) == 25
    catalog.close()


def test_threads_share_one_catalog(url: str) -> None:
    catalog = SqlCatalog(url)
    catalog.commit("main", [Put(("s",), namespace())], message="begin")
    failures: list[BaseException] = []

    def add(writer: int) -> None:
        try:
            for index in range(15):
                catalog.commit("main", [Put(("s", f"{writer}-{index}"), table())], message="t")
                assert catalog.content(catalog.resolve("main"), ("s", f"{writer}-{index}")) is not None
        except BaseException as error:  # noqa: BLE001 (handed to the test)
            failures.append(error)

    threads = [threading.Thread(target=add, args=(writer,)) for writer in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not failures
    assert len(catalog.entries(catalog.resolve("main"))) == 61
    catalog.close()


def test_a_writer_waits_for_another_ones_transaction(tmp_path: Path) -> None:
    catalog = SqlCatalog(f"sqlite:///{tmp_path}/lake.db")
    blocker = sqlite3.connect(tmp_path / "lake.db", isolation_level=None, check_same_thread=False)
    blocker.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.3, lambda: blocker.execute("ROLLBACK"))
    release.start()
    started = time.monotonic()
    content = Content(ContentType.NAMESPACE, "n")
    try:
        catalog.commit("main", [Put(("n",), content)], message="waits")
    except CommitConflictError:
        raise AssertionError("the writer gave up") from None
    assert time.monotonic() - started > 0.2
    release.join()
    blocker.close()
    catalog.close()
