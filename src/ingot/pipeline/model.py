"""A run and its steps as data: what is stored, shown, and printed by `ingot run --json`."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal


class RunStatus(StrEnum):
    """How a run stands or ended."""

    RUNNING = "running"
    MERGED = "merged"
    """Everything passed, and `main` holds it."""
    UNCHANGED = "unchanged"
    """There was nothing new to do."""
    FAILED = "failed"
    """A step could not be done. `main` is as it was."""
    BLOCKED = "blocked"
    """Every step was done, and a check refused the result. `main` is as it was."""
    INTERRUPTED = "interrupted"
    """The process ended before the run did. `main` is as it was."""

    @property
    def resumable(self) -> bool:
        """Whether `ingot run --resume` can go on from here."""
        return self in (RunStatus.FAILED, RunStatus.BLOCKED, RunStatus.INTERRUPTED)


class StepStatus(StrEnum):
    """How a step ended."""

    RUNNING = "running"
    OK = "ok"
    WARNED = "warned"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Step:
    """One node of a run's graph: a source table loaded, a model built, a test asked, the merge."""

    name: str
    kind: str
    """`source`, `model`, `seed`, `snapshot`, `test`, `unit_test`, `merge`."""
    status: StepStatus
    rows: int | None = None
    """Rows written; for a failed test, the rows that broke it."""
    bytes: int | None = None
    seconds: float = 0.0
    error: str | None = None
    rows_sql: str | None = None
    """Of a failed check: a SELECT that shows the rows which broke it, on the run's branch."""
    key: str | None = None
    """What identifies the step to the part that does it (dbt's unique id), for resuming."""

    def to_dict(self) -> dict[str, Any]:
        """The step as `ingot run --json` prints it."""
        return {
            "name": self.name,
            "kind": self.kind,
            "status": self.status.value,
            "rows": self.rows,
            "bytes": self.bytes,
            "seconds": round(self.seconds, 3),
            "error": self.error,
        }


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run did."""

    run: str
    status: RunStatus
    branch: str
    """Where the run worked. A merged run's branch has become a tag of the same name."""
    commit: str | None
    """The head of `main` after the run."""
    seconds: float = 0.0
    steps: tuple[Step, ...] = ()
    error: str | None = None
    started: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def failures(self) -> tuple[Step, ...]:
        """The steps that stopped the run."""
        return tuple(step for step in self.steps if step.status is StepStatus.FAILED)

    def to_dict(self) -> dict[str, Any]:
        """The object that `ingot run --json` ends with and `/api/v1/runs` lists."""
        return {
            "run": self.run,
            "status": self.status.value,
            "branch": self.branch,
            "commit": self.commit,
            "seconds": round(self.seconds, 3),
            "started": self.started.isoformat(timespec="milliseconds"),
            "error": self.error,
            "steps": [step.to_dict() for step in self.steps],
        }


@dataclass(frozen=True, slots=True)
class Event:
    """Something that just happened in a run, for whoever shows progress."""

    kind: Literal["phase", "started", "finished"]
    """`phase`: the run moved on to `name`, which has `total` steps. Otherwise a step did."""
    name: str
    step: Step | None = None
    total: int | None = None


OnEvent = Callable[[Event], None]


def new_run_id(now: datetime | None = None) -> str:
    """An id that sorts by time and does not collide: `20260131-120000-3f9a`."""
    moment = now or datetime.now(UTC)
    return f"{moment:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def branch_of(run_id: str) -> str:
    """The ref on which a run works."""
    return f"run/{run_id}"
