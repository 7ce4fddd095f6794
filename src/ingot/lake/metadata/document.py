"""Reading values out of JSON that came from outside, with a clear error for each wrong shape.

Every function returns the value with its type checked, or raises `InvalidMetadataError` that names the
key, what was expected and what was found.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from ingot.lake.metadata.errors import InvalidMetadataError

Json = dict[str, Any]
"""A JSON object as parsed: the documents of this room are kept in the form in which they are stored."""

_LONG = 2**63


def shown(value: object) -> str:
    """The value as a reader should see it in an error: short, whatever was sent."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def obj(value: object, what: str) -> Json:
    """`value` as a JSON object."""
    if not isinstance(value, dict):
        raise InvalidMetadataError(f"{what} must be a JSON object, not {shown(value)}.")
    return value


def array(value: object, what: str) -> list[Any]:
    """`value` as a JSON array."""
    if not isinstance(value, list):
        raise InvalidMetadataError(f"{what} must be a JSON array, not {shown(value)}.")
    return value


def number(value: object, what: str, *, least: int = -_LONG) -> int:
    """`value` as a 64-bit whole number that is not below `least`."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value < _LONG:
        bound = "" if least == -_LONG else f" of at least {least}"
        raise InvalidMetadataError(f"{what} must be a whole number{bound}, not {shown(value)}.")
    return value


def text(value: object, what: str) -> str:
    """`value` as a string that is not empty."""
    if not isinstance(value, str) or not value:
        raise InvalidMetadataError(f"{what} must be a non-empty string, not {shown(value)}.")
    return value


def strings(value: object, what: str) -> dict[str, str]:
    """`value` as an object whose values are all strings."""
    found = obj(value, what)
    for key, item in found.items():
        if not isinstance(item, str):
            raise InvalidMetadataError(f"{what}: the value of '{key}' must be a string, not {shown(item)}.")
    return found


def numbers(value: object, what: str) -> list[int]:
    """`value` as an array of whole numbers."""
    return [number(item, f"each of {what}") for item in array(value, what)]


def texts(value: object, what: str) -> list[str]:
    """`value` as an array of non-empty strings."""
    return [text(item, f"each of {what}") for item in array(value, what)]


def only(value: object, allowed: Iterable[str], what: str) -> str:
    """`value` as one of the `allowed` strings."""
    names = tuple(allowed)
    if not isinstance(value, str) or value not in names:
        raise InvalidMetadataError(f"{what} must be one of {', '.join(names)}, not {shown(value)}.")
    return value


def duplicates(values: Iterable[Any]) -> list[Any]:
    """The values that occur more than once, each once, in order."""
    seen: set[Any] = set()
    again: dict[Any, None] = {}
    for value in values:
        if value in seen:
            again[value] = None
        seen.add(value)
    return list(again)


def by_id(items: Iterable[Mapping[str, Any]], key: str) -> dict[int, Any]:
    """The items under the number that `key` holds in each."""
    return {item[key]: item for item in items}
