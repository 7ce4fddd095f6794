"""CSV parts as a DuckDB relation of text columns, and DuckDB's complaints as errors with file and line."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from ingot.engines.sql import quote_identifier, quote_literal
from ingot.project.source import FileOptions
from ingot.sources.errors import SourceError
from ingot.sources.files.csv_text import Head, bad_encoding, long_line, mixed_line_ends
from ingot.sources.files.parts import Part

LONGEST_LINE = 16_000_000
_LINE = re.compile(r"CSV Error on Line: (\d+)")
_ORIGINAL = re.compile(r"Original Line: (.*)")
_FILE = re.compile(r"^\s*file ?= ?(.+)$", re.MULTILINE)
_COUNTS = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")


@dataclass(frozen=True, slots=True)
class CsvPart:
    """A part and how it is written."""

    part: Part
    head: Head


def columns_of(parts: Sequence[CsvPart]) -> tuple[str, ...]:
    """All columns of the parts, in order of appearance. Raises `SourceError` where two differ only by case."""
    found: dict[str, tuple[str, Part]] = {}
    for each in parts:
        for name in each.head.columns:
            first, part = found.setdefault(name.casefold(), (name, each.part))
            if first != name:
                raise SourceError(
                    f"The column '{name}' is called '{first}' in {part.shown}.",
                    file=each.part.shown,
                    line=each.head.lines or None,
                    column=name,
                    hint="Write it the same in all files.",
                )
    return tuple(name for name, _ in found.values())


def relation(
    parts: Sequence[CsvPart], columns: Sequence[str], options: FileOptions, *, named: bool = False
) -> str:
    """A table expression with `columns`, all VARCHAR, of every row of the parts; `named` adds `filename`.

    Files with equal headers are read together; a column that a file does not have is NULL for its rows.
    """
    groups: dict[tuple[object, ...], list[CsvPart]] = {}
    for each in parts:
        groups.setdefault((each.head.columns, each.head.delimiter), []).append(each)
    reads = [
        f"SELECT {_chosen(group[0].head.columns, columns, named=named)} FROM {_read(group, options, named=named)}"
        for group in groups.values()
    ]
    return "(" + " UNION ALL ".join(reads) + ")"


def _chosen(have: Sequence[str], wanted: Sequence[str], *, named: bool) -> str:
    if named:
        return "filename"
    names = set(have)
    return ", ".join(
        quote_identifier(name) if name in names else f"NULL::VARCHAR AS {quote_identifier(name)}"
        for name in wanted
    )


def _read(group: Sequence[CsvPart], options: FileOptions, *, named: bool) -> str:
    head = group[0].head
    quote = '"' if options.quote is None else options.quote
    settings: dict[str, object] = {
        "auto_detect": False,
        "header": options.header is not False,
        "skip": options.skip,
        "delim": head.delimiter,
        "quote": quote,
        "escape": options.escape or quote,
        "nullstr": list(dict.fromkeys(["", *options.null_values])),
        "strict_mode": True,
        "null_padding": False,
        "columns": dict.fromkeys(head.columns, "VARCHAR"),
        "hive_partitioning": False,
        "filename": named,
    }
    if any(each.part.scan.long for each in group):
        settings |= {"max_line_size": LONGEST_LINE, "buffer_size": 2 * LONGEST_LINE}
    else:
        # DuckDB's 32 MB make the sample of a large file take 24 ms instead of 12, and the load no faster.
        settings |= {"buffer_size": 8_000_000}
    paths = quote_literal([str(each.part.path) for each in group])
    return f"read_csv({paths}, {', '.join(f'{key} = {quote_literal(value)}' for key, value in settings.items())})"


def explain(error: duckdb.Error, parts: Sequence[CsvPart]) -> SourceError:
    """DuckDB's complaint about CSV in the words of the files that people have."""
    text = str(error)
    by_path = {str(each.part.path): each for each in parts}
    named = _FILE.search(text)
    found = by_path.get(named[1].strip()) if named else None
    if found is None:
        found = next((each for path, each in by_path.items() if path in text), None)
    if found is None and len(parts) == 1:
        found = parts[0]
    shown = found.part.shown if found else None
    line = _LINE.search(text)
    number = int(line[1]) if line else None
    original = _ORIGINAL.search(text)
    excerpt = f"\n  {_short(original[1])}" if original else ""
    where: Mapping[str, str | int | None] = {"file": shown, "line": number}
    if "unicode" in text and found:
        return bad_encoding(found.part.path, found.part.shown)
    if counts := _COUNTS.search(text):
        what = "more" if int(counts[2]) > int(counts[1]) else "fewer"
        return _error(
            f"The row has {counts[2]} values, {what} than the {counts[1]} columns of the header.{excerpt}",
            where,
        )
    if "unterminated quote" in text:
        return _error(
            f"A quote is opened that is not closed, or text follows a closing quote.{excerpt}",
            where,
            hint="A quote inside a quoted value is written twice; options: {quote: ''} means that quotes mean nothing.",
        )
    if "Maximum line size" in text or "support a full read" in text:
        number = number or (long_line(found.part.path, LONGEST_LINE) if found else None)
        return _error(f"The line is longer than {LONGEST_LINE:,} bytes.", {**where, "line": number})
    if found and (mixed := mixed_line_ends(found.part.path, found.part.shown)):
        return mixed
    return _error(text.split("\nPossible", maxsplit=1)[0].strip(), where)


def _error(message: str, where: Mapping[str, str | int | None], *, hint: str | None = None) -> SourceError:
    file, line = where["file"], where["line"]
    return SourceError(
        message,
        file=file if isinstance(file, str) else None,
        line=line if isinstance(line, int) else None,
        hint=hint,
    )


def _short(text: str) -> str:
    return text if len(text) <= 160 else text[:157] + "..."
