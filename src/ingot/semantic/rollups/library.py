"""`Rollups`: the rollups of one project; which of them answers a fact at a state, and why the others do not."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sqlglot import exp

from ingot.engines import HeldTable
from ingot.semantic.answers.recent import Recent
from ingot.semantic.errors import QueryError
from ingot.semantic.model import Model
from ingot.semantic.planner.fanout import Fact, Grain
from ingot.semantic.planner.rows_of import JoinedRows, Rows
from ingot.semantic.planner.writing import Writing
from ingot.semantic.rollups.asked_log import AskedLog
from ingot.semantic.rollups.build import restored
from ingot.semantic.rollups.declare import declared_rollups
from ingot.semantic.rollups.definition import Rollup, Window, lies
from ingot.semantic.rollups.match import Extent, Mismatch, Use, match
from ingot.semantic.rollups.store import Build, Store
from ingot.semantic.rollups.stored import StoredRows

if TYPE_CHECKING:
    from ingot.project import Project
    from ingot.semantic.answers.states import At, States

CATALOG = "#rollups"
"""Where engines put held tables."""
NOT_BUILT = "fits, but is not built yet for this state: 'ingot rollup build' does it"


@dataclass(frozen=True, slots=True)
class Tried:
    """A rollup that was looked at for a fact: it is read, or `reasons` say why it is not."""

    rollup: Rollup
    used: bool
    matched: bool
    reasons: tuple[str, ...] = ()
    builds: tuple[Build, ...] = ()


class Shelves(Protocol):
    """What a choice asks of the rollups that there are."""

    @property
    def only(self) -> bool: ...
    def about(self, model: Model, fact: Fact) -> list[Rollup]: ...
    def originals(self, model: Model, cubes: set[str]) -> list[Rollup]: ...
    def builds(self, rollup: Rollup, at: "At | None") -> tuple[Build | None, ...]: ...


@dataclass
class Choice:
    """How the facts of one statement are read. It is the statement's `Reader`."""

    rollups: "Shelves"
    model: Model
    at: "At | None"
    tried: list[tuple[tuple[str, ...], list[Tried]]] = field(default_factory=list)
    """For each fact its aggregates, and the rollups in the order in which they were tried."""

    def __call__(self, writing: Writing, fact: Fact, grain: Grain) -> Rows:
        tried: list[Tried] = []
        self.tried.append((tuple(dict.fromkeys(name for name, _ in fact.leaves)), tried))
        found: Rows | None = None
        for rollup in self.rollups.about(self.model, fact):
            one, rows = self._try(rollup, writing, fact, grain, taken=found is not None)
            tried.append(one)
            found = found or rows
        if found is not None:
            return found
        if self.rollups.only and self.at is not None:
            raise _only(fact, tried)
        return JoinedRows(self._sourced(writing, fact, tried), fact, grain)

    def _try(
        self, rollup: Rollup, writing: Writing, fact: Fact, grain: Grain, *, taken: bool
    ) -> tuple[Tried, Rows | None]:
        builds = self.rollups.builds(rollup, self.at)
        use = match(rollup, fact, grain, writing.zone, _extent(rollup, builds))
        if isinstance(use, Mismatch):
            return Tried(rollup, False, False, use.reasons), None
        if self.at is None or not _complete(rollup, builds):
            return Tried(rollup, False, True, (NOT_BUILT,)), None
        known = tuple(one for one in builds if one is not None)
        if taken:
            return Tried(rollup, False, True, ("fits, but another one that fits comes first",), known), None
        rows = self._rows(use, builds, writing, grain)
        return Tried(rollup, True, True, (), known), rows

    def _rows(self, use: Use, builds: Sequence[Build | None], writing: Writing, grain: Grain) -> Rows:
        known = [one for one in builds if one is not None]
        types = known[0].columns if known else {}
        if len(builds) == 1 and not use.rollup.parts:
            assert builds[0] is not None
            source: exp.Expr = self._table(builds[0])
        else:
            source = self._union(use.rollup, builds)
        writing.cubes.update(use.rollup.cubes)
        return StoredRows(writing, grain, use, source, types)

    def _table(self, build: Build) -> exp.Expr:
        return exp.Table(
            this=exp.to_identifier(build.table, quoted=True),
            db=exp.to_identifier("main", quoted=True),
            catalog=exp.to_identifier(CATALOG, quoted=True),
        )

    def _union(self, rollup: Rollup, builds: Sequence[Build | None]) -> exp.Expr:
        """The rows of a rollup_lambda: each part's own stretch of time, and the rest from the tables."""
        selects: list[exp.Query] = []
        taken: list[Window] = []
        everything = False
        for part, build in zip(rollup.parts, builds, strict=True):
            if build is None:
                continue
            select = exp.Select().select("*").from_(self._table(build), copy=False)
            if taken:
                assert part.time is not None
                time = exp.column(part.time.name, quoted=True)
                select = select.where(exp.Not(this=lies(time, taken)), copy=False)
            selects.append(select)
            if build.window is None:
                everything = True
                break
            taken.append(build.window)
        if rollup.with_source and not everything:
            selects.append(rollup.parts[0].select(outside=taken))
        union = selects[0]
        for one in selects[1:]:
            union = exp.union(union, one, distinct=False, copy=False)
        return exp.Subquery(this=union)

    def _sourced(self, writing: Writing, fact: Fact, tried: list[Tried]) -> Writing:
        """`writing` with the stored rows of cubes whose SQL is kept as original_sql."""
        cubes = {*fact.tree.cubes, *(fact.own.cubes if fact.own is not None else ())}
        stored: dict[str, exp.Expr] = {}
        for rollup in self.rollups.originals(self.model, cubes):
            build = self.rollups.builds(rollup, self.at)[0]
            if rollup.never is not None:
                tried.append(Tried(rollup, False, False, (f"can never be stored: {rollup.never}",)))
            elif build is None:
                tried.append(Tried(rollup, False, True, (NOT_BUILT,)))
            else:
                stored[rollup.cube] = self._table(build)
                tried.append(Tried(rollup, True, True, (), (build,)))
        if not stored:
            return writing
        found = copy(writing)
        found.stored = stored
        return found

    @property
    def used(self) -> tuple[tuple[Rollup, Build], ...]:
        """The rollups that are read, each build once."""
        found = {
            build.table: (one.rollup, build)
            for _, tried in self.tried
            for one in tried
            if one.used
            for build in one.builds
        }
        return tuple(found.values())


