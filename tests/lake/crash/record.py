"""What the lake must hold, kept by the test itself from what workers said: nothing here asks the lake.

A *step* is one change that is there as a whole or not at all, as plain JSON: `commit`, `branch`, `tag`,
`merge`, `drop` (of a ref) and `maintain`, which changes nothing that anybody can read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Step = dict[str, Any]
Rows = Mapping[str, frozenset[int]]
"""Per table, the numbers in it. No number is used twice, so sets tell of doubled rows as well."""


@dataclass(frozen=True)
class Branch:
    """What a ref reads, and its log: the names of its commits, the oldest first."""

    log: tuple[str, ...] = ()
    rows: Rows = field(default_factory=dict)
    base: Rows = field(default_factory=dict, compare=False)
    """What a branch began with, for its merge."""


Record = Mapping[str, Branch]


def after(record: Record, step: Step) -> Record:
    """The record with one more step."""
    kind = step["do"]
    if kind == "commit":
        on = record[step["on"]]
        rows = {**on.rows}
        for table, numbers in step.get("add", {}).items():
            rows[table] = rows.get(table, frozenset()) | set(numbers)
        for table, numbers in step.get("set", {}).items():
            rows[table] = frozenset(numbers)
        return {**record, step["on"]: replace(on, log=(*on.log, step["id"]), rows=rows)}
    if kind in ("branch", "tag"):
        begun = record["main"]
        return {**record, step["name"]: replace(begun, base=begun.rows)}
    if kind == "merge":
        source, main = record[step["from"]], record["main"]
        rows = {name: _merged(name, source, main) for name in source.rows}
        return {**record, "main": replace(main, log=(*main.log, step["id"]), rows=rows)}
    if kind == "drop":
        return {name: branch for name, branch in record.items() if name != step["name"]}
    assert kind == "maintain"
    return record


def _merged(table: str, source: Branch, main: Branch) -> frozenset[int]:
    ours, theirs, base = main.rows[table], source.rows[table], source.base[table]
    if theirs == base or ours == base:
        return ours if theirs == base else theirs
    assert ours > base
    assert theirs > base  # both only added
    return ours | theirs
