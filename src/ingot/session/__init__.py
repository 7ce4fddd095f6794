"""Ingot from Python: `ingot.open("path or URL")` gives a `Session`, the same beside the files and against a server.

A surface like the command line: what a question means is decided in `semantic`. Answers are Arrow tables, so
`pyarrow` is needed (`pip install 'ingot[arrow]'`); Polars and pandas only by who asks for theirs.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingot.session.answer import Answer
    from ingot.session.session import Member, Session, open_session

__all__ = ["Answer", "Member", "Session", "open_session"]
_HOMES = {"Answer": "answer", "Member": "session", "Session": "session", "open_session": "session"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ingot.session' has no attribute '{name}'")
    from importlib import import_module  # noqa: PLC0415 - `import ingot` loads none of it

    return getattr(import_module(f"ingot.session.{_HOMES[name]}"), name)
