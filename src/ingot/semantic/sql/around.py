"""What all questions of one statement share: who asks, of which model and when, the parameters, and what was planned."""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from ingot.engines import HeldTable
from ingot.semantic.context import Context
from ingot.semantic.model import Dimension, Found, Label, Measure, Model, Path
from ingot.semantic.planner import given
from ingot.semantic.planner.aggregates import COUNTS
from ingot.semantic.planner.fanout import Leaf
from ingot.semantic.planner.filters import Parameters
from ingot.semantic.planner.plan import selected
from ingot.semantic.planner.resolve import Column, Condition, Resolved
from ingot.semantic.planner.rows_of import JoinedRows
from ingot.semantic.planner.statement import Statement
from ingot.semantic.planner.volatile import volatile
from ingot.semantic.policy.apply import Guard
from ingot.semantic.policy.hooks import Hooks
from ingot.semantic.query import Query, parse
from ingot.semantic.sql.member_types import Declared, limited, short
from ingot.semantic.sql.postgres.calls import Meant
from ingot.semantic.sql.postgres.input import Clock
from ingot.semantic.sql.postgres.writing import Writing, kept
from ingot.semantic.sql.questions.columns import marked
from ingot.semantic.sql.rows.scope import OURS

if TYPE_CHECKING:
    from ingot.semantic.rollups.library import Choice
    from ingot.semantic.sql.questions.question import Planned

_SHARED = "shared"
QUESTION = "question"
"""In the `meta` of a SELECT: which of the statement's questions it answers."""


