"""One request as the endpoints see it: names from its path, its query, and its JSON body."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import orjson

from ingot.lake.nessie.answer import Json, bad_request
from ingot.lake.nessie.ports import Lake

_DEEPEST = 200
_BOOLEANS = {"true": True, "false": False, "": False}


@dataclass(frozen=True)
class Call:
    """One request, its body read."""

    lake: Lake
    version: int
    """Of the API: 1 or 2. The same thing is written differently in the two."""
    path: Mapping[str, str]
    query: Mapping[str, Sequence[str]]
    raw: bytes

    def parameter(self, *names: str) -> str | None:
        """The first value of a query parameter, under whichever name; None where it is absent or empty."""
        for name in names:
            if self.query.get(name):
                return self.query[name][0] or None
        return None

    def flag(self, name: str) -> bool:
        """A query parameter that is true or false."""
        value = (self.parameter(name) or "").lower()
        if value not in _BOOLEANS:
            raise bad_request(f"'{name}' must be true or false.")
        return _BOOLEANS[value]

    @property
    def fetch_all(self) -> bool:
        """Whether more than the least was asked for."""
        value = (self.parameter("fetch") or "MINIMAL").upper()
        if value not in ("MINIMAL", "ALL"):
            raise bad_request("'fetch' must be MINIMAL or ALL.")
        return value == "ALL"

    @cached_property
    def body(self) -> Json:
        """The JSON object in the body; 400 where there is none."""
        try:
            found = orjson.loads(self.raw)
        except orjson.JSONDecodeError as error:
            raise bad_request(f"The body is not JSON: {error}") from error
        if not isinstance(found, dict):
            raise bad_request("The body must be a JSON object.")
        if not _shallow(found):
            raise bad_request(f"The body is nested deeper than {_DEEPEST} levels.")
        return found


def _shallow(value: object) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        inner: list[object] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
        if not inner:
            return True
        level = inner
    return False
