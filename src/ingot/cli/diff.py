"""`ingot diff`: what differs between two refs: tables, columns, files, and rows."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from difflib import unified_diff
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ingot.cli import output
from ingot.cli.options import JsonOption, ProjectOption, open_project

if TYPE_CHECKING:
    from ingot.lake import Lake
    from ingot.quality import PropertyChange, RowChange, RowDiff, TableDiff, ViewDiff

_SHORT = 12
_LONGEST = 60
"""Characters of a value or property that are shown; `--json` has all of them."""
_SIGNS = {"added": "+", "removed": "-", "changed": "~", "renamed": ">", "retyped": "~", "commented": "~"}
_COLOURS = {"+": "green", "-": "red", "~": "yellow", ">": "cyan"}


def diff(
    before: Annotated[
        str | None, typer.Argument(metavar="[FROM]", help="What is compared (default: main).")
    ] = None,
    after: Annotated[
        str | None,
        typer.Argument(
            metavar="[TO]",
            help="What it is compared with (default: the branch that was changed last; without one, the last commit).",
        ),
    ] = None,
    table: Annotated[
        list[str] | None, typer.Option("--table", "-t", help="Only this table or view; may be repeated.")
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(
            "--key",
            "-k",
            metavar="COLUMN",
            help="Match rows by this column; may be repeated (default: the primary_key of the source or cube).",
        ),
    ] = None,
    rows: Annotated[int, typer.Option("--rows", min=0, help="Rows of each kind to show, of a table.")] = 5,
    stat: Annotated[bool, typer.Option("--stat", help="Read no data: do not compare rows.")] = False,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Show what differs between two refs: tables, columns, files, and rows.

    Rows are compared in the columns that both sides have: by key where one is known, else as a whole.
    With one ref, main is compared with it. A...B compares B with where it left A: what a merge would bring.

    Example: ingot diff main dev
    Example: ingot diff main...dev --stat
    Example: ingot diff v1 main --table gold.orders --key order_id --rows 20
    """
    from ingot import quality
    from ingot.lake import Lake

    opened = open_project(project)
    with Lake.open(opened) as lake:
        old, new = _pair(lake, before, after)
        found = quality.diff(
            lake,
            old,
            new,
            tables=table,
            keys=quality.known_keys(opened),
            key=key or (),
            limit=rows,
            rows=not stat,
        )
    if json:
        output.print_json({"from": old, "to": new, **found.to_dict()})
        return
    print(f"{old} ({found.before[:_SHORT]}) -> {new} ({found.after[:_SHORT]})")
    if found.same:
        print("no differences")
        return
    quiet = [] if table else [one for one in found.tables if _only_rewritten(one)]
    told = [one for one in found.tables if one not in quiet]
    _print_summary(told, found.views)
    if quiet:
        print(
            f"= {_number(len(quiet), 'table')} written anew with the same rows: {', '.join(one.name for one in quiet)}"
        )
    for one in told:
        if one.change in ("changed", "renamed"):
            print(f"\n{_bold(one.name)}")
            _print_lines(_table_lines(one))
    for view in found.views:
        if view.change == "changed":
            print(f"\n{_bold(view.name)}")
            _print_lines(_view_lines(view))


def _pair(lake: "Lake", before: str | None, after: str | None) -> tuple[str, str]:
    if before is not None and after is not None:
        return before, after
    if before is not None and "..." in before:
        # No ref can have two dots in its name, so this is what git means by it.
        one, _, other = before.partition("...")
        base = lake.catalog.merge_base(lake.catalog.resolve(one), lake.catalog.resolve(other))
        return base[:_SHORT], other
    if before is not None:
        return "main", before
    branches = [ref for ref in lake.catalog.refs() if ref.kind.value == "BRANCH" and ref.name != "main"]
    main = lake.catalog.resolve("main")
    moved = [ref for ref in branches if ref.hash != main]
    if moved:
        newest = max(moved, key=lambda ref: (_time(lake, ref.hash), ref.name))
        return "main", newest.name
    if next(iter(lake.catalog.log(main, limit=1)), None) is None:
        return "main", "main"
    return "main~1", "main"


def _time(lake: "Lake", hash: str) -> float:
    newest = next(iter(lake.catalog.log(hash, limit=1)), None)
    return newest.time.timestamp() if newest else 0.0


def _only_rewritten(one: "TableDiff") -> bool:
    """A table that nobody who asks what differs needs to read about: new files, the same rows."""
    same = one.change == "changed" and one.rows is not None and one.rows.same and not one.rows.notes
    return same and not (one.columns or one.layout or _properties(one))


def _properties(one: "TableDiff") -> "list[PropertyChange]":
    """The properties that people set; what Ingot notes for itself is for `--json`."""
    return [part for part in one.properties if not part.name.startswith("ingot.")]


def _print_summary(tables: "Sequence[TableDiff]", views: "Sequence[ViewDiff]") -> None:
    cells = [(_SIGNS[one.change], one.name, _rows_said(one), _rest_said(one)) for one in tables]
    cells += [(_SIGNS[view.change], view.name, "view", "") for view in views]
    cells.sort(key=lambda cell: cell[1])
    if not cells:
        return
    widths = [max(len(cell[at]) for cell in cells) for at in (1, 2)]
    for sign, name, said, rest in cells:
        print(_coloured(f"{sign} {name:<{widths[0]}}  {said:<{widths[1]}}  {rest}".rstrip(), sign))