class Around:
    """Goes through one statement and collects."""

    def __init__(
        self,
        model: Model,
        *,
        guard: Guard,
        hooks: Hooks,
        context: Context,
        now: datetime,
        zone: str,
        choose: "Callable[[], Choice | None]",
        hold: "Callable[[Choice], tuple[HeldTable, ...]]",
        types: Declared,
    ) -> None:
        """`choose` gives what decides for one question which rollups are read, `hold` what those are.

        `types` says what PostgreSQL's types of members are.
        """
        self.model = model
        self.seen = guard.seen(model, context)
        self.zone = zone
        self.parameters = Parameters()
        self.queries: list[Resolved] = []
        self.choices: list[Choice] = []
        self.held: list[HeldTable] = []
        self.tables: set[str] = set()
        self.volatile = False
        self.clock = Clock(now, zone)
        self.writing = Writing(self.clock, self._type_of)
        self._guard = guard
        self._hooks = hooks
        self._context = context
        self._now = now
        self._choose = choose
        self._hold = hold
        self._declared = types
        self._types: Mapping[str, str] = {}
        self._aliases = count(1)

    def alias(self) -> str:
        """A name for a derived table, which nobody can write."""
        return f"#question_{next(self._aliases)}"

    def over(self, members: Mapping[str, Found], types: Mapping[str, str]) -> "Around":
        """The same where these are the members, of these types of PostgreSQL: to read a SELECT with, not to plan one."""
        made = copy(self)
        made.seen = replace(self.seen, members=members, whole=self.seen.whole or self.seen)
        made.writing = Writing(self.clock, made._type_of)  # noqa: SLF001 - its own class
        made._types = types  # noqa: SLF001
        return made

    def rewritten(self, asked: dict[str, Any]) -> Any:
        """A question as the project's hooks say."""
        return self._hooks.queries(asked, self._context)

    def resolved(self, query: Query) -> Resolved:
        """A question with its names looked up, for who asks."""
        return self._guard.resolve(self.model, query, context=self._context, now=self._now)

    def meant(self, tree: exp.Expr) -> Meant:
        """An expression with PostgreSQL's meaning in the engine's words, and its type."""
        return self.writing.output(tree)

    def tested(self, tree: exp.Expr, where: str = "WHERE") -> exp.Expr:
        """A condition in the engine's words."""
        return self.writing.test(tree, where)

    def type(self, tree: exp.Expr) -> str:
        """PostgreSQL's type of an expression over members and typed columns."""
        return self.writing.type_of(tree)

    def _type_of(self, column: exp.Column) -> str:
        name = marked(column)
        return kept(column) if name is None else self.member_type(name)

    def member_type(self, name: str) -> str:
        """PostgreSQL's type of a member, as expressions know it."""
        if name in self._types:
            return self._types[name]
        return short(self._declared(self.seen.members[name].member))

    def digits(self, name: str) -> str:
        """The engine's type of a member that has so many digits; nothing for any other."""
        return limited(self._declared(self.seen.members[name].member)) if name not in self._types else ""

    def planned(self, one: "Planned") -> exp.Query:
        """The SELECT of a question."""
        choice = self._choose()
        statement, select = selected(
            self.model, one.query, context=self._context, reader=choice or JoinedRows
        )
        made = self._taken(one.query, choice, statement, select)
        return made.limit(one.limit, copy=False) if one.limit is not None else made

    def counted(
        self,
        rows: exp.Subquery,
        dimensions: Sequence[str],
        measures: Sequence[str],
        values: Mapping[Leaf, str],
        keys: Mapping[Path, Sequence[str]],
    ) -> exp.Query:
        """The SELECT of measures in the groups of given rows: these columns of them, then the measures."""
        found = self.resolved(parse({"measures": list(measures), "timezone": self.zone}))
        columns = {f"#rows.{name}": name for name in dimensions}
        query = replace(
            found,
            dimensions=tuple(Column(name, _unnamed(name)) for name in columns),
            where=(Condition(_unnamed("#join"), "set", ()),),
            having=(),
            segments=(),
            limits=(),
            order=(),
        )
        statement, select = given.selected(
            self.model, query, given.Given(rows, columns, values, keys), context=self._context
        )
        return self._taken(query, self._choose(), statement, select)

    def _taken(
        self, query: Resolved, choice: "Choice | None", statement: Statement, select: exp.Select
    ) -> exp.Query:
        """A planned SELECT as a part of the statement."""
        self.volatile = self.volatile or volatile(select)
        select.meta[QUESTION] = len(self.queries)
        self.queries.append(query)
        if choice is not None:
            self.choices.append(choice)
            self.held.extend(held for held in self._hold(choice) if held not in self.held)
        for cube in statement.writing.cubes:
            self.tables.update(self.model.cubes[cube].tables)
        values = statement.writing.parameters.values

        # Changed in place: sqlglot takes the square of a list's length to put other nodes into it, 4 s for 9,000 values.
        for node in select.walk():
            if isinstance(node, exp.Table):
                node.meta[OURS] = True
            elif isinstance(node, exp.Parameter) and not node.meta.get(_SHARED):
                node.set("this", self.parameters.add(values[int(node.this.name) - 1]).this)
                node.meta[_SHARED] = True
        return select

    def settle(self, made: exp.Expr) -> None:
        """Forgets what was planned for parts that are not in the statement now."""
        asked = sorted({one.meta[QUESTION] for one in made.find_all(exp.Select) if QUESTION in one.meta})
        self.queries[:] = [self.queries[n] for n in asked]
        if self.choices:
            self.choices[:] = [self.choices[n] for n in asked]
        found = [one for one in made.find_all(exp.Parameter) if one.meta.get(_SHARED)]
        used = sorted({int(one.this.name) for one in found})
        places = {number: place for place, number in enumerate(used, 1)}
        for one in found:
            one.set("this", exp.Literal.number(places[int(one.this.name)]))
        self.parameters.values[:] = [self.parameters.values[number - 1] for number in used]

    def is_count(self, name: str) -> bool:
        """Whether a measure is an integer, and 0 where there is nothing."""
        member = self.seen.members[name].member
        return isinstance(member, Measure) and member.aggregate in COUNTS


def _unnamed(name: str) -> Found:
    """A dimension of rows that the model does not know."""
    label = Label("", "", public=False)
    return Found(name, Dimension("", name, "boolean", exp.true(), (), label), (), label)
