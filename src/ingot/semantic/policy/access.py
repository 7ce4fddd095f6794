"""Who asks -> which entries of every policy are for him, and what these together show of each member.

As in Cube, entries are added up: a member may be seen where any entry shows it, and it is masked where none shows
it on all rows but one masks it. A cube or view without a policy is open to everybody.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ingot.semantic.context import Context
from ingot.semantic.planner.resolve import Tree
from ingot.semantic.policy.policies import Entry, Policies


@dataclass(frozen=True)
class Matching:
    """The entries of one policy that are for who asks."""

    entries: tuple[Entry, ...]

    @cached_property
    def shown(self) -> frozenset[str]:
        """The members that may be asked for."""
        return frozenset(name for one in self.entries for name in one.grants)

    @cached_property
    def masked(self) -> frozenset[str]:
        """Those of which the mask is shown."""
        whole = {name for one in self.entries if one.rows is None for name in one.full}
        return frozenset(name for one in self.entries for name in one.masked) - whole

    @cached_property
    def useful(self) -> tuple[Entry, ...]:
        """The entries that show anything."""
        return tuple(one for one in self.entries if one.grants)

    def granting(self, name: str) -> tuple[Entry, ...]:
        """The entries that show a member."""
        return tuple(one for one in self.entries if name in one.grants)


@dataclass(frozen=True)
class Access:
    """What the policies mean for who asks, by cube or view that has one."""

    context: Context
    by_owner: Mapping[str, Matching]
    trees: dict[Entry, Tree] = field(default_factory=dict, repr=False)
    """The rows that an entry shows, once they are known: kept as long as this is."""

    @cached_property
    def key(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """The same for all who see the same members."""
        return tuple((owner, tuple(map(id, one.entries))) for owner, one in self.by_owner.items())


def access(policies: Policies, context: Context) -> Access:
    """What the policies mean for `context`."""
    found = {
        owner: Matching(tuple(entry for entry in one.entries if entry.matches(context)))
        for owner, one in policies.by_owner.items()
    }
    return Access(context, found)
