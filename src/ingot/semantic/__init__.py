"""The meaning of data: Cube's data model, questions in its members, and the SQL that answers them.

`compile_model` turns a project's cubes and views into an immutable `Model`. `Service` answers semantic
queries at any ref of the lake, in Cube's response formats; every surface asks through it, so that limits,
cache and (later) policy cannot differ. `check_project` compiles and also finds members of dashboards that do
not exist.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingot.semantic.compile import ModelCache, compile_model
    from ingot.semantic.dashboards import check_dashboards, check_project
    from ingot.semantic.errors import MemberError, QueryError
    from ingot.semantic.model import Model
    from ingot.semantic.service import Service

_HOMES = {
    "MemberError": "errors",
    "Model": "model",
    "ModelCache": "compile",
    "QueryError": "errors",
    "Service": "service",
    "check_dashboards": "dashboards",
    "check_project": "dashboards",
    "compile_model": "compile",
}

__all__ = [
    "MemberError",
    "Model",
    "ModelCache",
    "QueryError",
    "Service",
    "check_dashboards",
    "check_project",
    "compile_model",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ingot.semantic' has no attribute '{name}'")
    return getattr(import_module(f"ingot.semantic.{_HOMES[name]}"), name)
