"""Removing files while others work: in small batches, each while no ref can move.

Before a batch, what refs were pointed at since the mark phase is marked as well, so a branch that somebody
makes at an old commit in the middle of a sweep keeps what is still there.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from ingot.lake.lake import Lake
from ingot.lake.maintenance import storage
from ingot.lake.maintenance.history import StateDatabase
from ingot.lake.maintenance.live import Live
from ingot.lake.maintenance.model import Removed, Step
from ingot.lake.maintenance.storage import Found

_BATCH = 200


def sweep(
    lake: Lake, database: StateDatabase, live: Live, mark: int, candidates: Sequence[Found]
) -> list[Found]:
    """Removes the candidates, in their order, except what has become live meanwhile; gives back which."""
    removed: list[Found] = []
    for start in range(0, len(candidates), _BATCH):
        batch = candidates[start : start + _BATCH]
        # Most of the marking is done before anybody has to wait for it.
        mark, moved = database.moved_since(mark)
        _add(database, live, moved)

        def work(moved: list[str], batch: Sequence[Found] = batch) -> list[Found]:
            _add(database, live, moved)
            return [
                one
                for one in batch
                if not live.holds(one.path)
                and storage.look(one.path, lake.warehouse) is not None
                and storage.remove(one.path)
            ]

        mark, done = database.standing_still(mark, work)
        removed += done
    return removed


def _add(database: StateDatabase, live: Live, commits: Iterable[str]) -> None:
    for hash in commits:
        live.add(database.contents(hash), heads=True)


def by_table(step: Step, found: Iterable[Found], name_of: Callable[[str], str]) -> list[Removed]:
    """The files counted per table."""
    counts: dict[str, list[int]] = defaultdict(list)
    for one in found:
        counts[name_of(one.path)].append(one.bytes)
    return [Removed(step, name, len(sizes), sum(sizes)) for name, sizes in sorted(counts.items())]
