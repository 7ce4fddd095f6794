"""What a person does with the lake on the command line: look, compare, merge, take back."""

import json
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from ingot.api import create_app
from ingot.cli import main
from ingot.engines.duckdb import connect
from ingot.lake import Lake
from ingot.lake.rest import routes
from ingot.project import load
from tests.lake.rest.conftest import serving

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "branches.md"
ORDERS = "SELECT * FROM (VALUES (1, 'ann', 10), (2, 'bob', 20), (3, 'ann', 30), (4, 'cid', 40), (5, 'bob', 50), (6, 'cid', 60)) v(order_id, customer, amount)"


@dataclass
class Shell:
    """A project, and commands that are run in it, in this process: a new one for each would take a minute."""

    folder: Path
    lake: Lake
    con: duckdb.DuckDBPyConnection
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    def fails(self, *arguments: str, code: int) -> str:
        """What the command says on standard error while it ends with `code`."""
        self.monkeypatch.setattr(sys, "argv", ["ingot", *arguments])
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = self.capsys.readouterr()
        self.out = said.out
        assert (ended.value.code or 0) == code, said.err
        assert "Traceback" not in said.err
        return said.err

    def __call__(self, *arguments: str) -> str:
        """What the command prints; it must succeed."""
        self.fails(*arguments, code=0)
        return self.out

    def json(self, *arguments: str) -> object:
        return json.loads(self(*arguments, "--json"))

    def write(self, name: str, query: str, branch: str = "main", **options: object) -> None:
        staged = self.lake.stage(self.con, name, query, on=branch, **options)  # type: ignore[arg-type]
        self.lake.commit(branch, [staged], message=f"write {name}", author="ann")


@pytest.fixture
def shell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shell]:
    """A project with `gold.orders`, and `raw.orders` whose key the project knows."""
    (tmp_path / "ingot.yml").write_text("name: shop\n")
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources/shop.yml").write_text(
        "path: data\ntables:\n  orders: {path: orders.csv, primary_key: [order_id]}\n"
    )
    monkeypatch.chdir(tmp_path)
    with connect() as con, Lake.open(load(tmp_path)) as lake:
        made = Shell(tmp_path, lake, con, capsys, monkeypatch)
        made.write("gold.orders", ORDERS, comment="what was sold")
        yield made


def masked(text: str) -> list[str]:
    """Lines without what differs from run to run: hashes and sizes."""
    text = re.sub(r"\b[0-9a-f]{12}\b", "<hash>", text)
    return [re.sub(r"\([0-9.]+ k?B\)", "(size)", line).rstrip() for line in text.strip().splitlines()]


def test_every_command_of_the_page_does_what_the_page_says(shell: Shell) -> None:
    app = Starlette(routes=[Mount("/iceberg", routes=routes(shell.lake))])
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", PAGE.read_text(), flags=re.MULTILINE | re.DOTALL)
    commands = 0
    with serving(app) as address, connect(extensions=("avro", "httpfs", "iceberg")) as duck:
        for kind, body in blocks:
            if kind == "sql":
                duck.execute(body.replace("http://localhost:4000", address))
                continue
            for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
                line, _, shown = part.partition("\n")
                program, *arguments = shlex.split(line)
                assert program == "ingot"
                printed = shell(*arguments)
                commands += 1
                if shown:
                    assert masked(printed) == masked(shown), line
        assert commands == PAGE.read_text().count("\n$ ingot ") > 10
    # Merged, rolled back, and the rollback reverted: the correction stands.
    amounts = shell.json("query", "SELECT order_id, amount FROM gold.orders ORDER BY 1")
    assert [tuple(row.values()) for row in amounts] == [  # type: ignore[attr-defined]
        (1, 10), (2, 25), (3, 30), (4, 40), (5, 50), (7, 70),
    ]  # fmt: skip
    assert [ref.name for ref in shell.lake.catalog.refs()] == ["main"]


def test_tables_lists_rows_files_and_the_last_commit_of_each(shell: Shell) -> None:
    view = shell.lake.stage_view("gold.v", "SELECT 1 AS x", on="main", columns=[("x", "INTEGER")])
    shell.lake.commit("main", [view], message="a view", author="bob")
    shell.write("gold.more", "SELECT 1 AS a FROM range(12345)")
    found = shell.json("tables")
    assert isinstance(found, dict)
    listed = [(one["name"], one["kind"], one["rows"], one["files"]) for one in found["tables"]]
    assert listed == [
        ("gold.more", "table", 12345, 1),
        ("gold.orders", "table", 6, 1),
        ("gold.v", "view", None, None),
    ]
    assert [one["commit"]["message"] for one in found["tables"]] == [
        "write gold.more",
        "write gold.orders",
        "a view",
    ]
    text = shell("tables")
    assert re.search(r"gold\.more +12,345 ", text)
    assert re.search(r"gold\.v +view ", text)
    assert "gold.more" not in shell("tables", "--ref", "main~1")
    assert "no tables" in shell("tables", "--ref", "main~3")


