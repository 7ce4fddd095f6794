"""How a rollup is cut at one state of the lake: its partitions, and the fingerprint of what each is made from.

A partition's fingerprint names the data files that can hold rows of its time, so that a new file of yesterday
leaves all other partitions as they are. Where files do not tell (a time computed by SQL, a view, deletions),
each partition depends on the whole table.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlglot import exp

from ingot.lake import spans
from ingot.semantic.model import Cube, Dimension
from ingot.semantic.rollups import periods
from ingot.semantic.rollups.definition import Rollup, Window

if TYPE_CHECKING:
    from ingot.lake import Span, State

WHOLE = "all"
NO_TIME = "none"
_MOST_STEPS = 1_000_000


@dataclass(frozen=True, slots=True)
class Piece:
    """One partition: its name, its window (None: rows without a time), and what its file is named by.

    `whole`: it is everything, without a window.
    """

    name: str
    window: Window | None
    inputs: str
    whole: bool = False


def pieces(rollup: Rollup, state: "State", tables: Sequence[str], build: Window | None) -> list[Piece]:
    """The partitions of a rollup whose cubes read `tables`; `build` is the evaluated build range."""
    whole = state.fingerprint(tables)
    files = _files(rollup, state)
    if rollup.partition is None or files is None or rollup.time is None:
        stamp = _hash(rollup.hash, whole, _text(build))
        return [Piece(WHOLE, build, stamp, whole=build is None)]
    assert isinstance(rollup.time.member, Dimension)
    others = state.fingerprint(_others(rollup, tables))
    schema = _schema(rollup, state)
    windows = _windows(files, rollup.partition, build)
    if windows is None:
        stamp = _hash(rollup.hash, whole, _text(build))
        return [Piece(WHOLE, build, stamp, whole=build is None)]
    found = []
    for window in windows:
        paths = sorted(one.path for one in files if _touches(one, window))
        found.append(
            Piece(
                periods.name(window[0], rollup.partition),
                window,
                _hash(rollup.hash, others, schema, _text(window), *paths),
            )
        )
    if build is None:
        found.append(
            Piece(NO_TIME, None, _hash(rollup.hash, *_without_time(rollup, files, others, schema, whole)))
        )
    return found


def _without_time(rollup: Rollup, files: "Sequence[Span]", others: str, schema: str, whole: str) -> list[str]:
    assert rollup.time is not None
    cube = rollup.time.column.found.member.cube
    if all(one.fact.tree.root == cube for one in rollup.facts):
        return [others, schema, *sorted(one.path for one in files if one.nulls)]
    # Rows of another cube that find no row with a time depend on all of them.
    return [whole]


def _files(rollup: Rollup, state: "State") -> "tuple[Span, ...] | None":
    """What the files of the time's table hold, where its cube is that table and the time one of its columns."""
    if rollup.time is None or not isinstance(rollup.time.member, Dimension):
        return None
    dimension = rollup.time.member
    cube: Cube = rollup.model.cubes[dimension.cube]
    table = _table(cube, state)
    if table is None or not isinstance(dimension.sql, exp.Column) or dimension.sql.table != cube.name:
        return None
    if rollup.sub_queries:
        return None
    return spans(state, table, dimension.sql.name)


def _table(cube: Cube, state: "State") -> str | None:
    if not isinstance(cube.source, exp.Table) or len(cube.tables) != 1:
        return None
    wanted = cube.tables[0].casefold()
    return next((name for name in state.tables if name.casefold() == wanted), None)


def _others(rollup: Rollup, tables: Sequence[str]) -> tuple[str, ...]:
    """The tables of all cubes but the time's, in the lake's spelling."""
    assert rollup.time is not None
    own = rollup.time.column.found.member.cube
    wanted = {
        name.casefold() for cube in rollup.cubes if cube != own for name in rollup.model.cubes[cube].tables
    }
    return tuple(name for name in tables if name.casefold() in wanted)


def _schema(rollup: Rollup, state: "State") -> str:
    assert rollup.time is not None
    cube = rollup.model.cubes[rollup.time.column.found.member.cube]
    name = _table(cube, state)
    assert name is not None
    table = state.table(name)
    return f"{table.content.id}\n{table.content.schema_id}"


def _windows(files: "Sequence[Span]", unit: str, build: Window | None) -> list[Window] | None:
    """The partitions that the files, or the build range, reach; None where that is not known or too many."""
    timed = [one for one in files if not one.empty]
    if build is not None:
        first, last = build[0], build[1] - timedelta(microseconds=1)
        if last < first:
            return []
    elif any(one.first is None or one.last is None for one in timed):
        return None
    elif not timed:
        return []
    else:
        first = min(one.first for one in timed if one.first is not None)
        last = max(one.last for one in timed if one.last is not None)
    found: set[Window] = set()
    steps = 0
    for one in timed:
        start, end = max(first, one.first or first), min(last, one.last or last)
        for window in periods.between(start, end, unit) if start <= end else ():
            found.add(window)
            steps += 1
            if len(found) > periods.MOST or steps > _MOST_STEPS:
                return None
    return sorted(found)


def _touches(one: "Span", window: Window) -> bool:
    if one.empty:
        return False
    return (one.first is None or one.first < window[1]) and (one.last is None or one.last >= window[0])


def _text(window: Window | None) -> str:
    return "" if window is None else f"{window[0].isoformat()}/{window[1].isoformat()}"


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def merged(windows: Iterable[Window | None]) -> list[Window | None]:
    """The same windows, those that follow each other as one."""
    timed = sorted(one for one in windows if one is not None)
    found: list[Window | None] = []
    for window in timed:
        last = found[-1] if found else None
        if last is not None and last[1] == window[0]:
            found[-1] = (last[0], window[1])
        else:
            found.append(window)
    if any(one is None for one in windows):
        found.append(None)
    return found


def covered(windows: Sequence[Window], moment: datetime) -> bool:
    """Whether `moment` lies in one of the windows."""
    return any(first <= moment < last for first, last in windows)
