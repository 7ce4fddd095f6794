"""Superset, connected as to any PostgreSQL: what its charts show is what the page, `load` and the raw files say."""

import json
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import httpx2
import pytest

from tests.pgwire.clients.sides import Side, Sides
from tests.pgwire.clients.superset.install import HERE, environment, installed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

Told = dict[str, Any]


@pytest.fixture(scope="module")
def answers(sides: Sides, tmp_path_factory: pytest.TempPathFactory) -> list[Told]:
    """What Superset's API said when connected to PostgreSQL and to us."""
    folder = installed()
    return [_told(side, folder, tmp_path_factory.mktemp("superset")) for side in sides]


def _told(side: Side, folder: Path, work: Path) -> Told:
    state = work / "state.db"
    shutil.copyfile(folder / "state.db", state)
    command = [f"{folder}/bin/python", str(HERE / "chart.py"), side.uri("postgresql+psycopg2")]
    done = subprocess.run(
        command, env=environment(state), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"{side.name}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
    told: Told = json.loads(done.stdout.splitlines()[-1])
    return told


@pytest.mark.parametrize("what", ["test", "schemas", "tables", "columns", "keys", "dataset", "values", "lab"])
def test_what_superset_finds_is_as_at_postgresql(answers: list[Told], what: str) -> None:
    judge, ours = (told[what] for told in answers)
    if what == "schemas":
        assert "public" in ours
        return
    if what == "values":
        ours, judge = sorted(ours), sorted(judge)
    assert ours == judge


@pytest.mark.parametrize("chart", ["bar", "filtered", "line", "table", "measure"])
def test_a_chart_is_drawn_from_the_same_numbers_as_at_postgresql(answers: list[Told], chart: str) -> None:
    judge, ours = (told[chart] for told in answers)
    assert ours["sql"] == judge["sql"]
    assert ours["types"] == judge["types"]
    assert _numbers(ours["rows"]) == _numbers(judge["rows"])
    assert ours["rows"]


def test_a_chart_shows_what_load_and_the_raw_files_say(answers: list[Told], sides: Sides) -> None:
    shown = {row["products_category"]: _cents(row["amount"]) for row in answers[1]["bar"]["rows"]}
    query = {"measures": ["sales.order_items_total_amount"], "dimensions": ["sales.products_category"]}
    loaded = httpx2.get(f"{sides.http}/cubejs-api/v1/load", params={"query": json.dumps(query)}, timeout=30)
    told = {
        row["sales.products_category"]: _cents(row["sales.order_items_total_amount"])
        for row in loaded.json()["data"]
    }
    assert shown == told
    measured = {row["products_category"]: _cents(row["amount"]) for row in answers[1]["measure"]["rows"]}
    assert measured == told
    assert shown == _from_files(Path(sides.project) / "data")


def _from_files(data: Path) -> dict[str, Decimal]:
    """By the definition of the measure, from nothing but the CSV files."""
    with duckdb.connect() as con:
        tables = {
            name: f"read_csv('{data}/{name}*.csv', all_varchar = true)"
            for name in ("order_items", "orders", "products")
        }
        rows = con.execute(f"""
            SELECT trim(p.category), sum(i.line_total::DECIMAL(18, 2))
            FROM {tables["order_items"]} i JOIN {tables["orders"]} o USING (order_id)
            JOIN {tables["products"]} p USING (product_id)
            WHERE NOT i.is_returned::BOOLEAN AND o.order_status NOT IN ('cancelled', 'returned') GROUP BY 1
        """).fetchall()
    return {name: _cents(amount) for name, amount in rows}


def _cents(value: Any) -> Decimal:
    return Decimal(str(value)).quantize(Decimal("0.01"))


def _numbers(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    plain = [
        {key: _cents(value) if _is_number(value) else value for key, value in row.items()} for row in rows
    ]
    return sorted(plain, key=repr)


def _is_number(value: Any) -> bool:
    try:
        Decimal(str(value))
    except ArithmeticError:
        return False
    return not isinstance(value, bool)
