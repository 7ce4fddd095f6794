"""Project files -> one validated, immutable model.

`load(root)` reads `ingot.yml`, `sources/`, `semantic/` and `dashboards/` into a `Project`, or raises one
`ProjectError` that has every problem of every file, each with its place, what was expected and the nearest
valid name. The specs' attributes are the files' keys. What the names in them refer to (tables, members of
other cubes) is checked by the rooms that know: `semantic`, `sources`, `transform`; they report with
`problem()` and `ProjectError` too.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ingot.project.place import Place
from ingot.project.problem import Problem, ProjectError, problem
from ingot.project.root import find

if TYPE_CHECKING:
    from ingot.project.auth import Auth, Jwt
    from ingot.project.cube import Cube, Folder, Include, Join, View, ViewCube
    from ingot.project.dashboard import Breakdown, Dashboard, Kpi, TableTile, Tile, TimeRange, Trend
    from ingot.project.loading import load
    from ingot.project.member import (
        Case,
        Dimension,
        Filter,
        Granularity,
        Hierarchy,
        Measure,
        RollingWindow,
        Segment,
    )
    from ingot.project.model import Project, Transform
    from ingot.project.model_files import ModelFiles
    from ingot.project.policy import Policy
    from ingot.project.rollup import PreAggregation, RefreshKey
    from ingot.project.schemata import schemas, write_schemas
    from ingot.project.settings import Engine, LakeSettings, Serve, Settings
    from ingot.project.source import FileOptions, Source, SourceTable

# pydantic is loaded with the first of these names: `ingot --help` does without.
_HOMES = {
    "cube": ("Cube", "Folder", "Include", "Join", "View", "ViewCube"),
    "dashboard": ("Breakdown", "Dashboard", "Kpi", "TableTile", "Tile", "TimeRange", "Trend"),
    "loading": ("load",),
    "member": (
        "Case",
        "Dimension",
        "Filter",
        "Granularity",
        "Hierarchy",
        "Measure",
        "RollingWindow",
        "Segment",
    ),
    "model": ("Project", "Transform"),
    "model_files": ("ModelFiles",),
    "policy": ("Policy",),
    "rollup": ("PreAggregation", "RefreshKey"),
    "schemata": ("schemas", "write_schemas"),
    "auth": ("Auth", "Jwt"),
    "settings": ("Engine", "LakeSettings", "Serve", "Settings"),
    "source": ("FileOptions", "Source", "SourceTable"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Auth", "Breakdown", "Case", "Cube", "Dashboard", "Dimension", "Engine", "FileOptions", "Filter", "Folder", "Granularity",
    "Hierarchy", "Include", "Join", "Jwt", "Kpi", "LakeSettings", "Measure", "ModelFiles", "Place", "Policy", "PreAggregation", "Problem", "Project",
    "ProjectError", "RefreshKey", "RollingWindow", "Segment", "Serve", "Settings", "Source", "SourceTable", "TableTile",
    "Tile", "TimeRange", "Transform", "Trend", "View", "ViewCube", "find", "load", "problem", "schemas", "write_schemas",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'ingot.project' has no attribute '{name}'")
    return getattr(import_module(f"ingot.project.{_HOME[name]}"), name)
