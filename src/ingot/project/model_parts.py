"""The files of the semantic model as they were read: what a project needs to make its model for another context.

Kept from one good reading, so that a file that is edited later cannot change what other askers get.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingot.project.cube import ModelFile
from ingot.project.model_files import ModelFiles, Names
from ingot.project.rendering.compile_context import Reads
from ingot.project.rendering.templates import Templates


@dataclass(frozen=True, slots=True)
class Plain:
    """A file that is the same for everybody; `file` is None where it has problems."""

    names: Names
    file: ModelFile | None


@dataclass(frozen=True, slots=True)
class Template:
    """A file that Jinja makes; `name` is how places name it, `template` its path below the folder."""

    path: Path
    name: str
    template: str
    text: str = field(repr=False)


@dataclass(frozen=True)
class ModelParts:
    """All files in their order, and what their templates read of the compile context when the project was read."""

    parts: tuple[Plain | Template, ...] = field(repr=False)
    templates: Templates = field(repr=False)
    environ: Mapping[str, str] = field(repr=False)
    kept: ModelFiles = field(repr=False)
    reads: Reads = field(repr=False)
    security: Mapping[str, Any] = field(repr=False)
    """The context that the project was read for."""

    def __reduce__(self) -> tuple[type[None], tuple[()]]:
        # Another process gets the project without what only this one's functions can make.
        return type(None), ()
