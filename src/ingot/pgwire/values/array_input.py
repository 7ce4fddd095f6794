"""Arrays that clients send: `{1,NULL,"a b"}` and the binary form, as lists in lists."""

import struct
from collections.abc import Callable
from typing import Any

from ingot.pgwire.errors import PgError

_DEEPEST = 6


def text(source: str, read: Callable[[str], Any]) -> list[Any]:
    """The list that an array's text says. Raises `PgError` (22P02) where it is malformed."""
    reader = _Text(source, read)
    return reader.whole()


class _Text:
    def __init__(self, source: str, read: Callable[[str], Any]) -> None:
        self._source = source
        self._read = read
        self._at = 0

    def whole(self) -> list[Any]:
        self._space()
        if self._peek() == "[":  # bounds: [1:2]={…}
            end = self._source.find("=", self._at)
            if end < 0:
                raise self._malformed('Missing "=" after array dimensions.')
            self._at = end + 1
            self._space()
        if self._peek() != "{":
            raise self._malformed('Array value must start with "{" or dimension information.')
        made = self._list(1)
        self._space()
        if self._at != len(self._source):
            raise self._malformed("Junk after closing right brace.")
        _depths(made, self._malformed)
        return made

    def _list(self, depth: int) -> list[Any]:
        if depth > _DEEPEST:
            raise PgError(
                f"number of array dimensions exceeds the maximum allowed ({_DEEPEST})", sqlstate="54000"
            )
        self._at += 1
        made: list[Any] = []
        self._space()
        if self._peek() == "}":
            self._at += 1
            return made
        while True:
            self._space()
            made.append(self._list(depth + 1) if self._peek() == "{" else self._element())
            self._space()
            mark = self._peek()
            self._at += 1
            if mark == "}":
                return made
            if mark != ",":
                raise self._malformed("Unexpected array element.")

    def _element(self) -> Any:
        if self._peek() == '"':
            return self._read(self._quoted())
        made: list[str] = []
        bare = True
        while (mark := self._peek()) not in (",", "}"):
            if mark in ("", "{", '"'):
                raise self._malformed(
                    "Unexpected end of input." if not mark else f'Unexpected "{mark}" character.'
                )
            if mark == "\\":
                bare = False
                self._at += 1
                mark = self._peek()
            made.append(mark)
            self._at += 1
        word = "".join(made)
        word = word.rstrip(" \t\n\r\v\f") if bare else word
        if not word:
            raise self._malformed(f'Unexpected "{self._peek()}" character.')
        return None if bare and word.upper() == "NULL" else self._read(word)

    def _quoted(self) -> str:
        self._at += 1
        made: list[str] = []
        while (mark := self._peek()) != '"':
            if mark == "\\":
                self._at += 1
                mark = self._peek()
            if not mark:
                raise self._malformed("Unexpected end of input.")
            made.append(mark)
            self._at += 1
        self._at += 1
        return "".join(made)

    def _space(self) -> None:
        while self._peek() in (" ", "\t", "\n", "\r", "\v", "\f"):
            self._at += 1

    def _peek(self) -> str:
        return self._source[self._at : self._at + 1]

    def _malformed(self, detail: str) -> PgError:
        return PgError(f'malformed array literal: "{self._source}"', sqlstate="22P02", detail=detail)


def _depths(made: list[Any], malformed: Callable[[str], PgError]) -> tuple[int, ...]:
    """The lengths of all dimensions, which must be the same everywhere."""
    inner = [each for each in made if isinstance(each, list)]
    if not inner:
        return (len(made),)
    shapes = {_depths(each, malformed) for each in inner}
    if len(inner) != len(made) or len(shapes) != 1:
        raise malformed("Multidimensional arrays must have sub-arrays with matching dimensions.")
    return (len(made), *shapes.pop())


def binary(raw: bytes, element: int, read: Callable[[bytes, int], Any]) -> list[Any]:
    """The list that an array's binary form says. Raises `PgError` where it is broken."""
    try:
        depth, flags, kind = struct.unpack_from(">iiI", raw)
        if not 0 <= depth <= _DEEPEST:
            raise PgError(f"invalid number of dimensions: {depth}", sqlstate="22P03")
        if flags not in (0, 1):
            raise PgError("invalid array flags", sqlstate="22P03")
        if kind != element:
            raise PgError("wrong element type", sqlstate="42804")
        sizes = [struct.unpack_from(">ii", raw, 12 + 8 * place)[0] for place in range(depth)]
        if any(size < 0 for size in sizes):
            raise PgError("incorrect binary data format in bind parameter", sqlstate="22P03")
        at, count = 12 + 8 * depth, 1 if depth else 0
        for size in sizes:
            count *= size
        if count * 4 > len(raw):
            raise PgError("insufficient data left in message", sqlstate="08P01")
        made: list[Any] = []
        for _ in range(count):
            (length,) = struct.unpack_from(">i", raw, at)
            at += 4
            if length < -1 or at + max(length, 0) > len(raw):
                raise PgError("insufficient data left in message", sqlstate="08P01")
            made.append(None if length < 0 else read(raw[at : at + length], element))
            at += max(length, 0)
    except struct.error:
        raise PgError("insufficient data left in message", sqlstate="08P01") from None
    if at != len(raw):
        raise PgError("incorrect binary data format in bind parameter", sqlstate="22P03")
    for size in reversed(sizes[1:]):
        made = [made[start : start + size] for start in range(0, len(made), size)] if size else []
    return made
