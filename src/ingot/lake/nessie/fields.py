"""Fields of JSON bodies that Nessie lets be absent or null, read with their types checked."""

from ingot.lake.metadata.document import obj, shown, strings
from ingot.lake.nessie.answer import Json, bad_request


def plain(value: object, what: str) -> str:
    """`value` as a string that every state database can keep."""
    if not isinstance(value, str):
        raise bad_request(f"{what} must be a string, not {shown(value)}.")
    if "\0" in value:
        raise bad_request(f"{what} holds a NUL character.")
    return value


def maybe(body: Json, name: str) -> str | None:
    """A string, or None where the field is absent, null or empty."""
    value = body.get(name)
    return None if value is None else plain(value, f"'{name}'") or None


def flag(body: Json, name: str) -> bool:
    """A truth value; false where the field is absent or null."""
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise bad_request(f"'{name}' must be true or false, not {shown(value)}.")
    return value is True


def listed(body: Json, name: str) -> list[object]:
    """A list; empty where the field is absent or null."""
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise bad_request(f"'{name}' must be a list, not {shown(value)}.")
    return value


def mapped(body: Json, name: str) -> dict[str, str]:
    """An object of strings; empty where the field is absent or null."""
    value = body.get(name)
    if value is None:
        return {}
    return {
        plain(key, f"a key of '{name}'"): plain(item, f"'{key}' of '{name}'")
        for key, item in strings(obj(value, f"'{name}'"), f"'{name}'").items()
    }
