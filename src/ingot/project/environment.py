"""`${VAR}` and `${VAR:-default}` in values, and the text type that remembers it came from outside.

A value from the environment may be a secret, so it is a `FromEnv`: it is the text for everybody who uses
it, but shows itself (repr, dump, message) as it is written in the file.
"""

import re
from collections.abc import Mapping
from typing import Any

_PART = re.compile(r"\$\$\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<rest>:-(?P<default>[^{}]*))?\}|\$\{")


class FromEnv(str):
    """Text that holds a value of the environment; `template` is how the file spells it."""

    __slots__ = ("template",)
    template: str

    def __new__(cls, value: str, template: str) -> "FromEnv":
        made = super().__new__(cls, value)
        made.template = template
        return made

    def __repr__(self) -> str:
        return repr(self.template)

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        return str.__str__(self), self.template


UNSET = "the environment variable "


class UnsetError(Exception):
    """A variable without a default is not set, or `${` is not well formed; the text says which."""


def interpolate(text: str, environ: Mapping[str, str]) -> str:
    """`text` with its variables filled in: a `FromEnv` if a value came from the environment.

    Raises:
        UnsetError: with the sentence that says what is wrong.
    """
    secret = False

    def fill(match: re.Match[str]) -> str:
        nonlocal secret
        name, default = match["name"], match["default"]
        if match[0] == "$${":
            return "${"
        if name is None:
            raise UnsetError(
                "'${' starts a variable, ${NAME} or ${NAME:-default}; for the characters themselves write '$${'"
            )
        value = environ.get(name)
        if value is not None and (value or default is None):
            secret = True
            return value
        if default is None:
            # Who comes from JavaScript models writes ${CUBE} by habit.
            meant = (
                f"; in a model the cube itself is {{{name}}}, without $" if name in ("CUBE", "TABLE") else ""
            )
            raise UnsetError(f"{UNSET}'{name}' is not set and ${{{name}}} has no default{meant}")
        return str(default)

    filled = _PART.sub(fill, text)
    return FromEnv(filled, text) if secret else filled


def shown(value: Any) -> str:
    """How a value may stand in a message: short, and never what came from the environment."""
    if isinstance(value, FromEnv):
        return value.template
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "…"


def concealed(value: Any) -> Any:
    """The value with every text from the environment replaced by its spelling in the file."""
    if isinstance(value, FromEnv):
        return value.template
    if isinstance(value, dict):
        return {key: concealed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return (
            type(value)(concealed(item) for item in value)
            if type(value) in (list, tuple)
            else [concealed(i) for i in value]
        )
    return value
