"""What a ref means now: the commit, its state, when it was made, and the fingerprint of the tables read there.

Everything but the first step (ref -> commit) is about immutable things and is kept.
"""

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from ingot.semantic.answers.recent import Recent
from ingot.semantic.errors import QueryError

if TYPE_CHECKING:
    from ingot.lake import Lake, State

_UNKNOWN = ("",)
"""No table has this name."""


@dataclass(frozen=True, slots=True)
class At:
    """A state of the lake as answers refer to it: as it was asked for, and the time of its commit."""

    ref: str
    state: "State"
    time: str


class States:
    """Looks refs up. Safe to use from several threads."""

    def __init__(self, lake: "Lake") -> None:
        self._lake = lake
        self._known: Recent[str, tuple[State, str]] = Recent(64)
        self._prints: Recent[tuple[str, tuple[str, ...]], str] = Recent(2_000)
        self._spelled: Recent[tuple[str, tuple[str, ...]], tuple[str, ...] | None] = Recent(2_000)

    def at(self, ref: str) -> At:
        """The state that `ref` means now; `NotFoundError` where there is no such ref."""
        near = self.at_hand(ref)  # 0.2 ms sooner
        if near is not None:
            return near
        commit = self._lake.catalog.resolve(ref)
        found = self._known.get(commit)
        if found is None:
            found = self._known.keep(commit, (self._lake.at(commit), self._time(commit)))
        return At(ref, *found)

    def at_hand(self, ref: str) -> At | None:
        """As `at`, but None where that would wait for another machine or read what is not known yet."""
        commit = self._lake.catalog.head(ref)
        found = self._known.get(commit) if commit is not None else None
        return At(ref, *found) if found is not None else None

    def tables(self, names: tuple[str, ...], at: At) -> tuple[str, ...] | None:
        """The lake's own spelling of the tables that a plan reads; None where one is not the lake's.

        Raises `QueryError` for a table that the state does not have.
        """
        key = (at.state.hash, names)
        found = self._spelled.get(key, _UNKNOWN)
        return self._spelled.keep(key, _spelled(names, at)) if found is _UNKNOWN else found

    def is_known(self, names: tuple[str, ...], at: At) -> bool:
        """Whether `tables` and `fingerprint` answer for the tables of a plan without reading a file."""
        tables = self._spelled.get((at.state.hash, names), _UNKNOWN)
        return tables is None or (at.state.hash, tables) in self._prints

    def fingerprint(self, tables: tuple[str, ...], at: At) -> str:
        """What changes exactly when a row of `tables` may have changed."""
        key = (at.state.hash, tables)
        return self._prints.get(key) or self._prints.keep(key, at.state.fingerprint(tables))

    def _time(self, commit: str) -> str:
        if next(iter(self._lake.catalog.log(commit, limit=1)), None) is None:
            return "1970-01-01T00:00:00.000Z"  # the root: nothing was ever committed
        time = self._lake.catalog.commit_of(commit).time
        return f"{time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def _spelled(names: tuple[str, ...], at: At) -> tuple[str, ...] | None:
    if all(name in at.state for name in names):
        return names
    spelled = {name.casefold(): name for name in (*at.state.tables, *at.state.views)}
    found = []
    for name in names:
        real = spelled.get(name.casefold())
        if real is None and name.count(".") == 1:
            raise QueryError(
                f"Table '{name}', which the model reads, is not in '{at.ref}'.",
                hint="'ingot run' builds the tables; 'ingot status' lists them.",
            )
        if real is None:
            return None
        found.append(real)
    return tuple(sorted(found))
