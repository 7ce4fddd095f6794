"""Which rows of every cube and view the asker of one query may see, as conditions with his own values.

Rows of a cube that he may not see are not there: for measures, joins, sub-queries and steps alike. Rows of a view
are the joined rows of the query. For each member that is asked for, the entries that show it are added up; rows
must be visible for every one of them. A cube that is read only on the way, or through a view, has the rows that
any entry shows. What who asks does not say can never show a row.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlglot import exp

from ingot.semantic.context import Context
from ingot.semantic.errors import QueryError
from ingot.semantic.model import Found, Model
from ingot.semantic.planner.filters import Parameters, condition
from ingot.semantic.planner.resolve import Condition, Group, Resolved, Tree, ValueReader, conditions
from ingot.semantic.policy.access import Access
from ingot.semantic.policy.expression import Expression, UnknownValueError
from ingot.semantic.policy.policies import Entry, Piece, RowCondition, RowTree

NO_ROWS = Group(False, ())
_NEGATIVE = frozenset({"notEquals", "notContains", "notStartsWith", "notEndsWith"})
_ANY_OF = frozenset({"equals", "contains", "startsWith", "endsWith"})
_WITHOUT_VALUES = ("set", "notSet")


@dataclass(frozen=True, slots=True)
class Limits:
    """Conditions on the rows of cubes, by cube, and on the joined rows of a query through views."""

    cubes: tuple[tuple[str, Tree], ...] = ()
    views: tuple[Tree, ...] = ()


def limits(model: Model, access: Access, query: Resolved, now: datetime) -> Limits:
    """The rows that may be seen for `query`, whose names were looked up in the model as the asker sees it."""
    asked, through = _asked(model, access, query)
    made = _Rows(model, access, now)
    cubes: list[tuple[str, Tree]] = []
    views: list[Tree] = []
    for owner, rule in access.by_owner.items():
        is_view = owner in model.views
        if is_view and owner not in asked:
            continue
        sets = [rule.granting(name) for name in asked.get(owner, ())]
        sets += [rule.granting(name) or rule.useful for name in through.get(owner, ())]
        tree = made.tree(_needed(sets or [rule.useful]))
        if tree is None:
            continue
        if is_view:
            views.append(tree)
        else:
            cubes.append((owner, tree))
    return Limits(tuple(cubes), tuple(views))


def _asked(
    model: Model, access: Access, query: Resolved
) -> tuple[dict[str, dict[str, None]], dict[str, dict[str, None]]]:
    """The members that a query names, by cube or view; and those of cubes that it names through views."""
    asked: dict[str, dict[str, None]] = {}
    through: dict[str, dict[str, None]] = {}
    for found in _named(query):
        owner, _, name = found.name.partition(".")
        rule = access.by_owner.get(owner)
        # A default filter of the view may be on a member that is hidden.
        if rule is None or name in rule.shown:
            asked.setdefault(owner, {}).setdefault(name)
        view = model.views.get(owner)
        if view is not None and name in view.members and not view.members[name].own:
            inner = view.members[name].member
            through.setdefault(inner.cube, {}).setdefault(inner.name)
    return asked, through


def _named(query: Resolved) -> Iterator[Found]:
    yield from (one.found for one in query.columns)
    yield from query.segments
    yield from query.range_members
    for tree in (*query.where, *query.having):
        yield from (one.found for one in conditions(tree))


def _needed(sets: Iterable[Sequence[Entry]]) -> list[tuple[Entry, ...]]:
    """Of sets of entries the smallest: what those show, a greater one shows, too."""
    known = {frozenset(map(id, some)): tuple(some) for some in sets}
    return [some for ids, some in known.items() if not any(other < ids for other in known)]


class _Rows:
    def __init__(self, model: Model, access: Access, now: datetime) -> None:
        self.context: Context = access.context
        self.kept = access.trees
        # Whoever asks chooses the time zone of his query: he must not move a limit by it.
        self.reader = ValueReader(model, now.astimezone(UTC), "UTC")

    def tree(self, sets: Sequence[Sequence[Entry]]) -> Tree | None:
        """The rows that every set shows; None for all rows."""
        found = [tree for some in sets if (tree := self.shown(some)) is not None]
        if not found:
            return None
        return found[0] if len(found) == 1 else Group(True, tuple(found))

    def shown(self, entries: Sequence[Entry]) -> Tree | None:
        """The rows that any of the entries shows; None for all rows."""
        parts: list[Tree] = []
        for one in entries:
            if one.rows is None:
                return None
            found = self.kept.get(one)
            if found is None:
                found = self.filter(one.rows)
                if not _has_times(one.rows):  # those may be words such as 'last week'
                    self.kept[one] = found
            parts.append(found)
        return parts[0] if len(parts) == 1 else Group(False, tuple(parts))

    def filter(self, tree: RowTree) -> Tree:
        if isinstance(tree, RowCondition):
            return self.condition(tree)
        return Group(tree.every, tuple(self.filter(part) for part in tree.parts))

    def condition(self, one: RowCondition) -> Tree:
        operator = {"in": "equals", "notIn": "notEquals"}.get(one.operator, one.operator)
        if operator in _WITHOUT_VALUES:
            return Condition(one.found, operator, ())
        values: list[str | None] = []
        for pieces in one.values:
            try:
                values += [None] if pieces is None else self.texts(pieces)
            except UnknownValueError:
                # One value less shows less, but not of what is kept out.
                if operator not in _ANY_OF:
                    return NO_ROWS
        if not values:
            return Group(True, ()) if operator in _NEGATIVE else NO_ROWS
        try:
            made = Condition(one.found, operator, self.reader.values(one.found, operator, tuple(values)))
            condition(made, exp.null, zone="UTC", parameters=Parameters())
        except QueryError:
            # A value of who asks that does not fit, such as a text for a number: no row, and no hint.
            return NO_ROWS
        return made

    def texts(self, pieces: Sequence[Piece]) -> list[str]:
        """The values that the pieces of one written value stand for. Raises `UnknownValueError`."""
        if len(pieces) == 1 and isinstance(pieces[0], Expression):
            value = pieces[0].value(self.context)
            if isinstance(value, list | tuple):
                return [_text(each) for each in value]
            return [_text(value)]
        return ["".join(one if isinstance(one, str) else _text(one.value(self.context)) for one in pieces)]


def _has_times(tree: RowTree) -> bool:
    if isinstance(tree, RowCondition):
        return getattr(tree.found.member, "type", None) == "time"
    return any(_has_times(part) for part in tree.parts)


def _text(value: object) -> str:
    """A value of who asks as a filter's text; nothing and what is no single value show no row."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float) and "\0" not in str(value):
        return str(value)
    raise UnknownValueError
