"""The meaning of data: Cube's data model, questions in its members, and the SQL that answers them.

`compile_model` turns a project's cubes and views into an immutable `Model`. `Service` answers semantic
queries at any ref of the lake, in Cube's response formats; every surface asks through it, so that limits,
cache and (later) policy cannot differ. `check_project` compiles and also finds members of dashboards that do
not exist.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingot.semantic.answers.service import Service
    from ingot.semantic.compiler.compile import ModelCache, compile_model
    from ingot.semantic.compiler.dashboards import check_dashboards, check_project
    from ingot.semantic.errors import MemberError, QueryError
    from ingot.semantic.model import Model

_HOMES = {
    "MemberError": "errors",
    "Model": "model",
    "ModelCache": "compiler.compile",
    "QueryError": "errors",
    "Service": "answers.service",
    "check_dashboards": "compiler.dashboards",
    "check_project": "compiler.dashboards",
    "compile_model": "compiler.compile",
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
