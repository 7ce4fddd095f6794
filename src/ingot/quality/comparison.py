"""`diff`: which tables and views differ between two refs, and how. Rows are compared in `rows`."""

from collections.abc import Iterable, Mapping, Sequence

from ingot.engines.duckdb import DuckDBEngine
from ingot.errors import NotFoundError
from ingot.lake import ContentType, Lake, State, Table
from ingot.lake.names import dotted
from ingot.quality import rows as row_diff
from ingot.quality.compared import Pair, pairs
from ingot.quality.model import Diff, FileChange, RowDiff, TableDiff, ViewDiff
from ingot.quality.sides import Files, files_of, sides
from ingot.quality.structure import columns_changed, layout_changed, properties_changed

SAMPLE = 10
"""Rows of each kind that are shown for a table unless another number is asked for."""


def diff(
    lake: Lake,
    before: str,
    after: str,
    *,
    tables: Iterable[str] | None = None,
    keys: Mapping[str, Sequence[str]] | None = None,
    key: Sequence[str] = (),
    limit: int = SAMPLE,
    rows: bool = True,
) -> Diff:
    """What differs between the states that two specs mean.

    Args:
        tables: names of tables and views; None: all.
        keys: by which columns the rows of a table are matched. A table that lacks one of them on a side is
            compared row by row as a whole, and says so.
        key: the same for every table that has these columns, before `keys`.
        limit: how many rows of each kind are given as a sample of a table; all are counted.
        rows: whether rows are compared at all; without, only metadata is read.

    Raises `NotFoundError` for an unknown ref, table or key column, with the nearest name.
    """
    old, new = lake.at(before), lake.at(after)
    wanted = None if tables is None else _known(tables, old, new)
    found = [one for one in _tables(old, new) if wanted is None or one[0] in wanted or one[1] in wanted]
    if key:
        _check_key(
            key, [each for one in found for each in (_table(old, one[0]), _table(new, one[1])) if each]
        )
    engine = DuckDBEngine(lake)
    try:
        compared = [
            _table_diff(
                engine,
                (old, _table(old, was)),
                (new, _table(new, now)),
                (key, (keys or {}).get(now or was or "", ())),
                limit if rows else None,
            )
            for was, now in found
        ]
    finally:
        engine.close()
    views = [one for one in _views(old, new) if wanted is None or one.name in wanted]
    return Diff(old.hash, new.hash, tuple(one for one in compared if one is not None), tuple(views))


def _known(names: Iterable[str], old: State, new: State) -> set[str]:
    there = {*old.tables, *new.tables, *old.views, *new.views}
    chosen = set(names)
    for name in sorted(chosen - there):
        raise NotFoundError("table or view", name, there, hint="It is in neither of the two states.")
    return chosen


def _check_key(key: Sequence[str], found: Sequence[Table]) -> None:
    columns = {column.name for table in found for column in table.schema}
    folded = {column.casefold() for column in columns}
    for name in key:
        if found and name.casefold() not in folded:
            raise NotFoundError("column", name, columns, hint="No table that differs has it.")


def _table(state: State, name: str | None) -> Table | None:
    return None if name is None else state.table(name)


def _tables(old: State, new: State) -> list[tuple[str | None, str | None]]:
    """The names, before and after, of the tables that differ; one that was renamed is found by its id."""
    return _differing(old, new, ContentType.TABLE)


def _differing(old: State, new: State, kind: ContentType) -> list[tuple[str | None, str | None]]:
    was = {dotted(key): one for key, one in old.entries.items() if one.type is kind}
    now = {dotted(key): one for key, one in new.entries.items() if one.type is kind}
    gone = {was[name].id: name for name in was.keys() - now.keys()}
    found: list[tuple[str | None, str | None]] = []
    for name, content in now.items():
        if name not in was:
            found.append((gone.pop(content.id, None), name))
        elif was[name] != content:
            found.append((name, name))
    found += [(name, None) for name in gone.values()]
    return sorted(found, key=lambda one: one[1] or one[0] or "")


