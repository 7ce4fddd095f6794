"""Trino, unmodified, reads and writes the lake; Ingot and PyIceberg read what it wrote."""

from collections.abc import Iterator

import pytest

from tests.lake.clients.conftest import Served
from tests.lake.clients.sample import PLAIN, comparable, expected
from tests.lake.clients.trino import Trino, TrinoError, catalog, nessie_catalog, running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def trino(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trino]:
    """Trino with `main` as the catalog `lake`, a branch as `dev` and a tag as `tagged`."""
    served.lake.branch("team/dev")
    served.write("first.ready", "SELECT 1 AS one", on="team/dev")
    served.lake.tag("v1", "team/dev")
    refs = {"lake": "main", "dev": "team/dev", "tagged": "v1", "typo": "mian"}
    files = {name: catalog(served.address, f"{ref}|{name}") for name, ref in refs.items()}
    files["nessie"] = nessie_catalog(served.address, "main", str(served.lake.warehouse))
    with running(tmp_path_factory.mktemp("trino"), files) as found:
        yield found


@pytest.fixture
def stock(trino: Trino, namespace: str) -> str:
    """A partitioned table that Trino made, with six rows."""
    name = f"{namespace}.stock"
    trino.sql(
        f"CREATE TABLE lake.{name} (id BIGINT, place VARCHAR, price DECIMAL(8, 2), at TIMESTAMP(6) WITH TIME ZONE) "
        "WITH (partitioning = ARRAY['place', 'day(at)'])"
    )
    trino.sql(
        f"INSERT INTO lake.{name} SELECT id, if(id < 3, 'north', 'south'), id * 1.5, "
        "TIMESTAMP '2026-03-01 10:00:00 UTC' + (id % 2) * INTERVAL '1' DAY FROM UNNEST(sequence(0, 5)) r(id)"
    )
    return name


def agreed(served: Served, trino: Trino, name: str) -> list[tuple[object, ...]]:
    """The rows of a table, once Trino, Ingot and PyIceberg say the same."""
    found = comparable(trino.sql(f"SELECT * FROM lake.{name}"))
    assert served.rows(name) == found
    assert served.arrow_rows(name) == found
    return found


def test_schemas_and_tables_are_listed(trino: Trino, served: Served, namespace: str) -> None:
    assert (namespace,) in trino.sql("SHOW SCHEMAS FROM lake")
    assert trino.sql(f"SHOW TABLES FROM lake.{namespace}") == [("ready",)]
    trino.sql(f"CREATE SCHEMA lake.{namespace}_two")
    assert f"{namespace}_two" in served.lake.at("main").namespaces
    trino.sql(f"DROP SCHEMA lake.{namespace}_two")
    assert f"{namespace}_two" not in served.lake.at("main").namespaces


def test_nested_namespaces_are_schemas(trino: Trino, served: Served, namespace: str) -> None:
    served.write(f"{namespace}.inner.t", "SELECT 7 AS seven")
    assert (f"{namespace}.inner",) in trino.sql("SHOW SCHEMAS FROM lake")
    assert trino.sql(f'SELECT * FROM lake."{namespace}.inner".t') == [(7,)]


# Bytes come as base64 in Trino's protocol, and REAL as a decimal text: asked for as what DuckDB has.
SHOWN = (
    "id, big, ratio, CAST(small AS DOUBLE), price, wide, name, flag, day, at, moment, "
    "CAST(from_utf8(bytes) AS VARCHAR)"
)


