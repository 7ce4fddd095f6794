"""The registry of functions: what each takes and gives, which of several is meant, and how the engine says it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp

from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.postgres import kinds
from ingot.semantic.sql.postgres.tree import call

if TYPE_CHECKING:
    from ingot.semantic.sql.postgres.writing import Writing


@dataclass(slots=True)
class Meant:
    """A part of a statement as the engine reads it, and its type in PostgreSQL."""

    tree: exp.Expr
    type: str
    literal: str | None = None
    """The text, where it is one that has no type yet."""
    number: str | None = None
    """The number, where it is a literal of one."""

    @property
    def is_null(self) -> bool:
        return self.type == kinds.UNKNOWN and self.literal is None

    @property
    def said(self) -> str | None:
        """The text that is written down, which may have been given a type, as by a driver's parameter."""
        if self.literal is not None:
            return self.literal
        bare = self.tree.unnest()
        written = isinstance(bare, exp.Literal) and bare.is_string and self.type in kinds.TEXTS
        return bare.name if written else None

    def again(self) -> "Meant":
        """The same once more."""
        return Meant(self.tree.copy(), self.type, self.literal, self.number)


@dataclass(frozen=True, slots=True)
class Signature:
    """`takes` may end in one that stands for any number of them."""

    takes: tuple[str, ...]
    gives: str
    many: bool = False

    def expected(self, count: int) -> tuple[str, ...] | None:
        """The types of `count` arguments; None where it does not take so many."""
        if not self.many:
            return self.takes if len(self.takes) == count else None
        fixed = self.takes[:-1]
        return (*fixed, *([self.takes[-1]] * (count - len(fixed)))) if count >= len(fixed) else None


@dataclass(slots=True)
class Call:
    """One call: `args` are what the signature takes, in the engine's words."""

    name: str
    given: Sequence[Meant]
    args: list[exp.Expr]
    types: tuple[str, ...]
    at: exp.Expr
    writing: "Writing"

    def said(self, n: int, what: str) -> str:
        """The text of an argument that must be one."""
        found = self.given[n].said
        if found is None:
            raise SqlError(f"{self.name}() takes {what} as a text here.", at=self.at, sqlstate="0A000")
        return found

    def whole(self, n: int) -> int | None:
        """The whole number that an argument is, where it is written down."""
        found = self.given[n].number or self.given[n].literal
        try:
            return int(found) if found is not None else None
        except ValueError:
            return None


Write = Callable[[Call], "exp.Expr | Meant"]


@dataclass(frozen=True, slots=True)
class Function:
    """A function of PostgreSQL."""

    name: str
    signatures: tuple[Signature, ...]
    write: Write
    volatile: bool = False
    """Whether two calls can give two values."""


FUNCTIONS: dict[str, Function] = {}
"""All that may be called, by name."""


def function(
    names: str, signatures: str, write: "Write | str | None" = None, *, volatile: bool = False
) -> None:
    """Registers functions: `"text int4 -> text | text -> text"`, `any*` for any number of them.

    `write`: how the engine says it; a text is the name there, None the same name.
    """
    for name in names.split():
        if write is None or isinstance(write, str):
            engine_name = write or name

            def plain(one: Call, engine_name: str = engine_name) -> exp.Expr:
                return call(engine_name, *one.args)

            made: Write = plain
        else:
            made = write
        found = tuple(_signature(one) for one in signatures.split("|"))
        FUNCTIONS[name] = Function(name, found, made, volatile)


def _signature(said: str) -> Signature:
    takes, _, gives = said.partition("->")
    words = takes.split()
    many = bool(words) and words[-1].endswith("*")
    return Signature(tuple(one.rstrip("*") for one in words), gives.strip(), many)


def chosen(signatures: Sequence[Signature], given: Sequence[str]) -> tuple[Signature, tuple[str, ...]] | None:
    """The signature that PostgreSQL takes for arguments of some types, and the types that they become."""
    fitting = []
    for one in signatures:
        takes = one.expected(len(given))
        if takes is None or not all(_fits(a, b) for a, b in zip(given, takes, strict=True)):
            continue
        fitting.append((one, takes))
    if not fitting:
        return None

    def rank(found: tuple[Signature, tuple[str, ...]]) -> tuple[int, int, int]:
        exact = liked = texts = 0
        for one, wanted in zip(given, found[1], strict=True):
            exact += one == wanted
            liked += one != kinds.UNKNOWN and kinds.preferred(wanted)
            texts += one == kinds.UNKNOWN and (2 if wanted == "text" else kinds.preferred(wanted))
        return exact, liked, texts

    best = max(rank(one) for one in fitting)
    return next(one for one in fitting if rank(one) == best)


def _fits(given: str, wanted: str) -> bool:
    if wanted == "array":
        return kinds.is_array(given) or given in (kinds.ANY, kinds.UNKNOWN)
    return wanted == "any" or kinds.becomes(given, wanted)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregate of PostgreSQL; `ordered`: one that takes WITHIN GROUP."""

    name: str
    signatures: tuple[Signature, ...]
    write: Write
    ordered: bool = False
    plain: bool = field(default=True)


AGGREGATES: dict[str, Aggregate] = {}


def aggregate(
    names: str, signatures: str, write: "Write | str | None" = None, *, ordered: bool = False
) -> None:
    """Registers aggregates, as `function` does."""
    for name in names.split():
        found = tuple(_signature(one) for one in signatures.split("|"))
        if write is None or isinstance(write, str):
            engine_name = write or name

            def plain(one: Call, engine_name: str = engine_name) -> exp.Expr:
                return call(engine_name, *one.args)

            made: Write = plain
        else:
            made = write
        AGGREGATES[name] = Aggregate(name, found, made, ordered)
