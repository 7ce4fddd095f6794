"""Cube's JavaScript models as YAML: what is static comes along, what has to be run is named."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from ingot import project
from ingot.errors import UsageError
from ingot.semantic import Service
from ingot.semantic.imports import cube_js, files, to_yaml
from ingot.semantic.imports.metricflow import Found
from tests.semantic.lakes import Served

MODEL = r"""
// The shop.
cube(`Orders`, {
  sqlTable: `gold.orders`,
  joins: { Customers: { relationship: `belongsTo`, sql: `${CUBE}.customer_id = ${Customers}.id` } },
  measures: {
    count: { type: `count`, drillMembers: [id, Customers.city] },
    total: { sql: `amount`, type: `sum`, title: 'Braces {stay}' },
    doneTotal: { sql: `amount`, type: `sum`, filters: [{ sql: `${CUBE}.status = 'done'` }] },
    share: { sql: `1.0 * ${doneTotal} / NULLIF(${CUBE.total}, 0)`, type: `number`, format: `percent` },
    buyers: { sql: `customer_id`, type: `countDistinct`, shown: false },
  },
  dimensions: {
    id: { sql: `id`, type: `number`, primaryKey: true },
    status: { sql: `status`, type: `string` },
    createdAt: { sql: `created_at`, type: `time` },
    size: {
      type: `string`,
      case: { when: [{ sql: `${CUBE}.amount >= 7`, label: `big` }], else: { label: `small` } },
    },
  },
  segments: { paid: { sql: `${CUBE}.paid` } },
});
cube(`Customers`, {
  sql: `SELECT * FROM gold.customers WHERE ${FILTER_PARAMS.Customers.city.filter((x) => `city = ${x}`)}`,
  dimensions: {
    id: { sql: `id`, type: `number`, primaryKey: true },
    city: { sql: `city`, type: `string` },
  },
});
view(`sales`, {
  cubes: [
    { join_path: Orders, includes: [`total`, 'share', 'size'] },
    { join_path: Orders.Customers, includes: `*`, prefix: true },
  ],
});
"""


def written(text: str) -> dict[str, Any]:
    made = cube_js.convert({"model.js": text})
    return {one["name"]: one for one in (*made.cubes, *made.views)} | {"notes": made.notes}


def test_the_converted_model_answers_as_the_tables_say(shop_served: Served, tmp_path: Path) -> None:
    (tmp_path / "ingot.yml").write_text("name: shop\n")
    made = files.imported({"model.js": MODEL}, tmp_path / "semantic", Found)
    assert made.notes == ()
    files.write(made.files, replace=False)
    service = Service(project.load(tmp_path), shop_served.lake, shop_served.engine)
    answer = service.load(
        {"measures": ["sales.total", "sales.share"], "dimensions": ["sales.size", "sales.Customers_city"]}
    )
    found = {(row["sales.size"], row["sales.Customers_city"]): row for row in answer["data"]}
    # Of the three orders, 10 and 7 are done and big, 5 is neither; 10 and 5 are Rome's. Nobody's done total is null.
    assert {key: row["sales.total"] for key, row in found.items()} == {
        ("big", "Rome"): "10",
        ("small", "Rome"): "5",
        ("big", "O'Hare"): "7",
    }
    assert {key: row["sales.share"] for key, row in found.items()} == {
        ("big", "Rome"): "1",
        ("small", "Rome"): None,
        ("big", "O'Hare"): "1",
    }


def test_keys_and_old_words_are_those_of_yaml() -> None:
    orders = written(MODEL)["Orders"]
    assert orders["sql_table"] == "gold.orders"
    assert orders["joins"] == [
        {"name": "Customers", "relationship": "many_to_one", "sql": "{CUBE}.customer_id = {Customers}.id"}
    ]
    named = {one["name"]: one for one in orders["measures"]}
    assert named["buyers"] == {
        "name": "buyers",
        "sql": "customer_id",
        "type": "count_distinct",
        "public": False,
    }
    assert named["count"]["drill_members"] == ["id", "Customers.city"]
    assert named["total"]["title"] == "Braces {stay}"
    assert named["share"]["sql"] == "1.0 * {doneTotal} / NULLIF({CUBE.total}, 0)"


def test_a_view_keeps_its_paths() -> None:
    assert [one["join_path"] for one in written(MODEL)["sales"]["cubes"]] == ["Orders", "Orders.Customers"]


def test_an_authors_braces_are_no_references() -> None:
    cube = written("cube('a', { sql: `SELECT '{x}' AS x, ${CUBE}.y, '\\`' AS tick` })")["a"]
    assert cube["sql"] == r"SELECT '\{x\}' AS x, {CUBE}.y, '`' AS tick"


def test_code_that_has_to_be_run_is_named_with_its_line() -> None:
    notes = written(
        "const n = 1;\ncube('a', {\n  sql: `x`,\n  title: make(n),\n  ...rest,\n});\nasyncModule(async () => {});\n"
    )["notes"]
    assert notes == [
        "model.js:1: code that is run was left out: const n = 1;",
        "model.js:4: title: make(n) was left out: make(n) has to be run",
        "model.js:5: ...rest was left out: it has to be run",
        "model.js:7: code that is run was left out: asyncModule(async () => {});",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [("cube('a', {", r"model\.js:1:\d+: this is not JavaScript"), ("const a = 1;", "No file calls cube")],
)
def test_text_without_models_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        written(text)


def test_yaml_reads_back_as_what_was_converted() -> None:
    for one in cube_js.convert({"model.js": MODEL}).cubes:
        assert yaml.safe_load(to_yaml("cubes", one)) == {"cubes": [one]}