@pytest.mark.parametrize("by", [None, "month(day)", "bucket(4, id)", "truncate(3, name)", "flag", "hour(at)"])
def test_rows_that_ingot_wrote_are_read(trino: Trino, served: Served, namespace: str, by: str | None) -> None:
    served.write(f"{namespace}.t", PLAIN, partition_by=[by] if by else [])
    exact = f"SELECT * REPLACE (small::DOUBLE AS small, decode(bytes) AS bytes) FROM ({PLAIN})"
    for where in ("true", "day = DATE '2026-01-03'", "id = 17", "name = 'n°18'", "id > 30"):
        found = comparable(trino.sql(f"SELECT {SHOWN} FROM lake.{namespace}.t WHERE {where}"))
        assert found == expected(f"{exact} WHERE {where}")
    partitions = trino.sql(f'SELECT record_count FROM lake.{namespace}."t$partitions"')
    assert sum(row[0] for row in partitions) == 40
    assert (len(partitions) > 1) == (by is not None)


def test_nested_rows_that_ingot_wrote_are_read(trino: Trino, served: Served, namespace: str) -> None:
    query = """
        SELECT i::INTEGER AS id, CASE WHEN i % 2 = 0 THEN [i::INTEGER, NULL] END AS many,
               {'x': i::INTEGER, 'place': {'y': 'y' || i}} AS one, MAP {'k' || i: i::INTEGER} AS pairs
        FROM range(5) r(i)
    """
    served.write(f"{namespace}.t", query)
    shown = "id, many, one.x, one.place.y, pairs['k' || CAST(id AS VARCHAR)]"
    found = trino.sql(f"SELECT {shown} FROM lake.{namespace}.t ORDER BY id")
    assert found == [(i, [i, None] if i % 2 == 0 else None, i, f"y{i}", i) for i in range(5)]


def test_inserted_rows_arrive_in_their_partitions(trino: Trino, served: Served, stock: str) -> None:
    assert len(agreed(served, trino, stock)) == 6
    space, table = stock.split(".")
    found = trino.sql(f'SELECT partition.place, record_count FROM lake.{space}."{table}$partitions"')
    assert sorted(found) == [("north", 1), ("north", 2), ("south", 1), ("south", 2)]


def test_a_query_makes_a_table_and_replaces_it(trino: Trino, served: Served, namespace: str) -> None:
    name = f"{namespace}.t"
    trino.sql(f"CREATE TABLE lake.{name} AS SELECT id, 'a' AS v FROM UNNEST(sequence(0, 3)) r(id)")
    assert agreed(served, trino, name) == [(i, "a") for i in range(4)]
    content = served.lake.at("main").table(name).content.id
    trino.sql(
        f"CREATE OR REPLACE TABLE lake.{name} AS SELECT 'b' AS v, id AS n FROM UNNEST(sequence(0, 2)) r(id)"
    )
    assert agreed(served, trino, name) == [("b", i) for i in range(3)]
    assert served.lake.at("main").table(name).content.id == content
    trino.sql(f"CREATE OR REPLACE TABLE lake.{namespace}.fresh AS SELECT 1 AS one")
    assert agreed(served, trino, f"{namespace}.fresh") == [(1,)]


def test_rows_are_merged_updated_and_deleted(trino: Trino, served: Served, stock: str) -> None:
    trino.sql(
        f"MERGE INTO lake.{stock} t USING (SELECT id, 99.5 AS price FROM UNNEST(sequence(4, 7)) r(id)) s ON t.id = s.id "
        "WHEN MATCHED AND t.id = 4 THEN DELETE WHEN MATCHED THEN UPDATE SET price = s.price "
        "WHEN NOT MATCHED THEN INSERT (id, place, price, at) "
        "VALUES (s.id, 'west', s.price, TIMESTAMP '2026-03-05 00:00:00 UTC')"
    )
    trino.sql(f"UPDATE lake.{stock} SET price = -1 WHERE id = 0")
    trino.sql(f"DELETE FROM lake.{stock} WHERE id = 1")
    told = {row[0]: (row[1], float(str(row[2]))) for row in agreed(served, trino, stock)}
    assert told == {
        0: ("north", -1.0),
        2: ("north", 3.0),
        3: ("south", 4.5),
        5: ("south", 99.5),
        6: ("west", 99.5),
        7: ("west", 99.5),
    }


