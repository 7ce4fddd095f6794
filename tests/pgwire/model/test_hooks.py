"""The project's own Python decides who somebody is; it takes its time, and others do not wait for it."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.pgwire.answering import Running
from tests.pgwire.model.serving import serving
from tests.pgwire.model.store import Store, cubes, project, store

SLOW = """
import os, time
from cube import config

@config("context_to_groups")
def groups(ctx):
    end = time.monotonic() + 5
    while os.path.exists({gate!r}) and time.monotonic() < end:
        time.sleep(0.005)
    if os.path.exists({wrong!r}):
        raise PermissionError("nobody is known today")
    return ["boss"]
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Store]:
    with store(tmp_path, orders=50, policies=True) as made:
        hook = SLOW.format(gate=str(tmp_path / "gate"), wrong=str(tmp_path / "wrong"))
        (tmp_path / "cube.py").write_text(hook)
        changed = project(cubes(policies=True))
        changed.root = tmp_path
        made.service.reload(changed)
        yield made


def connect(server: Running) -> psycopg.Connection[Any]:
    return psycopg.connect(server.dsn, autocommit=True)


@pytest.mark.parametrize("sql", ["SELECT count(*) FROM salaries", "EXPLAIN SELECT count(*) FROM salaries"])
def test_nobody_waits_for_the_groups_of_another(shop: Store, sql: str) -> None:
    with serving(shop.service) as server, connect(server) as ann, connect(server) as bob:
        gate = shop.files / "gate"
        gate.touch()
        found: list[Any] = []
        asking = threading.Thread(target=lambda: found.append(ann.execute(sql).fetchall()))
        asking.start()
        time.sleep(0.1)
        began = time.monotonic()
        for _ in range(5):
            assert bob.execute("SHOW timezone").fetchone() == ("UTC",)
            time.sleep(0.02)
        assert time.monotonic() - began < 2
        assert not found, "the hook has not said yet who she is"
        gate.unlink()
        asking.join(10)
        assert found
        if not sql.startswith("EXPLAIN"):
            assert found == [[(40,)]]


def test_waiting_for_a_hook_can_be_cancelled(shop: Store) -> None:
    with serving(shop.service) as server, connect(server) as ann:
        (shop.files / "gate").touch()
        timer = threading.Timer(0.2, ann.cancel_safe)
        timer.start()
        began = time.monotonic()
        with pytest.raises(psycopg.errors.QueryCanceled):
            ann.execute("SELECT count(*) FROM salaries")
        assert time.monotonic() - began < 2
        timer.join()
        (shop.files / "gate").unlink()
        assert ann.execute("SELECT count(*) FROM salaries").fetchone() == (40,)


def test_who_the_hook_refuses_reads_nothing(shop: Store) -> None:
    with serving(shop.service) as server, connect(server) as ann:
        (shop.files / "wrong").touch()
        with pytest.raises(psycopg.Error, match="nobody is known today"):
            ann.execute("SELECT count(*) FROM salaries")
        assert ann.execute("SHOW timezone").fetchone() == ("UTC",)
        (shop.files / "wrong").unlink()
        assert ann.execute("SELECT count(*) FROM salaries").fetchone() == (40,)
