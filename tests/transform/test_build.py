"""A user's dbt project on a branch: tables, views, seeds, names, documentation, hooks, what is left alone."""

import datetime
import json
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

import pytest

from ingot.transform import NodeEvent, NullTransform, TransformError, engine_for
from tests.transform.conftest import BRANCH, SHOP, Project, Shop, Transform, by_name, dbt_project

pytestmark = pytest.mark.slow


def test_models_seeds_and_their_tests_are_built_in_order_and_land_on_the_branch(shop: Shop) -> None:
    result = shop.build("+daily")
    assert result.status == "ok", result.failures
    paid = [(1, 10.0, 1), (3, 30.5, 2), (4, 40.0, 3)]
    assert shop.rows("select order_id, amount, month(ordered_at) from gold.fact_orders order by 1") == [
        (order, Decimal(str(amount)), month) for order, amount, month in paid
    ]
    assert [row[1] for row in shop.rows("from marts.daily order by day")] == [
        Decimal(str(amount)) for _, amount, _ in paid
    ]
    nodes = by_name(result)
    assert (nodes["fact_orders"].relation, nodes["fact_orders"].rows) == ("gold.fact_orders", 3)
    order = [node.name for node in result.nodes]
    assert order.index("countries") < order.index("fact_orders") < order.index("daily")
    assert order.index("unique_fact_orders_order_id") < order.index("daily")


def test_bytes_and_rows_of_a_node_are_those_of_its_table(shop: Shop) -> None:
    node = by_name(shop.build("+fact_orders"))["fact_orders"]
    table = shop.lake.at(BRANCH).table("gold.fact_orders")
    assert (node.rows, node.bytes) == (table.rows, table.bytes)
    assert node.rows == 3


def test_each_model_is_one_commit_that_says_its_name(shop: Shop) -> None:
    before = len(shop.messages())
    shop.build("stg_orders", "fact_orders", "countries")
    assert sorted(shop.messages()[:-before]) == [
        "dbt: model gold.fact_orders",
        "dbt: seed raw.countries",
        "dbt: view silver.stg_orders",
    ]


def test_the_other_branches_stay_as_they_were(shop: Shop) -> None:
    shop.build("+fact_orders")
    assert shop.lake.at("main").tables == ()


def test_a_view_is_a_view_of_the_lake_and_follows_its_table(shop: Shop) -> None:
    shop.build("stg_orders")
    assert shop.lake.at(BRANCH).views == ("silver.stg_orders",)
    shop.put(
        "raw.orders",
        "select 9 as order_id, 9 as customer_id, 1.0 as amount, 'x' as status, now()::timestamp as ordered_at",
    )
    assert shop.rows("select order_id, loud from silver.stg_orders") == [(9, "X")]


def test_what_a_selected_model_reads_need_not_be_built_again(shop: Shop) -> None:
    shop.build("+fact_orders")
    result = shop.build("daily")
    assert [node.name for node in result.nodes if node.kind == "model"] == ["daily"]
    assert result.inputs == ("gold.fact_orders",)
    assert shop.rows("select count(*) from marts.daily") == [(3,)]


def test_inputs_are_the_tables_that_no_node_of_the_build_made(shop: Shop) -> None:
    assert shop.build("+daily", "customers_dated").inputs == ("raw.customers", "raw.orders")


def test_the_target_looks_like_duckdb_under_the_name_of_the_profile(shop: Shop) -> None:
    shop.build("+daily")
    assert shop.rows("select distinct dialect, target from marts.daily") == [("duckdb", "dev")]


def test_partitions_order_comment_and_properties_of_a_model_reach_the_table(shop: Shop) -> None:
    shop.build("+fact_orders")
    table = shop.lake.at(BRANCH).table("gold.fact_orders")
    spec = next(
        s for s in table.metadata["partition-specs"] if s["spec-id"] == table.metadata["default-spec-id"]
    )
    assert [field["transform"] for field in spec["fields"]] == ["month"]
    order = next(
        o for o in table.metadata["sort-orders"] if o["order-id"] == table.metadata["default-sort-order-id"]
    )
    assert [one["source-id"] for one in order["fields"]] == [
        c.id for c in table.schema if c.name == "order_id"
    ]
    assert table.comment == "One row a paid order."
    assert table.properties["owner"] == "finance"


def test_a_seed_keeps_text_dates_and_quoted_commas(shop: Shop) -> None:
    shop.build("countries")
    assert shop.rows("from raw.countries order by code") == [
        ("at", "Österreich", datetime.date(1995, 1, 1)),
        ("de", "Germany, Federal Republic", datetime.date(1958, 1, 1)),
    ]


