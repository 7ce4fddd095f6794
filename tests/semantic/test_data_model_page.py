"""The model of the page docs/reference/data-model.md."""

import re
from pathlib import Path

import duckdb
import pytest

from ingot.project import load
from ingot.semantic import Model, compile_model
from ingot.semantic.answers.meta import meta
from ingot.semantic.context import Context
from ingot.semantic.planner.plan import plan
from ingot.semantic.query import parse

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "data-model.md"


@pytest.fixture
def model(tmp_path: Path) -> Model:
    found = re.search(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    (tmp_path / "ingot.yml").write_text("name: page\n")
    (tmp_path / "semantic").mkdir()
    (tmp_path / "semantic" / "model.yml").write_text(found.group(1))
    return compile_model(load(tmp_path))


def answer(model: Model, security: dict[str, str], **query: object) -> list[tuple[object, ...]]:
    made = plan(model, parse(query), context=Context(security))
    with duckdb.connect() as con:
        con.execute("CREATE SCHEMA gold")
        con.execute("CREATE TABLE gold.orders AS SELECT * FROM (VALUES (1, 1, DATE '2026-01-01', 150, 'a'), (2, 1, DATE '2026-02-01', 50, 'a'), (3, 2, DATE '2026-02-02', 200, 'b'), (4, 2, DATE '2026-02-03', -10, 'a')) t(id, customer_id, created_at, amount, tenant)")  # fmt: skip
        con.execute("CREATE TABLE gold.customers AS SELECT * FROM (VALUES (1, 'Rome', 41.9, 12.5), (2, 'Oslo', 59.9, NULL)) t(id, city, lat, lon)")  # fmt: skip
        return con.execute(made.sql, list(made.parameters)).fetchall()


def test_the_pages_model_answers(model: Model) -> None:
    assert answer(model, {}, measures=["sales.total"]) == [(400,)]
    assert answer(model, {"tenant": "a"}, measures=["sales.total", "sales.per_customer"]) == [(200, 200.0)]
    assert answer(model, {}, measures=["sales.total"], segments=["sales.large_in_rome"]) == [(150,)]
    any_amount = [{"member": "sales.amount", "operator": "set"}]
    assert answer(model, {}, measures=["sales.total"], filters=any_amount) == [(390,)]
    february = [{"dimension": "sales.created_at", "dateRange": ["2026-02-01", "2026-02-28"]}]
    found = answer(
        model,
        {},
        measures=["sales.total"],
        dimensions=["sales.size"],
        timeDimensions=february,
        order={"sales.size": "asc"},
    )
    assert found == [("large", 200), ("small", 50)]
    places = answer(
        model, {}, dimensions=["customers.city", "customers.place"], order={"customers.city": "asc"}
    )
    assert places == [("Oslo", None), ("Rome", "41.9,12.5")]
    chosen = answer(
        model,
        {},
        measures=["orders.in_currency"],
        dimensions=["orders.currency"],
        order={"orders.currency": "asc"},
    )
    assert [(name, float(str(value))) for name, value in chosen] == [("EUR", 390.0), ("USD", 429.0)]


def test_what_is_told_of_it(model: Model) -> None:
    assert [one["name"] for one in meta(model)] == ["orders", "customers", "sales"]
    (sales,) = meta(model, only_views=True)
    assert [folder["name"] for folder in sales["folders"]] == ["Money", "Customers"]
