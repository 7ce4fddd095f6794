"""One run at a time."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ingot.errors import ConflictError
from ingot.pipeline.lock import run_lock


def test_a_second_holder_is_told_who_is_first(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from ingot.pipeline.lock import run_lock\n"
        "with run_lock(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(ConflictError, match=f"process {other.pid}"), run_lock(tmp_path):
            pass
        os.kill(other.pid, signal.SIGKILL)
        other.wait()
    with run_lock(tmp_path):
        assert (tmp_path / "run.lock").read_text() == str(os.getpid())


def test_the_lock_is_free_again_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="x"), run_lock(tmp_path):
        raise ValueError("x")
    with run_lock(tmp_path):
        pass
