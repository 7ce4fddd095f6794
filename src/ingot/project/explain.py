"""pydantic's errors about one spec -> problems: the place, our words, the nearest name, never a secret."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ingot.project.environment import shown
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
    kind, context = details["type"], details.get("ctx", {})
    called = spec.called(data)
    if kind == "missing":
        return Problem(data.marks.place, f"{called} has no '{path[-1]}'", f"the key '{path[-1]}'")
    place = locate(data, path)
    what = f"'{path[0]}' of {called}" if path else called
    value = shown(details["input"])
    if kind in ("literal_error", "enum", "union_tag_invalid"):
        given = details["input"]
        if kind == "union_tag_invalid":
            key = str(context["discriminator"]).strip("'")
            given = details["input"].get(key)
            place = locate(data, [*path, key])
            what = f"'{key}' of {what}"
        names = [
            n.strip(" '")
            for n in str(context.get("expected") or context.get("expected_tags"))
            .replace(" or ", ", ")
            .split(",")
        ]
        return problem(place, f"unknown value '{shown(given)}' for {what}", known=names, name=shown(given))
    if kind == "union_tag_not_found":
        key = str(context["discriminator"]).strip("'")
        return Problem(place, f"an entry in {what} has no '{key}'", f"the key '{key}'")
    if kind == "string_pattern_mismatch":
        return Problem(
            place, f"{what} cannot be '{value}'", _PATTERNS.get(context["pattern"], context["pattern"])
        )
    if kind in ("greater_than_equal", "less_than_equal", "greater_than", "less_than"):
        sign = {
            "greater_than_equal": "at least",
            "less_than_equal": "at most",
            "greater_than": "more than",
            "less_than": "less than",
        }
        bound = next(v for k, v in context.items() if k in ("ge", "le", "gt", "lt"))
        return Problem(place, f"{what} cannot be {value}", f"{sign[kind]} {bound}")
    if kind in _EXPECTED:
        hint = (
            "; put quotes round it"
            if kind == "string_type" and isinstance(details["input"], bool | None)
            else ""
        )
        return Problem(place, f"{what} cannot be {_kind(details['input'], value)}", _EXPECTED[kind] + hint)
    if kind == "ingot":
        return problem(
            place,
            f"{what} {context['message']}",
            expected=context.get("expected"),
            known=context.get("known", ()),
            name=value,
        )
    if kind in ("too_short", "too_long"):
        wanted = f"at {'least' if kind == 'too_short' else 'most'} {context.get('min_length') or context.get('max_length')}"
        return Problem(place, f"{what} has {context['actual_length']} entries", wanted)
    if kind == "string_too_long":
        return Problem(place, f"{what} is too long", f"at most {context['max_length']} characters")
    return Problem(place, f"{what} cannot be {_kind(details['input'], value)}: {details['msg']}")


def _kind(value: Any, text: str) -> str:
    if isinstance(value, Map | Seq | dict | list | tuple) or value is None or isinstance(value, bool):
        return text
    return f"'{text}'"


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
