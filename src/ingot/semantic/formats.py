"""How values are shown: the names and patterns that a model may use, and how `/meta` writes them."""

import re
from typing import Any

NAMED = ("percent", "currency", "number", "id", "abbr", "accounting", "imageUrl", "link")
"""Formats by name; those of numbers may end in `_` and the number of decimals, such as `percent_2`."""

_DECIMALS = re.compile(r"(percent|currency|number|abbr|accounting|decimal)_(\d{1,2})")
_D3 = re.compile(r"(?:(.)?[<>=^])?[-+( ]?[$#]?0?\d*,?(?:\.\d+)?~?[%a-zA-Z]?")
_TIME = re.compile(r"%[-_0]?[aAbBcdefgGHIjLmMpqQsSuUVwWxXyYZ%]")
_TYPES = "%bcdefgnoprsXx"
_PATTERNS = {
    "percent": ".{n}%", "currency": "$,.{n}f", "number": ",.{n}f", "abbr": ".{n}s", "accounting": "(,.{n}f",
    "decimal": ",.{n}f",
}  # fmt: skip


def problem(value: Any, kind: str | None) -> str | None:
    """Why a format cannot be used for values of the type `kind`; None where it can."""
    if value is not None and not isinstance(value, str):
        pattern: str = value.value or ""
        wrong = {"custom-time": not is_time(pattern), "custom-numeric": not is_number(pattern)}
        if wrong.get(value.type):
            return f"a format of type {value.type} needs a 'value', such as '%Y-%m' or '.2f'"
        return None
    known = value is None or value in NAMED or _DECIMALS.fullmatch(value) or is_time(value)
    if known or (kind != "time" and isinstance(value, str) and is_number(value)):
        return None
    return f"'{value}' is no format for a {kind}"


def is_number(pattern: str) -> bool:
    """Whether it is a pattern of d3-format, such as `,.2f`."""
    if not pattern or not _D3.fullmatch(pattern):
        return False
    return not pattern[-1].isalpha() or pattern[-1] in _TYPES


def is_time(pattern: str) -> bool:
    """Whether it is a pattern of d3-time-format or strftime, such as `%d.%m.%Y`."""
    return bool(_TIME.search(pattern)) and "%" not in _TIME.sub("", pattern)


def described(value: Any) -> Any:
    """The format as Cube's clients expect it: a plain name, or an object with a pattern."""
    if value is None:
        return None
    if not isinstance(value, str):
        return {key: part for key in ("type", "label", "value") if (part := getattr(value, key)) is not None}
    if value in ("abbr", "accounting"):
        return {
            "type": "custom-numeric",
            "value": {"abbr": ".2s", "accounting": "(,.2f"}[value],
            "alias": value,
        }
    if value in NAMED:
        return value
    named = _DECIMALS.fullmatch(value)
    if named is not None:
        pattern = _PATTERNS[named.group(1)].format(n=int(named.group(2)))
        return {"type": "custom-numeric", "value": pattern, "alias": value}
    return {
        "type": "custom-time" if is_time(value) and not is_number(value) else "custom-numeric",
        "value": value,
    }
