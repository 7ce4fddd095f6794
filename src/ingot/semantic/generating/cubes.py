"""Facts of tables -> cubes as plain data: a dimension or a measure for each column, keys, joins, descriptions."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ingot.semantic.compiler.snippet import as_written
from ingot.semantic.generating.facts import Facts
from ingot.semantic.generating.keys import entity

_NUMBERS = re.compile(r"^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?\b|DECIMAL|DOUBLE|FLOAT|REAL)")
_WORDS = {
    "number": re.compile(
        r"(^|_)(id|key|sk|fk|code|number|num|no|year|quarter|month|week|day|hour|minute|zip|postal|postcode|version|"
        r"sequence|seq|position|rank|latitude|longitude|lat|lon|lng|phone|of)(_|$)"
    ),
    "average": re.compile(
        r"(^|_)(price|rate|ratio|pct|percent|percentage|share|score|rating|age|avg|average|mean|median|temperature|"
        r"margin_pct|duration|days|weight|height|unit|per)(_|$)"
    ),
}
_PREFIX = re.compile(r"^(fact|fct|dim|stg|int|mart)_")
_NOT_VALUES = ("STRUCT", "MAP", "UNION", "BLOB", "BIT", "INTERVAL", "GEOMETRY")


def cube_names(tables: Iterable[Facts], taken: Iterable[str] = ()) -> dict[str, str]:
    """A name for the cube of each table, unlike any that is taken."""
    used = {one.casefold() for one in taken}
    found = {}
    for facts in tables:
        bare = _identifier(facts.bare)
        for name in (_PREFIX.sub("", bare) or bare, bare, _identifier(facts.name.replace(".", "_"))):
            if name.casefold() not in used:
                break
        while name.casefold() in used:
            name += "_2"
        used.add(name.casefold())
        found[facts.name] = name
    return found


def cube(facts: Facts, names: Mapping[str, str], notes: list[str]) -> dict[str, Any]:
    """The cube of a table; `names` has the cubes' names by table. What is left out is told in `notes`."""
    name = names[facts.name]
    dimensions: list[dict[str, Any]] = []
    measures: list[dict[str, Any]] = []
    used = {"count"}
    for column, type_ in facts.columns.items():
        kind = _kind(type_)
        if kind is None:
            notes.append(f"{facts.name}.{column}: left out, a {type_.partition('(')[0]} is no single value")
            continue
        referring = any(one.column == column for one in facts.references)
        how = "number" if column in facts.key or referring else _how(column, kind)
        member = _free(_identifier(column), used)
        described = {"description": text} if (text := facts.descriptions.get(column)) else {}
        if how != "sum":
            one = {"name": member, "sql": as_written(column), "type": kind, **described}
            dimensions.append(one | ({"primary_key": True} if column in facts.key else {}))
        if how in ("sum", "average"):
            prefix, aggregate = ("total", "sum") if how == "sum" else ("average", "avg")
            measured = _free(f"{prefix}_{_identifier(column)}", used)
            measures.append({"name": measured, "sql": as_written(column), "type": aggregate, **described})
    joins: list[dict[str, Any]] = []
    for reference in facts.references:
        other = names.get(reference.table)
        if other is None:
            continue
        if any(one["name"] == other for one in joins):
            notes.append(
                f"{facts.name}.{reference.column}: no second join to '{other}'; it needs a cube of its own"
            )
            continue
        alone = facts.key == (reference.column,)
        here, there = as_written(reference.column), as_written(reference.other)
        joins.append(
            {
                "name": other,
                "relationship": "one_to_one" if alone else "many_to_one",
                "sql": f"{{CUBE}}.{here} = {{{other}}}.{there}",
            }
        )
    if not facts.key:
        notes.append(
            f"{facts.name}: no key was found, so its cube cannot be joined: mark one with primary_key: true"
        )
        joins = []
    found: dict[str, Any] = {"name": name, "sql_table": ".".join(map(as_written, facts.name.split(".")))}
    if facts.description:
        found["description"] = facts.description
    return found | {
        key: value
        for key, value in (
            ("joins", joins),
            ("dimensions", dimensions),
            ("measures", [{"name": "count", "type": "count", "title": _plural(facts)}, *measures]),
        )
        if value
    }


def _plural(facts: Facts) -> str:
    return f"Number of {_PREFIX.sub('', facts.bare.casefold()).replace('_', ' ') or entity(facts.name)}"


def _kind(type_: str) -> str | None:
    upper = type_.upper()
    if upper.endswith("]") or upper.startswith(_NOT_VALUES):
        return None
    if upper.startswith(("TIMESTAMP", "DATE")):
        return "time"
    if upper == "BOOLEAN":
        return "boolean"
    return "number" if _NUMBERS.match(upper) else "string"


def _how(column: str, kind: str) -> str:
    """Whether a column is grouped by, summed, or both grouped by and averaged."""
    if kind != "number":
        return kind
    name = column.casefold()
    return next((how for how, words in _WORDS.items() if words.search(name)), "sum")


def _identifier(name: str) -> str:
    made = (
        re.sub(r"\W+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name), flags=re.ASCII).strip("_").lower()
    )
    return f"c_{made}" if not made or made[0].isdigit() else made


def _free(name: str, used: set[str]) -> str:
    while name in used:
        name += "_"
    used.add(name)
    return name
