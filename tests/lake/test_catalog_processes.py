"""Several processes on one catalog, some of them killed: nothing acknowledged is lost, nothing is half done."""

import random
import signal
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

COMMITTER = Path(__file__).with_name("committer.py")


def start(url: str, writer: str, count: int, mode: str) -> "subprocess.Popen[str]":
    command = [sys.executable, str(COMMITTER), url, writer, str(count), mode]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_concurrent_processes_lose_no_update_and_log_every_acknowledged_commit_once(url: str) -> None:
    catalog = SqlCatalog(url)
    try:
        catalog.commit("main", [Put(("s",), namespace())], message="begin")
        writers = [start(url, f"w{index}", 25, "shared") for index in range(3)]
        acknowledged = [line for one in writers for line in one.communicate(timeout=60)[0].split()]
        assert [one.returncode for one in writers] == [0, 0, 0]
        logged = [commit.hash for commit in catalog.log(catalog.resolve("main"))]
        assert sorted(logged[:-1]) == sorted(acknowledged)
        assert len(set(logged)) == 76
        counter = catalog.content(catalog.resolve("main"), ("s", "counter"))
        assert counter is not None
        assert counter.snapshot_id == 75
    finally:
        catalog.close()


def test_processes_that_open_a_new_catalog_at_once_agree_on_one(url: str) -> None:
    code = f"from ingot.lake import SqlCatalog; c = SqlCatalog({url!r}); print(len(c.refs())); c.close()"
    opened = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    assert [one.communicate(timeout=60)[0].strip() for one in opened] == ["1"] * 4


def test_a_killed_writer_leaves_a_readable_catalog_with_everything_it_acknowledged(url: str) -> None:
    catalog = SqlCatalog(url)
    catalog.commit("main", [Put(("s",), namespace())], message="begin")
    acknowledged: set[str] = set()
    for attempt in range(6):
        writer = start(url, f"k{attempt}", 100_000, "own")
        assert writer.stdout is not None
        acknowledged.add(writer.stdout.readline().strip())
        time.sleep(random.uniform(0, 0.15))
        writer.send_signal(signal.SIGKILL)
        # The last line may have been cut off by the kill; a whole one was acknowledged.
        acknowledged |= {line.strip() for line in writer.stdout if line.endswith("\n")}
        writer.wait()
        writer.stdout.close()
        fresh = SqlCatalog(url)
        try:
            head = fresh.resolve("main")
            logged = [commit.hash for commit in fresh.log(head)]
            assert acknowledged <= set(logged)
            # Each commit after the first adds exactly one table, so a lost or doubled one would show.
            assert len(fresh.entries(head)) == len(logged)
            fresh.commit("main", [Put(("s", f"after{attempt}"), table())], message="goes on")
        finally:
            fresh.close()
    catalog.close()


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