def test_names_with_quotes_spaces_and_words_of_sql_are_kept(shop: Shop) -> None:
    result = shop.build("odd_names")
    assert result.status == "ok", result.failures
    table = shop.lake.at(BRANCH).table("gold.Größe & Co 'x'")
    assert [column.name for column in table.schema] == ["select", "weiß 100%", 'a"b']
    assert shop.rows('''from gold."Größe & Co 'x'"''') == [(1, "ü", 2)]


def test_a_python_model_prints_what_it_likes_and_is_a_table(shop: Shop) -> None:
    result = shop.build("stg_orders", "python_model")
    assert result.status == "ok", result.failures
    assert shop.rows("from gold.python_model order by status") == [
        ("open", Decimal("20.0")),
        ("paid", Decimal("80.5")),
    ]


def test_a_table_that_becomes_a_view_and_a_table_again_stays_one_name(shop: Shop, tmp_path: Path) -> None:
    for materialized, value in (("table", 1), ("view", 2), ("table", 3)):
        sql = f"{{{{ config(materialized='{materialized}') }}}} select {value} as x"
        result = shop.build(dbt=dbt_project(tmp_path, {"models/m.sql": sql}))
        assert result.status == "ok", result.failures
        state = shop.lake.at(BRANCH)
        assert ("analytics.m" in state.views, "analytics.m" in state.tables) == (
            materialized == "view",
            materialized == "table",
        )
        assert shop.rows("from analytics.m") == [(value,)]


def test_a_project_decides_itself_how_schemas_are_named(shop: Shop, tmp_path: Path) -> None:
    macro = (
        "{% macro generate_schema_name(name, node) %}{{ target.schema }}__{{ name or 'none' }}{% endmacro %}"
    )
    model = "{{ config(materialized='table', schema='silver') }} select 1 as x"
    shop.build(dbt=dbt_project(tmp_path, {"macros/names.sql": macro, "models/m.sql": model}))
    assert "analytics__silver.m" in shop.lake.at(BRANCH).tables


def test_a_contract_is_enforced_with_its_constraints_and_order(shop: Shop) -> None:
    assert shop.build("contracted").status == "ok"
    table = shop.lake.at(BRANCH).table("gold.contracted")
    assert [column.name for column in table.schema] == ["order_id", "amount"]
    shop.put("raw.orders", "select 1 as order_id, -1.0 as amount")
    (failed,) = shop.build("contracted").failures
    assert "CHECK" in (failed.error or "")
    assert shop.rows("select min(amount) from gold.contracted") == [(10.0,)]


def test_nothing_is_written_into_the_folder_of_the_dbt_project(shop: Shop) -> None:
    before = sorted(SHOP.rglob("*"))
    shop.build("+daily")
    assert sorted(SHOP.rglob("*")) == before
    assert list(shop.project.state_dir.rglob("target/partial_parse.msgpack"))


def test_the_manifest_of_dbt_is_there_for_lineage(shop: Shop) -> None:
    manifest = shop.build("countries").manifest
    assert manifest is not None
    assert "model.shop.fact_orders" in json.loads(manifest.read_text())["nodes"]


def test_events_tell_start_and_end_of_every_node_and_how_many_there_are(shop: Shop) -> None:
    events: list[NodeEvent] = []
    result = shop.build("+fact_orders", on_event=events.append)
    started = [event.name for event in events if event.what == "started"]
    finished = [event.name for event in events if event.what == "finished"]
    nodes = [node.name for node in result.nodes if node.kind != "hook"]
    assert sorted(started) == sorted(finished) == sorted(nodes)
    assert {event.total for event in events} == {len(nodes)}
    assert {event.result for event in events if event.result} == {n for n in result.nodes if n.kind != "hook"}


def test_a_variable_of_the_project_reaches_the_models(shop: Shop, tmp_path: Path) -> None:
    dbt = dbt_project(
        tmp_path, {"models/m.sql": "{{ config(materialized='table') }} select '{{ var('who') }}' as who"}
    )
    shop.build(dbt=dbt, variables={"who": "Zoë"})
    assert shop.rows("from analytics.m") == [("Zoë",)]


