"""The pass of policies: a query's names are looked up in what its asker sees, and his rows are added."""

from dataclasses import replace
from datetime import UTC, datetime

from ingot.semantic.answers.recent import Recent
from ingot.semantic.context import Context
from ingot.semantic.model import Model
from ingot.semantic.planner.resolve import Resolved, resolve
from ingot.semantic.policy.access import Access, access
from ingot.semantic.policy.discreet import check_hints
from ingot.semantic.policy.rows import limits
from ingot.semantic.policy.seen import seen
from ingot.semantic.query import Query


class Guard:
    """Applies the policies of models. Safe to use from several threads; what it keeps only saves time."""

    def __init__(self) -> None:
        self._access: Recent[tuple[int, bytes], Access] = Recent(2_000)
        self._seen: Recent[tuple[int, object], tuple[Access, Model]] = Recent(100)

    def access(self, model: Model, context: Context) -> Access:
        """What the model's policies mean for who asks."""
        key = (model.serial, context.key)
        return self._access.get(key) or self._access.keep(key, access(model.policies, context))

    def seen(self, model: Model, context: Context) -> Model:
        """The model as who asks may see it: for names, `/meta` and messages, never for plans."""
        if not model.policies:
            return model
        mine = self.access(model, context)
        key = (model.serial, mine.key)
        # The entries whose ids are in the key live as long as the access that is kept beside.
        found = self._seen.get(key) or self._seen.keep(key, (mine, seen(model, mine)))
        return found[1]

    def resolve(
        self, model: Model, query: Query, *, context: Context, now: datetime | None = None
    ) -> Resolved:
        """The query's meaning for who asks: hidden members are unknown, masked ones masked, hidden rows not there.

        Raises:
            MemberError: for a name that is not in the model, or hidden from who asks.
            QueryError: for a member that cannot be used in this way.
        """
        at = now or datetime.now(UTC)
        if not model.policies:
            return resolve(model, query, now=at)
        told = self.seen(model, context)
        found = resolve(told, query, now=at)
        check_hints(told, found)
        allowed = limits(model, self.access(model, context), found, at)
        return replace(found, rows=allowed.cubes, limits=allowed.views)