def test_deletes_of_whole_partitions_and_truncation_arrive(trino: Trino, served: Served, stock: str) -> None:
    trino.sql(f"DELETE FROM lake.{stock} WHERE place = 'north'")
    assert [row[0] for row in agreed(served, trino, stock)] == [3, 4, 5]
    trino.sql(f"TRUNCATE TABLE lake.{stock}")
    assert agreed(served, trino, stock) == []


def test_columns_and_partitions_change(trino: Trino, served: Served, stock: str) -> None:
    trino.sql(f"ALTER TABLE lake.{stock} ADD COLUMN note VARCHAR")
    trino.sql(f"ALTER TABLE lake.{stock} RENAME COLUMN price TO cost")
    trino.sql(f"ALTER TABLE lake.{stock} SET PROPERTIES partitioning = ARRAY['place', 'bucket(id, 2)']")
    trino.sql(
        f"INSERT INTO lake.{stock} VALUES (7, 'east', 7.25, TIMESTAMP '2026-03-09 00:00:00 UTC', 'seven')"
    )
    trino.sql(f"DELETE FROM lake.{stock} WHERE id = 2")
    found = agreed(served, trino, stock)
    assert [one.name for one in served.lake.at("main").table(stock).schema] == [
        "id",
        "place",
        "cost",
        "at",
        "note",
    ]
    assert [(row[0], row[4]) for row in found] == [
        (0, None),
        (1, None),
        (3, None),
        (4, None),
        (5, None),
        (7, "seven"),
    ]


def test_a_table_is_renamed_commented_and_dropped(trino: Trino, served: Served, namespace: str) -> None:
    trino.sql(f"ALTER TABLE lake.{namespace}.ready RENAME TO lake.{namespace}.renamed")
    trino.sql(f"COMMENT ON TABLE lake.{namespace}.renamed IS 'of trino'")
    assert agreed(served, trino, f"{namespace}.renamed") == [(1,)]
    assert served.lake.at("main").table(f"{namespace}.renamed").comment == "of trino"
    trino.sql(f"DROP TABLE lake.{namespace}.renamed")
    assert f"{namespace}.renamed" not in served.lake.at("main").tables


def test_earlier_snapshots_are_read(trino: Trino, namespace: str) -> None:
    name = f"lake.{namespace}.t"
    trino.sql(f"CREATE TABLE {name} (id BIGINT)")
    for i in range(3):
        trino.sql(f"INSERT INTO {name} VALUES {i}")
    found = trino.sql(
        f"SELECT snapshot_id FROM lake.{namespace}.\"t$snapshots\" WHERE operation = 'append' ORDER BY committed_at"
    )
    counts = [len(trino.sql(f"SELECT * FROM {name} FOR VERSION AS OF {one[0]}")) for one in found[-3:]]
    assert counts == [1, 2, 3]


def test_trino_rewrites_small_files(trino: Trino, served: Served, namespace: str) -> None:
    name = f"{namespace}.t"
    trino.sql(f"CREATE TABLE lake.{name} (id BIGINT)")
    for i in range(3):
        trino.sql(f"INSERT INTO lake.{name} VALUES {i}")
    trino.sql(f"ALTER TABLE lake.{name} EXECUTE optimize")
    assert len(served.lake.at("main").table(name).files) == 1
    assert agreed(served, trino, name) == [(0,), (1,), (2,)]


def test_statistics_that_trino_collects_are_kept(trino: Trino, served: Served, stock: str) -> None:
    trino.sql(f"ANALYZE lake.{stock}")
    assert len(served.lake.at("main").table(stock).metadata["statistics"]) == 1
    counts = {row[0]: row[2] for row in trino.sql(f"SHOW STATS FOR lake.{stock}")}
    assert counts["id"] == 6


