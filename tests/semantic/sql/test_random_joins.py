"""Random joins with measures beside Python: the engine says which rows meet, Python counts each of them once."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from sqlglot import exp

from ingot.engines.duckdb import connect
from ingot.semantic.context import ANYONE
from ingot.semantic.policy.apply import Guard
from ingot.semantic.policy.hooks import NONE
from ingot.semantic.sql.planning import planned
from ingot.semantic.sql.rows.plain import Relation
from tests.semantic import naive, shop
from tests.semantic.sql.keyed_shop import cubes
from tests.semantic.test_planner_random import world_of

MODEL = shop.model(cubes())
GROUPS = {
    "orders": ["status", "amount", "paid"], "customers": ["city", "id"], "regions": ["name"], "items": ["qty", "order_id"],
    "products": ["kind"], "tickets": ["topic", "customer_id"],
}  # fmt: skip
NUMBERS = {
    "orders": ["id", "customer_id", "amount"], "customers": ["id", "region_id"], "regions": ["id"],
    "items": ["id", "order_id", "product_id", "qty"], "products": ["id", "price"], "tickets": ["id", "customer_id"],
}  # fmt: skip
AGGREGATES = {"sum": "SUM({})", "avg": "AVG({})", "min": "MIN({})", "max": "MAX({})", "count": "COUNT({})",
              "count_distinct": "COUNT(DISTINCT {})"}  # fmt: skip


@dataclass
class Statement:
    """Two texts that differ in the names of the tables, and what is asked."""

    tables: list[tuple[str, str]]
    """Aliases and cubes."""
    text: str = ""
    raw: str = ""
    groups: list[tuple[str, str]] = field(default_factory=list)
    outputs: list[tuple[str, str]] = field(default_factory=list)
    """Aliases and names of measures; no alias: COUNT(*), a column: its SUM over the joined rows."""
    filters: dict[int, tuple[str, str]] = field(default_factory=dict)
    """By the number of an output: an alias and a column that must be greater than 1."""


def statement(random: Random) -> Statement:
    made = Statement([("a", random.choice(list(GROUPS)))])
    froms = {"model": [table(made.tables[0], random)], "raw": []}
    froms["raw"] = [froms["model"][0].replace("FROM ", "FROM gold.").replace("§", "gold.")]
    froms["model"][0] = froms["model"][0].replace("§", "")
    commas: list[str] = []
    comma = random.random() < 0.15
    for alias in "bcd"[: random.choice([1, 1, 1, 2, 2, 3])]:
        one = (alias, random.choice(list(GROUPS)))
        partner = random.choice(made.tables)
        on = [meeting(partner, one, random)]
        side = (
            ""
            if comma
            else random.choice(["JOIN", "JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"])
        )
        if comma or side == "FULL JOIN":
            on = [each.replace("<", "=") for each in on]
        elif random.random() < 0.25:
            on.append(condition(random.choice([one, partner]), random))
        written = table(one, random)
        if comma:
            commas += on
            written = f", {written}"
        else:
            written = f" {side} {written} ON {' AND '.join(on)}"
        froms["raw"].append(written.replace("FROM ", "FROM gold.").replace("§", "gold."))
        froms["model"].append(written.replace("§", ""))
        made.tables.append(one)
    where = commas + [condition(random.choice(made.tables), random)] * (random.random() < 0.3)
    tail = f" WHERE {' AND '.join(where)}" if where else ""
    made.groups = [
        (alias, random.choice(GROUPS[cube]))
        for alias, cube in random.sample(made.tables, random.choice([0, 1, 1, 2]))
    ]
    for _ in range(random.choice([1, 2, 3])):
        alias, cube = random.choice(made.tables)
        named = [one for one in (*naive.LEAVES, "orders.ratio") if one.startswith(f"{cube}.")]
        made.outputs.append((alias, random.choice(named)))
    made.outputs += [("", "count")] * random.choice([0, 1])
    if random.random() < 0.3:
        made.outputs.append((made.tables[0][0], "id"))
    wrapped = random.random() < 0.2
    prefix = "x." if wrapped else ""
    asked = [f"{prefix}g{n}" if wrapped else f"{alias}.{name}" for n, (alias, name) in enumerate(made.groups)]
    values = []
    for n, (alias, name) in enumerate(made.outputs):
        column = f"x.o{n}" if wrapped else f"{alias}.{name.partition('.')[2] or name}"
        values.append(
            "COUNT(*)" if not alias else f"SUM({column})" if name == "id" else aggregate(name, column, random)
        )
        if alias and not wrapped and random.random() < 0.2:
            other, of = random.choice(made.tables)
            made.filters[n] = (other, random.choice(NUMBERS[of]))
            values[n] += f" FILTER (WHERE {'.'.join(made.filters[n])} > 1)"
    inner = "".join(froms["model"]) + tail
    if wrapped:
        named = [f"{alias}.{name} AS g{n}" for n, (alias, name) in enumerate(made.groups)]
        named += [
            f"{alias}.{name.partition('.')[2] or name} AS o{n}"
            for n, (alias, name) in enumerate(made.outputs)
            if alias
        ]
        inner = f"(SELECT {', '.join(named) or '1 AS one'} FROM {inner}) AS x"
    made.text = f"SELECT {', '.join([*asked, *values])} FROM {inner}"
    if made.groups:
        made.text += f" GROUP BY {', '.join(str(n + 1) for n in range(len(made.groups)))}"
    made.raw = (
        f"SELECT {', '.join(f'{alias}.id' for alias, _ in made.tables)} FROM {''.join(froms['raw'])}{tail}"
    )
    return made


def table(one: tuple[str, str], random: Random) -> str:
    alias, cube = one
    if random.random() < 0.2:
        return f"(SELECT * FROM {cube} WHERE {random.choice(NUMBERS[cube])} {random.choice(['> 1', '< 5', 'IS NOT NULL'])}) AS {alias}"
    return f"§{cube} AS {alias}"


def meeting(left: tuple[str, str], right: tuple[str, str], random: Random) -> str:
    """What rows of two tables must have in common, most often the model's join."""
    if random.random() < 0.8:
        for one, other in random.sample([(left, right), (right, left)], 2):
            for begin, end, here, there in naive.LINKS:
                if (one[1], other[1]) == (begin, end):
                    sides = [f"{one[0]}.{here}", f"{other[0]}.{there}"]
                    random.shuffle(sides)
                    return " = ".join(sides)
    sign = random.choice(["=", "=", "<"])
    return f"{left[0]}.{random.choice(NUMBERS[left[1]])} {sign} {right[0]}.{random.choice(NUMBERS[right[1]])}"


