"""Cubes and views: Cube's grammar as specs, and the mistakes that files of it have."""

from typing import Any

import pytest

from ingot.project import Cube, Place

from .conftest import Folder

ORDERS = """
cubes:
  - name: orders
    sql_table: gold.fact_orders
    title: Orders
    joins:
      - name: customers
        relationship: belongs_to
        sql: "{CUBE}.customer_id = {customers.id}"
    dimensions:
      - name: id
        sql: order_id
        type: number
        primary_key: true
        shown: false
      - name: size
        type: string
        case:
          when:
            - sql: "{CUBE}.total > 100"
              label: large
            - sql: "{CUBE}.total > 10"
              label: {sql: "'m' || 'id'"}
          else: {label: small}
      - name: ordered_at
        sql: ordered_at
        type: time
        granularities:
          - {name: fiscal_year, interval: 1 year, offset: 1 month}
      - name: spent
        type: number
        sql: "{customers.spent}"
        sub_query: true
        meta: {unit: EUR, deep: {list: [1, two]}}
    measures:
      - {name: count, type: count, drill_members: [id, size]}
      - name: revenue
        type: sum
        sql: total
        format: currency
        filters: [{sql: "{CUBE}.status = 'done'"}]
        description: Sum of done orders.
      - name: running
        type: sum
        sql: total
        rolling_window: {trailing: unbounded, offset: end}
      - {name: average, type: number, sql: "{revenue} / NULLIF({count}, 0)"}
    segments:
      - {name: big, sql: "{CUBE}.total > 100"}
    hierarchies:
      - {name: time, levels: [ordered_at, id]}
    pre_aggregations:
      - name: by_month
        measures: [revenue, count]
        dimensions: size
        time_dimension: ordered_at
        granularity: month
        partition_granularity: year
        refresh_key: {every: 1 hour, incremental: true}
        indexes: [{name: main, columns: [size]}]
    access_policy:
      - group: sales
        conditions: [{if: "{ security_context.ok }"}]
        member_level: {includes: "*", excludes: [spent]}
        row_level:
          filters:
            - or:
              - {member: size, operator: equals, values: [small, 7, true, null]}
              - {member: id, operator: set}
"""


def test_a_cube_keeps_all_that_the_file_says(folder: Folder) -> None:
    folder.write("semantic/cubes/orders.yml", ORDERS)
    (cube,) = folder.load().cubes
    assert (cube.name, cube.sql_table, cube.sql, cube.title, cube.public) == (
        "orders",
        "gold.fact_orders",
        None,
        "Orders",
        True,
    )
    assert (cube.joins[0].relationship, cube.joins[0].sql) == (
        "many_to_one",
        "{CUBE}.customer_id = {customers.id}",
    )
    key, size, ordered_at, spent = cube.dimensions
    assert (key.primary_key, key.public, key.type) == (True, False, "number")
    assert size.case is not None
    assert [branch.sql for branch in size.case.when] == ["{CUBE}.total > 100", "{CUBE}.total > 10"]
    assert size.case.when[0].label == "large"
    assert size.case.when[1].label.sql == "'m' || 'id'"  # type: ignore[union-attr]
    assert size.case.else_ is not None
    assert size.case.else_.label == "small"
    assert ordered_at.granularities[0].offset == "1 month"
    assert spent.sub_query is True
    assert spent.meta == {"unit": "EUR", "deep": {"list": (1, "two")}}
    count, revenue, running, average = cube.measures
    assert (count.sql, count.drill_members) == (None, ("id", "size"))
    assert [condition.sql for condition in revenue.filters] == ["{CUBE}.status = 'done'"]
    assert revenue.format == "currency"
    assert running.rolling_window is not None
    assert (running.rolling_window.type, running.rolling_window.trailing) == ("fixed", "unbounded")
    assert average.sql == "{revenue} / NULLIF({count}, 0)"
    assert cube.segments[0].sql == "{CUBE}.total > 100"
    assert cube.hierarchies[0].levels == ("ordered_at", "id")
    (rollup,) = cube.pre_aggregations
    assert (rollup.type, rollup.dimensions, rollup.indexes[0].columns) == ("rollup", ("size",), ("size",))
    (policy,) = cube.access_policy
    assert policy.conditions[0].if_ == "{ security_context.ok }"
    assert policy.row_level is not None
    first, second = policy.row_level.filters[0].or_
    assert (first.values, second.operator) == (("small", "7", "true", None), "set")


def test_members_know_their_place(folder: Folder) -> None:
    folder.write("semantic/cubes/orders.yml", ORDERS)
    (cube,) = folder.load().cubes
    file = "semantic/cubes/orders.yml"
    lines = ORDERS.splitlines()
    named: tuple[Any, ...] = (cube, *cube.joins, *cube.dimensions, *cube.measures, *cube.segments)
    for spec in named:
        assert spec.place.file == file
        assert f"name: {spec.name}" in lines[spec.place.line - 1]
    place = cube.measures[1].place_of("sql")
    assert lines[place.line - 1][place.column - 1 :] == "total"


