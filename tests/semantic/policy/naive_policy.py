"""What the policies of the shop mean for one asker, by loops over Python rows. Knows nothing of the planner.

A policy is a list of plain entries. A member is shown where any matching entry shows it; a row of a cube is there
where, for each member asked of the cube, an entry that shows the member shows the row. Hidden rows are taken out of
the tables before anything is joined; then the naive evaluator answers.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tests.semantic import naive, shop

Entry = dict[str, Any]
Asker = dict[str, Any]
"""`groups` and `security`."""

MEMBERS: dict[str, list[str]] = {
    cube["name"]: [
        one["name"] for kind in ("dimensions", "measures", "segments") for one in cube.get(kind, ())
    ]
    for cube in shop.CUBES
}
SEGMENTS = {"orders": ["large"]}
MASKS: dict[str, Any] = {
    "orders.amount": -1,
    "orders.status": "***",
    "customers.city": "hid'den",
    "orders.total": -7,
    "orders.count": 0,
}


class HiddenError(Exception):
    """The asker may not know that this member exists."""


def matching(entries: Iterable[Entry], asker: Asker) -> list[Entry]:
    found = []
    for one in entries:
        least = one.get("least")
        level = asker["security"].get("level")
        if one["group"] != "*" and one["group"] not in asker["groups"]:
            continue
        if least is not None and not (isinstance(level, int) and level >= least):
            continue
        found.append(one)
    return found


def full(cube: str, entry: Entry) -> set[str]:
    includes = MEMBERS[cube] if entry["includes"] == "*" else entry["includes"]
    return set(includes) - set(entry["excludes"])


def masked(cube: str, entry: Entry) -> set[str]:
    if entry["masks"] is None:
        return set()
    names = MEMBERS[cube] if entry["masks"] == "*" else entry["masks"]
    return set(names) - set(SEGMENTS.get(cube, ())) - full(cube, entry)


def shown(cube: str, entry: Entry) -> set[str]:
    return full(cube, entry) | masked(cube, entry)


def is_masked(name: str, policies: Mapping[str, list[Entry]], asker: Asker) -> bool:
    """Raises `HiddenError`."""
    cube, _, member = name.partition(".")
    if cube not in policies:
        return False
    mine = matching(policies[cube], asker)
    if not any(member in shown(cube, one) for one in mine):
        raise HiddenError(name)
    if any(member in full(cube, one) and one["rows"] is None for one in mine):
        return False
    return any(member in masked(cube, one) for one in mine)


def values_of(values: list[Any], operator: str, asker: Asker) -> list[Any] | None:
    """The values of a condition for the asker; None where no row can fulfil it."""
    found: list[Any] = []
    for one in values:
        if not (isinstance(one, str) and one.startswith("@")):
            found.append(one)
            continue
        said = asker["security"].get(one[1:])
        if said is None:
            if operator == "notEquals":
                return None
            continue
        found += said if isinstance(said, list) else [said]
    if not found:
        return [] if operator == "notEquals" else None
    return found


def row_passes(cube: str, row: naive.Row, tree: Any, asker: Asker, world: naive.Rows) -> bool:
    if tree is None:
        return True
    if isinstance(tree, dict):
        key = next(iter(tree))
        results = [row_passes(cube, row, part, asker, world) for part in tree[key]]
        return all(results) if key == "and" else any(results)
    member, operator, values = tree
    if cube == "items" and member == "kind":
        product = next((p for p in world["products"] if p["id"] == row["product_id"]), None)
        value = naive.get(product, "kind")
    else:
        value = row[member]
    if operator in ("set", "notSet"):
        return naive.passes(value, operator, [])
    known = values_of(values, operator, asker)
    if known is None:
        return False
    return (operator == "notEquals" and not known) or naive.passes(value, operator, known)


def visible_world(
    asked: Iterable[str], policies: Mapping[str, list[Entry]], asker: Asker, world: naive.Rows
) -> naive.Rows:
    """The rows that are there for a query that names these members."""
    found = dict(world)
    for cube, entries in policies.items():
        mine = [one for one in matching(entries, asker) if shown(cube, one)]
        names = {name.split(".")[1] for name in asked if name.partition(".")[0] == cube}
        sets = [[one for one in mine if name in shown(cube, one)] for name in names] or [mine]
        found[cube] = [
            row
            for row in world[cube]
            if all(any(row_passes(cube, row, one["rows"], asker, world) for one in some) for some in sets)
        ]
    return found


def answer(
    asked: naive.Asked, policies: Mapping[str, list[Entry]], asker: Asker, world: naive.Rows
) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """What the asker gets. Raises `HiddenError` and `naive.UnreachableError`."""
    names = [naive.split(one)[0] for one in asked.dimensions] + asked.measures + asked.segments
    names += [one for one, _, _ in (*asked.filters, *asked.having)]
    hides = {name for name in dict.fromkeys(names) if is_masked(name, policies, asker)}
    there = visible_world(names, policies, asker, world)

    def stand_in(name: str) -> str:
        cube, _, member = name.partition(".")
        return f"{cube}.~{member}" if name in hides else name

    def constant(value: Any) -> Callable[[naive.Joined], Any]:
        return lambda _: value

    def where_rows(value: Any) -> Callable[[list[naive.Row], naive.Rows], Any]:
        return lambda rows, _: value if rows else None

    dimensions = dict(naive.DIMENSIONS)
    leaves = dict(naive.LEAVES)
    for name in hides:
        if name in dimensions:
            dimensions[name] = (dimensions[name][0], constant(MASKS.get(name)))
        else:
            leaves[stand_in(name)] = where_rows(MASKS.get(name))
    masked_asked = naive.Asked(
        [stand_in(one) for one in asked.measures],
        asked.dimensions,
        asked.filters,
        [(stand_in(one), operator, bound) for one, operator, bound in asked.having],
        asked.segments,
        asked.zone,
    )
    before = naive.DIMENSIONS, naive.LEAVES
    naive.DIMENSIONS, naive.LEAVES = dimensions, leaves
    try:
        return naive.answer(masked_asked, there)
    finally:
        naive.DIMENSIONS, naive.LEAVES = before


def written(entry: Entry) -> dict[str, Any]:
    """The entry in Cube's grammar."""

    def value(one: Any) -> Any:
        return f"{{ security_context.{one[1:]} }}" if isinstance(one, str) and one.startswith("@") else one

    def filters(tree: Any) -> dict[str, Any]:
        if isinstance(tree, dict):
            return {key: [filters(part) for part in parts] for key, parts in tree.items()}
        member, operator, values = tree
        return {"member": member, "operator": operator, "values": [value(one) for one in values]}

    found: dict[str, Any] = {"group": entry["group"]}
    if entry["least"] is not None:
        found["conditions"] = [{"if": f"{{ security_context.level }} >= {entry['least']}"}]
    found["member_level"] = {"includes": entry["includes"], "excludes": entry["excludes"]}
    if entry["masks"] is not None:
        found["member_masking"] = {"includes": entry["masks"]}
    if entry["rows"] is not None:
        found["row_level"] = {"filters": [filters(entry["rows"])]}
    return found


def cubes(policies: Mapping[str, list[Entry]]) -> list[dict[str, Any]]:
    """The shop's cubes with policies and masks."""
    made = []
    for cube in shop.CUBES:
        members = {
            kind: [
                one
                | (
                    {"mask": MASKS[full_name]}
                    if (full_name := f"{cube['name']}.{one['name']}") in MASKS
                    else {}
                )
                for one in cube.get(kind, ())
            ]
            for kind in ("dimensions", "measures")
        }
        rules = policies.get(cube["name"])
        policy = {} if rules is None else {"access_policy": [written(one) for one in rules]}
        made.append(cube | members | policy)
    return made
