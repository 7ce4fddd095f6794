"""Runs JavaScript tests with Node's own runner."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def run(name: str, said: dict[str, Any], modules: Path, folder: Path) -> None:
    """Runs one file of tests, which reads what is `said`; all of them must pass."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"modules": str(modules / "node_modules"), **said}))
    done = subprocess.run(
        ["node", "--test", "--test-reporter=tap", str(HERE / f"{name}.test.mjs")],
        env={**os.environ, "SAID": str(path), "TZ": "America/New_York"},
        text=True,
        capture_output=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# fail 0" in done.stdout
    assert "# pass 0" not in done.stdout
