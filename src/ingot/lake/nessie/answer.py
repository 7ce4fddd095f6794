"""What goes back to a client: JSON with a status, and every refusal in Nessie's shape with its error code."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson
from starlette.responses import Response

from ingot.errors import ConflictError, IngotError, NotFoundError
from ingot.lake.errors import CommitConflictError, ProtectedRefError
from ingot.lake.model import Conflict, Key

Json = dict[str, Any]

_CODES: tuple[tuple[type[IngotError], int, str], ...] = (
    (ProtectedRefError, 403, "FORBIDDEN"),
    (ConflictError, 409, "REFERENCE_CONFLICT"),
    (NotFoundError, 404, "REFERENCE_NOT_FOUND"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and, unless there is nothing to say, a JSON body."""

    body: Json | None = None
    status: int = 200

    def response(self) -> Response:
        """The answer as Starlette sends it."""
        if self.body is None:
            return Response(status_code=self.status)
        return Response(orjson.dumps(self.body), status_code=self.status, media_type="application/json")


class NessieError(IngotError):
    """A refusal whose error code Nessie's clients look at."""

    def __init__(self, status: int, error_code: str, message: str, details: Json | None = None) -> None:
        super().__init__(message)
        self.http_status = status
        self.error_code = error_code
        self.details = details


def bad_request(message: str) -> NessieError:
    """A request that makes no sense."""
    return NessieError(400, "BAD_REQUEST", message)


def no_content(key: Key, ref: str) -> NessieError:
    """A key that holds nothing."""
    return NessieError(
        404,
        "CONTENT_NOT_FOUND",
        f"There is no content for key '{'.'.join(key)}' in reference '{ref}'.",
        {"type": "CONTENT_KEY", "contentKey": {"elements": list(key)}},
    )


def refusal(error: IngotError) -> Answer:
    """The error as Nessie would tell it."""
    if isinstance(error, NessieError):
        return problem(error.http_status, error.error_code, error.message, error.details)
    if isinstance(error, CommitConflictError):
        return problem(409, "REFERENCE_CONFLICT", error.message, conflict_details(error.conflicts))
    for known, status, error_code in _CODES:
        if isinstance(error, known):
            # Without the hint, which names commands that the users of other programs need not have.
            return problem(status, error_code, error.message)
    if error.status >= 500:
        return problem(503, "SERVICE_UNAVAILABLE", str(error))
    return problem(400, "BAD_REQUEST", str(error))


def conflict_details(conflicts: Sequence[Conflict]) -> Json:
    """Every key of a conflict and its reason."""
    return {"type": "REFERENCE_CONFLICTS", "conflicts": [conflict_json(one) for one in conflicts]}


def conflict_json(conflict: Conflict) -> Json:
    """One conflict."""
    return {
        "conflictType": conflict.type.value,
        "key": {"elements": list(conflict.key)} if conflict.key else None,
        "message": conflict.message,
    }


def problem(status: int, error_code: str, message: str, details: Json | None = None) -> Answer:
    """An error answer."""
    body: Json = {
        "status": status,
        "reason": HTTPStatus(status).phrase,
        "message": message,
        "errorCode": error_code,
    }
    if details is not None:
        body["errorDetails"] = details
    return Answer(body, status)
