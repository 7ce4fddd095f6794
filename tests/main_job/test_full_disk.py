"""A disk that fills up during a run: one message, `main` as it was, and the next run succeeds."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Ingot
from tests.main_job.small import make_small_project

SIZE = 4 * 1024 * 1024


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode and "CI" not in os.environ:
        pytest.skip("a small file system can be mounted by root only")
    assert mounted.returncode == 0, mounted.stderr
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("left", [0, 40_000, 200_000])
def test_a_full_disk_is_one_message_and_leaves_main_as_it_was(
    ingot: Ingot, small_disk: Path, left: int
) -> None:
    directory = make_small_project(small_disk / "project")
    assert ingot("run", cwd=directory).returncode == 0
    before = ingot("query", "select sum(amount) as total from gold.orders", "-f", "csv", cwd=directory).stdout
    rows = "".join(f"{10_000 + number * 7919 % 1_000_003},{number}\n" for number in range(30_000))
    (directory / "data" / "orders_2.csv").write_text("order_id,amount\n" + rows)
    filler = small_disk / "filler"
    free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
    filler.write_bytes(b"x" * max(0, free - left))
    done = ingot("run", cwd=directory)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "mistake in Ingot" not in done.stderr
    assert "full" in done.stderr or "No space left" in done.stderr
    filler.unlink()
    after = ingot("query", "select sum(amount) as total from gold.orders", "-f", "csv", cwd=directory)
    assert after.stdout == before, after.stderr
    again = ingot("run", cwd=directory)
    assert again.returncode == 0, again.stderr
    total = ingot("query", "select sum(amount) as total from gold.orders", "-f", "csv", cwd=directory).stdout
    assert total == f"total\n{sum(range(1, 21)) + sum(range(30_000))}\n"
