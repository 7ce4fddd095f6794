"""The COMPILE_CONTEXT that templates and SQL snippets read, and which of its parts they did read.

A model is made of the parts of a context that were looked at, so that two contexts with the same parts can
share one model: `Reads.of` gives these parts as a key.
"""

from collections.abc import Iterator, Mapping
from typing import Any

SECURITY = ("securityContext", "security_context")
_ABSENT = "absent"
_MAPPING = "mapping"

Path = tuple[str, ...]


class ContextError(Exception):
    """A value of the compile context that cannot stand in a model; the text says which and why."""


class Reads:
    """The parts of a compile context that were read."""

    def __init__(self) -> None:
        self._seen: set[tuple[Path, bool]] = set()

    def note(self, path: Path, *, whole: bool = False) -> None:
        """A value was read; of a mapping only that it is one, unless `whole`."""
        self._seen.add((path, whole))

    def __bool__(self) -> bool:
        return bool(self._seen)

    def add(self, other: "Reads") -> None:
        """What was read for another part of the same model."""
        self._seen |= other.paths

    @property
    def paths(self) -> frozenset[tuple[Path, bool]]:
        """What was read, as it can be compared."""
        return frozenset(self._seen)


def values_at(security: Mapping[str, Any], paths: frozenset[tuple[Path, bool]]) -> frozenset[Any]:
    """What stands at these paths of a context: equal for contexts that make the same model."""
    return frozenset((path, whole, _value(security, path, whole)) for path, whole in paths)


def _value(security: Mapping[str, Any], path: Path, whole: bool) -> Any:
    value: Any = security
    for name in path:
        if not isinstance(value, Mapping) or name not in value:
            return _ABSENT
        value = value[name]
    if isinstance(value, Mapping) and not whole:
        return _MAPPING
    return repr(_sorted(value))


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _sorted(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, list | tuple):
        return [_sorted(item) for item in value]
    return value


class Part(Mapping[str, Any]):
    """A mapping of the compile context that notes what is read of it.

    With `text`, what is read becomes text of a file: such a value may start no line and no variable.
    """

    __slots__ = ("_path", "_reads", "_text", "_value")

    def __init__(self, value: Mapping[str, Any], reads: Reads, path: Path = (), *, text: bool = True) -> None:
        self._value = value
        self._reads = reads
        self._path = path
        self._text = text

    def __getitem__(self, key: str) -> Any:
        if not self._path and key in SECURITY and key not in self._value:
            return self
        path = (*self._path, key)
        self._reads.note(path)
        found = self._value[key]
        if isinstance(found, Mapping):
            return Part(found, self._reads, path, text=self._text)
        return _safe(found, path) if self._text else found

    def __contains__(self, key: object) -> bool:
        if not self._path and key in SECURITY:
            return True
        self._reads.note((*self._path, str(key)))
        return key in self._value

    def __iter__(self) -> Iterator[str]:
        self._reads.note(self._path, whole=True)
        return iter(self._value)

    def __len__(self) -> int:
        self._reads.note(self._path, whole=True)
        return len(self._value)

    def __repr__(self) -> str:
        return repr(self.plain())

    def plain(self) -> dict[str, Any]:
        """All of it as a plain mapping."""
        self._reads.note(self._path, whole=True)
        found: dict[str, Any] = _safe(self._value, self._path)
        return found


def _safe(value: Any, path: Path) -> Any:
    """A value as it may stand in a file: it starts no line and no variable of the environment."""
    if isinstance(value, str):
        if not value.isprintable():
            raise ContextError(
                f"COMPILE_CONTEXT.{'.'.join(path)} holds a line break or another control character"
            )
        # Filled in later, `${NAME}` would show a secret of the server to whom the context belongs.
        return value.replace("${", "$${") if "${" in value else value
    if isinstance(value, Mapping):
        return {str(key): _safe(item, (*path, str(key))) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_safe(item, path) for item in value]
    return value