def test_describe_shows_columns_layout_properties_and_snapshots(shell: Shell) -> None:
    shell.write("gold.orders", ORDERS, sort_by=["order_id"])
    shell.write("gold.orders", f"{ORDERS} WHERE order_id > 3", partition_by=["bucket(4, order_id)"])
    found = shell.json("describe", "gold.orders")
    assert isinstance(found, dict)
    assert [(one["name"], one["type"]) for one in found["columns"]] == [
        ("order_id", "INTEGER"),
        ("customer", "VARCHAR"),
        ("amount", "INTEGER"),
    ]
    assert (found["rows"], found["partitioning"], found["sort_order"]) == (3, ["bucket(4, order_id)"], [])
    assert [(one["operation"], one["rows"], one["current"]) for one in found["snapshots"]] == [
        ("append", 6, False),
        ("overwrite", 6, False),
        ("overwrite", 3, True),
    ]
    assert found["properties"]["comment"] == "what was sold"
    text = shell("describe", "gold.orders", "--ref", "main~1")
    assert "gold.orders  what was sold" in text
    assert "sorted by order_id" in text
    assert "6 rows" in text
    assert "did you mean 'gold.orders'" in shell.fails("describe", "gold.order", code=2)


def test_describe_shows_the_sql_of_a_view(shell: Shell) -> None:
    view = shell.lake.stage_view("gold.v", "SELECT 7 AS x", on="main", columns=[("x", "INTEGER")])
    shell.lake.commit("main", [view], message="a view")
    text = shell("describe", "gold.v")
    assert "SELECT 7 AS x" in text
    assert re.search(r"x +INTEGER", text)


def test_diff_matches_rows_of_a_source_table_by_the_key_that_the_project_knows(shell: Shell) -> None:
    shell.write("raw.orders", ORDERS)
    shell.lake.branch("dev")
    shell.write("raw.orders", ORDERS.replace("'cid', 60", "'dan', 60"), "dev")
    text = shell("diff")
    assert "rows by order_id: 1 changed (customer in 1)" in text
    assert "~ order_id=6: customer cid -> dan" in text
    assert "rows: 1 added, 1 removed" in shell("diff", "main", "dev", "--key", "customer", "--key", "amount", "--key", "order_id").replace(" by customer, amount, order_id", "")  # fmt: skip


def test_diff_without_refs_takes_the_branch_that_changed_last_or_the_last_commit(shell: Shell) -> None:
    shell.write("gold.orders", f"{ORDERS} WHERE order_id < 3")
    assert shell("diff").startswith("main~1 (")
    shell.lake.branch("still")
    assert shell("diff").startswith("main~1 (")
    for name in ("older", "newer"):
        shell.lake.branch(name)
        shell.write(f"gold.{name}", "SELECT 1 AS a", name)
    assert re.match(r"main \(\w{12}\) -> newer \(", shell("diff"))
    assert re.match(r"main \(\w{12}\) -> older \(", shell("diff", "older"))
    assert "no differences" in shell("diff", "main", "still")


def test_three_dots_leave_out_what_happened_on_the_other_side(shell: Shell) -> None:
    shell.lake.branch("dev")
    shell.write("gold.mine", "SELECT 1 AS a", "dev")
    shell.write("gold.theirs", "SELECT 1 AS a")
    assert "gold.theirs" in shell("diff", "main", "dev")
    text = shell("diff", "main...dev")
    assert "+ gold.mine  1 row" in text
    assert "gold.theirs" not in text


def test_diff_tells_of_columns_layout_views_and_renamed_tables(shell: Shell) -> None:
    view = shell.lake.stage_view("gold.v", "SELECT 1 AS x\nWHERE true", on="main", columns=[("x", "INTEGER")])
    shell.lake.commit("main", [view], message="a view")
    shell.lake.branch("dev")
    shell.write("gold.orders", ORDERS.replace("SELECT *", "SELECT order_id::BIGINT AS order_id, amount, 'a\nb' AS note"), "dev", sort_by=["amount desc"])  # fmt: skip
    view = shell.lake.stage_view("gold.v", "SELECT 2 AS x\nWHERE true", on="dev", columns=[("x", "INTEGER")])
    shell.lake.commit("dev", [view], message="a view")
    lines = [line.strip() for line in shell("diff", "main", "dev").splitlines()]
    for line in (
        "~ gold.orders  same rows  3 columns, sort order",
        "~ gold.v       view",
        "~ column order_id INTEGER -> BIGINT",
        "- column customer VARCHAR",
        "+ column note VARCHAR",
        "~ sort order none -> amount desc",
        "-SELECT 1 AS x",
        "+SELECT 2 AS x",
    ):
        assert line in lines, line


