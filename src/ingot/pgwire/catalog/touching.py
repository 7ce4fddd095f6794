"""Whether a statement would read a table that is only shown: the shadow's tables are empty, which is no answer.

Statements over data are not meant to get here. Should one come all the same, it is refused and not answered with
nothing: where a shown name stands in the text, PostgreSQL's own plan says whether that table is read.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

from ingot.pgwire.catalog.backend import Backend, ShadowError
from ingot.pgwire.catalog.shown import Table
from ingot.pgwire.catalog.words import first_word

_TOKEN = re.compile(
    r"""[eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | \$(\w*)\$.*?\$\1\$ | --[^\n]* | /\*.*?\*/
    | "((?:[^"]|"")*)" | ([^\W\d][\w$]*)""",
    re.DOTALL | re.VERBOSE,
)
_SYSTEM = frozenset({"pg_catalog", "information_schema", "pg_toast"})


def names(text: str) -> set[str]:
    """The identifiers in a statement, as PostgreSQL reads them."""
    found = set()
    for token in _TOKEN.finditer(text):
        if token[2] is not None:
            found.add(token[2].replace('""', '"'))
        elif token[3] is not None:
            found.add(token[3].lower())
    return found


async def touches(backend: Backend, text: str, tables: Iterable[Table]) -> bool:
    """Whether a statement that PostgreSQL has accepted reads one of these. Raises `LostError`."""
    said = names(text)
    near = [table for table in tables if table.name in said]
    if not near:
        return False
    if first_word(text) not in ("select", "with", "table", "values"):
        return first_word(text) in ("explain", "execute", "declare")  # all else is refused by PostgreSQL
    if any(table.view and table.schema in said for table in near):
        return True  # a plan does not tell of views
    try:
        ((plan,),) = await backend.query(f"EXPLAIN (VERBOSE, GENERIC_PLAN, FORMAT JSON) {text}")
    except ShadowError:
        return False  # running it will say the same
    # A statement that writes is for PostgreSQL to refuse.
    return '"ModifyTable"' not in (plan or "") and _reads(json.loads(plan or "[]"))


def _reads(plan: Any) -> bool:
    if isinstance(plan, dict):
        if "Relation Name" in plan and plan.get("Schema") not in _SYSTEM:
            return True
        return any(map(_reads, plan.values()))
    return isinstance(plan, list) and any(map(_reads, plan))
