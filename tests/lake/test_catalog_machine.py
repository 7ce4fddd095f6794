"""The catalog against a plain model in memory: whatever is done, both hold the same after every step.

The model keeps whole dictionaries and whole sets of ancestors, and knows nothing of deltas, caches,
generations or SQL.
"""

import tempfile
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from ingot.errors import UsageError
from ingot.lake import (
    ROOT_HASH,
    CommitConflictError,
    Content,
    ContentType,
    Delete,
    Key,
    Operation,
    Put,
    RefKind,
    SqlCatalog,
    Unchanged,
)

KEYS: list[Key] = [("s", name) for name in "abc"]
SPACE = Content(ContentType.NAMESPACE, "the-namespace")
Entries = dict[Key, Content]


@dataclass
class Model:
    """Commits as whole dictionaries."""

    entries: dict[str, Entries]
    parents: dict[str, list[str]]
    heads: dict[str, str]

    def ancestors(self, hash: str) -> set[str]:
        found = {hash}
        for parent in self.parents[hash]:
            found |= self.ancestors(parent)
        return found

    def bases(self, one: str, other: str) -> list[str]:
        common = self.ancestors(one) & self.ancestors(other)
        return [hash for hash in common if not any(hash in self.ancestors(c) - {c} for c in common)]

    def base(self, one: str, other: str) -> dict[Key, Any]:
        """The entries of the merge base; several are merged with each other, disagreement is its own value."""
        bases = self.bases(one, other)
        merged: dict[Key, Any] = dict(self.entries[bases[0]])
        if len(bases) == 2:
            below = self.base(*bases)
            other_entries = self.entries[bases[1]]
            for key in KEYS:
                left, right = merged.get(key), other_entries.get(key)
                if left == below.get(key):
                    merged[key] = right
                elif right not in (left, below.get(key)):
                    merged[key] = object()
        return merged


def carried(base: dict[Key, Any], wanted: Entries, now: Entries) -> tuple[Entries, set[Key]]:
    """`now` with the changes from `base` to `wanted`, and the keys that both sides changed differently."""
    after, conflicts = dict(now), set()
    for key in KEYS:
        if wanted.get(key) in (base.get(key), now.get(key)):
            continue
        if now.get(key) != base.get(key):
            conflicts.add(key)
        elif key in wanted:
            after[key] = wanted[key]
        else:
            del after[key]
    return after, conflicts


