"""What a person sees while a run is under way: bars on a terminal, one line a step in a pipe."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ingot.cli import output

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from ingot.pipeline import Event, Step
    from ingot.pipeline.model import OnEvent

_SIGNS = {"ok": "✓", "warned": "!", "failed": "✗", "skipped": "-"}
_PHASES = {"load": "Loading", "build": "Building and testing", "merge": "Publishing"}


@contextmanager
def run_progress() -> Iterator["OnEvent"]:
    """Shows the events of a run on standard error, so that standard output stays the answer."""
    if sys.stderr.isatty():
        with _bars() as progress:
            yield _Bars(progress)
    else:
        yield _line


def _line(event: "Event") -> None:
    # A skipped step is the consequence of a failed one, which would drown in them; the end counts them.
    if event.kind == "finished" and event.step is not None and event.step.status.value != "skipped":
        print(step_line(event.step), file=sys.stderr, flush=True)


def step_line(step: "Step") -> str:
    """One step on one line, in words that `grep` finds."""
    facts = [f"{step.kind} {step.name}", step.status.value]
    if step.rows is not None:
        facts.append(f"{output.count(step.rows)} rows")
    facts.append(output.seconds(step.seconds))
    line = f"{_SIGNS.get(step.status.value, ' ')} " + " · ".join(facts)
    return line if step.error is None else f"{line}\n    {step.error.strip()}"


class _Bars:
    """One bar a phase; failures are printed above the bars and stay."""

    def __init__(self, progress: "Progress") -> None:
        self._progress = progress
        self._task: TaskID | None = None

    def __call__(self, event: "Event") -> None:
        if event.kind == "phase":
            if event.total != 0:
                name = _PHASES.get(event.name, event.name)
                self._task = self._progress.add_task(name, total=event.total, doing="")
        elif self._task is None:
            return
        elif event.kind == "started":
            self._progress.update(self._task, doing=event.name)
        elif event.step is not None:
            self._progress.update(self._task, advance=1, doing="")
            if event.step.status.value in ("failed", "warned"):
                self._progress.console.print(step_line(event.step), markup=False, highlight=False)


def _bars() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description:<22}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[doing]}"),
        console=Console(stderr=True),
    )
