"""Policies in files: what they mean once read, and every mistake with its place."""

import copy
from pathlib import Path
from typing import Any

import pytest

from ingot.project import ProjectError, load
from ingot.semantic import MemberError, compile_model
from ingot.semantic.context import Context
from ingot.semantic.planner.plan import plan
from ingot.semantic.policy.apply import Guard
from ingot.semantic.policy.expression import ExpressionError, parse
from ingot.semantic.query import parse as query
from tests.semantic import shop

HEAD = """cubes:
  - name: orders
    sql_table: gold.orders
    joins:
      - {name: items, relationship: one_to_many, sql: "{CUBE}.id = {items}.order_id"}
    dimensions:
      - {name: id, sql: id, type: number, primary_key: true}
      - {name: status, sql: status, type: string, mask: {sql: "count(*)"}}
      - {name: amount, sql: amount, type: number, mask: secret}
      - {name: kinds, sql: "{items.kind}", type: string}
    measures: [{name: count, type: count}]
    segments: [{name: large, sql: "{amount} > 5"}]
    access_policy:
"""
TAIL = """
  - name: items
    sql_table: gold.items
    dimensions: [{name: id, sql: id, type: number, primary_key: true}, {name: kind, sql: kind, type: string}]
"""


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("- {member_level: {includes: [id]}}", "does not say for whom"),
        ("- {group: a, role: b}", "one of 'group', 'groups' and 'role'"),
        ("- {group: a, member_level: {includes: [statsu]}}", "no member 'statsu'; did you mean 'status'?"),
        ("- {group: a, member_level: {excludes: [items.kind]}}", "no member 'items.kind'"),
        ("- {group: a, member_masking: {includes: [id]}}", "stands beside 'member_level'"),
        ("- {group: a, member_level: {includes: []}, member_masking: {includes: [large]}}", "is a segment"),
        ("- {group: a, conditions: [{if: '{ security_context.x = 1 }'}]}", "not an expression"),
        ("- {group: a, conditions: [{if: \"{ __import__('os').system('x') }\"}]}", "cannot hold"),
        ("- {group: a, conditions: [{if: '{ security_contxt.x }'}]}", "did you mean 'security_context'"),
        ("- {group: a, row_level: {filters: [{member: nope, operator: set}]}}", "which is no member"),
        ("- {group: a, row_level: {filters: [{member: count, operator: gt, values: [1]}]}}", "not a dimension"),
        ("- {group: a, row_level: {filters: [{member: large, operator: set}]}}", "not a dimension"),
        ("- {group: a, row_level: {filters: [{member: kinds, operator: set}]}}", "can have several"),
        ("- {group: a, row_level: {filters: [{member: status, operator: equals}]}}", "has no 'values'"),
        ("- {group: a, row_level: {filters: [{member: amount, operator: gt, values: [1, 2]}]}}", "takes one value"),
        ("- {group: a, row_level: {filters: [{member: status, operator: measureFilter}]}}", "cannot be a measureFilter"),
        ("- {group: a, row_level: {allow_all: true, filters: [{member: id, operator: set}]}}", "exclude each other"),
        ("- {group: a, row_level: {filters: [{member: id, operator: equals, values: ['{ x.y }']}]}}", "there is no 'x'"),
        ("- {group: a, member_level: {includes: []}, member_masking: {includes: [amount]}}", "it is a number"),
        ("- {group: a, member_level: {includes: []}, member_masking: {includes: [status]}}", "cannot aggregate"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(tmp_path: Path, entry: str, said: str) -> None:
    (tmp_path / "ingot.yml").touch()
    (tmp_path / "semantic").mkdir()
    (tmp_path / "semantic" / "orders.yml").write_text(f"{HEAD}      {entry}\n{TAIL}")
    with pytest.raises(ProjectError) as caught:
        compile_model(load(tmp_path))
    told = str(caught.value)
    assert said in told
    assert "semantic/orders.yml:" in told


def policy(*entries: dict[str, Any], cube: str = "orders") -> list[dict[str, Any]]:
    made = copy.deepcopy(shop.CUBES)
    next(one for one in made if one["name"] == cube)["access_policy"] = list(entries)
    return made


def count_sql(cubes: list[dict[str, Any]], context: Context, **more: Any) -> str:
    return plan(shop.model(cubes), query({"measures": ["orders.count"], **more}), context=context).sql


def test_an_empty_policy_shows_nothing_to_nobody() -> None:
    with pytest.raises(MemberError):
        count_sql(policy(), Context({}, ("boss",)))


def test_row_level_without_filters_shows_no_row_and_allow_all_every_row() -> None:
    assert "FALSE" in count_sql(policy({"group": "*", "row_level": {}}), Context())
    assert "WHERE" not in count_sql(policy({"group": "*", "row_level": {"allow_all": True}}), Context())


def test_what_extends_a_cube_inherits_its_entries() -> None:
    cubes = policy({"group": "a", "row_level": {"filters": [{"member": "status", "operator": "set"}]}})
    cubes.append({"name": "big_orders", "extends": "orders", "access_policy": [{"group": "b"}]})
    cubes.append({"name": "old_orders", "extends": "orders"})
    model = shop.model(cubes)

    def sql(name: str, group: str) -> str:
        return plan(model, query({"measures": [f"{name}.count"]}), context=Context({}, (group,))).sql

    assert "status IS NULL" in sql("big_orders", "a")
    assert "WHERE" not in sql("big_orders", "b")
    assert "status IS NULL" in sql("old_orders", "a")
    with pytest.raises(MemberError):
        sql("old_orders", "b")


def test_a_row_filter_may_look_at_a_cube_whose_rows_are_hidden() -> None:
    """An item is judged by its product as it is, also where the product itself is hidden."""
    cubes = policy(
        {
            "group": "*",
            "row_level": {"filters": [{"member": "kind", "operator": "equals", "values": ["toy"]}]},
        },
        cube="items",
    )
    next(one for one in cubes if one["name"] == "products")["access_policy"] = [{"group": "nobody"}]
    sql = plan(shop.model(cubes), query({"measures": ["items.count"]})).sql
    assert "FALSE" not in sql
    assert sql.count("gold.products") == 1


def test_askers_who_see_the_same_share_what_is_kept_for_them() -> None:
    model = shop.model(policy({"group": "a"}, {"group": "b", "member_level": {"includes": ["count"]}}))
    guard = Guard()
    first = guard.seen(model, Context({"iat": 1}, ("b",)))
    assert guard.seen(model, Context({"iat": 2}, ("b",))) is first
    assert guard.seen(model, Context({"iat": 1}, ("a",))) is model
    assert set(first.cubes["orders"].dimensions) == set()


def test_the_words_of_expressions() -> None:
    asker = Context({"country": "IT", "level": 3, "roles": ["a"], "userAttributes": {"x": 1}}, ("g",))
    true = [
        "{ security_context.country == 'IT' }", "securityContext.level >= 3 && true", "'g' in {groups}",
        "!{securityContext.nope}", "{ userAttributes.x } === 1", "security_context.roles[0] == 'a'",
        "{ security_context.get('nope', 5) } == 5", "{ security_context['country'] } in ['IT', 'DE']",
        "1 < { security_context.level } < 5", "{security_context.nope} is None", "-1 < security_context.level",
    ]  # fmt: skip
    false = [
        "{ security_context.nope } > 3", "not ({ security_context.nope } > 3)", "'x' in security_context.nope",
        "security_context.country > 3", "{ security_context.country } == '{x}'", "security_context.a.b.c",
        "security_context.roles[9]", "-security_context.country", "groups.nope",
    ]  # fmt: skip
    assert [one for one in true if not parse(one).holds(asker)] == []
    assert [one for one in false if parse(one).holds(asker)] == []


@pytest.mark.parametrize(
    "text",
    ["", "x", "1 +", "lambda: 1", "f'{1}'", "'a' * 9", "security_context.x()", "(1).__class__", "[a for a in groups]",
     "open('x')", "security_context.get()", "{" * 500 + "}" * 500, "0 if groups else 1"],
)  # fmt: skip
def test_what_is_no_comparison_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse(text)
