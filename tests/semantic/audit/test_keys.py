"""Composite keys with nulls in them: every row of a cube counts once, also where joins repeat it."""

from collections.abc import Iterator

import pytest

from ingot.semantic import Service
from tests.semantic.audit.bench import Bench, bench, rows

TABLES = {
    "stock": "SELECT * FROM (VALUES ('x', 1, 5), ('x', 2, 6), ('y', 1, NULL), (NULL, 1, 9), ('z', NULL, 4)) t(site, sku, qty)",
    "moves": "SELECT * FROM (VALUES (1, 'x', 1, 2), (2, 'x', 1, 3), (3, 'y', 1, 1), (4, 'x', 2, 4), (5, NULL, 1, 8), (6, 'q', 9, 16)) t(id, site, sku, n)",
    "marks": "SELECT * FROM (VALUES (1, 1, 'red'), (2, 1, 'blue'), (3, 2, 'red'), (4, 7, 'red')) t(id, sku, colour)",
}
MODEL = """
cubes:
- name: stock
  sql_table: gold.stock
  joins:
  - {name: moves, relationship: one_to_many, sql: "{CUBE}.site = {moves}.site AND {CUBE}.sku = {moves}.sku"}
  dimensions:
  - {name: site, type: string, sql: site, primary_key: true}
  - {name: sku, type: number, sql: sku, primary_key: true}
  measures:
  - {name: count, type: count}
  - {name: qty, type: sum, sql: qty}
  - {name: flat, type: sum, sql: "1"}
  - {name: mean, type: avg, sql: qty}
- name: moves
  sql_table: gold.moves
  dimensions:
  - {name: id, type: number, sql: id, primary_key: true}
  - {name: n, type: number, sql: n}
  measures:
  - {name: count, type: count}
- name: marks
  sql_table: gold.marks
  joins:
  - {name: stock, relationship: one_to_many, sql: "{CUBE}.sku = {stock.sku}"}
  dimensions:
  - {name: id, type: number, sql: id, primary_key: true}
  - {name: colour, type: string, sql: colour}
  measures:
  - {name: count, type: count}
"""


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("keys"), TABLES) as made:
        yield made


@pytest.fixture(scope="module")
def service(lake: Bench) -> Service:
    return lake.service(MODEL)


def test_rows_with_a_null_in_their_key_count_in_repeated_joins(lake: Bench, service: Service) -> None:
    query = {
        "measures": ["stock.count", "stock.qty", "stock.flat", "stock.mean"],
        "dimensions": ["moves.n"],
        "order": {"moves.n": "asc"},
    }
    assert rows(service, query) == lake.sql(
        """SELECT n, count(*), sum(qty), count(*), avg(qty) FROM (
             SELECT DISTINCT m.n, s.site, s.sku, s.qty
             FROM gold.stock s LEFT JOIN gold.moves m ON s.site = m.site AND s.sku = m.sku)
           GROUP BY n ORDER BY n"""
    )


def test_a_filter_that_repeats_rows_loses_none_with_a_null_in_its_key(service: Service) -> None:
    query = {
        "measures": ["stock.count", "stock.qty"],
        "filters": [
            {
                "or": [
                    {"member": "moves.n", "operator": "gt", "values": ["2"]},
                    {"member": "stock.site", "operator": "notSet"},
                ]
            }
        ],
    }
    # (x, 1), (x, 2) and (null, 1)
    assert rows(service, query) == [("3", "20")]


def test_a_joined_row_whose_first_key_is_null_is_a_row(lake: Bench, service: Service) -> None:
    query = {
        "measures": ["stock.count", "stock.flat", "stock.qty", "marks.count"],
        "dimensions": ["marks.colour"],
        "order": {"marks.colour": "asc"},
    }
    expected = lake.sql(
        """SELECT colour, count(*), count(*), sum(qty), any_value(c) FROM (
             SELECT DISTINCT m.colour, s.site, s.sku, s.qty, (SELECT count(*) FROM gold.marks x WHERE x.colour = m.colour) AS c
             FROM gold.marks m JOIN gold.stock s ON m.sku = s.sku)
           GROUP BY colour ORDER BY colour"""
    )
    assert rows(service, query) == expected
