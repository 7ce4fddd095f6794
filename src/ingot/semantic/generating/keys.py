"""Keys and references that the data shows: columns that tell rows apart, and columns whose values all are a key.

Only columns that look like keys by name and type are counted, so that wide tables cost one scan each.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from typing import Any

from ingot.lake.sql import identifier
from ingot.semantic.generating.facts import Facts, Reference

_KEYLIKE = re.compile(r"(^|_)(id|key|sk|code|number|uuid|guid|sku|email)$")
_TYPES = re.compile(r"^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?\b|VARCHAR|UUID|DECIMAL\(\d+,0\))")
MOST = 8
Ask = Callable[[str], Sequence[Sequence[Any]]]


def singular(name: str) -> str:
    """`companies` -> `company`, `boxes` -> `box`, `orders` -> `order`."""
    for end, instead in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh")):
        if name.endswith(end):
            return name.removesuffix(end) + instead
    return name[:-1] if name.endswith("s") and not name.endswith(("ss", "us", "is")) else name


def entity(table: str) -> str:
    """What a table's rows are, by its name: `gold.dim_customers` -> `customer`."""
    bare = table.rpartition(".")[2].casefold()
    return singular(re.sub(r"^(fact|fct|dim|stg|int|mart|base|raw|src)_", "", bare))


def find_key(facts: Facts, ask: Ask) -> None:
    """Finds the key of a table that has none, in its data: one column, or two that look like keys."""
    if facts.key or facts.rows == 0:
        return
    wanted = _candidates(facts)
    if not wanted:
        return
    quoted = [identifier(one) for one in wanted]
    counted = ", ".join(f"count({one}), count(DISTINCT {one})" for one in quoted)
    rows, *counts = ask(f"SELECT count(*), {counted} FROM {_table(facts.name)}")[0]
    for n, one in enumerate(wanted):
        if rows and counts[2 * n] == rows == counts[2 * n + 1]:
            facts.key, facts.why = (one,), f"unique in all {rows:,} rows"
            facts.unique.add(one)
            return
    whole = [one for n, one in enumerate(wanted) if counts[2 * n] == rows][:5]
    pairs = list(combinations(whole, 2))
    if not pairs or not rows:
        return
    counted = ", ".join(f"count(DISTINCT ({identifier(a)}, {identifier(b)}))" for a, b in pairs)
    for pair, number in zip(pairs, ask(f"SELECT {counted} FROM {_table(facts.name)}")[0], strict=True):
        if number == rows:
            facts.key, facts.why = pair, f"together unique in all {rows:,} rows"
            return


def find_references(tables: Iterable[Facts], ask: Ask) -> list[str]:
    """Adds the references that names suggest and all rows bear out; tells those that some rows contradict."""
    all_ = list(tables)
    notes = []
    for facts in all_:
        known = {one.column for one in facts.references}
        for column in facts.columns:
            if column in known or facts.key == (column,):
                continue
            for other in all_:
                if other is facts or len(other.key) != 1 or not _suggests(column, facts, other):
                    continue
                lost = _lost(facts, column, other, ask)
                if lost is None:
                    continue
                if lost:
                    notes.append(
                        f"{facts.name}.{column}: no join to {other.name}, {lost:,} rows have a value that is not there"
                    )
                    continue
                why = "every value is there"
                facts.references.append(Reference(column, other.name, other.key[0], why))
                break
    return notes


def _candidates(facts: Facts) -> list[str]:
    own = entity(facts.name)
    found = [
        one for one, type_ in facts.columns.items() if _KEYLIKE.search(one.casefold()) and _TYPES.match(type_)
    ]

    def rank(column: str) -> tuple[int, int]:
        name = column.casefold()
        order = [
            ("id", f"{own}_id", f"{own}_key", f"{own}_sk", f"{own}_code"),
            (f"{own}_number", "key", "uuid"),
        ]
        first = next((n for n, names in enumerate(order) if name in names), 2)
        return first, found.index(column)

    return sorted(found, key=rank)[:MOST]


def _suggests(column: str, facts: Facts, other: Facts) -> bool:
    """Whether a column could be a reference by its name and type."""
    key, name, what = other.key[0].casefold(), column.casefold(), entity(other.name)
    if not _TYPES.match(facts.columns[column]) and facts.columns[column] != other.columns[other.key[0]]:
        return False
    if name == key and key not in ("id", "key", "uuid", "code", "name", "number"):
        return True
    return name in (f"{what}_id", f"{what}_key", f"{what}_sk", f"{what}_code") and key in (
        "id",
        "key",
        "code",
        name,
    )


def _lost(facts: Facts, column: str, other: Facts, ask: Ask) -> int | None:
    """Rows whose value is not among the other's keys; None where there is nothing to go by."""
    if facts.columns[column].startswith("VARCHAR") != other.columns[other.key[0]].startswith("VARCHAR"):
        return None
    here, there = identifier(column), identifier(other.key[0])
    some, lost = ask(
        f"SELECT count(*), count(*) FILTER (WHERE {here} NOT IN (SELECT {there} FROM {_table(other.name)} "
        f"WHERE {there} IS NOT NULL)) FROM {_table(facts.name)} WHERE {here} IS NOT NULL"
    )[0]
    return lost if some else None


def _table(name: str) -> str:
    return ".".join(identifier(part) for part in name.split("."))