def condition(one: tuple[str, str], random: Random) -> str:
    column = f"{one[0]}.{random.choice(NUMBERS[one[1]])}"
    return random.choice(
        [f"{column} > 1", f"{column} = 2", f"({column} IS NULL OR {column} < 4)", f"{column} IS NOT NULL"]
    )


def aggregate(name: str, column: str, random: Random) -> str:
    kind = MODEL.measure(name).aggregate
    return random.choice([f"MEASURE({column})", AGGREGATES.get(kind, "MEASURE({})").format(column)])


def expected(
    made: Statement, met: list[tuple[Any, ...]], world: naive.Rows
) -> dict[tuple[Any, ...], list[Any]]:
    by_id = {cube: {row["id"]: row for row in rows} for cube, rows in world.items()}
    places = {alias: n for n, (alias, _) in enumerate(made.tables)}
    cube_of = dict(made.tables)
    found: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {} if made.groups else {(): []}
    for ids in met:
        rows = {alias: by_id[cube].get(ids[places[alias]]) for alias, cube in made.tables}
        key = tuple(naive.get(rows[alias], name) for alias, name in made.groups)
        found.setdefault(key, []).append(ids)

    def passes(ids: tuple[Any, ...], alias: str, column: str) -> bool:
        found = naive.get(by_id[cube_of[alias]].get(ids[places[alias]]), column)
        return found is not None and found > 1

    def value(n: int, alias: str, name: str, some: list[tuple[Any, ...]]) -> Any:
        if n in made.filters:
            some = [ids for ids in some if passes(ids, *made.filters[n])]
        if not alias:
            return len(some)
        numbers = [ids[places[alias]] for ids in some]
        if name == "id":
            return naive.total(numbers)
        rows = [by_id[cube_of[alias]][one] for one in dict.fromkeys(numbers) if one is not None]
        if name in naive.LEAVES:
            return naive.LEAVES[name](rows, world)
        leaves, calculate = naive.CALCULATED[name]
        return calculate(*(naive.LEAVES[leaf](rows, world) for leaf in leaves))

    return {key: [value(n, *one, some) for n, one in enumerate(made.outputs)] for key, some in found.items()}


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(extensions=("icu",)) as made:
        yield made


def with_tables(made: Statement, random: Random) -> None:
    """Some cubes of which no measure is asked become the tables that they are made of."""
    asked = {alias for alias, _ in made.outputs}
    for alias, cube in made.tables:
        if alias not in asked and random.random() < 0.7:
            made.text = re.sub(rf"\b{cube} AS {alias}\b", f"gold.{cube} AS {alias}", made.text)


def check(
    con: duckdb.DuckDBPyConnection, seed: int, tell: Callable[[str], None], *, tables: bool = False
) -> None:
    world = world_of(seed)
    shop.fill(con, world)
    made = statement(Random(seed))
    if tables:
        with_tables(made, Random(seed))
    tell(made.text)

    def find(node: exp.Table) -> Relation | None:
        if node.db != "gold":
            return None
        described = con.execute(f"DESCRIBE gold.{node.name}").fetchall()
        return Relation({str(row[0]): str(row[1]) for row in described}, ("gold", node.name))

    at: Any = SimpleNamespace(state=None, ref="main", time="")
    found = planned(
        made.text, MODEL, at=at, guard=Guard(), hooks=NONE, context=ANYONE, now=datetime.now(UTC), find=find
    )
    tell(found.sql)
    wanted = expected(made, con.execute(made.raw).fetchall(), world)
    rows = con.execute(found.sql, list(found.parameters) or None).fetchall()
    width = len(made.groups)
    by_key = {row[:width]: list(row[width:]) for row in rows}
    assert len(by_key) == len(rows), "a group stands twice"
    assert by_key.keys() == wanted.keys()
    for key, values in wanted.items():
        assert by_key[key] == pytest.approx(values), key


@given(seed=st.integers(0, 2**32))
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_measures_of_random_joins_count_each_row_once(con: duckdb.DuckDBPyConnection, seed: int) -> None:
    check(con, seed, note)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_measures_are_the_same_beside_tables(con: duckdb.DuckDBPyConnection, seed: int) -> None:
    check(con, seed, note, tables=True)


@pytest.mark.slow
def test_measures_of_many_random_joins_count_each_row_once(con: duckdb.DuckDBPyConnection) -> None:
    for seed in range(1_500):
        check(con, seed, lambda _: None)
