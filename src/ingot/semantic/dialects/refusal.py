"""What a question is answered with, where one of its members has no translation."""

from collections.abc import Iterator

from sqlglot import exp

from ingot.semantic.dialects.unknown import Untranslatable
from ingot.semantic.errors import QueryError
from ingot.semantic.model import Measure, Member, Model

_MOST = 3


def refused(error: Untranslatable, model: Model, dialect: str) -> QueryError:
    """The error for a statement, naming the members of its cubes that say what has no translation."""
    own = sorted(name for name in _members(error, model))
    names = ", ".join(f"'{name}'" for name in own[:_MOST]) + (" and others" if len(own) > _MOST else "")
    return QueryError(
        f"{names or 'The query'} cannot be asked in {dialect}: {error.what} has no translation that is known "
        "to give the same.",
        hint=f"Write it with other functions, or the model in the SQL of {dialect}.",
    )


def _members(error: Untranslatable, model: Model) -> Iterator[str]:
    for cube in model.cubes.values():
        members: list[Member] = [*cube.dimensions.values(), *cube.measures.values(), *cube.segments.values()]
        for one in members:
            if any(error.like(node) for tree in _trees(one) for node in tree.walk()):
                yield one.full_name
        if any(error.like(node) for node in cube.source.walk()):
            yield cube.name


def _trees(member: Member) -> list[exp.Expr]:
    condition = member.condition if isinstance(member, Measure) else None
    return [tree for tree in (member.sql, condition) if tree is not None]
