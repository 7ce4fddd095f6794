"""Whole numbers in JSON that are too long for DuckDB's inference, which would make them DOUBLE and lose digits."""

import re
from collections.abc import Mapping, Sequence

import duckdb
from duckdb import DuckDBPyConnection

from ingot.engines.sql import quote_identifier
from ingot.sources.files import typed
from ingot.sources.files.parts import Part

_DOUBLE = re.compile(r"\bDOUBLE\b")
_WHOLE = "'^-?[0-9]+$'"
_MOST = 38
"""Digits of the widest number that a table holds."""


def kept(con: DuckDBPyConnection, parts: Sequence[Part], found: Mapping[str, str]) -> dict[str, str]:
    """The types of JSON columns so that no whole number loses a digit.

    A column of nothing but whole numbers becomes HUGEINT, or text where one has more than 38 digits; one
    that has fractions as well becomes text, and so does a nested one. Columns whose numbers are all exact
    as DOUBLE stay what they are.
    """
    doubtful = [name for name, kind in found.items() if _DOUBLE.search(kind)]
    if not doubtful:
        return dict(found)
    read = typed.relation("json", parts, dict.fromkeys(doubtful, "JSON"))
    asked = [
        part for name in doubtful for part in (_plain(name) if found[name] == "DOUBLE" else _nested(name))
    ]
    try:
        row = con.execute(f"SELECT {', '.join(asked)} FROM {read}").fetchone() or ()
    except duckdb.Error as error:
        raise typed.explain(error, parts) from error
    done = dict(found)
    for at, name in enumerate(doubtful):
        loses, fits = row[2 * at], row[2 * at + 1]
        if loses:
            done[name] = "HUGEINT" if fits else "JSON"
    return done


def _plain(name: str) -> tuple[str, str]:
    text = quote_identifier(name)
    digits = f"length(ltrim({text}, '-'))"
    whole = f"regexp_matches({text}, {_WHOLE})"
    # Below 16 digits every whole number is exact; a longer one is if it comes back as it went in.
    exact = f"{digits} < 16 OR ({digits} <= {_MOST} AND TRY_CAST(CAST({text} AS DOUBLE) AS HUGEINT)::VARCHAR = {text})"
    return (
        f"coalesce(bool_or(CASE WHEN {whole} THEN NOT coalesce({exact}, false) ELSE false END), false)",
        f"coalesce(bool_and({whole} AND {digits} <= {_MOST}), false)",
    )


def _nested(name: str) -> tuple[str, str]:
    # What stands between quotes is text, whatever it looks like.
    bare = f"regexp_replace({quote_identifier(name)}, '\"(\\\\.|[^\"\\\\])*\"', '\"\"', 'g')"
    long = f"regexp_extract_all({bare}, '(^|[^0-9.eE+-])(-?[0-9]{{16,}})([^0-9.eE]|$)', 2)"
    lost = f"len(list_filter({long}, lambda n: coalesce(TRY_CAST(CAST(n AS DOUBLE) AS HUGEINT)::VARCHAR, '') <> n)) > 0"
    return f"coalesce(bool_or({lost}), false)", "false"
