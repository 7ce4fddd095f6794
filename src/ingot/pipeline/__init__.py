"""Runs: every change of the lakehouse is written on a branch, audited there, and published in one merge.

A run works on the branch `run/<id>`: it loads what is due, builds and tests the transformations, and
merges into `main` in one commit, or leaves `main` alone. `run` does it, `runs` lists what was done.
"""

from ingot.pipeline.model import Event, RunResult, RunStatus, Step, StepStatus
from ingot.pipeline.run import run
from ingot.pipeline.store import RunStore

__all__ = ["Event", "RunResult", "RunStatus", "RunStore", "Step", "StepStatus", "run"]
