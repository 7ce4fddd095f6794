"""Runs the benchmarks one after the other and says which could not run: `python -m benchmarks [name ...]`."""

import subprocess
import sys

from benchmarks.results import HERE

ALL = ("ingest", "run", "model", "load", "serve", "page", "lake", "tables", "rollups", "pgwire")


def main() -> int:
    """Exit code 1 where a benchmark failed; a target that is missed is in its table, not in the code."""
    failed = []
    for name in sys.argv[1:] or ALL:
        print(f"\n== {name}", flush=True)
        # A process each: what one leaves in memory must not slow down the next.
        done = subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=HERE.parent, check=False)
        if done.returncode:
            failed.append(name)
    if failed:
        print(f"\nnot measured: {', '.join(failed)}", file=sys.stderr)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
