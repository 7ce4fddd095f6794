"""Keys of tables are read out of the project's files."""

from pathlib import Path

from ingot import quality
from ingot.project import load


def test_keys_come_from_sources_and_from_cubes_over_plain_columns(tmp_path: Path) -> None:
    (tmp_path / "ingot.yml").write_text("name: shop\n")
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources/shop.yml").write_text(
        "path: data\nschema: raw\ntables:\n"
        "  orders: {path: o.csv, primary_key: [order_id, line]}\n  plain: {path: p.csv}\n"
        "  both: {path: b.csv, primary_key: id}\n"
    )
    (tmp_path / "semantic/cubes").mkdir(parents=True)
    (tmp_path / "semantic/cubes/all.yml").write_text(
        """cubes:
  - name: orders
    sql_table: gold.fact_orders
    dimensions:
      - {name: id, sql: "{CUBE}.order_id", type: number, primary_key: true}
      - {name: line, sql: '"line no"', type: number, primary_key: true}
      - {name: other, sql: other, type: string}
  - name: weeks
    sql_table: gold.weeks
    dimensions:
      - {name: id, sql: "{CUBE}.a || {CUBE}.b", type: string, primary_key: true}
  - name: both
    sql_table: raw.both
    dimensions:
      - {name: id, sql: wrong, type: string, primary_key: true}
  - name: made
    sql: SELECT 1 AS id
    dimensions:
      - {name: id, sql: id, type: number, primary_key: true}
"""
    )
    assert quality.known_keys(load(tmp_path)) == {
        "raw.orders": ("order_id", "line"),
        "raw.both": ("id",),
        "gold.fact_orders": ("order_id", "line no"),
    }
