"""Which line of a template a line of its output came from.

The template is rendered a second time with marks in its text: a number in characters that are white space to
Python and to Jinja's filters, at the start of each piece of a line. Where the marked output is not the plain
output (a template that measures its own text), its lines are matched up with the plain ones by comparison.
"""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from ingot.project.place import Mark

_FRAME = "\u1680"
_ZERO = 0x2000
_MARK = re.compile(f"{_FRAME}([\u2000-\u2007]+){_FRAME}")
_START = re.compile(f"(?:[ \t]|{_FRAME}[\u2000-\u2007]+{_FRAME})*")


def mark(line: int) -> str:
    """The mark of a line."""
    return _FRAME + "".join(chr(_ZERO + int(digit)) for digit in f"{line:o}") + _FRAME


def marked(text: str, line: int) -> str:
    """Text of a template that begins in `line`, with a mark at its start and after every line break."""
    first, *rest = text.split("\n")
    return mark(line) + "".join([first, *(f"\n{mark(line + n)}{one}" for n, one in enumerate(rest, 1))])


class Lines:
    """Places in the output of a template -> places in the template."""

    def __init__(self, numbers: Sequence[int], output: Sequence[str], source: Sequence[str]) -> None:
        self._numbers = numbers
        self._output = output
        self._source = source

    def __call__(self, at: Mark) -> Mark:
        line, column = at
        if not self._numbers:
            return 1, 1
        index = min(line, len(self._numbers)) - 1
        number = self._numbers[index]
        here = self._output[index]
        there = self._source[number - 1] if number <= len(self._source) else ""
        # Where the template says something else from some column on, the value begins with what stands there.
        same = 0
        for one, other in zip(here[: column - 1], there, strict=False):
            if one != other:
                break
            same += 1
        return number, same + 1

    @property
    def key(self) -> tuple[int, ...]:
        """Equal for outputs whose lines came from the same lines."""
        return tuple(self._numbers)


def lines_of(output: str, with_marks: str | None, source: str) -> Lines:
    """The lines of `output`; `with_marks` is the same output with marks, None where there is none."""
    plain = output.split("\n")
    there = source.split("\n")
    if with_marks is None:
        return Lines(_guessed(plain, there, list(range(1, len(there) + 1))), plain, there)
    numbers: list[int] = []
    stripped: list[str] = []
    last = 1
    for line in with_marks.split("\n"):
        start = _START.match(line)
        assert start is not None
        found = _MARK.findall(start.group()) or ([] if numbers else _MARK.findall(line))
        here = _number(found[-1]) if found else last
        numbers.append(here)
        later = _MARK.findall(line)
        last = _number(later[-1]) if later else here
        stripped.append(_MARK.sub("", line))
    if [line.strip() for line in stripped] != [line.strip() for line in plain]:
        numbers = _guessed(plain, stripped, numbers)
    return Lines(numbers, plain, there)


def _number(digits: str) -> int:
    return int("".join(str(ord(char) - _ZERO) for char in digits), 8)


def _guessed(plain: Sequence[str], other: Sequence[str], numbers: Sequence[int]) -> list[int]:
    """The numbers of lines that are equal in both, and for the rest that of the line before."""
    found: list[int | None] = [None] * len(plain)
    matcher = SequenceMatcher(None, plain, other, autojunk=False) if len(plain) <= 5_000 else None
    for start, to, length in matcher.get_matching_blocks() if matcher else ():
        for n in range(length):
            found[start + n] = numbers[to + n]
    last = 1
    filled = []
    for one in found:
        last = one or last
        filled.append(last)
    return filled
