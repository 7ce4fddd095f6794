"""Plans of statements, kept: BI tools ask the same again and again."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ingot.engines import HeldTable
from ingot.semantic.answers.recent import Recent
from ingot.semantic.answers.states import States
from ingot.semantic.context import Context
from ingot.semantic.model import Model
from ingot.semantic.policy.apply import Guard
from ingot.semantic.policy.hooks import Hooks
from ingot.semantic.sql.planning import planned
from ingot.semantic.sql.statement import SqlPlan

if TYPE_CHECKING:
    from ingot.semantic.rollups.library import Choice, Rollups

Key = tuple[int, bytes, str, str, str, str, object]


class Statements:
    """Plans statements. Safe to use from several threads; what it keeps only saves time."""

    def __init__(self, states: States, guard: Guard, rollups: "Rollups | None") -> None:
        self._states = states
        self._guard = guard
        self._rollups = rollups
        self._plans: Recent[Key, SqlPlan] = Recent(500)

    def plan(
        self, text: str, model: Model, *, ref: str, hooks: Hooks, context: Context, zone: str
    ) -> SqlPlan:
        """The plan of a statement; see `Service.sql_plan`."""
        at = self._states.at(ref)
        rollups = self._rollups if self._rollups is not None and self._rollups.of(model) else None
        there = rollups.version(model, at) if rollups is not None else None
        key: Key = (model.serial, context.key, at.state.hash, at.ref, zone, text, there)
        found = self._plans.get(key)
        if found is not None:
            return found

        def choose() -> "Choice | None":
            return rollups.choice(model, at) if rollups is not None else None

        def hold(choice: "Choice") -> tuple[HeldTable, ...]:
            return tuple(rollups.held(build) for _, build in choice.used) if rollups is not None else ()

        made = planned(
            text,
            model,
            at=at,
            guard=self._guard,
            hooks=hooks,
            context=context,
            now=datetime.now(UTC),
            zone=zone,
            choose=choose,
            hold=hold,
        )
        return made if hooks or _depends_on_the_day(model) else self._plans.keep(key, made)


def _depends_on_the_day(model: Model) -> bool:
    """Whether a condition of the model can be a relative date; those of a statement cannot."""
    return bool(model.policies) or any(view.default_filters for view in model.views.values())
