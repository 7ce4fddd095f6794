"""Hostile SQL at `/api/v1/sql`: it reads the tables of the lake and nothing else, and is refused in the endpoint's shape."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.hostile.judge import CANARY, judged
from tests.api.hostile.store import Store, opened

FILE = "<FILE>"
NEW = "<NEW>"
REFUSED = [
    "select * from '<FILE>'", "from '<FILE>'", "select * from read_csv('<FILE>')", "select * from read_text('<FILE>')",
    "select content from read_blob('<FILE>')", "select * from sniff_csv('<FILE>')", "select * from glob('/*')", "summarize '<FILE>'",
    "describe select * from '<FILE>'", "describe '<FILE>'", "summarize select * from '<FILE>'", "show '<FILE>'", "summarize \"<FILE>\"",
    "with x as (from '<FILE>') from x", "select (select count(*) from '<FILE>')", "select * from gold.orders where exists (from '<FILE>')",
    "select * from read_parquet('<FILE>')", "select * from parquet_metadata('<FILE>')", "select * from read_json_auto('<FILE>')",
    "select * from query('from read_text(''<FILE>'')')", "select * from query_table('<FILE>')", "select * from 'gold.orders' union all from '<FILE>'",
    "copy (select 1) to '<NEW>'", "copy gold.orders to '<NEW>'", "export database '<NEW>'", "attach '<NEW>' as x", "create table x as select 1",
    "insert into gold.orders select * from gold.orders", "update gold.orders set amount = 0", "delete from gold.orders", "drop table gold.orders",
    "truncate gold.orders", "alter table gold.orders drop column id", "create macro m() as 1", "install httpfs", "load httpfs", "set threads = 1",
    "reset threads", "pragma version", "pragma database_list", "call pragma_version()", "use memory", "checkpoint", "begin", "vacuum", "select 1; select 2",
    "prepare x as select 1", "execute x", "explain analyze copy (select 1) to '<NEW>'", "select getenv('HOME')", "select getvariable('x')",
    "select current_setting('secret_directory')", "select * from duckdb_settings()", "select * from duckdb_secrets()", "select * from which_secret('x', 's3')",
    "select * from pragma_database_list()", "select write_log('x')", "select nextval('x')", "select * from", "(((", "select '", "select \"", "select /*", "--", "",
    "\x00", "select * from gold.nope", "select nope from gold.orders", "select error('x')", "select 1/0 from nope",
    "select " + "+".join("1" * 20_000), "select repeat('x', 1000000000000)", "select * from range(60000)", "select unnest(range(60000))",
]  # fmt: skip
ODD = [
    "select map {1: 2, 3: 4}", "select map {[1]: 2}", "select map {date '2026-01-01': 1}", "select 18446744073709551616::hugeint", "select [2::hugeint * 9223372036854775807]",
    "select 'nan'::double, 'inf'::double", "select '\\xff'::blob", "select interval '1 year'", "select timestamp 'infinity', date '-infinity'", "select time '24:00'",
    "select uuid()", "select {'a': {'b': [1, null]}}", "select '101'::bit", "select null", "select chr(0)", "select ''", "select 1 as a, 2 as a",
    "select timestamptz '2026-01-01 00:00:00+14'", "select 1.5::decimal(38, 37)", "select '" + "x" * 200_000 + "'", "select " + "(" * 3_000 + "1" + ")" * 3_000,
    "explain select 1", "describe gold.orders", "summarize gold.orders", "show tables", "values (1), (2)", "from gold.orders limit 1", "select 1 -- '<FILE>'",
]  # fmt: skip


@pytest.fixture(scope="module")
def canary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("elsewhere") / "canary.csv"
    path.write_text(f"a,b\n1,{CANARY}\n")
    return path


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, canary: Path) -> Iterator[Store]:
    with opened(tmp_path_factory.mktemp("store")) as made:
        before = made.lake.at("main").hash
        yield made
        assert made.lake.at("main").hash == before
    assert [one.name for one in canary.parent.iterdir()] == ["canary.csv"]


def asked(store: Store, canary: Path, sql: str, format: str) -> int:
    written = sql.replace(FILE, str(canary)).replace(NEW, str(canary.parent / "new.csv"))
    answer = store.post("/api/v1/sql", {"sql": written, "format": format})
    judged(answer, "/api/v1/sql", sql[:200], str(store.root))
    return int(answer.status_code)


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_sql_that_does_more_than_read_tables_is_refused(store: Store, canary: Path, number: int) -> None:
    assert asked(store, canary, REFUSED[number], "json") in (400, 403, 404)


@pytest.mark.parametrize(
    "sql",
    [
        'select 1 as ""',
        "select 1 \x00",
        "select 1 as a, 'x' as b \x00 union all from read_csv('<FILE>')",
        "select 1 \x00; copy (select 1) to '<NEW>'",
        "select 1 -- \x00\nunion all select a from '<FILE>'",
    ],
)
def test_what_is_cut_off_somewhere_is_cut_off_for_the_check_too(store: Store, canary: Path, sql: str) -> None:
    assert asked(store, canary, sql, "json") in (200, 400, 403)


@pytest.mark.parametrize("number", range(len(ODD)))
def test_values_of_every_kind_have_an_answer(store: Store, canary: Path, number: int) -> None:
    assert asked(store, canary, ODD[number], "json") == 200
    assert asked(store, canary, ODD[number], "arrow") in (200, 400, 403)


def test_values_that_json_has_no_place_for_are_texts(store: Store) -> None:
    sql = "select map {1: 2} as a, 18446744073709551616::hugeint as b, [map {date '2026-01-01': 2::hugeint * 9223372036854775807}] as c"
    answer = store.post("/api/v1/sql", {"sql": sql})
    assert answer.json()["rows"] == [
        [{"1": 2}, "18446744073709551616", [{"2026-01-01": "18446744073709551614"}]]
    ]


@pytest.mark.parametrize(
    "sql", ["select 1e400", "select " + "abs(" * 600 + "1" + ")" * 600], ids=["infinity", "deep"]
)
def test_statements_that_cannot_be_checked_are_refused(store: Store, canary: Path, sql: str) -> None:
    assert asked(store, canary, sql, "json") in (200, 400, 403)


def test_the_last_day_of_the_calendar_is_a_time_as_any(store: Store) -> None:
    answer = store.load({"measures": ["orders.count"]}, ref="main@9999-12-31")
    assert answer.json()["data"] == [{"orders.count": "4"}]
