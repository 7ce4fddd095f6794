"""Content keys in JSON, in paths and in filters.

In a path, elements are joined by dots and a dot inside an element is written as U+001D. From the first
empty element on, newer clients escape otherwise: elements are joined by two dots, and a dot followed by one
of `_ { } [` stands for one of `. / \\ %`.
"""

import re

from ingot.lake.metadata.document import array, obj, shown
from ingot.lake.model import Key
from ingot.lake.nessie.answer import Json, bad_request
from ingot.lake.nessie.fields import plain

_ESCAPES = {"_": ".", "{": "/", "}": "\\", "[": "%"}
_ESCAPE = re.compile(r"\.([_{}\[])")
_MOST = 20
"""Elements of a key; Nessie's own limit."""
_LONGEST = 500


def key_json(key: Key) -> Json:
    """The key as JSON."""
    return {"elements": list(key)}


def key_of(value: object, what: str = "'key'") -> Key:
    """The key in `{"elements": [...]}`."""
    elements = array(obj(value, what).get("elements"), f"'elements' of {what}")
    return _checked(tuple(plain(element, f"each element of {what}") for element in elements), value)


def from_path(text: str) -> Key:
    """The key that a path or a query parameter names."""
    plainly, mark, escaped = text.partition("..") if not text.startswith(".") else ("", ".", text[1:])
    elements = (
        [part.replace("\x1d", ".").replace("\0", ".") for part in plainly.split(".")] if plainly else []
    )
    if mark:
        elements += [_ESCAPE.sub(lambda at: _ESCAPES[at[1]], part) for part in escaped.split("..")]
    return _checked(tuple(elements), text)


def dotted(key: Key) -> str:
    """The key in one line, as paths write it: a dot inside an element is U+001D."""
    return ".".join(element.replace(".", "\x1d") for element in key)


def _checked(key: Key, given: object) -> Key:
    if not key or not all(key):
        raise bad_request(f"A content key needs elements, and none of them empty: {shown(given)}.")
    if len(key) > _MOST or sum(map(len, key)) > _LONGEST:
        raise bad_request(f"A content key has at most {_MOST} elements and {_LONGEST} characters.")
    return key
