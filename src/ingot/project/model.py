"""The one immutable model of a project that every other room works from."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingot.project.auth import Auth
from ingot.project.cube import Cube, View
from ingot.project.dashboard import Dashboard
from ingot.project.environment import concealed
from ingot.project.model_parts import ModelParts
from ingot.project.settings import Engine, LakeSettings, SemanticSettings, Serve, TransformSettings
from ingot.project.source import Source
from ingot.project.spec import Spec


@dataclass(frozen=True, slots=True)
class Transform:
    """The dbt project that builds the tables; `path` is its absolute folder."""

    path: Path = field(repr=False)  # may hold a value of the environment; `settings` shows how it is written
    vars: Mapping[str, Any]
    threads: int = field(repr=False)
    settings: TransformSettings = field(default_factory=TransformSettings)


@dataclass(frozen=True, slots=True)
class Semantic:
    """Where the semantic model's files are; `path` is their absolute folder."""

    path: Path = field(repr=False)
    settings: SemanticSettings = field(default_factory=SemanticSettings)


@dataclass(frozen=True, slots=True)
class Project:
    """Everything that the project's files say, with all defaults filled in.

    Attributes:
        root: the absolute folder with `ingot.yml`.
        profile: the name of the chosen environment.
        state_dir: the folder of everything that Ingot keeps, `.ingot` below the root.
        catalog_url: SQLAlchemy URL of the lake's catalog.
        ops_url: SQLAlchemy URL of the database of runs and jobs.
        warehouse: absolute folder or URI of the tables' data.
        transform: None where there is no dbt project.
        auth: None where everybody may ask.
        users: the file of those who log in with a password, where there is to be one.
        files: the files that were read, absolute, in reading order.
        parts: the model's files as they were read; None in another process than that which read them.
    """

    root: Path
    name: str
    profile: str
    state_dir: Path
    catalog_url: str
    ops_url: str
    warehouse: str
    lake: LakeSettings
    engine: Engine
    serve: Serve
    sources: tuple[Source, ...]
    transform: Transform | None
    semantic: Semantic
    cubes: tuple[Cube, ...]
    views: tuple[View, ...]
    dashboards: tuple[Dashboard, ...]
    files: tuple[Path, ...]
    auth: Auth | None = None
    users: Path | None = None
    parts: ModelParts | None = field(default=None, repr=False, compare=False)

    def dump(self) -> dict[str, Any]:
        """The project for machines: plain JSON values, the environment's values as the files spell them."""
        shown = [each.name for each in dataclasses.fields(self) if each.name != "parts"]
        return {name: _plain(getattr(self, name)) for name in shown}


def _plain(value: Any) -> Any:
    if isinstance(value, Spec):
        return value.model_dump(mode="json")
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Transform | Semantic):
        return _plain(value.settings)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return concealed(value)