def test_a_branch_is_a_second_catalog(trino: Trino, served: Served) -> None:
    trino.sql("INSERT INTO dev.first.ready VALUES 2")
    assert sorted(trino.sql("SELECT * FROM dev.first.ready")) == [(1,), (2,)]
    assert trino.sql("SELECT * FROM dev.first.ready EXCEPT SELECT * FROM tagged.first.ready") == [(2,)]
    assert ("first",) not in trino.sql("SHOW SCHEMAS FROM lake")
    assert served.rows("first.ready", on="team/dev") == [(1,), (2,)]


def test_a_tag_is_read_only_and_a_name_that_is_not_there_is_refused(trino: Trino) -> None:
    with pytest.raises(TrinoError):
        trino.sql("INSERT INTO tagged.first.ready VALUES 3")
    assert trino.sql("SELECT * FROM tagged.first.ready") == [(1,)]
    with pytest.raises(TrinoError):
        trino.sql("SHOW SCHEMAS FROM typo")


def test_views_of_trino_are_views_of_the_lake(trino: Trino, served: Served, namespace: str) -> None:
    trino.sql(f"CREATE VIEW lake.{namespace}.doubled AS SELECT one * 2 AS two FROM lake.{namespace}.ready")
    assert trino.sql(f"SELECT * FROM lake.{namespace}.doubled") == [(2,)]
    assert sorted(trino.sql(f"SHOW TABLES FROM lake.{namespace}")) == [("doubled",), ("ready",)]
    views = f"SELECT table_name FROM lake.information_schema.views WHERE table_schema = '{namespace}'"
    assert trino.sql(views) == [("doubled",)]
    view = served.lake.at("main").view(f"{namespace}.doubled")
    assert [one.name for one in view.schema] == ["two"]
    trino.sql(
        f"CREATE OR REPLACE VIEW lake.{namespace}.doubled AS SELECT one + 10 AS more FROM lake.{namespace}.ready"
    )
    assert trino.sql(f"SELECT more FROM lake.{namespace}.doubled") == [(11,)]
    trino.sql(f"DROP VIEW lake.{namespace}.doubled")
    assert f"{namespace}.doubled" not in served.lake.at("main").views


def test_views_of_ingot_are_listed_and_run(trino: Trino, served: Served, namespace: str) -> None:
    served.write(f"{namespace}.t", PLAIN)
    served.write(f"{namespace}.deep.o", "SELECT i::INTEGER AS id, i * 10 AS q FROM range(5) r(i)")
    queries = {
        "plain": f"SELECT one + 1 AS two FROM {namespace}.ready",
        "divided": f"SELECT id, id / 3 AS third, id % 3 AS rest, price / (id - 5) AS edge FROM {namespace}.t",
        "joined": f'SELECT t.id, o.q FROM {namespace}.t t JOIN "{namespace}.deep".o o USING (id) WHERE o.q < 30',
        "counted": f"""
            SELECT sum(id) AS ids, date_trunc('month', "at") AS month, flag, count(*), avg(price) AS mean, max(moment) AS last
            FROM {namespace}.t WHERE day >= DATE '2025-12-22' GROUP BY 2, 3""",
        "ranked": f"""
            WITH x AS (SELECT id, CAST(big AS VARCHAR) || '-' || upper(trim(name)) AS text, flag FROM {namespace}.t)
            SELECT *, row_number() OVER (PARTITION BY flag ORDER BY text DESC, id) AS place FROM x""",
        "kinds": f"SELECT wide, ratio, \"at\", moment, coalesce(name, 'none') AS name FROM {namespace}.t",
    }
    for name, query in queries.items():
        served.show(f"{namespace}.{name}", query)
    served.show(f"{namespace}.over", f"SELECT two * 2 AS four FROM {namespace}.plain")
    assert trino.sql(f"SELECT * FROM lake.{namespace}.over") == [(4,)]
    for name in queries:
        found = comparable(trino.sql(f"SELECT * FROM lake.{namespace}.{name}"))
        assert found == served.mounted(f"{namespace}.{name}")
        assert found


