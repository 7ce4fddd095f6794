"""What the worker is asked and what it answers: one JSON object a line.

Requests are `prepare` and `build`, each with a `BuildRequest`; answers are `ready`, `event`, `result` and
`error`. Nothing here imports dbt: both ends use it.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import IO, Any, Literal, Self

from ingot.errors import IngotError
from ingot.transform.errors import DbtProjectError, TransformError


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """All that the worker needs to know of a project, a lake and a build."""

    dbt_root: str
    profile: str
    """Name of the dbt profile that the project asks for."""
    state_dir: str
    """Folder of dbt's own files: the profile, `target/`, `logs/`."""
    target: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    threads: int = 1
    catalog_url: str = ""
    warehouse: str = ""
    branch: str = ""
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    full_refresh: bool = False
    completed: tuple[str, ...] = ()

    def to_message(self) -> dict[str, Any]:
        """The request as plain JSON values."""
        return asdict(self)

    @classmethod
    def of_message(cls, message: Mapping[str, Any]) -> Self:
        """The request that `to_message` described."""
        lists = {name: tuple(message[name]) for name in ("select", "exclude", "completed")}
        return cls(**{**message, **lists})


@dataclass(frozen=True, slots=True)
class Message:
    """One line of the channel."""

    what: Literal["prepare", "build", "ready", "event", "result", "error"]
    body: Mapping[str, Any] = field(default_factory=dict)


def write(stream: IO[bytes], message: Message) -> None:
    """Sends a message; the caller sees to it that only one is sent at a time."""
    stream.write(json.dumps([message.what, message.body], default=str).encode() + b"\n")
    stream.flush()


def read(stream: IO[bytes]) -> Message | None:
    """The next message; None where the other end is gone."""
    line = stream.readline()
    if not line.endswith(b"\n"):
        return None
    what, body = json.loads(line)
    return Message(what, body)


def describe_error(error: IngotError) -> dict[str, Any]:
    """An error as plain JSON values, which `revive_error` understands."""
    body: dict[str, Any] = {"message": error.message, "hint": error.hint}
    if isinstance(error, DbtProjectError):
        body |= {"file": error.file, "line": error.line}
    return body


def revive_error(body: Mapping[str, Any]) -> TransformError:
    """The error that the worker met."""
    if "file" not in body:
        return TransformError(body["message"], hint=body["hint"])
    error = DbtProjectError("", file=body["file"], line=body["line"], hint=body["hint"])
    error.message = body["message"]
    return error
