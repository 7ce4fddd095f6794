"""An Excel sheet as CSV text: every cell as it would be typed, dates and times in ISO form.

DuckDB's own reader guesses a column's type from its first row and gives dates as numbers otherwise, so the
cells are read here, with the format that each has; types are then inferred as for any CSV.
"""

import csv
import datetime as dt
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, iterparse

from ingot.errors import did_you_mean
from ingot.sources.errors import SourceError

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_DATE_FORMATS = frozenset([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)])
_NOT_DATE = re.compile(r'"[^"]*"|\\.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)


def to_csv(path: Path, shown: str, sheet: str | None, target: Path) -> Path:
    """Writes the sheet (default: the first) to `target`. Raises `SourceError` where there is no such sheet."""
    try:
        with zipfile.ZipFile(path) as book, target.open("w", encoding="utf-8", newline="") as out:
            names = _sheets(book)
            if not names:
                raise SourceError("The file has no sheet.", file=shown)
            if sheet is not None and sheet not in names:
                raise SourceError(
                    f"There is no sheet '{sheet}'{did_you_mean(sheet, names)}.",
                    file=shown,
                    hint=f"Its sheets: {', '.join(names)}.",
                )
            rows = _rows(book, names[sheet] if sheet else next(iter(names.values())))
            writer = csv.writer(out, lineterminator="\n")
            width = 0
            for row in rows:
                width = width or len(row)
                row.extend([""] * (width - len(row)))
                if any(row):
                    writer.writerow(row)
                elif width > 1:
                    # A blank line, which is no row, so that line numbers are those of the sheet.
                    out.write("\n")
        return target
    except (zipfile.BadZipFile, ParseError, KeyError, ValueError, IndexError, EOFError) as error:
        raise SourceError(
            f"This is not an Excel file that can be read ({error}).",
            file=shown,
            hint="Save it as .xlsx or as CSV.",
        ) from error


def _sheets(book: zipfile.ZipFile) -> dict[str, str]:
    """Each sheet's name and its path in the file, in the order of the tabs."""
    targets = {each.get("Id"): each.get("Target", "") for each in _tree(book, "xl/_rels/workbook.xml.rels")}
    sheets = _tree(book, "xl/workbook.xml").find(f"{_MAIN}sheets")
    found = {}
    for each in sheets if sheets is not None else ():
        target = targets.get(each.get(_REL), "")
        found[each.get("name", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return found


def _rows(book: zipfile.ZipFile, path: str) -> Iterator[list[str]]:
    strings = _strings(book)
    dates = _date_styles(book)
    epoch = _epoch(book)
    with book.open(path) as opened:
        for _, element in iterparse(opened):  # noqa: S314 - expat limits entity expansion
            if element.tag == f"{_MAIN}row":
                row: list[str] = []
                for cell in element:
                    at = _column(cell.get("r")) if cell.get("r") else len(row)
                    row += [""] * (at + 1 - len(row))
                    row[at] = _text(cell, strings, dates, epoch)
                yield row
                element.clear()


def _text(cell: Element, strings: list[str], dates: frozenset[int], epoch: dt.datetime) -> str:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        return "".join(part.text or "" for part in cell.iter(f"{_MAIN}t"))
    found = cell.find(f"{_MAIN}v")
    value = found.text if found is not None and found.text is not None else ""
    if kind == "s":
        return strings[int(value)] if value else ""
    if kind == "b":
        return "true" if value == "1" else "false"
    if kind == "n" and value:
        return _date(float(value), epoch) if int(cell.get("s", 0)) in dates else _number(value)
    return "" if kind == "e" and value == "#N/A" else value


def _number(value: str) -> str:
    """As a person would type it: Excel stores 1100000 as 1.1E6, and 0.1 + 0.2 with 17 digits."""
    if re.fullmatch(r"-?\d{1,15}", value):
        return value
    number = float(value)
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def _date(serial: float, epoch: dt.datetime) -> str:
    if 0 <= serial < 1:
        return str(
            (dt.datetime(2000, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=round(serial * 86400))).time()
        )
    # A serial number has about a millisecond left of its precision.
    moment = epoch + dt.timedelta(milliseconds=round(serial * 86400_000))
    moment = moment.replace(tzinfo=None)
    return str(moment.date()) if moment.time() == dt.time() else moment.isoformat(sep=" ")


def _epoch(book: zipfile.ZipFile) -> dt.datetime:
    settings = _tree(book, "xl/workbook.xml").find(f"{_MAIN}workbookPr")
    mac = settings is not None and settings.get("date1904") in ("1", "true")
    return dt.datetime(1904, 1, 1, tzinfo=dt.UTC) if mac else dt.datetime(1899, 12, 30, tzinfo=dt.UTC)


def _date_styles(book: zipfile.ZipFile) -> frozenset[int]:
    """The numbers of the cell styles that show a number as a date."""
    if "xl/styles.xml" not in book.namelist():
        return frozenset()
    styles = _tree(book, "xl/styles.xml")
    own = {
        int(each.get("numFmtId", 0))
        for each in styles.iter(f"{_MAIN}numFmt")
        if re.search("[ymdhs]", _NOT_DATE.sub("", each.get("formatCode", "")), re.IGNORECASE)
    }
    cells = styles.find(f"{_MAIN}cellXfs")
    numbers = [int(each.get("numFmtId", 0)) for each in cells] if cells is not None else []
    return frozenset(
        index for index, number in enumerate(numbers) if number in _DATE_FORMATS or number in own
    )


def _strings(book: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in book.namelist():
        return []
    # A phonetic guide (rPh) repeats the text for reading aloud and is no part of it.
    return [
        "".join(part.text or "" for part in [*item.findall(f"{_MAIN}t"), *item.findall(f"{_MAIN}r/{_MAIN}t")])
        for item in _tree(book, "xl/sharedStrings.xml").iter(f"{_MAIN}si")
    ]


def _column(reference: str | None) -> int:
    number = 0
    for letter in (reference or "").rstrip("0123456789"):
        number = number * 26 + ord(letter.upper()) - 64
    return number - 1


def _tree(book: zipfile.ZipFile, path: str) -> Element:
    with book.open(path) as opened:
        root: Element | None = None
        for _, element in iterparse(opened):  # noqa: S314 - expat limits entity expansion
            root = element
    if root is None:
        raise ValueError(f"{path} is empty")
    return root
