"""Lists in pages: a token names the last item seen, so that a page stays right while others write."""

import base64
import binascii
from collections.abc import Iterable, Mapping

from ingot.lake.model import Key
from ingot.lake.rest.answer import RestError


def page(keys: Iterable[Key], query: Mapping[str, str]) -> tuple[list[Key], str | None]:
    """The asked page of the sorted keys, and the token of the next one.

    Without `pageSize` everything comes at once, as the specification asks.
    """
    ordered = sorted(keys)
    token = query.get("pageToken") or query.get("page-token")
    if token:
        after = _decode(token)
        ordered = [key for key in ordered if key > after]
    size = _size(query.get("pageSize") or query.get("page-size"))
    if size is None or len(ordered) <= size:
        return ordered, None
    return ordered[:size], _encode(ordered[size - 1])


def _size(asked: str | None) -> int | None:
    if asked is None:
        return None
    if not (asked.isascii() and asked.isdigit() and len(asked) < 10 and int(asked) > 0):
        raise RestError(400, "BadRequestException", "pageSize must be a positive whole number.")
    return int(asked)


def _encode(key: Key) -> str:
    return base64.urlsafe_b64encode("\x1f".join(key).encode()).decode()


def _decode(token: str) -> Key:
    try:
        return tuple(base64.b64decode(token, altchars=b"-_", validate=True).decode().split("\x1f"))
    except (binascii.Error, ValueError) as error:
        raise RestError(
            400, "BadRequestException", "pageToken is none that this server has given."
        ) from error
