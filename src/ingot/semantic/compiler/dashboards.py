"""Whether the members that dashboards ask for exist and are of the right kind; the whole check of a project's meaning."""

from typing import TYPE_CHECKING, Any

from ingot.project import Problem, ProjectError, problem
from ingot.semantic.compiler.compile import ModelCache
from ingot.semantic.model import Dimension, Measure, Model, Segment
from ingot.semantic.rollups.declare import declared_rollups

if TYPE_CHECKING:
    from ingot.project import Dashboard, Project

_KINDS = {Measure: "measure", Dimension: "dimension", Segment: "segment"}


def check_project(project: "Project", *, models: ModelCache | None = None) -> Model:
    """The project's compiled model; `ProjectError` lists what is wrong with cubes and views, or with what uses them:
    dashboards and pre-aggregations.

    With `models`, only what has changed since the last time is compiled.
    """
    if models is None:
        models = ModelCache(compiled=project.parts.security if project.parts is not None else {})
    model = models.model(project)
    problems = check_dashboards(project, model)
    try:
        declared_rollups(project, model)
    except ProjectError as error:
        problems += error.problems
    if problems:
        raise ProjectError(problems)
    return model


def check_dashboards(project: "Project", model: Model) -> list[Problem]:
    """Every member of every dashboard that is not in the model, with its place and the nearest name."""
    return [found for dashboard in project.dashboards for found in _Dashboard(model, dashboard).check()]


def shown(dashboard: "Dashboard", model: Model) -> "Dashboard":
    """The dashboard without the tiles, conditions and times that name members which `model` does not have.

    `model` is what somebody may see: what is hidden from him is not told by a dashboard either.
    """
    without: dict[str, Any] = {
        "tiles": tuple(tile for tile in dashboard.tiles if not _Dashboard(model, dashboard).of_tile(tile)),
        "filters": tuple(one for one in dashboard.filters if not _Dashboard(model, dashboard).of_filter(one)),
    }
    if dashboard.time is not None and dashboard.time.dimension not in model.members:
        without["time"] = None
    return dashboard.model_copy(update=without)


class _Dashboard:
    def __init__(self, model: Model, spec: Any) -> None:
        self.model = model
        self.spec = spec
        self.found: list[Problem] = []

    def check(self) -> list[Problem]:
        spec = self.spec
        if spec.time is not None:
            self.time(spec.time, "dimension", spec.time.dimension)
        self.filters(spec.filters)
        for tile in spec.tiles:
            self.of_tile(tile)
        return self.found

    def of_tile(self, tile: Any) -> list[Problem]:
        for name in tile.measures:
            self.member(tile, "measures", name, (Measure,))
        for name in tile.dimensions:
            self.member(tile, "dimensions", name, (Dimension,))
        for name in tile.segments:
            self.member(tile, "segments", name, (Segment,))
        if tile.time is not None:
            self.time(tile, "time", tile.time)
        columns = (*tile.measures, *tile.dimensions)
        for name in getattr(tile, "order", None) or ():
            self.member(tile, "order", name, (Measure, Dimension))
            if name not in columns:
                self.report(tile, "order", f"'{name}' is not a column of this tile", columns, name)
        self.filters(tile.filters)
        return self.found

    def of_filter(self, one: Any) -> list[Problem]:
        self.filters((one,))
        return self.found

    def report(self, spec: Any, key: str, message: str, known: Any, name: str) -> None:
        self.found.append(problem(spec.place_of(key), message, known=known, name=name))

    def member(self, spec: Any, key: str, name: str, kinds: tuple[type, ...]) -> None:
        members = self.model.members
        words = " or ".join(_KINDS[kind] for kind in kinds)
        found = members.get(name)
        known = [full for full, one in members.items() if isinstance(one.member, kinds)]
        if found is None:
            self.report(spec, key, f"there is no {words} '{name}'", known, name)
        elif not isinstance(found.member, kinds):
            self.report(spec, key, f"'{name}' is a {_KINDS[type(found.member)]}, not a {words}", known, name)

    def time(self, spec: Any, key: str, name: str) -> None:
        before = len(self.found)
        self.member(spec, key, name, (Dimension,))
        one = self.model.members.get(name)
        if (
            len(self.found) == before
            and one is not None
            and isinstance(one.member, Dimension)
            and one.member.type != "time"
        ):
            known = [
                n
                for n, f in self.model.members.items()
                if isinstance(f.member, Dimension) and f.member.type == "time"
            ]
            self.report(spec, key, f"'{name}' is of type {one.member.type}, not a time", known, name)

    def filters(self, filters: Any) -> None:
        for one in filters:
            if one.member is not None:
                self.member(one, "member", one.member, (Measure, Dimension))
            self.filters(one.and_)
            self.filters(one.or_)
