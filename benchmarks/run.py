"""The whole demo run from nothing, split by step, and the second run that has nothing to do."""

import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks.results import report


def main() -> None:
    """Builds the demo once, then runs it again."""
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch) / "demo"
        whole, output = _timed("demo", "--no-serve", "--dir", str(directory), "--json")
        again, second = _timed("run", "--project", str(directory), "--json")
    run = json.loads(output)
    kinds: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for step in run["steps"]:
        kinds[step["kind"]].append(step)
    rows = [
        [
            kind,
            len(steps),
            sum(step["rows"] or 0 for step in steps),
            sum(step["seconds"] for step in steps),
            max(steps, key=lambda step: step["seconds"])["name"],
            max(step["seconds"] for step in steps),
        ]
        for kind, steps in kinds.items()
    ]
    report(
        "run",
        ["kind", "steps", "rows", "seconds", "slowest", "its seconds"],
        rows,
        whole_command_seconds=whole,
        run_seconds=run["seconds"],
        second_run_status=json.loads(second)["status"],
        second_run_seconds=again,
    )


def _timed(*arguments: str) -> tuple[float, str]:
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "ingot", *arguments], stdout=subprocess.PIPE, text=True, check=True
    )
    return time.perf_counter() - began, done.stdout


if __name__ == "__main__":
    main()
