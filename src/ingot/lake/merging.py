"""A merge that brings together what both sides appended to a table, around the catalog's own merge.

The catalog names the keys that both sides changed; those that were only appended to are rebased, without
holding a transaction open, and come back as resolved. Where the target moved meanwhile, the catalog refuses
what was made of its older state, and it is made anew.
"""

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ingot.lake import files, rebase
from ingot.lake.errors import CommitConflictError
from ingot.lake.graft import NotAppendedError
from ingot.lake.model import Conflict, ConflictType, Key, KeyMerge, MergeMode, MergeResult
from ingot.lake.ports import Catalog

_ATTEMPTS = 30


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be merged, and how; see `Catalog.merge`."""

    source: str
    into: str
    message: str
    author: str
    expected: str | None = None
    require: Sequence[Key] = ()
    properties: Mapping[str, str] | None = None
    modes: Mapping[Key, KeyMerge] = field(default_factory=dict)
    default_mode: MergeMode = MergeMode.NORMAL
    rebase: bool = True
    shown: str = ""
    """The source as people call it."""

    def asked(self, catalog: Catalog, modes: Mapping[Key, KeyMerge], *, dry_run: bool) -> MergeResult:
        """The catalog's answer, with more modes than were wished for."""
        return catalog.merge(
            self.source,
            self.into,
            message=self.message,
            author=self.author,
            expected=self.expected,
            require=self.require,
            properties=self.properties,
            modes={**self.modes, **modes},
            default_mode=self.default_mode,
            dry_run=dry_run,
        )

    def may_rebase(self, conflict: Conflict) -> bool:
        """Whether this conflict could be one of appends, about which nothing was said."""
        given = self.modes.get(conflict.key)
        differs = conflict.type is ConflictType.VALUE_DIFFERS and conflict.now is not None
        return self.rebase and differs and (given is None or given.resolved is None)


def foreseen(catalog: Catalog, wish: Wish) -> MergeResult:
    """What `run` would do, without doing it."""
    result = wish.asked(catalog, {}, dry_run=True)
    left = [_explained(wish, conflict) for conflict in result.conflicts]
    rebased = tuple(one.key for one, still in zip(result.conflicts, left, strict=True) if still is None)
    conflicts = tuple(one for one in left if one is not None)
    changed = tuple(sorted({*result.changed, *rebased}))
    return replace(result, changed=changed, conflicts=conflicts, rebased=rebased)


def run(catalog: Catalog, wish: Wish) -> MergeResult:
    """Merges; raises `CommitConflictError`, and then no file is left of what was tried."""
    made: dict[Key, rebase.Rebased] = {}
    modes: dict[Key, KeyMerge] = {}
    for attempt in range(_ATTEMPTS):
        try:
            result = wish.asked(catalog, modes, dry_run=False)
        except CommitConflictError as error:
            _discard(made)
            last = error
            made, modes = _resolved(wish, error, modes)
        else:
            return replace(result, rebased=tuple(sorted(made)))
        time.sleep(random.uniform(0, 0.002) * attempt)  # noqa: S311 (spreads writers that race)
    _discard(made)
    raise last


def _resolved(
    wish: Wish, error: CommitConflictError, before: Mapping[Key, KeyMerge]
) -> tuple[dict[Key, rebase.Rebased], dict[Key, KeyMerge]]:
    """The tables of a refused merge with the rows of both sides; raises where one cannot be made."""
    conflicts = list(error.conflicts)
    if not all(wish.may_rebase(one) for one in conflicts):
        raise _renewed(wish, error)
    # Everything that was resolved before is resolved anew: its files are gone.
    asked = {one.key: one for one in conflicts}
    if before.keys() - asked.keys():
        return {}, {}
    made: dict[Key, rebase.Rebased] = {}
    try:
        for key, one in asked.items():
            made[key] = rebase.merged(one.before, one.wanted, one.now)
    except BaseException as failure:
        _discard(made)
        if isinstance(failure, NotAppendedError):
            raise _renewed(wish, error) from failure
        raise
    return made, {key: KeyMerge(expected=one.now, resolved=made[key].content) for key, one in asked.items()}


def _renewed(wish: Wish, error: CommitConflictError) -> CommitConflictError:
    """The catalog's refusal, with why the rows cannot be brought together."""
    explained = [still for one in error.conflicts if (still := _explained(wish, one))]
    what = f"'{wish.shown or wish.source}' was not merged into '{wish.into}':"
    return CommitConflictError(what, explained or error.conflicts, hint=error.hint)


def _explained(wish: Wish, conflict: Conflict) -> Conflict | None:
    """The conflict with the reason why it stays one; None where the rows can be brought together."""
    if not wish.may_rebase(conflict):
        return conflict
    reason = rebase.obstacle(conflict.before, conflict.wanted, conflict.now)
    if reason is None:
        return None
    return replace(conflict, message=f"{conflict.message}, and not only appended rows: {reason}")


def _discard(made: Mapping[Key, rebase.Rebased]) -> None:
    for one in made.values():
        files.remove(one.files)