class Rollups:
    """The rollups of one project. Safe to use from several threads."""

    def __init__(self, root: Path, states: "States", *, only: bool = False) -> None:
        """`root` is the folder of the files. `only`: what no rollup answers is refused."""
        self.store = Store(root)
        self.log = AskedLog(root)
        self.only = only
        self._states = states
        self._by_model: Recent[int, tuple[Model, tuple[Rollup, ...]]] = Recent(128)

    def declare(self, project: "Project", model: Model) -> None:
        """Learns the rollups of a model; raises `ProjectError` with all that is wrong with them."""
        self._by_model.keep(id(model), (model, declared_rollups(project, model)))

    def of(self, model: Model) -> tuple[Rollup, ...]:
        """The rollups of a model, in the order of their definition."""
        found = self._by_model.get(id(model))
        return found[1] if found is not None and found[0] is model else ()

    def version(self, model: Model, at: "At") -> object:
        """What a plan at a state depends on beside its query; None where there are no rollups."""
        return (at.state.hash, self.store.generation()) if self.of(model) else None

    def choice(self, model: Model, at: "At | None") -> Choice:
        """Decides how the facts of one statement are read at a state, and remembers why."""
        return Choice(self, model, at)

    def about(self, model: Model, fact: Fact) -> list[Rollup]:
        """The rollups that have to do with a fact: they are made of rows of the same cube."""
        return [one for one in self.of(model) if one.kind != "original_sql" and fact.tree.root in one.joined]

    def originals(self, model: Model, cubes: set[str]) -> list[Rollup]:
        """The first original_sql of each of the cubes."""
        found: dict[str, Rollup] = {}
        for one in self.of(model):
            if one.kind == "original_sql" and one.cube in cubes:
                found.setdefault(one.cube, one)
        return list(found.values())

    def builds(self, rollup: Rollup, at: "At | None") -> tuple[Build | None, ...]:
        """What is built at a state of a rollup, or of each part of a rollup_lambda."""
        if rollup.parts:
            return tuple(self.builds(part, at)[0] for part in rollup.parts)
        if at is None or rollup.never is not None:
            return (None,)
        tables = self._states.tables(rollup.tables, at)
        if tables is None:
            return (None,)
        return (self.store.build(rollup.hash, self._states.fingerprint(tables, at)),)

    def held(self, build: Build) -> HeldTable:
        """The table that an engine makes of a build."""
        files = [str(self.store.root / one.path) for one in build.files]
        width = sum(64 if kind.endswith("[]") else 16 for kind in build.columns.values())
        select = restored(build.columns, files) if files else _empty(build)
        return HeldTable(build.table, select, build.rows * width)


def _only(fact: Fact, tried: Sequence[Tried]) -> QueryError:
    what = ", ".join(dict.fromkeys(name for name, _ in fact.leaves)) or "the dimensions"
    said = "; ".join(f"rollup {one.rollup.full_name} {reason}" for one in tried for reason in one.reasons)
    return QueryError(
        f"No rollup answers {what}, and rollup_only is set: {said or 'there is none about these rows'}.",
        hint="'ingot rollup build' builds what is missing; 'ingot rollup suggest' proposes others.",
    )


def _empty(build: Build) -> str:
    shown = ", ".join(f'CAST(NULL AS {kind}) AS "{name}"' for name, kind in build.columns.items())
    return f"SELECT {shown} WHERE false"


def _complete(rollup: Rollup, builds: Sequence[Build | None]) -> bool:
    if rollup.parts and rollup.with_source:
        return any(one is not None for one in builds)
    return all(one is not None for one in builds)


def _extent(rollup: Rollup, builds: Sequence[Build | None]) -> Extent:
    known = [one for one in builds if one is not None]
    windows = [one.window for one in known]
    window = _joined(windows) if not rollup.with_source and None not in windows and windows else None
    if not known or rollup.with_source:
        return Extent(window=window)
    firsts = [one.first for one in known if one.first is not None]
    lasts = [one.last for one in known if one.last is not None]
    return Extent(min(firsts, default=None), max(lasts, default=None), window)


def _joined(windows: Sequence[Window | None]) -> Window | None:
    """One window that all of them fill without a gap: the first, as far as the others go on from it."""
    timed = sorted(one for one in windows if one is not None)
    first, last = timed[0]
    for start, end in timed[1:]:
        if start <= last:
            last = max(last, end)
    return first, last
