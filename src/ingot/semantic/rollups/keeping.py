"""Keeps rollups as they should be: builds what a ref lacks, drops what no ref needs, in the background or on demand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING, Literal

from ingot.engines import Interrupt, QueryInterruptedError
from ingot.errors import IngotError, NotFoundError
from ingot.semantic.rollups.build import BuildError, build
from ingot.semantic.rollups.definition import Rollup
from ingot.semantic.rollups.library import Rollups
from ingot.semantic.rollups.store import Build, Removed

if TYPE_CHECKING:
    from ingot.engines.duckdb import DuckDBEngine
    from ingot.lake import Lake
    from ingot.semantic.answers.service import Service
    from ingot.semantic.answers.states import States
    from ingot.semantic.model import Model

Result = Literal["built", "kept", "never", "failed"]
_PAUSE = 1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one rollup. `error`: why it failed or can never be stored."""

    name: str
    result: Result
    build: Build | None = None
    error: str | None = None


class Keeping:
    """Builds and drops the rollups of a project. Safe to use from several threads and processes."""

    def __init__(self, rollups: Rollups, states: "States", lake: "Lake", engine: "DuckDBEngine") -> None:
        self._rollups = rollups
        self._states = states
        self._lake = lake
        self._engine = engine

    def build(
        self,
        model: "Model",
        ref: str,
        names: Sequence[str] = (),
        *,
        again: bool = False,
        on_done: Callable[[Outcome], None] = lambda _: None,
        interrupt: Interrupt | None = None,
    ) -> list[Outcome]:
        """Builds at `ref` what is not built: the rollups `names`, or all that `scheduled_refresh` does not leave out.

        One that fails does not stop the others. Raises `NotFoundError` for a name that no rollup has.
        """
        done = []
        for rollup in self._chosen(model, names):
            if interrupt is not None and interrupt.is_set:
                break
            outcome = self._one(rollup, ref, again=again, interrupt=interrupt)
            done.append(outcome)
            on_done(outcome)
        return done

    def needed(self, model: "Model") -> dict[str, set[str]]:
        """The inputs at which each definition is needed by a branch or tag."""
        found: dict[str, set[str]] = {}
        for ref in self._lake.catalog.refs():
            at = self._states.at(ref.name)
            for rollup in self._rollups.of(model):
                if rollup.parts or rollup.never is not None:
                    continue
                try:
                    tables = self._states.tables(rollup.tables, at)
                except IngotError:
                    continue  # the ref does not have a table
                if tables is not None:
                    found.setdefault(rollup.hash, set()).add(self._states.fingerprint(tables, at))
        return found

    def clean(self, model: "Model", *, grace: float = 3600.0) -> Removed:
        """Drops what no branch or tag needs and is older than `grace` seconds."""
        return self._rollups.store.keep(self.needed(model), grace=grace)

    def drop(self, model: "Model", names: Sequence[str]) -> Removed:
        """Drops all that is stored of the rollups `names`; raises `NotFoundError` for an unknown one."""
        return self._rollups.store.drop([one.hash for one in self._chosen(model, names)])

    def _chosen(self, model: "Model", names: Sequence[str]) -> list[Rollup]:
        known = {one.full_name: one for one in self._rollups.of(model)}
        for name in names:
            if name not in known:
                raise NotFoundError("rollup", name, known, hint="'ingot rollup list' shows all of them.")
        wanted = [known[name] for name in names] or [one for one in known.values() if one.scheduled]
        return [part for one in wanted for part in (one.parts or (one,))]

    def _one(self, rollup: Rollup, ref: str, *, again: bool, interrupt: Interrupt | None) -> Outcome:
        if rollup.never is not None:
            return Outcome(rollup.full_name, "never", None, rollup.never)
        try:
            at = self._states.at(ref)
            tables = self._states.tables(rollup.tables, at)
            if tables is None:
                return Outcome(rollup.full_name, "never", None, "it reads a table that is not the lake's")
            made = build(
                rollup,
                at.state,
                tables,
                engine=self._engine,
                store=self._rollups.store,
                again=again,
                interrupt=interrupt,
            )
        except QueryInterruptedError:
            return Outcome(rollup.full_name, "failed", None, "stopped")
        except IngotError as error:
            return Outcome(rollup.full_name, "failed", None, error.message)
        return Outcome(rollup.full_name, "built" if made.made else "kept", made)


class Watching:
    """A thread that builds what `main` lacks whenever it has moved or the model has changed."""

    def __init__(
        self,
        keeping: Keeping,
        model: Callable[[], "Model"],
        head: Callable[[], str],
        each_time: Callable[[], None] = lambda: None,
    ) -> None:
        """`each_time` is called whenever it has looked, and at the end."""
        self._each_time = each_time
        self.keeping = keeping
        self._model = model
        self._head = head
        self._stop = Event()
        self._interrupt = Interrupt()
        self._thread = Thread(target=self._run, name="rollups", daemon=True)
        self.outcomes: list[Outcome] = []
        """Of the last time that something was built."""

    def start(self) -> None:
        """Begins to watch."""
        self._thread.start()

    def close(self) -> None:
        """Stops, and the build that is under way with it."""
        self._stop.set()
        self._interrupt.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _run(self) -> None:
        seen: object = None
        while not self._stop.is_set():
            model = self._model()
            try:
                now = (id(model), self._head())
                if now != seen:
                    self.outcomes = self.keeping.build(model, "main", interrupt=self._interrupt)
                    seen = now
            except IngotError:
                seen = None  # the catalog may be out of reach for a moment: the next look tries again
            self._each_time()
            self._stop.wait(_PAUSE)
        self._each_time()


def watching(service: "Service", lake: "Lake", engine: "DuckDBEngine") -> Watching:
    """A thread, not started yet, that keeps the rollups of a service's model at the head of `main`."""
    assert service.rollups is not None
    keeping = Keeping(service.rollups, service.states, lake, engine)
    log = service.rollups.log
    return Watching(keeping, lambda: service.model, lambda: lake.catalog.resolve("main"), log.flush)


__all__ = ["BuildError", "Keeping", "Outcome", "Watching", "watching"]