def test_macros_of_an_installed_package_are_found_in_their_duckdb_version(shop: Shop, tmp_path: Path) -> None:
    macro = "{% macro half(x) %}{{ return(adapter.dispatch('half', 'tools')(x)) }}{% endmacro %}"
    files = {
        "packages.yml": "packages: [{local: ../tools}]",
        "dbt_packages/tools/dbt_project.yml": "name: tools\n",
        "dbt_packages/tools/macros/half.sql": macro
        + "{% macro default__half(x) %}error{% endmacro %}{% macro duckdb__half(x) %}{{ x }} // 2{% endmacro %}",
        "models/m.sql": "{{ config(materialized='table') }} select {{ tools.half(9) }} as x",
    }
    result = shop.build(dbt=dbt_project(tmp_path, files))
    assert result.status == "ok", result.failures
    assert shop.rows("from analytics.m") == [(4,)]


def test_a_source_may_be_a_file_outside_of_the_lake(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "outside.csv").write_text("a,b\n1,x\n2,y\n")
    source = f"sources: [{{name: files, config: {{meta: {{external_location: '{tmp_path}/{{name}}.csv'}}}}, tables: [{{name: outside}}]}}]"
    model = "{{ config(materialized='table') }} select sum(a) as a from {{ source('files', 'outside') }}"
    result = shop.build(dbt=dbt_project(tmp_path, {"models/sources.yml": source, "models/m.sql": model}))
    assert result.status == "ok", result.failures
    assert shop.rows("from analytics.m") == [(3,)]
    assert result.inputs == ()


def test_hooks_of_the_run_are_reported_and_a_failing_one_fails_the_build(shop: Shop, tmp_path: Path) -> None:
    files = {
        "dbt_project.yml": "name: small\non-run-start: 'select nothing'\n",
        "models/m.sql": "select 1 as x",
    }
    result = shop.build(dbt=dbt_project(tmp_path, files))
    assert result.status == "failed"
    (hook,) = [node for node in result.nodes if node.kind == "hook"]
    assert hook.status == "failed"
    assert "nothing" in (hook.error or "")


def test_models_built_at_once_do_not_disturb_each_other(shop: Shop, tmp_path: Path) -> None:
    files = {
        f"models/m{i}.sql": f"{{{{ config(materialized='table', schema='s{i % 3}') }}}} select {i} as i, count(*) as n from range({i}000)"
        for i in range(12)
    }
    result = shop.build(dbt=dbt_project(tmp_path, files), threads=4)
    assert result.status == "ok", result.failures
    found = shop.rows(
        " union all ".join(f"select i, n from s{i % 3}.m{i}" for i in range(12)) + " order by 1"
    )
    assert found == [(i, i * 1000) for i in range(12)]


def test_variables_that_a_project_file_froze_reach_dbt_as_lists_and_mappings(
    shop: Shop, tmp_path: Path
) -> None:
    model = "{{ config(materialized='table') }} select {{ var('limits')['low'] }} + {{ var('limits')['more'][1] }} as x"
    frozen = MappingProxyType({"limits": MappingProxyType({"low": 1, "more": (5, 6)})})
    shop.build(dbt=dbt_project(tmp_path, {"models/m.sql": model}), variables=frozen)
    assert shop.rows("from analytics.m") == [(7,)]


def test_completed_nodes_are_left_out_and_the_rest_is_built(shop: Shop) -> None:
    first = shop.build("+fact_orders")
    done = frozenset(node.unique_id for node in first.nodes)
    assert {node.kind for node in shop.build("+fact_orders", completed=done).nodes} <= {"hook"}
    again = shop.build("+daily", completed=done)
    assert {node.name for node in again.nodes if node.kind != "hook"} == {
        "daily",
        "daily_adds_up",
        "at_most_daily_1000__revenue",
    }
    assert shop.rows("select count(*) from marts.daily") == [(3,)]


def test_a_project_without_dbt_has_nothing_to_build(tmp_path: Path) -> None:
    with engine_for(Project(tmp_path, None)) as engine:  # type: ignore[arg-type]
        assert isinstance(engine, NullTransform)
        assert engine.fingerprint() == engine.fingerprint()
        assert engine.build(None, BRANCH).status == "ok"  # type: ignore[arg-type]


def test_a_branch_that_is_not_there_is_named(shop: Shop) -> None:
    shop.lake.delete_ref(BRANCH)
    with pytest.raises(TransformError, match=BRANCH):
        shop.build("countries")


def test_the_engine_of_a_project_with_dbt_is_dbt(tmp_path: Path) -> None:
    engine = engine_for(Project(tmp_path, Transform(SHOP)))  # type: ignore[arg-type]
    assert len(engine.fingerprint()) == 32
