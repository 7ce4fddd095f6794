"""`ingot model`: what a person does with the files of the semantic model."""

import json
import sys
from pathlib import Path

import pytest

from ingot.cli import main

DBT = """
semantic_models:
  - name: orders
    model: ref('orders')
    entities: [{name: order_id, type: primary}]
    measures: [{name: amount, agg: sum, create_metric: true}]
metrics: [{name: odd, type: conversion}]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose only table is a CSV file that was never loaded, beside a dbt project."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "ingot.yml").write_text("name: shop\n")
    (tmp_path / "dbt" / "models").mkdir(parents=True)
    (tmp_path / "dbt" / "models" / "orders.yml").write_text(DBT)
    monkeypatch.chdir(tmp_path / "shop")
    return tmp_path / "shop"


def ingot(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["ingot", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_import_writes_cubes_and_says_what_it_left_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ingot(monkeypatch, "model", "import", "../dbt") == 0
    said = capsys.readouterr().out
    assert "# semantic/cubes/orders.yml" in said
    assert "note  metric odd: left out: metrics of type 'conversion' have no counterpart" in said
    assert "sql_table: orders" in (folder / "semantic" / "cubes" / "orders.yml").read_text()
    assert ingot(monkeypatch, "model", "import", "../dbt") == 2
    assert "is there already" in capsys.readouterr().err


def test_import_prints_instead_of_writing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ingot(monkeypatch, "model", "import", "../dbt", "--print", "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert [Path(name).name for name in printed["files"]] == ["orders.yml"]
    assert not (folder / "semantic").exists()


def test_import_refuses_a_folder_without_models(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "empty").mkdir()
    assert ingot(monkeypatch, "model", "import", "empty") == 2
    assert "no model to import" in capsys.readouterr().err