class CatalogMachine(RuleBasedStateMachine):
    branches = Bundle("branches")
    seen = Bundle("seen")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.url = f"sqlite:///{self.folder.name}/lake.db"
        self.catalog = SqlCatalog(self.url)
        self.count = 0

    def teardown(self) -> None:
        self.catalog.close()
        self.folder.cleanup()

    @initialize(target=branches)
    def start(self) -> Any:
        made = self.catalog.commit("main", [Put(("s",), SPACE)], message="begin")
        self.model = Model(
            {ROOT_HASH: {}, made.hash: {("s",): SPACE}},
            {ROOT_HASH: [], made.hash: [ROOT_HASH]},
            {"main": made.hash},
        )
        self.catalog.create_ref(RefKind.BRANCH, "b1", made.hash)
        self.model.heads["b1"] = made.hash
        # Twice as likely as later branches: what matters is that two histories cross often.
        return multiple("main", "b1", "main", "b1")

    def content(self, of: Content | None) -> Content:
        self.count += 1
        return Content(ContentType.TABLE, of.id if of else f"id{self.count}", f"/at/{self.count}", self.count)

    @rule(target=branches, origin=branches)
    def branch(self, origin: str) -> str:
        name = f"b{len(self.model.heads)}"
        self.catalog.create_ref(RefKind.BRANCH, name, self.model.heads[origin])
        self.model.heads[name] = self.model.heads[origin]
        return name

    @rule(target=seen, branch=branches)
    def look(self, branch: str) -> str:
        return self.model.heads[branch]

    @rule(
        branch=branches,
        changes=st.dictionaries(
            st.sampled_from(KEYS), st.sampled_from(["put", "delete", "unchanged"]), min_size=1
        ),
    )
    def commit_on_head(self, branch: str, changes: dict[Key, str]) -> None:
        self.commit(branch, changes, None)

    @rule(
        branch=branches,
        since=seen,
        changes=st.dictionaries(
            st.sampled_from(KEYS), st.sampled_from(["put", "delete", "unchanged"]), min_size=1
        ),
    )
    def commit_on_what_was_seen(self, branch: str, since: str, changes: dict[Key, str]) -> None:
        self.commit(branch, changes, since)

    def commit(self, branch: str, changes: dict[Key, str], since: str | None) -> None:
        head = self.model.heads[branch]
        now = self.model.entries[head]
        before = now if since is None else self.model.entries[since]
        operations: list[Operation] = []
        after = dict(now)
        for key, change in changes.items():
            if change == "put":
                operations.append(Put(key, self.content(before.get(key)), before.get(key)))
                after[key] = operations[-1].content  # type: ignore[union-attr]
            elif change == "delete":
                operations.append(Delete(key))
                after.pop(key, None)
            else:
                operations.append(Unchanged(key))
        if all(change == "unchanged" for change in changes.values()):
            return
        allowed = all(
            now.get(key) == before.get(key) and not (change == "delete" and key not in now)
            for key, change in changes.items()
        )
        try:
            made = self.catalog.commit(branch, operations, message="m", expected=since)
        except CommitConflictError as error:
            assert not allowed
            assert {conflict.key for conflict in error.conflicts} <= changes.keys()  # noqa: PT017 (may also pass)
            return
        assert allowed
        assert made.parents == (head,)
        self.model.entries[made.hash] = after
        self.model.parents[made.hash] = [head]
        self.model.heads[branch] = made.hash

    @rule(source=branches, into=branches)
    def merge(self, source: str, into: str) -> None:
        ours, theirs = self.model.heads[into], self.model.heads[source]
        if len(self.model.bases(theirs, ours)) > 2:
            return
        base = self.model.base(theirs, ours)
        now = self.model.entries[ours]
        after, conflicts = carried(base, self.model.entries[theirs], now)
        try:
            result = self.catalog.merge(source, into)
        except CommitConflictError as error:
            assert {conflict.key for conflict in error.conflicts} == conflicts  # noqa: PT017 (may also pass)
            return
        assert not conflicts
        assert result.applied == (after != now)
        if result.applied:
            self.model.entries[result.hash] = after
            self.model.parents[result.hash] = [ours, theirs]
            self.model.heads[into] = result.hash

    def past(self, branch: str, back: int) -> str:
        """A commit of the branch's first parents, but not the one that made the namespace."""
        at = self.model.heads[branch]
        for _ in range(back):
            if self.model.parents[self.model.parents[at][0]] not in ([], [ROOT_HASH]):
                at = self.model.parents[at][0]
        return at

    def made(self, branch: str, after: Entries, hash: str) -> None:
        self.model.entries[hash] = after
        self.model.parents[hash] = [self.model.heads[branch]]
        self.model.heads[branch] = hash

    @rule(source=branches, into=branches, back=st.integers(0, 3), count=st.integers(1, 3))
    def transplant(self, source: str, into: str, back: int, count: int) -> None:
        chosen = [self.past(source, back + index) for index in reversed(range(count))]
        if ROOT_HASH in {self.model.parents[one][0] for one in chosen}:
            return
        after, conflicts, states = self.model.entries[self.model.heads[into]], set[Key](), []
        for one in chosen:
            before, now = self.model.entries[self.model.parents[one][0]], after
            after, conflicts = carried(before, self.model.entries[one], now)
            if conflicts:
                break
            if after != now:
                states.append(after)
        try:
            result = self.catalog.transplant(chosen, into)
        except CommitConflictError as error:
            assert {conflict.key for conflict in error.conflicts} == conflicts  # noqa: PT017 (may also pass)
            return
        assert not conflicts
        assert len(result.commits) == len(states)
        for hash, state in zip(result.commits, states, strict=True):
            self.made(into, state, hash)

    @rule(branch=branches, back=st.integers(0, 4))
    def revert(self, branch: str, back: int) -> None:
        chosen = self.past(branch, back)
        before, now = (
            self.model.entries[self.model.parents[chosen][0]],
            self.model.entries[self.model.heads[branch]],
        )
        if self.model.parents[chosen][0] == ROOT_HASH:
            return
        after, conflicts = carried(self.model.entries[chosen], before, now)
        try:
            made = self.catalog.revert(branch, chosen)
        except CommitConflictError as error:
            assert {conflict.key for conflict in error.conflicts} == conflicts  # noqa: PT017 (may also pass)
            return
        except UsageError:
            assert not conflicts
            assert after == now
            return
        assert not conflicts
        assert after != now
        self.made(branch, after, made.hash)

    @rule(branch=branches, back=st.integers(1, 4))
    def rollback(self, branch: str, back: int) -> None:
        wanted = self.model.entries[self.past(branch, back)]
        try:
            made = self.catalog.rollback(branch, self.past(branch, back))
        except UsageError:
            assert wanted == self.model.entries[self.model.heads[branch]]
            return
        self.made(branch, wanted, made.hash)

    @rule()
    def reopen(self) -> None:
        self.catalog.close()
        self.catalog = SqlCatalog(self.url)

    @invariant()
    def the_same_everywhere(self) -> None:
        assert {ref.name: ref.hash for ref in self.catalog.refs()} == self.model.heads
        for hash in self.model.heads.values():
            assert dict(self.catalog.entries(hash)) == self.model.entries[hash]


CatalogMachine.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # Shrinking replays the machine thousands of times and would outlast the test's time limit.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
TestCatalog = CatalogMachine.TestCase
