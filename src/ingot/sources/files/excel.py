"""An Excel sheet as CSV text: every cell as it would be typed, dates and times in ISO form.

The workbook is read by calamine, which knows each cell's own type. DuckDB's reader guesses a column's type
from its first row and gives dates as numbers otherwise; types are inferred from this text as for any CSV.
"""

import csv
import datetime as dt
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook

from ingot.errors import did_you_mean
from ingot.sources.errors import SourceError

Cell = int | float | str | bool | dt.time | dt.date | dt.datetime | dt.timedelta


def to_csv(path: Path, shown: str, sheet: str | None, target: Path) -> Path:
    """Writes the sheet (default: the first) to `target`. Raises `SourceError` where there is no such sheet."""
    try:
        with CalamineWorkbook.from_path(path) as book:
            rows = _rows(book, shown, sheet)
    except (CalamineError, OSError) as error:
        raise SourceError(
            f"This is not an Excel file that can be read ({error}).",
            file=shown,
            hint="Save it as .xlsx or as CSV.",
        ) from error
    with target.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        for row in rows:
            texts = [_text(cell) for cell in row]
            if any(texts):
                writer.writerow(texts)
            elif len(texts) > 1:
                # A blank line, which is no row, so that line numbers are those of the sheet.
                out.write("\n")
    return target


def _rows(book: CalamineWorkbook, shown: str, sheet: str | None) -> list[list[Cell]]:
    names = book.sheet_names
    if not names:
        raise SourceError("The file has no sheet.", file=shown)
    if sheet is not None and sheet not in names:
        raise SourceError(
            f"There is no sheet '{sheet}'{did_you_mean(sheet, names)}.",
            file=shown,
            hint=f"Its sheets: {', '.join(names)}.",
        )
    return book.get_sheet_by_name(sheet or names[0]).to_python(skip_empty_area=False)


def _text(cell: Cell) -> str:
    match cell:
        case bool():
            return "true" if cell else "false"
        case float():
            # Excel knows only floating point; a whole number is shown as one. 15 digits are all that it keeps.
            return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
        case dt.datetime():
            return str(cell.date()) if cell.time() == dt.time() else cell.isoformat(sep=" ")
        case dt.timedelta():
            return _duration(cell)
        case _:
            return str(cell)


def _duration(length: dt.timedelta) -> str:
    """`[h]:mm:ss` as the sheet shows it: 26:30:00, not 1 day."""
    seconds = round(length.total_seconds())
    sign = "-" if seconds < 0 else ""
    hours, rest = divmod(abs(seconds), 3600)
    return f"{sign}{hours:02d}:{rest // 60:02d}:{rest % 60:02d}"
