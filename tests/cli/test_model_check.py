"""`ingot model validate`, `graph` and `render` on a project with a small lake."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from ingot.cli import main
from ingot.engines.duckdb import connect
from ingot.lake import Lake
from ingot.project import load

CUBES = """cubes:
  - name: orders
    sql_table: gold.orders
    joins:
      - {name: customers, relationship: many_to_one, sql: "{CUBE}.customer_id = {customers}.id"}
    dimensions:
      - {name: id, sql: id, type: number, primary_key: true}
    measures:
      - {name: total, type: sum, sql: amount}
  - name: customers
    sql_table: gold.customers
    dimensions:
      - {name: id, sql: id, type: number, primary_key: true}
"""


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose lake has two tables."""
    root = tmp_path_factory.mktemp("check") / "shop"
    (root / "semantic").mkdir(parents=True)
    (root / "ingot.yml").write_text("name: shop\n")
    with Lake.open(load(root)) as opened, connect() as con:
        tables = {"orders": "1 AS id, 1 AS customer_id, 5 AS amount", "customers": "1 AS id"}
        staged = [
            opened.stage(con, f"gold.{name}", f"SELECT {sql}", on="main") for name, sql in tables.items()
        ]
        opened.commit("main", staged, message="tables")
    return root


@pytest.fixture
def root(lake: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.rmtree(lake / "semantic")
    (lake / "semantic").mkdir()
    (lake / "ingot.yml").write_text("name: shop\n")
    (lake / "semantic" / "m.yml").write_text(CUBES)
    monkeypatch.chdir(lake)
    return lake


class Shell:
    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch, self.capsys = monkeypatch, capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        return self.ingot("model", *arguments)

    def ingot(self, *arguments: str) -> tuple[int, str, str]:
        self.monkeypatch.setattr(sys, "argv", ["ingot", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = self.capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(monkeypatch, capsys)


def test_a_valid_model_is_said_to_be_at_a_commit(root: Path, shell: Shell) -> None:
    code, out, _ = shell("validate")
    assert code == 0
    assert out.startswith("valid  2 cubes, 0 views, 3 members  (against main at ")


def test_a_typo_in_a_column_ends_with_2_and_its_place(root: Path, shell: Shell) -> None:
    (root / "semantic" / "m.yml").write_text(CUBES.replace("sql: amount", "sql: amuont"))
    code, out, _ = shell("validate")
    assert code == 2
    assert out.splitlines()[0] == (
        "semantic/m.yml:9:39: orders.total: there is no column 'amuont'; did you mean 'amount'?"
    )
    assert out.splitlines()[1].startswith("1 problem  against main")
    assert shell("validate", "--files-only")[0] == 0


def test_problems_are_data_with_json(root: Path, shell: Shell) -> None:
    (root / "semantic" / "m.yml").write_text(CUBES.replace("gold.customers", "gold.customer"))
    code, out, _ = shell("validate", "--json")
    assert code == 2
    found = json.loads(out)
    assert found["valid"] is False
    assert found["problems"] == [
        {
            "file": "semantic/m.yml",
            "line": 11,
            "column": 16,
            "message": "cube 'customers': there is no table 'gold.customer'",
            "expected": None,
            "nearest": "gold.customers",
        }
    ]


def test_problems_of_files_are_all_told(root: Path, shell: Shell) -> None:
    (root / "semantic" / "m.yml").write_text(CUBES.replace("sql_table: gold.orders", "sql_tabel: x"))
    (root / "semantic" / "n.yml").write_text("cubes: [{name: {{ nothing }}}]")
    code, out, _ = shell("validate")
    assert code == 2
    assert "unknown key 'sql_tabel'" in out
    assert "semantic/n.yml:1:1: Jinja: 'nothing' is undefined" in out


def test_a_ref_and_a_context_can_be_named(root: Path, shell: Shell) -> None:
    (root / "semantic" / "m.yml").write_text(
        "cubes: [{name: a, sql_table: {{ COMPILE_CONTEXT.schema }}.orders}]"
    )
    assert shell("validate")[0] == 2
    assert shell("validate", "--context", '{"schema": "gold"}')[0] == 0
    code, out, _ = shell("validate", "--context", '{"schema": "silver"}')
    assert (code, "there is no table 'silver.orders'; did you mean 'gold.orders'?" in out) == (2, True)
    assert shell("validate", "--context", "[1]")[0] == 2
    assert "nowhere" in shell("validate", "--ref", "nowhere", "--context", '{"schema": "gold"}')[2]


def test_the_graph_is_drawn_in_three_languages(root: Path, shell: Shell) -> None:
    assert "  orders }o--|| customers : many_to_one" in shell("graph")[1]
    assert '"orders" -> "customers"' in shell("graph", "--format", "dot")[1]
    assert json.loads(shell("graph", "--json")[1])["joins"][0]["multiplies"] == "customers"


def test_the_ways_between_two_cubes_are_explained(root: Path, shell: Shell) -> None:
    code, out, _ = shell("graph", "--from", "orders", "--to", "customers")
    assert (code, out.splitlines()[0]) == (0, "way   orders -[many_to_one]-> customers")
    assert "fan-out: rows of customers repeat there" in out
    found = json.loads(shell("graph", "--from", "customers", "--to", "orders", "--json")[1])
    assert (found["ways"], found["used"], found["fanOut"]) == (
        [["orders", "customers"]], ["orders", "customers"], ["customers"],
    )  # fmt: skip
    assert shell("graph", "--from", "orders")[0] == 2
    assert "did you mean 'orders'" in shell("graph", "--from", "order", "--to", "customers")[2]


def test_render_shows_what_jinja_makes_also_where_that_is_wrong(root: Path, shell: Shell) -> None:
    file = root / "semantic" / "t.yml"
    file.write_text(
        "cubes:\n{%- for n in ['x', 'y'] %}\n  - naem: {{ n }}_{{ COMPILE_CONTEXT.t }}\n{%- endfor %}\n"
    )
    code, out, _ = shell("render", "semantic/t.yml", "--context", '{"t": "acme"}')
    assert (code, out) == (0, "cubes:\n  - naem: x_acme\n  - naem: y_acme\n")
    code, _, err = shell("render", "semantic/t.yml")
    assert (code, "semantic/t.yml:3:1: Jinja: there is no 't' in the COMPILE_CONTEXT" in err) == (2, True)
    file.unlink()
    assert shell("render", "semantic/m.yml")[1] == CUBES
    assert shell("render", "semantic/gone.yml")[0] == 2


def test_generate_writes_a_model_that_is_valid_and_never_over_what_is_there(root: Path, shell: Shell) -> None:
    (root / "semantic" / "m.yml").unlink()
    code, out, _ = shell("generate", "--print", "--json")
    assert (code, list((root / "semantic").iterdir())) == (0, [])
    assert [Path(name).name for name in json.loads(out)["files"]] == ["customers.yml", "orders.yml"]
    code, out, _ = shell("generate", "gold.orders")
    assert (code, out.splitlines()[0]) == (0, "# semantic/cubes/orders.yml")
    written = (root / "semantic" / "cubes" / "orders.yml").read_text()
    assert shell("validate")[0] == 0
    code, _, err = shell("generate", "gold.orders")
    assert (code, "cube 'orders' reads it already" in err) == (2, True)
    (root / "semantic" / "cubes" / "orders.yml").write_text("# mine")
    assert "is there already" in shell("generate", "gold.orders")[2]
    assert (root / "semantic" / "cubes" / "orders.yml").read_text() == "# mine"
    assert shell("generate", "gold.orders", "--force")[0] == 0
    assert (root / "semantic" / "cubes" / "orders.yml").read_text() == written


def test_status_tells_that_the_model_does_not_compile(root: Path, shell: Shell) -> None:
    assert json.loads(shell.ingot("status", "--json")[1])["model"] == {
        "valid": True,
        "cubes": 2,
        "views": 0,
        "members": 3,
    }
    (root / "semantic" / "m.yml").write_text(CUBES.replace("sql: amount", "sql: '{gone}'"))
    code, out, _ = shell.ingot("status")
    assert code == 0
    assert "model  1 problems, such as semantic/m.yml:9:9: orders.total: " in out
    assert "ingot model validate" in out
    (root / "semantic" / "m.yml").write_text("cubes: [{name: a, sql_tabel: b}]")
    code, _, err = shell.ingot("status")
    assert (code, "unknown key 'sql_tabel'" in err) == (2, True)
