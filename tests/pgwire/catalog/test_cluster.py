"""The life of a shadow PostgreSQL: who it runs as, what ends it, what is left."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from ingot.pgwire.catalog import Catalogs, place, users, wheel
from ingot.pgwire.catalog.template import ClusterError
from ingot.pgwire.errors import PgError
from tests.pgwire.catalog.shadow import Shadow, Shown, shadowed

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _gone(pids: list[int], seconds: float = 5) -> bool:
    until = time.monotonic() + seconds
    while any(map(_lives, pids)) and time.monotonic() < until:
        time.sleep(0.02)
    return not any(map(_lives, pids))


def _owner(folder: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.pgwire.catalog.owner", str(folder), *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def test_starting_waits_for_nothing_and_the_first_statement_for_all(folder: Path) -> None:
    with asyncio.Runner() as runner:
        catalogs = Catalogs(Shown(), folder=folder)
        begun = time.monotonic()
        runner.run(catalogs.start())
        assert time.monotonic() - begun < 0.1
        shadow = Shadow(runner, catalogs, Shown())
        assert shadow.rows(shadow.session(), "SELECT 1") == [("1",)]
        runner.run(catalogs.stop())


def test_it_runs_without_root_without_tcp_and_without_our_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INGOT_TEST_SECRET", "a password")
    with shadowed(folder) as shadow:
        session = shadow.session()
        shadow.rows(session, "SELECT 1")
        pid = shadow.home().cluster.pid
        assert pid is not None
        uid = Path(f"/proc/{pid}").stat().st_uid
        assert uid != 0
        assert uid == (shadow.catalogs._user.uid or os.getuid())
        assert b"INGOT_TEST_SECRET" not in Path(f"/proc/{pid}/environ").read_bytes()
        sockets = {str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir()}
        inodes = {one[8:-1] for one in sockets if one.startswith("socket:")}
        tcp = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
        assert inodes
        assert not inodes & {line.split()[9] for line in tcp.splitlines() if ":" in line}
        for socket in shadow.place.sockets.rglob(".s.PGSQL.5432"):
            assert socket.parent.stat().st_mode & 0o077 == 0


def test_stopping_leaves_the_template_and_no_process(folder: Path) -> None:
    with shadowed(folder) as shadow:
        sessions = [shadow.session(name, base) for name in ("alice", "bob") for base in ("shop", "shop@dev")]
        for session in sessions:
            shadow.rows(session, "SELECT 1")
        pids = [pid for name in ("alice", "bob") if (pid := shadow.home(name).cluster.pid)]
        pids += [child for pid in pids for child in _children(pid)]
        sockets = shadow.place.sockets
        assert len(pids) >= 8
        assert sockets.exists()
    assert _gone(pids)
    assert not sockets.exists()
    assert [one.name.split("-")[0] for one in folder.iterdir()] == ["postgres"]


def test_a_second_start_takes_the_template_as_it_is(folder: Path) -> None:
    with shadowed(folder) as shadow:
        shadow.rows(shadow.session(), "SELECT 1")
    (kept,) = folder.iterdir()
    before = sorted((str(one), one.stat().st_mtime_ns) for one in kept.rglob("*"))
    with shadowed(folder) as shadow:
        shadow.rows(shadow.session(), "SELECT 1")
    assert sorted((str(one), one.stat().st_mtime_ns) for one in kept.rglob("*")) == before


def test_a_killed_postgresql_comes_back_for_the_next_statement(folder: Path) -> None:
    with shadowed(folder) as shadow:
        session, other = shadow.session(), shadow.session(database="shop@dev")
        shadow.rows(other, "SELECT 1")
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGQUIT):
            asked = "SELECT current_database(), count(*) FROM pg_class WHERE relname = 'orders'"
            assert shadow.rows(session, asked) == [("shop", "1")]
            pid = shadow.home().cluster.pid
            assert pid is not None
            os.kill(pid, number)
            if number == signal.SIGKILL:
                assert _gone([pid])
        assert shadow.rows(other, "SELECT current_database()") == [("shop@dev",)]


def test_a_killed_backend_takes_nothing_with_it(folder: Path) -> None:
    with shadowed(folder) as shadow:
        session = shadow.session()
        (pid,) = shadow.rows(session, "SELECT pg_backend_pid()")[0]
        os.kill(int(pid or 0), signal.SIGKILL)  # PostgreSQL starts all of itself again then
        assert shadow.rows(session, "SELECT 1") == [("1",)]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process of its own watches")
def test_no_process_outlives_a_server_that_is_killed_and_the_next_one_clears_up(folder: Path) -> None:
    with _owner(folder) as owner:
        assert owner.stdout is not None
        pid, sockets = owner.stdout.readline().split()
        pids = [int(pid), *_children(int(pid))]
        assert all(map(_lives, pids))
        owner.kill()
    assert _gone(pids)
    assert Path(sockets).exists()
    with shadowed(folder) as shadow:
        shadow.rows(shadow.session(), "SELECT 1")
        assert not Path(sockets).exists()
        assert {one.name for one in folder.glob("run/*")} <= {shadow.place.data.name}


@pytest.mark.parametrize("end", ["the server dies", "it is told to end", "it ends by itself"])
def test_where_the_kernel_tells_nobody_a_process_watches(end: str) -> None:
    """As on other systems than Linux."""
    launch = str(Path(place.__file__).with_name("launch.py"))
    seconds = "0.3" if end == "it ends by itself" else "60"
    text = (
        "import sys, runpy; sys.platform = 'darwin';"
        f" sys.argv = ['launch', '0', '0', '0', '/bin/sleep', '{seconds}']; runpy.run_path({launch!r}, run_name='__main__')"
    )
    with subprocess.Popen([sys.executable, "-c", text], stdin=subprocess.PIPE) as watcher:
        assert watcher.stdin is not None
        until = time.monotonic() + 5
        while not (pids := _children(watcher.pid)) and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(0.1)
        if end == "the server dies":
            watcher.stdin.close()
        elif end == "it is told to end":
            watcher.send_signal(signal.SIGQUIT)
        assert _gone([*pids, watcher.pid])
        assert len(pids) == 1


def test_clearing_up_ends_only_what_works_in_a_folder_of_ours(tmp_path: Path) -> None:
    """A lock that is free, and a pid file that names a process of somebody else."""
    made = place.Place.make(tmp_path, users.Unprivileged(0))
    cluster = made.data / "1"
    cluster.mkdir()
    with subprocess.Popen(["/bin/sleep", "60"]) as stranger:
        (cluster / "postmaster.pid").write_text(f"{stranger.pid}\n{cluster}\n")
        assert not place._clear(made.sockets)  # its server lives
        assert cluster.exists()
        os.close(made._lock)
        assert place._clear(made.sockets)
        assert stranger.poll() is None
        stranger.kill()
    assert not made.sockets.exists()
    assert not made.data.exists()


def test_folders_of_others_are_left_alone(tmp_path: Path) -> None:
    folder = Path(tempfile.mkdtemp(prefix="ingot-sql-"))
    try:
        assert not place._clear(folder)  # without a lock
        (tmp_path / "precious").mkdir()
        (folder / "lock").write_text(str(tmp_path / "precious"))
        assert not place._clear(folder)  # a folder that is not of this name
        assert (tmp_path / "precious").exists()
    finally:
        shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="all other tests run so, where nobody is root")
def test_it_runs_for_a_user_who_is_not_root() -> None:
    with tempfile.TemporaryDirectory(prefix="ingot-test-") as name:
        os.chown(name, 65534, 65534)
        with _owner(Path(name, "sql"), "nobody") as owner:
            said, _ = owner.communicate(timeout=60)
        assert owner.returncode == 0
        assert len(said.split()) == 2
        assert [one.name.split("-")[0] for one in Path(name, "sql").iterdir()] == ["postgres"]


def test_programs_that_only_root_gets_to_are_put_where_postgresql_may_run_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory(prefix="ingot-test-") as name:
        found = wheel.find()
        assert found is not None
        private = wheel.copied(found, Path(name, "private"))
        Path(name, "private").chmod(0o700)
        monkeypatch.setattr(wheel, "find", lambda: private)
        with shadowed(folder) as shadow:
            session = shadow.session()
            assert shadow.rows(session, "SELECT 1") == [("1",)]
            assert shadow.catalogs.reduced is None


def test_where_postgresql_does_not_start_the_catalog_is_smaller_and_says_why(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Path:
        raise ClusterError("no space left")

    monkeypatch.setattr("ingot.pgwire.catalog.catalogs.template", broken)
    with shadowed(folder) as shadow:
        assert shadow.rows(shadow.session(), "SELECT 1") == [("1",)]
        assert shadow.catalogs.reduced is not None
        assert "no space left" in shadow.catalogs.reduced


def test_nothing_is_started_again_once_the_server_stops(folder: Path) -> None:
    with asyncio.Runner() as runner:
        catalogs = Catalogs(Shown(), folder=folder)
        runner.run(catalogs.start())
        shadow = Shadow(runner, catalogs, Shown())
        session = shadow.session()
        shadow.rows(session, "SELECT 1")
        runner.run(catalogs.stop())
        for one in (session, shadow.session()):
            with pytest.raises(PgError) as caught:
                shadow.rows(one, "SELECT 1")
            assert caught.value.sqlstate == "57P01"
