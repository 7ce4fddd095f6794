"""What several writers did to shared keys, and whether it can have happened one after the other.

The judge knows only what writers noted themselves (what they saw, wanted and were told) and the order of the
commits in the log; the states in between it computes. Every value is written once, so it tells who wrote it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Values = Mapping[str, str]
"""What each key holds; keys that are not there are left out."""


@dataclass(frozen=True)
class Attempt:
    """A transaction: what its writer saw, and what it wanted to make of that."""

    id: str
    begun: float
    seen: str
    """The commit that was read."""
    values: Values
    """All keys as they were read there."""
    writes: Mapping[str, str | None]
    reads: Sequence[str]
    """Keys of which it was asserted that they have not moved."""
    merged: bool = False
    """Whether it came by a merge, for which what both sides deleted is no conflict."""


@dataclass(frozen=True)
class Ending:
    """What the writer was told: the commit's hash or, where it was refused, the keys that are to blame."""

    ended: float
    hash: str = ""
    blamed: Sequence[str] = ()
    head: str = ""
    """Where the branch was after the refusal."""


class ViolatedError(AssertionError):
    """A history that no order of the transactions explains."""


def judge(
    first: str, log: Sequence[tuple[str, str]], attempts: Mapping[str, Attempt], endings: Mapping[str, Ending]
) -> Values:
    """The final values, or `ViolatedError`. `log`: hash and attempt of every commit after `first`, oldest first."""
    states: dict[str, Values] = {first: {}}
    order = [first]
    for hash, id in log:
        attempt = attempts.get(id)
        _check(attempt is not None, f"{id} is in the log and nobody wanted it")
        assert attempt is not None
        ending = endings.get(id)
        _check(
            ending is None or ending.hash == hash,
            f"{id} is in the log as {hash}, its writer was told {ending}",
        )
        _check(attempt.seen in states, f"{id} read {attempt.seen}, which is not before it in the log")
        state = states[order[-1]]
        for key in (*attempt.writes, *attempt.reads):
            gone = attempt.merged and attempt.writes.get(key, "") is None and key not in state
            _check(
                gone or state.get(key) == attempt.values.get(key),
                f"{id} saw {attempt.values.get(key)} in {key}, and put its change on {state.get(key)}",
            )
        _check(hash not in states, f"{hash} is in the log twice")
        changed = {**state, **{key: value for key, value in attempt.writes.items() if value is not None}}
        states[hash] = {
            key: value for key, value in changed.items() if attempt.writes.get(key, "") is not None
        }
        order.append(hash)
    ids = [id for _, id in log]
    _check(len(set(ids)) == len(ids), "an attempt is in the log twice")
    place = {hash: number for number, hash in enumerate(order)}
    told = sorted((one.ended, place.get(one.hash, -1)) for one in endings.values() if one.hash)
    _check(all(at >= 0 for _, at in told), "a commit that was acknowledged is not in the log")
    for attempt in attempts.values():
        _check(attempt.seen in states, f"{attempt.id} read {attempt.seen}, which is not in the log")
        _check(
            dict(attempt.values) == states[attempt.seen],
            f"{attempt.id} read what {attempt.seen} does not hold",
        )
        newest = max((at for ended, at in told if ended < attempt.begun), default=0)
        _check(
            place[attempt.seen] >= newest, f"{attempt.id} did not see what was acknowledged before it began"
        )
        ending = endings.get(attempt.id)
        if ending is not None and not ending.hash:
            since = [states[one] for one in order[place[attempt.seen] : place[ending.head] + 1]]
            for key in ending.blamed:
                moved = any(one.get(key) != attempt.values.get(key) for one in since)
                _check(moved, f"{attempt.id} was refused for {key}, which nobody had changed")
            _check(bool(ending.blamed), f"{attempt.id} was refused for nothing")
    return states[order[-1]]


def _check(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ViolatedError(otherwise)