def _table_diff(
    engine: DuckDBEngine,
    old: tuple[State, Table | None],
    new: tuple[State, Table | None],
    keys: tuple[Sequence[str], Sequence[str]],
    limit: int | None,
) -> TableDiff | None:
    """How one table differs; None where only its history does."""
    (old_state, was), (new_state, now) = old, new
    if was is None or now is None:
        there = was or now
        assert there is not None
        size = FileChange(
            **{"added" if was is None else "removed": len(there.files)},
            **{"bytes_added" if was is None else "bytes_removed": there.bytes},
        )
        return TableDiff(
            there.name,
            "added" if was is None else "removed",
            rows_before=0 if was is None else was.rows,
            rows_after=0 if now is None else now.rows,
            files=size,
        )
    found = files_of(was, now)
    compared = pairs(was, now)
    made = TableDiff(
        now.name,
        "changed" if was.name == now.name else "renamed",
        rows_before=was.rows,
        rows_after=now.rows,
        before_name=None if was.name == now.name else was.name,
        columns=tuple(columns_changed(was.schema, now.schema, by_id=was.content.id == now.content.id)),
        layout=tuple(layout_changed(was, now)),
        properties=tuple(properties_changed(was.properties, now.properties)),
        files=found.change,
        rows=None
        if limit is None
        else _rows(engine, (old_state, was), (new_state, now), compared, found=found, keys=keys, limit=limit),
    )
    visible = (
        made.before_name
        or made.columns
        or made.layout
        or made.properties
        or made.files.added
        or made.files.removed
        or (made.rows is not None and not made.rows.same)
    )
    return made if visible else None


def _rows(
    engine: DuckDBEngine,
    old: tuple[State, Table],
    new: tuple[State, Table],
    compared: Sequence[Pair],
    *,
    found: Files,
    keys: tuple[Sequence[str], Sequence[str]],
    limit: int,
) -> RowDiff:
    was, now = old[1], new[1]
    key, notes = _key(compared, *keys)
    names = tuple(pair.after for pair in compared)
    if not compared:
        return RowDiff(now.rows, was.rows, 0, notes=("The two have no column in common.",))
    if _same_rows(was, now, found) and not any(pair.by_name for pair in compared):
        return RowDiff(0, 0, 0, key, names, notes=notes)
    read = sides(old, new, compared, found)
    with engine.session(read) as con:
        return row_diff.compare(con, compared, key, limit=limit, notes=notes)


def _same_rows(was: Table, now: Table, found: Files) -> bool:
    if was.content.id != now.content.id:
        return False
    return was.snapshot_id == now.snapshot_id or (found.whole and set(found.before) == set(found.after))


def _key(
    compared: Sequence[Pair], asked: Sequence[str], known: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The key as the later side names its columns, and what a reader should know of it."""
    named = {pair.before.casefold(): pair.after for pair in compared}
    named |= {pair.after.casefold(): pair.after for pair in compared}
    if asked and all(name.casefold() in named for name in asked):
        return tuple(dict.fromkeys(named[name.casefold()] for name in asked)), ()
    missing = [name for name in known if name.casefold() not in named]
    if missing:
        said = f"The key ({', '.join(known)}) was not used: not both sides have {', '.join(missing)}."
        return (), (said,)
    return tuple(dict.fromkeys(named[name.casefold()] for name in known)), ()


def _views(old: State, new: State) -> list[ViewDiff]:
    made: list[ViewDiff] = []
    for was, now in _differing(old, new, ContentType.VIEW):
        # A view that was renamed reads as one that went and one that came: others find it by its name.
        if was is not None and now is not None and was == now:
            one, other = old.view(was), new.view(now)
            columns = columns_changed(one.schema, other.schema, by_id=False)
            if one.text != other.text or columns:
                made.append(ViewDiff(now, "changed", one.text, other.text, tuple(columns)))
            continue
        if was is not None:
            made.append(ViewDiff(was, "removed", old.view(was).text, None))
        if now is not None:
            made.append(ViewDiff(now, "added", None, new.view(now).text))
    return sorted(made, key=lambda one: one.name)