def _rows_said(one: "TableDiff") -> str:
    if one.change in ("added", "removed"):
        return _number(one.rows_after if one.change == "added" else one.rows_before, "row")
    if one.rows is None:
        return f"{output.count(one.rows_before)} -> {_number(one.rows_after, 'row')}"
    if one.rows.same:
        return "same rows"
    parts = [("+", one.rows.added), ("-", one.rows.removed), ("~", one.rows.changed)]
    return "rows " + " ".join(f"{sign}{output.count(number)}" for sign, number in parts if number)


def _rest_said(one: "TableDiff") -> str:
    said = []
    if one.change == "renamed":
        said.append(f"was {one.before_name}")
    if one.change in ("changed", "renamed"):
        if one.columns:
            said.append(_number(len({each.name for each in one.columns}), "column"))
        said += [each.name for each in one.layout]
        if number := len(_properties(one)):
            said.append("1 property" if number == 1 else f"{number} properties")
    return ", ".join(said)


def _table_lines(one: "TableDiff") -> Iterator[tuple[str, str]]:
    for column in one.columns:
        sign = _SIGNS[column.kind]
        yield sign, f"{sign} column {column.name} {_change_said(column.kind, column.before, column.after)}"
    for part in (*one.layout, *_properties(one)):
        yield "~", _property_line(part)
    files = one.files
    if files.added or files.removed:
        said = [
            f"{sign}{number} ({output.size(size)})"
            for sign, number, size in (
                ("+", files.added, files.bytes_added),
                ("-", files.removed, files.bytes_removed),
            )
            if number
        ]
        yield "", f"  files {' '.join(said)}, {files.common} in both"
    if one.rows is not None:
        yield from _row_lines(one.rows)


def _change_said(kind: str, before: str | None, after: str | None) -> str:
    if kind in ("added", "removed"):
        return after or before or ""
    if kind == "renamed":
        return f"was {before}"
    return f"{_short(before)} -> {_short(after)}"


def _property_line(part: "PropertyChange") -> str:
    sign = "+" if part.before is None else "-" if part.after is None else "~"
    if part.name in ("partitioning", "sort order"):
        return f"~ {part.name} {part.before or 'none'} -> {part.after or 'none'}"
    said = (
        f"{_short(part.before)} -> {_short(part.after)}" if sign == "~" else _short(part.after or part.before)
    )
    return f"{sign} property {part.name} {said}"


def _row_lines(rows: "RowDiff") -> Iterator[tuple[str, str]]:
    by = f" by {', '.join(rows.key)}" if rows.key else ""
    if rows.same:
        yield "", "  same rows"
    else:
        parts = [
            f"{output.count(number)} {kind}"
            for kind, number in (("added", rows.added), ("removed", rows.removed), ("changed", rows.changed))
            if number
        ]
        columns = ", ".join(
            f"{name} in {output.count(number)}" for name, number in rows.changed_columns.items()
        )
        yield "", f"  rows{by}: {', '.join(parts)}" + (f" ({columns})" if columns else "")
    for note in rows.notes:
        yield "", f"  note: {note}"
    for row in rows.sample:
        sign = _SIGNS[row.kind]
        yield sign, f"    {sign} {_row_said(row, rows)}"
    counted = {"added": rows.added, "removed": rows.removed, "changed": rows.changed}
    hidden = sum(counted.values()) - sum(row.copies for row in rows.sample)
    if rows.sample and hidden > 0:
        yield "", f"    and {output.count(hidden)} more; --rows N shows N of each kind"


def _row_said(row: "RowChange", rows: "RowDiff") -> str:
    if row.kind != "changed":
        values: Mapping[str, Any] = row.after or row.before or {}
        order = [*rows.key, *(name for name in values if name not in rows.key)]
        said = ", ".join(f"{name}={_value(values[name])}" for name in order)
        return said + (f"  ({row.copies} times)" if row.copies > 1 else "")
    old, new = row.before or {}, row.after or {}
    key = ", ".join(f"{name}={_value(new[name])}" for name in rows.key)
    changes = ", ".join(f"{_bold(name)} {_value(old[name])} -> {_value(new[name])}" for name in row.columns)
    return f"{key}: {changes}"


def _view_lines(view: "ViewDiff") -> Iterator[tuple[str, str]]:
    for column in view.columns:
        sign = _SIGNS[column.kind]
        yield sign, f"{sign} column {column.name} {_change_said(column.kind, column.before, column.after)}"
    lines = unified_diff((view.before or "").splitlines(), (view.after or "").splitlines(), lineterm="", n=2)
    for line in list(lines)[3:]:
        yield line[:1], f"    {line}"


def _print_lines(lines: Iterator[tuple[str, str]]) -> None:
    for sign, line in lines:
        print(_coloured(line, sign))


def _number(count: int, noun: str) -> str:
    return f"{output.count(count)} {noun}{'' if count == 1 else 's'}"


def _value(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _short(str(value))


def _short(text: str | None) -> str:
    if text is None:
        return "none"
    # A value may hold line breaks or a terminal's control characters; one row is one line.
    plain = "".join(one if one.isprintable() else repr(one)[1:-1] for one in text[: _LONGEST + 1])
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1] + "…"


def _coloured(text: str, sign: str) -> str:
    return typer.style(text, fg=_COLOURS[sign]) if sign in _COLOURS and sys.stdout.isatty() else text


def _bold(text: str) -> str:
    return typer.style(text, bold=True) if sys.stdout.isatty() else text
