"""Removing files while others work: in small batches, each while no ref can move.

Before a batch, what refs were pointed at since the mark phase is marked as well, so a branch that somebody
makes at an old commit in the middle of a sweep keeps what is still there.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from ingot.lake.maintenance import storage
from ingot.lake.maintenance.history import contents
from ingot.lake.maintenance.live import Live
from ingot.lake.maintenance.model import Removed, Step
from ingot.lake.maintenance.storage import Found, Look
from ingot.lake.objects import is_remote
from ingot.lake.ports import Catalog

_BATCH = 200
_REMOTE_BATCH = 10
"""A store takes milliseconds a file, for which writers wait."""


def sweep(look: Look, catalog: Catalog, live: Live, mark: int, candidates: Sequence[Found]) -> list[Found]:
    """Removes the candidates, in their order, except what has become live meanwhile; gives back which."""
    removed: list[Found] = []
    remote = any(is_remote(one.path) for one in candidates[:1])
    size = _REMOTE_BATCH if remote else _BATCH
    for start in range(0, len(candidates), size):
        batch = candidates[start : start + size]
        # Most of the marking is done before anybody has to wait for it.
        _add(catalog, live, catalog.moved_since(mark))

        def work(moved: list[str], batch: Sequence[Found] = batch) -> list[Found]:
            _add(catalog, live, moved)
            return [
                one
                for one in batch
                if not live.holds(one.path) and look(one.path) is not None and storage.remove(one.path)
            ]

        mark, done = catalog.standing_still(mark, work)
        removed += done
    return removed


def _add(catalog: Catalog, live: Live, commits: Iterable[str]) -> None:
    for hash in commits:
        live.add(contents(catalog, hash), heads=True)


def by_table(step: Step, found: Iterable[Found], name_of: Callable[[str], str]) -> list[Removed]:
    """The files counted per table."""
    counts: dict[str, list[int]] = defaultdict(list)
    for one in found:
        counts[name_of(one.path)].append(one.bytes)
    return [Removed(step, name, len(sizes), sum(sizes)) for name, sizes in sorted(counts.items())]