def test_members_may_be_a_mapping_by_name(folder: Folder) -> None:
    folder.write(
        "semantic/cubes/a.yml",
        """
cubes:
  a:
    sql_table: t
    joins: {b: {relationship: has_many, sql: x}}
    dimensions: {id: {sql: id, type: number}}
    measures:
      n: {type: count}
      total: {type: sum, sql: x}
    segments: {s: {sql: y}}
    pre_aggregations: {main: {measures: [n]}}
""",
    )
    (cube,) = folder.load().cubes
    assert cube.joins[0].relationship == "one_to_many"
    members: tuple[Any, ...] = (*cube.dimensions, *cube.measures, *cube.segments, *cube.pre_aggregations)
    assert [m.name for m in members] == [
        "id",
        "n",
        "total",
        "s",
        "main",
    ]
    assert cube.measures[1].place == Place("semantic/cubes/a.yml", 9, 14)


def test_a_view_normalises_its_includes(folder: Folder) -> None:
    folder.write(
        "semantic/views/sales.yml",
        """
views:
  - name: sales
    description: What was sold.
    cubes:
      - join_path: orders
        includes: [count, {name: total, alias: revenue, title: Revenue}]
        prefix: true
      - join_path: orders.customers
        includes: "*"
        excludes: [email]
        alias: buyers
    folders:
      - name: Money
        includes: [revenue, {name: More, includes: "*"}]
""",
    )
    (view,) = folder.load().views
    first, second = view.cubes
    assert [(i.name, i.alias) for i in first.includes] == [("count", None), ("total", "revenue")]  # type: ignore[union-attr]
    assert first.prefix is True
    assert (second.includes, second.excludes, second.alias) == ("*", ("email",), "buyers")
    (money,) = view.folders
    assert money.includes[0] == "revenue"
    assert money.includes[1].name == "More"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("cube", "expected"),
    [
        ("{name: a}", "cube 'a' has neither 'sql_table' nor 'sql'"),
        ("{name: a, sql: x, sql_table: t}", "cube 'a' has both 'sql' and 'sql_table'"),
        ("{sql_table: t}", "cube has no 'name'"),
        ("{name: a-b, sql_table: t}", "'name' of cube 'a-b' cannot be 'a-b'"),
        ("{name: a, sqlTable: t, sql: x}", "unknown key 'sqlTable' in cube 'a'; did you mean 'sql_table'?"),
        ("{name: a, sql_table: t, measures: [{name: n, type: sum}]}", "measure 'n' has no 'sql'"),
        ("{name: a, sql_table: t, measures: [{name: n}]}", "measure 'n' has no 'type'"),
        ("{name: a, sql_table: t, dimensions: [{name: d, type: string}]}", "dimension 'd' has neither 'sql' nor 'case'"),
        ("{name: a, sql_table: t, dimensions: [{name: d, type: text, sql: d}]}", "unknown value 'text' for 'type' of dimension 'd'"),
        ("{name: a, sql_table: t, dimensions: [{name: d, type: geo}]}", "dimension 'd' of type geo has no 'latitude'"),
        ("{name: a, sql_table: t, joins: [{name: b, sql: x, relationship: many_to_many}]}", "unknown value 'many_to_many' for 'relationship' of join 'b'; did you mean 'one_to_many'?"),
        ("{name: a, sql_table: t, measures: [{name: n, type: count}, {name: n, type: count}]}", "the name 'n' is used twice; first at semantic/a.yml:1:51"),
        ("{name: a, sql_table: t, dimensions: [{name: n, type: string, sql: n}], measures: [{name: n, type: count}]}", "the measure 'n' of cube 'a' has the name of a dimension, first at semantic/a.yml:1:53"),
        ("{name: a, sql_table: t, dimensions: [d]}", "'dimensions' of cube 'a' cannot be 'd' (expected a mapping of keys to values)"),
        ("{name: a, sql_table: t, public: maybe}", "'public' of cube 'a' cannot be 'maybe' (expected true or false)"),
        ("{name: a, sql_table: t, public: true, shown: false}", "'shown' says the same as 'public'"),
        ("{name: a, sql_table: t, access_policy: [{row_level: {filters: [{member: x}]}}]}", "the filter has no 'operator'"),
        ("{name: a, sql_table: t, access_policy: [{row_level: {filters: [{and: [], member: x, operator: set}]}}]}", "a filter has one of 'member', 'and' and 'or'"),
        ("{name: a, sql_table: t, access_policy: [{row_level: {filters: [{member: x, operator: equal}]}}]}", "unknown value 'equal' for 'operator' of filter; did you mean 'equals'?"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_cube_is_said(folder: Folder, cube: str, expected: str) -> None:
    folder.write("semantic/a.yml", f"cubes: [{cube}]\n")
    said = folder.problems()
    assert any(expected in line for line in said), said
    assert all(line.startswith("semantic/a.yml:1:") for line in said)


def test_specs_can_be_made_in_python_too() -> None:
    cube = Cube.model_validate({"name": "a", "sql_table": "t", "measures": [{"name": "n", "type": "count"}]})
    assert cube.measures[0].name == "n"
    assert cube.place.file == "<code>"
    with pytest.raises(ValueError, match="extra"):
        Cube.model_validate({"name": "a", "sql_tabel": "t"})
