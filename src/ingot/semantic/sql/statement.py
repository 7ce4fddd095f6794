"""A statement that is ready: what is executed, over which state, and what its columns are."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from ingot.engines import HeldTable, QueryInterruptedError
from ingot.semantic.answers.states import At
from ingot.semantic.planner.filters import Value
from ingot.semantic.planner.resolve import Resolved
from ingot.semantic.rollups.shown import match_results
from ingot.semantic.sql.rows.scope import Col
from ingot.semantic.sql.types import postgres

if TYPE_CHECKING:
    from ingot.engines import Interrupt
    from ingot.semantic.rollups.library import Choice

ROWS = 2_000
"""Rows that are fetched at a time."""


@dataclass(frozen=True, slots=True)
class SqlColumn:
    """A column of an answer."""

    name: str
    type: str
    """As PostgreSQL writes it."""
    member: str | None
    """The full name of the member that it is, where it is one and nothing else."""
    engine: str = ""
    """The type as the engine writes it."""


@dataclass(frozen=True, slots=True, eq=False)
class SqlPlan:
    """What is executed for a text, in the engine's SQL."""

    text: str
    sql: str
    parameters: tuple[Value, ...]
    at: At
    names: tuple[str, ...]
    """What the columns are called; several may share a name. Empty where a star says so."""
    members: tuple[str | None, ...]
    queries: tuple[Resolved, ...]
    """The questions to the model in it."""
    tables: tuple[str, ...]
    volatile: bool
    """Whether it means something else at another time."""
    pushed: bool
    """Whether more than one plain question is asked: something runs on its rows."""
    columns: tuple[Col, ...] = ()
    """Names, and PostgreSQL's types."""
    held: tuple[HeldTable, ...] = ()
    choices: tuple["Choice", ...] = field(default=(), repr=False)
    beside: tuple[str, ...] = ()
    """The tables of the lake that it names itself."""
    databases: tuple[str, ...] = ()
    """Databases beside the lake that are read."""
    engine: Any = field(default=None, repr=False)
    """What opens its sessions, where that is not the engine that answers all others."""
    fixed: bool = False
    """Whether the engine is not asked for the clock or chance: what the statement asks of the clock is written out."""
    key: Hashable = None
    """Plans with equal keys have equal answers, now and later; None where that cannot be said."""
    described: list[tuple[SqlColumn, ...]] = field(default_factory=list, repr=False)
    """Its columns, once the engine was asked: the plan is of one state, so that they stay as they are."""

    @property
    def rollups(self) -> list[dict[str, Any]]:
        """Which rollups were tried for each question, and why others are not read."""
        return [{"query": n, "rollups": match_results(one)} for n, one in enumerate(self.choices, 1)]


class SqlRows:
    """An answer under way. `columns` are known before a row is there; rows come once, as they are asked for."""

    def __init__(
        self, engine: Any, plan: SqlPlan, *, timeout: float | None, interrupt: "Interrupt | None"
    ) -> None:
        self.plan = plan
        self._engine = engine
        self._timeout = timeout
        self._interrupt = interrupt

    @property
    def columns(self) -> tuple[SqlColumn, ...]:
        """Names, types and members; the engine says the types without computing a row."""
        if not self.plan.described:
            with self._session() as cursor:
                found = cursor.execute(f"DESCRIBE {self.plan.sql}", self.plan.parameters or None).fetchall()
            names = self.plan.names or tuple(row[0] for row in found)
            members = self.plan.members or (None,) * len(found)
            columns = (
                SqlColumn(name, postgres(row[1]), member, row[1])
                for name, row, member in zip(names, found, members, strict=True)
            )
            self.plan.described.append(tuple(columns))
        return self.plan.described[0]

    def batches(self, size: int = ROWS) -> Iterator[list[tuple[Any, ...]]]:
        """The rows, `size` at a time, as the engine computes them; closing it stops the engine.

        Raises what `Engine.query` raises.
        """
        with self._session() as cursor:
            cursor.execute(self.plan.sql, self.plan.parameters or None)
            while rows := cursor.fetchmany(size):
                yield rows
                if self._interrupt is not None and self._interrupt.is_set:
                    raise QueryInterruptedError("The query was cancelled.")

    def rows(self) -> list[tuple[Any, ...]]:
        """All rows."""
        return [row for batch in self.batches() for row in batch]

    def _session(self) -> Any:
        held: dict[str, Any] = {"held": self.plan.held} if self.plan.held else {}
        return self._engine.session(
            self.plan.at.state, timeout=self._timeout, interrupt=self._interrupt, **held
        )


def members_of(tree: exp.Query) -> tuple[tuple[str, ...], tuple[str | None, ...]]:
    """Names and members of a translated statement's columns; nothing where a star hides them."""
    while isinstance(tree, exp.SetOperation | exp.Subquery):
        tree = tree.this
    if any(not isinstance(one, exp.Alias) for one in tree.expressions):
        return (), ()
    return (
        tuple(one.alias for one in tree.expressions),
        tuple(one.meta.get("member") for one in tree.expressions),
    )
