"""The notebook in examples/, executed in a real kernel against the storefront demo."""

import csv
from decimal import Decimal
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.conftest import Demo

NOTEBOOK = Path(__file__).parents[2] / "examples" / "notebook" / "storefront.ipynb"


@pytest.mark.slow
def test_the_notebook_runs_and_its_numbers_are_those_of_the_raw_files(
    storefront: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOREFRONT", str(storefront.directory))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    check = "print(shop_orders := by_hand, by_segment['sales.orders_count'].sum())"
    notebook.cells.append(nbformat.v4.new_code_cell(check))
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    with next(storefront.data.rglob("orders.csv")).open() as file:
        orders = sum(1 for _ in csv.DictReader(file))
    printed = notebook.cells[-1].outputs[0].text.split()
    assert [Decimal(one) for one in printed] == [orders, orders]


def test_the_notebook_is_kept_without_outputs() -> None:
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        assert not cell.get("outputs")