def test_a_view_reads_the_tables_of_the_ref_on_which_it_is_looked_at(trino: Trino, served: Served) -> None:
    """Whatever the catalogs of the refs are called, and whoever made the view."""
    served.write("twice.t", "SELECT 1 AS one")
    served.show("twice.ours", "SELECT one FROM twice.t")
    trino.sql("CREATE VIEW theirs AS SELECT one FROM t", "lake.twice")
    served.lake.merge("main", "team/dev")
    served.write("twice.t", "SELECT 2 AS one", on="team/dev")
    for view in ("ours", "theirs"):
        assert trino.sql(f"SELECT * FROM lake.twice.{view}") == [(1,)]
        assert trino.sql(f"SELECT * FROM dev.twice.{view}") == [(2,)]
        assert served.mounted(f"twice.{view}") == [(1,)]
        assert served.mounted(f"twice.{view}", on="team/dev") == [(2,)]


def test_views_of_trino_are_run_by_ingot(trino: Trino, served: Served, namespace: str) -> None:
    served.write(f"{namespace}.t", PLAIN)
    queries = {
        "whole": f"SELECT id, id / 3 AS third, big / 7 AS share FROM lake.{namespace}.t",
        "named": f"SELECT count(*) AS n, max(price) AS most FROM lake.{namespace}.t WHERE regexp_like(name, '1')",
        "kept": f"SELECT date_trunc('month', day) AS month, array_agg(id ORDER BY id) AS ids FROM lake.{namespace}.t GROUP BY 1",
    }
    for name, query in queries.items():
        trino.sql(f"CREATE VIEW lake.{namespace}.{name} AS {query}")
        found = comparable(trino.sql(f"SELECT * FROM lake.{namespace}.{name}"))
        assert served.mounted(f"{namespace}.{name}") == found
        assert found


def test_a_view_that_cannot_be_translated_stays_with_its_engine(
    trino: Trino, served: Served, namespace: str
) -> None:
    served.show(f"{namespace}.v", f"SELECT list_sum([one, 2]) AS s FROM {namespace}.ready")
    with pytest.raises(TrinoError, match="dialect 'duckdb'"):
        trino.sql(f"SELECT * FROM lake.{namespace}.v")
    trino.sql(
        f"CREATE VIEW lake.{namespace}.theirs AS SELECT approx_distinct(one) AS n, url_extract_host('http://a/b') AS host "
        f"FROM lake.{namespace}.ready"
    )
    assert "url_extract_host" in served.broken(f"{namespace}.theirs").lower()
    assert served.mounted(f"{namespace}.ready") == [(1,)]


@pytest.mark.parametrize(
    ("call", "told"), [("expire_snapshots", "GC is disabled"), ("remove_orphan_files", "minimum retention")]
)
def test_trino_must_not_remove_files_that_other_refs_need(
    trino: Trino, namespace: str, call: str, told: str
) -> None:
    with pytest.raises(TrinoError, match=told):
        trino.sql(f"ALTER TABLE lake.{namespace}.ready EXECUTE {call}(retention_threshold => '8d')")


def test_the_same_tables_are_there_over_nessie(trino: Trino, served: Served, namespace: str) -> None:
    assert trino.sql(f"SHOW TABLES FROM nessie.{namespace}") == [("ready",)]
    trino.sql(f"INSERT INTO nessie.{namespace}.ready VALUES 2")
    trino.sql(f"DELETE FROM nessie.{namespace}.ready WHERE one = 1")
    assert agreed(served, trino, f"{namespace}.ready") == [(2,)]
    trino.sql(f"CREATE TABLE nessie.{namespace}.made AS SELECT 3 AS three")
    assert agreed(served, trino, f"{namespace}.made") == [(3,)]
