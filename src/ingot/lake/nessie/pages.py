"""Lists in pages: a token says which commit is being listed and what came last.

A page therefore continues what was begun, whatever is committed in between.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import orjson

from ingot.lake.nessie.answer import Json, bad_request
from ingot.lake.nessie.call import Call

T = TypeVar("T")
_MOST = 1_000_000_000


def size(call: Call) -> int | None:
    """How many items the client wants at most; None where it does not say."""
    asked = call.parameter("max-records", "maxRecords")
    if asked is None:
        return None
    if not (asked.isascii() and asked.isdigit() and len(asked) <= 10 and int(asked) <= _MOST):
        raise bad_request("'max-records' must be a whole number that is not negative.")
    return int(asked) or None


def token(call: Call, *, of: int) -> list[Any] | None:
    """What `encode` put into the token of the request, as `of` values; None on the first page."""
    given = call.parameter("page-token", "pageToken")
    if given is None:
        return None
    try:
        found = orjson.loads(base64.b64decode(given, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise bad_request("The page token is none that this server has given.") from error
    if not isinstance(found, list) or len(found) != of:
        raise bad_request("The page token is none that this server has given.")
    return found


def encode(*values: object) -> str:
    """A token for the next page."""
    return base64.urlsafe_b64encode(orjson.dumps(values)).decode()


def page(items: Sequence[T], most: int | None, next_: Callable[[T], str]) -> tuple[Sequence[T], Json]:
    """The first of the items, and the fields of the answer that say whether there are more."""
    if most is None or len(items) <= most:
        return items, {"hasMore": False, "token": None}
    return items[:most], {"hasMore": True, "token": next_(items[most - 1])}