def test_tables_that_were_only_written_anew_take_one_line_together(shell: Shell) -> None:
    for name in ("a", "b", "c"):
        shell.write(f"gold.{name}", "SELECT 1 AS x")
    shell.lake.branch("dev")
    for name in ("a", "b"):
        shell.write(f"gold.{name}", "SELECT 1 AS x", "dev", properties={"ingot.dbt-node": "n"})
    shell.write("gold.c", "SELECT 1 AS x", "dev", properties={"owner": "ann"})
    lines = shell("diff", "main", "dev").splitlines()[1:]
    assert lines[:2] == [
        "~ gold.c  same rows  1 property",
        "= 2 tables written anew with the same rows: gold.a, gold.b",
    ]
    assert "gold.a" not in "".join(lines[2:])
    assert "same rows" in shell("diff", "main", "dev", "--table", "gold.a").splitlines()[1]


def test_a_value_with_line_breaks_or_control_characters_stays_on_its_line(shell: Shell) -> None:
    shell.lake.branch("dev")
    shell.write("gold.orders", ORDERS.replace("'cid', 60", r"E'a\nb\x1b[31m', 60"), "dev")
    text = shell("diff", "main", "dev")
    assert r"customer=a\nb\x1b[31m" in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["diff", "main", "dve"], "did you mean 'dev'"),
        (["diff", "main", "dev", "--table", "gold.order"], "did you mean 'gold.orders'"),
        (["diff", "main", "dev", "--key", "amuont"], "did you mean 'amount'"),
        (["diff", "main", "dev", "--rows", "-1"], "--rows"),
        (["log", "--graph", "--table", "gold.orders"], "--graph"),
        (["log", "--table", "gold.order"], "did you mean 'gold.orders'"),
        (["merge", "dev", "--theirs", "gold.order"], "did you mean 'gold.orders'"),
        (["merge", "dev", "--theirs", "gold.orders", "--ours", "gold.orders"], "both sides"),
        (["rollback", "dev"], "not in the history"),
        (["rollback", "main"], "nothing to roll back"),
        (["rollback", "mian~1"], "did you mean 'main'"),
        (["revert", "main~9"], "main~9"),
        (["branch", "--rename", "x"], "Which branch"),
        (["branch", "dve", "--rename", "x"], "did you mean 'dev'"),
        (["branch", "main", "--rename", "x"], "cannot be renamed"),
        (["branch", "dev", "--rename", "a b"], "a b"),
        (["tables", "--ref", "mian"], "did you mean 'main'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_message_and_changes_nothing(shell: Shell, arguments: list[str], said: str) -> None:
    shell.lake.branch("dev")
    shell.write("gold.orders", f"{ORDERS} WHERE order_id < 3", "dev")
    before = shell.lake.catalog.refs()
    assert said in shell.fails(*arguments, code=2)
    assert shell.lake.catalog.refs() == before


@pytest.fixture
def conflict(shell: Shell) -> Callable[[], int]:
    """`main` and `dev` wrote the same table and `dev` another one; how many rows `main` has."""
    shell.lake.branch("dev")
    shell.write("gold.orders", f"{ORDERS} WHERE order_id < 3", "dev")
    shell.write("gold.more", "SELECT 1 AS a", "dev")
    shell.write("gold.orders", f"{ORDERS} WHERE order_id < 5")
    return lambda: shell.lake.at("main").table("gold.orders").rows


def test_a_refused_merge_names_the_table_the_reason_and_the_way_out(
    shell: Shell, conflict: Callable[[], int]
) -> None:
    head = shell.lake.catalog.resolve("main")
    for options in ([], ["--dry-run"]):
        said = shell.fails("merge", "dev", *options, code=1)
        assert "gold.orders" in said
        assert "VALUE_DIFFERS" in said
        assert "ingot diff main dev" in said
        assert "--theirs gold.orders" in said
    assert shell.lake.catalog.resolve("main") == head


@pytest.mark.parametrize(("side", "rows"), [("--theirs", 2), ("--ours", 4)])
def test_a_side_is_chosen_for_a_table_in_conflict(
    shell: Shell, conflict: Callable[[], int], side: str, rows: int
) -> None:
    shell("merge", "dev", side, "gold.orders", "--dry-run")
    assert conflict() == 4
    shell("merge", "dev", side, "gold.orders")
    assert conflict() == rows
    assert "gold.more" in shell.lake.at("main").tables


def test_rollback_and_revert_are_new_commits_and_keep_the_history(shell: Shell) -> None:
    for below in (6, 4, 2):
        shell.write("gold.orders", f"{ORDERS} WHERE order_id < {below}")
        shell.write(f"gold.t{below}", "SELECT 1 AS a")
    heads = [commit.hash for commit in shell.lake.catalog.log(shell.lake.catalog.resolve("main"))]
    done = shell.json("rollback", "main~4", "--message", "too much")
    assert isinstance(done, dict)
    assert (done["message"], sorted(done["changes"])) == ("too much", ["gold.orders", "gold.t2", "gold.t4"])
    state = shell.lake.at("main")
    assert (state.table("gold.orders").rows, state.tables) == (5, ("gold.orders", "gold.t6"))
    assert [one.hash for one in shell.lake.catalog.log(state.hash)] == [done["hash"], *heads]
    shell("revert", "main")
    assert shell.lake.at("main").table("gold.orders").rows == 1
    shell("revert", "main~4")  # the commit that made gold.t4
    assert shell.lake.at("main").tables == ("gold.orders", "gold.t2", "gold.t6")
    said = shell.fails("revert", "main~6", code=1)  # a later commit wrote gold.orders again
    assert "gold.orders" in said


def test_the_log_of_a_table_has_only_the_commits_that_changed_it(shell: Shell) -> None:
    shell.write("gold.more", "SELECT 1 AS a")
    shell.write("gold.orders", f"{ORDERS} WHERE order_id < 3")
    found = shell.json("log", "--table", "gold.orders")
    assert isinstance(found, dict)
    assert [one["changes"][-1] for one in found["commits"]] == ["gold.orders", "gold.orders"]
    assert shell("log", "--table", "gold.orders", "-n", "1").count("write gold.orders") == 1


def test_the_graph_shows_where_the_refs_stand(shell: Shell) -> None:
    shell.lake.branch("dev")
    shell.write("gold.more", "SELECT 1 AS a", "dev")
    shell.write("gold.other", "SELECT 1 AS a")
    shell("merge", "dev")
    shell.lake.tag("v1")
    lines = [re.sub(r"[0-9a-f]{12}|\d{4}-\d\d-\d\d \d\d:\d\d ", "", line) for line in shell("log", "--graph").splitlines()]  # fmt: skip
    assert lines == [
        "*    (main, v1) ingot: Merge 'dev' into 'main'",
        "|\\",
        "| *  (dev) ann: write gold.more",
        "* |  ann: write gold.other",
        "|/",
        "*  ann: write gold.orders",
    ]


def test_the_endpoint_gives_what_the_command_gives(shell: Shell) -> None:
    shell.lake.branch("dev")
    shell.write("gold.orders", ORDERS.replace("'cid', 60", "'dan', 61"), "dev")
    told = shell.json("diff", "main", "dev", "--key", "order_id", "--rows", "3")
    assert isinstance(told, dict)
    with TestClient(create_app(load(shell.folder)), raise_server_exceptions=False) as client:
        answer = client.get("/api/v1/diff?from=main&to=dev&key=order_id&rows=3")
        assert answer.status_code == 200, answer.text
        assert answer.json() == {name: value for name, value in told.items() if name not in ("from", "to")}
        assert answer.json()["tables"][0]["rows"]["changed_columns"] == {"customer": 1, "amount": 1}
        for query, status, said in (
            ("from=main", 400, "'to' is missing"),
            ("to=dve", 404, "did you mean 'dev'"),
            ("to=dev&table=gold.order", 404, "did you mean 'gold.orders'"),
            ("to=dev&key=no", 404, "no column 'no'"),
            ("to=dev&rows=-1", 400, "rows is a whole number"),
            (f"to=dev&rows={'9' * 5000}", 400, "rows is a whole number"),
        ):
            refused = client.get(f"/api/v1/diff?{query}")
            assert (refused.status_code, said in refused.json()["error"]) == (status, True), refused.text
    assert os.getcwd() == str(shell.folder)  # noqa: PTH109 - the commands run in this process


def test_appends_of_both_sides_are_brought_together_and_a_side_can_still_be_chosen(shell: Shell) -> None:
    for name in ("dev", "other"):
        shell.lake.branch(name)
        shell.write(
            "gold.orders", "SELECT 7 AS order_id, 'eve' AS customer, 70 AS amount", name, mode="append"
        )
    shell.write("gold.orders", "SELECT 8 AS order_id, 'eve' AS customer, 80 AS amount", mode="append")
    assert "gold.orders  (rows of both sides)" in shell("merge", "dev")
    assert shell.lake.at("main").table("gold.orders").rows == 8
    shell("merge", "other", "--theirs", "gold.orders")
    assert shell.lake.at("main").table("gold.orders").rows == 7
