"""Transformation: an ordinary dbt project, built and tested on a branch of the lake.

`engine_for(project)` gives a `TransformEngine`. Its first driver runs dbt-core in a worker process with
our own adapter (`ingot.transform.adapter`), whose materializations write Iceberg tables and views by
`lake.stage` and commit them to the branch, one commit a model. What becomes of the branch is the
pipeline's business; dbt never sees `main`.
"""

from typing import TYPE_CHECKING

from ingot.transform.errors import DbtProjectError, TransformError
from ingot.transform.model import BuildResult, NodeEvent, NodeResult, OnEvent
from ingot.transform.ports import NullTransform, TransformEngine

if TYPE_CHECKING:
    from ingot.project import Project

__all__ = [
    "BuildResult",
    "DbtProjectError",
    "NodeEvent",
    "NodeResult",
    "NullTransform",
    "OnEvent",
    "TransformEngine",
    "TransformError",
    "engine_for",
]


def engine_for(project: "Project") -> TransformEngine:
    """The engine that builds this project's transformations; use it as a context manager."""
    if project.transform is None:
        return NullTransform()
    from ingot.transform.dbt import DbtTransform  # noqa: PLC0415 - most commands build nothing

    return DbtTransform(project)
