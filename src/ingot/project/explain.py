"""pydantic's errors about one spec -> problems: the place, our words, the nearest name, never a secret."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ingot.project.environment import FromEnv, shown
from ingot.project.place import Place
from ingot.project.problem import Problem, problem
from ingot.project.tree import Map, Seq

if TYPE_CHECKING:
    from ingot.project.spec import Spec

_EXPECTED = {
    "string_type": "text",
    "model_type": "a mapping of keys to values",
    "dict_type": "a mapping of keys to values",
    "mapping_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
    "tuple_type": "a list",
    "list_type": "a list",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "number_type": "a number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_too_short": "text that is not empty",
}
_PATTERNS = {
    r"^[^\x00-\x1f]+$": "a path: text that is not empty and has no control characters",
    r"^[^\x00-\x1f\x7f]+$": "a name without control characters",
    r"^[A-Za-z_][A-Za-z0-9_]*$": "a name of letters, digits and _ that does not start with a digit",
    r"^[A-Za-z0-9_][A-Za-z0-9_-]*$": "a name of letters, digits, _ and -",
    r"^[A-Za-z_][A-Za-z0-9_]*\.[A-Za-z_][A-Za-z0-9_]*$": "a member such as orders.total_revenue",
}


def explain(spec: type["Spec"], data: Map, error: ValidationError) -> list[Problem]:
    """The problems of `error`, which arose when `data` was validated as `spec`."""
    found = []
    for details in error.errors(include_url=False):
        if details["type"] == "reported":
            continue
        # Tags of unions (<text>) are pydantic's steps, not the file's.
        path = [part for part in details["loc"] if not (isinstance(part, str) and part.startswith("<"))]
        found.append(_one(spec, data, path, details))
    return found


def _one(spec: type["Spec"], data: Map, path: Sequence[Any], details: ErrorDetails) -> Problem:
    kind = details["type"]
    called = spec.called(data)
    if kind == "missing":
        if isinstance(path[-1], int):
            return Problem(
                locate(data, path), f"'{path[0]}' of {called} has too few entries", f"more than {path[-1]}"
            )
        return Problem(data.marks.place, f"{called} has no '{path[-1]}'", f"the key '{path[-1]}'")
    place = locate(data, path)
    what = f"'{path[0]}' of {called}" if path else called
    if kind in ("literal_error", "union_tag_invalid", "union_tag_not_found"):
        return _choice(place, what, data, path, details)
    context, given = details.get("ctx", {}), details["input"]
    if kind in ("too_short", "too_long"):
        bound = (
            f"at least {context['min_length']}" if kind == "too_short" else f"at most {context['max_length']}"
        )
        return Problem(place, f"{what} has {_counted(context['actual_length'])}", bound)
    if kind == "string_type" and (given is None or isinstance(given, bool)):
        return Problem(place, f"{what} cannot be {_kind(given)}", "text; put quotes round it")
    return Problem(place, f"{what} cannot be {_kind(given)}", _expected(kind, context, details))


def _choice(place: Place, what: str, data: Map, path: Sequence[Any], details: ErrorDetails) -> Problem:
    """The problem of a value that is none of a few words."""
    context, given = details.get("ctx", {}), details["input"]
    key = str(context.get("discriminator", "")).strip("'")
    if details["type"] == "union_tag_not_found":
        return Problem(place, f"an entry in {what} has no '{key}'", f"the key '{key}'")
    if key:
        place, what, given = locate(data, [*path, key]), f"'{key}' of {what}", given.get(key)
    said = str(context.get("expected") or context.get("expected_tags"))
    words = [word.strip(" '") for word in said.replace(" or ", ",").split(",")]
    return problem(place, f"unknown value '{shown(given)}' for {what}", known=words, name=shown(given))


def _expected(kind: str, context: dict[str, Any], details: ErrorDetails) -> str:
    if kind in _EXPECTED:
        return _EXPECTED[kind]
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(context["pattern"], str(context["pattern"]))
    if kind == "string_too_long":
        return f"at most {context['max_length']} characters"
    if kind == "greater_than_equal":
        return f"at least {context['ge']}"
    if kind == "less_than_equal":
        return f"at most {context['le']}"
    return "something else" if isinstance(details["input"], FromEnv) else str(details["msg"])


def _kind(value: Any) -> str:
    if value is None or isinstance(value, dict | list | tuple | bool):
        return shown(value)
    return f"'{shown(value)}'"


def locate(data: Any, path: Sequence[Any]) -> Place:
    """The place of the value at `path` below `data`, or of the deepest part of it that exists."""
    place: Place = data.marks.place
    for part in path:
        if isinstance(data, Map) and part in data:
            place, data = data.marks.value(part), data[part]
        elif isinstance(data, Map) and isinstance(part, int) and part < len(data):
            key = list(data)[part]
            place, data = data.marks.value(key), data[key]
        elif isinstance(data, Seq) and isinstance(part, int) and part < len(data):
            place, data = Place(data.file, *data.marks[part]), data[part]
        else:
            break
    return place


def _counted(number: int) -> str:
    return f"{number} {'entry' if number == 1 else 'entries'}"
