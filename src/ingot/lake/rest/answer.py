"""What goes back to a client: a status with a JSON body, and every error in the shape of the specification."""

from dataclasses import dataclass
from typing import Any

import orjson
from starlette.responses import Response

from ingot.errors import ConflictError, IngotError, NotFoundError
from ingot.lake.errors import ProtectedRefError


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and, unless there is nothing to say, a JSON body."""

    status: int = 200
    body: dict[str, Any] | None = None

    def response(self) -> Response:
        """The answer as Starlette sends it."""
        if self.body is None:
            return Response(status_code=self.status)
        return Response(orjson.dumps(self.body), status_code=self.status, media_type="application/json")


class RestError(IngotError):
    """A refusal that has a type name of its own in the specification, which clients look at."""

    code = "iceberg_rest"

    def __init__(self, status: int, type_: str, message: str) -> None:
        super().__init__(message)
        self.http_status = status
        self.type = type_


def no_namespace(name: str) -> RestError:
    """404 for a namespace."""
    return RestError(404, "NoSuchNamespaceException", f"There is no namespace '{name}'.")


def exists(what: str, name: str) -> RestError:
    """409 for something that is to be created and is there."""
    return RestError(409, "AlreadyExistsException", f"There is already a {what} '{name}'.")


def refusal(error: IngotError) -> Answer:
    """The error as the specification wants it told."""
    if isinstance(error, RestError):
        return problem(error.http_status, error.type, error.message)
    if isinstance(error, ProtectedRefError):
        return problem(error.status, "ForbiddenException", str(error))
    if isinstance(error, ConflictError):
        return problem(error.status, "CommitFailedException", str(error))
    if isinstance(error, NotFoundError):
        return problem(error.status, "NotFoundException", str(error))
    if error.status >= 500:
        return problem(error.status, "ServiceUnavailableException", str(error))
    return problem(error.status, "BadRequestException", str(error))


def problem(status: int, type_: str, message: str) -> Answer:
    """An error answer."""
    return Answer(status, {"error": {"message": message, "type": type_, "code": status}})
