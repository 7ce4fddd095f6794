"""Spark with Iceberg's runtime, unmodified, reads and writes the lake; Ingot and PyIceberg read what it wrote."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from ingot.lake import Lake
from tests.lake.clients.conftest import Served
from tests.lake.clients.sample import NESTED, PLAIN, comparable, expected
from tests.lake.clients.spark import Spark, SparkError, running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def spark(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spark]:
    """Spark with `main` as the catalog `lake`."""
    with running(tmp_path_factory.mktemp("spark")) as found:
        found.attach("lake", served.address, "main")
        yield found


def commits(lake: Lake, ref: str = "main") -> int:
    return len(list(lake.catalog.log(lake.catalog.ref(ref).hash)))


@pytest.fixture
def stock(spark: Spark, namespace: str) -> str:
    """A partitioned table that Spark made, with six rows."""
    name = f"{namespace}.stock"
    spark.sql(
        f"CREATE TABLE lake.{name} (id BIGINT, place STRING, price DECIMAL(8, 2), at TIMESTAMP) "
        "USING iceberg PARTITIONED BY (place, days(at))"
    )
    spark.sql(
        f"INSERT INTO lake.{name} SELECT id, if(id < 3, 'north', 'south'), id * 1.5, "
        "TIMESTAMP '2026-03-01 10:00:00' + make_dt_interval(cast(id % 2 AS INT)) FROM range(6)"
    )
    return name


def agreed(served: Served, spark: Spark, name: str) -> list[tuple[object, ...]]:
    """The rows of a table, once Spark, Ingot and PyIceberg say the same."""
    spark.sql(f"REFRESH TABLE lake.{name}")  # it keeps for 30 seconds what it knows
    found = comparable(spark.sql(f"SELECT * FROM lake.{name}"))
    assert served.rows(name) == found
    assert served.arrow_rows(name) == found
    return found


def test_namespaces_and_tables_are_listed(spark: Spark, served: Served, namespace: str) -> None:
    assert (namespace,) in spark.sql("SHOW NAMESPACES IN lake")
    assert spark.sql(f"SHOW TABLES IN lake.{namespace}") == [(namespace, "ready", False)]
    spark.sql(f"CREATE NAMESPACE lake.{namespace}.inner COMMENT 'of spark'")
    assert f"{namespace}.inner" in served.lake.at("main").namespaces
    assert spark.sql(f"SHOW NAMESPACES IN lake.{namespace}") == [(f"{namespace}.inner",)]
    spark.sql(f"DROP NAMESPACE lake.{namespace}.inner")
    assert f"{namespace}.inner" not in served.lake.at("main").namespaces


@pytest.mark.parametrize("query", [PLAIN, NESTED], ids=["plain", "nested"])
def test_rows_that_ingot_wrote_are_read(spark: Spark, served: Served, namespace: str, query: str) -> None:
    served.write(f"{namespace}.t", query)
    assert comparable(spark.sql(f"SELECT * FROM lake.{namespace}.t")) == expected(query)


@pytest.mark.parametrize("by", ["month(day)", "bucket(4, id)", "truncate(3, name)", "flag", "hour(at)"])
def test_partitions_that_ingot_wrote_are_read_and_pruned(
    spark: Spark, served: Served, namespace: str, by: str
) -> None:
    served.write(f"{namespace}.t", PLAIN, partition_by=[by], sort_by=["id desc"])
    assert comparable(spark.sql(f"SELECT * FROM lake.{namespace}.t")) == expected(PLAIN)
    for where in (
        "day = DATE '2026-01-03'",
        "id = 17",
        "name = 'n°18'",
        "flag",
        "id > 30 AND moment > TIMESTAMP '2026-01-01'",
    ):
        found = spark.sql(f"SELECT * FROM lake.{namespace}.t WHERE {where}")
        assert comparable(found) == expected(f"FROM ({PLAIN}) WHERE {where}")
    partitions = spark.sql(f"SELECT record_count FROM lake.{namespace}.t.partitions")
    assert sum(row[0] for row in partitions) == 40
    assert len(partitions) > 1


def test_deleted_rows_of_an_upsert_are_not_read(spark: Spark, served: Served, namespace: str) -> None:
    served.write(f"{namespace}.t", "SELECT i::INTEGER AS id, 'old' AS v FROM range(6) r(i)")
    served.write(
        f"{namespace}.t", "SELECT * FROM (VALUES (2, 'new'), (9, 'new')) r(id, v)", mode="upsert", by=["id"]
    )
    found = comparable(spark.sql(f"SELECT * FROM lake.{namespace}.t"))
    assert found == [(i, "new" if i in (2, 9) else "old") for i in (0, 1, 2, 3, 4, 5, 9)]


def test_inserted_rows_arrive_in_their_partitions(spark: Spark, served: Served, stock: str) -> None:
    assert len(agreed(served, spark, stock)) == 6
    partitions = spark.sql(f"SELECT partition.place, record_count FROM lake.{stock}.partitions")
    assert sorted(partitions) == [("north", 1), ("north", 2), ("south", 1), ("south", 2)]


def test_every_type_that_spark_writes_comes_back(spark: Spark, served: Served, namespace: str) -> None:
    spark.sql(
        f"CREATE TABLE lake.{namespace}.t AS SELECT cast(id AS INT) AS id, id * 3 AS big, cast(id / 7 AS DOUBLE) AS d, "
        "cast(id / 7 AS FLOAT) AS f, cast(id AS DECIMAL(20, 4)) AS price, if(id = 2, NULL, concat('s', id)) AS s, "
        "id % 2 = 0 AS flag, date_add(DATE '2026-01-30', cast(id AS INT)) AS day, "
        "TIMESTAMP '2026-01-01 00:00:00.123456' AS moment, TIMESTAMP_NTZ '2026-01-01 12:34:56.000001' AS local, "
        "cast('ab' AS BINARY) AS raw, array(id, NULL) AS many, named_struct('x', id, 'y', 'z') AS one, "
        "map('k', id) AS pairs FROM range(5)"
    )
    found = comparable(spark.sql(f"SELECT * FROM lake.{namespace}.t"))
    assert len(found) == 5
    assert served.rows(f"{namespace}.t") == found


def test_a_query_makes_a_table_and_replaces_it_in_one_commit(
    spark: Spark, served: Served, namespace: str
) -> None:
    name = f"{namespace}.t"
    before = commits(served.lake)
    spark.sql(f"CREATE TABLE lake.{name} USING iceberg AS SELECT id, 'a' AS v FROM range(4)")
    assert commits(served.lake) == before + 1
    assert agreed(served, spark, name) == [(i, "a") for i in range(4)]
    content = served.lake.at("main").table(name).content.id
    spark.sql(
        f"CREATE OR REPLACE TABLE lake.{name} USING iceberg PARTITIONED BY (v) AS SELECT 'b' AS v, id AS n FROM range(3)"
    )
    assert commits(served.lake) == before + 2
    assert agreed(served, spark, name) == [("b", i) for i in range(3)]
    assert served.lake.at("main").table(name).content.id == content
    assert len(spark.sql(f"SELECT * FROM lake.{name}.snapshots")) == 2
    spark.sql(f"CREATE OR REPLACE TABLE lake.{namespace}.fresh USING iceberg AS SELECT 1 AS one")
    assert agreed(served, spark, f"{namespace}.fresh") == [(1,)]


@pytest.mark.parametrize("how", ["copy-on-write", "merge-on-read"])
def test_rows_are_merged_updated_and_deleted(spark: Spark, served: Served, stock: str, how: str) -> None:
    kinds = ", ".join(f"'write.{kind}.mode'='{how}'" for kind in ("merge", "update", "delete"))
    spark.sql(f"ALTER TABLE lake.{stock} SET TBLPROPERTIES ({kinds})")
    spark.sql(
        f"MERGE INTO lake.{stock} t USING (SELECT id + 4 AS id, 99.5 AS price FROM range(4)) s ON t.id = s.id "
        "WHEN MATCHED AND t.id = 4 THEN DELETE WHEN MATCHED THEN UPDATE SET price = s.price "
        "WHEN NOT MATCHED THEN INSERT (id, place, price, at) VALUES (s.id, 'west', s.price, TIMESTAMP '2026-03-05 00:00:00')"
    )
    spark.sql(f"UPDATE lake.{stock} SET price = -1 WHERE id = 0")
    spark.sql(f"DELETE FROM lake.{stock} WHERE id = 1")
    found = agreed(served, spark, stock)
    told = {row[0]: (row[1], float(str(row[2]))) for row in found}
    assert told == {
        0: ("north", -1.0),
        2: ("north", 3.0),
        3: ("south", 4.5),
        5: ("south", 99.5),
        6: ("west", 99.5),
        7: ("west", 99.5),
    }
    deletes = spark.sql(f"SELECT count(*) FROM lake.{stock}.delete_files")[0][0]
    assert (deletes > 0) == (how == "merge-on-read")


def test_what_spark_deleted_can_be_written_on_by_ingot(spark: Spark, served: Served, stock: str) -> None:
    spark.sql(f"ALTER TABLE lake.{stock} SET TBLPROPERTIES ('write.delete.mode'='merge-on-read')")
    spark.sql(f"DELETE FROM lake.{stock} WHERE id IN (1, 5)")
    row = "SELECT 50::BIGINT AS id, 'north' AS place, 1.00::DECIMAL(8, 2) AS price, TIMESTAMPTZ '2026-03-01 00:00:00+00' AS at"
    served.write(stock, row, mode="append")
    assert [one[0] for one in agreed(served, spark, stock)] == [0, 2, 3, 4, 50]


def test_columns_and_partitions_change(spark: Spark, served: Served, stock: str) -> None:
    spark.sql(f"ALTER TABLE lake.{stock} ADD COLUMN note STRING AFTER id")
    spark.sql(f"ALTER TABLE lake.{stock} RENAME COLUMN price TO cost")
    spark.sql(f"ALTER TABLE lake.{stock} ADD PARTITION FIELD bucket(2, id)")
    spark.sql(f"INSERT INTO lake.{stock} VALUES (7, 'seven', 'east', 7.25, TIMESTAMP '2026-03-09 00:00:00')")
    spark.sql(f"ALTER TABLE lake.{stock} DROP COLUMN note")
    found = agreed(served, spark, stock)
    assert [one.name for one in served.lake.at("main").table(stock).schema] == ["id", "place", "cost", "at"]
    assert [row[0] for row in found] == [0, 1, 2, 3, 4, 5, 7]
    assert found[-1][1] == "east"


def test_a_table_is_renamed_and_dropped(spark: Spark, served: Served, namespace: str) -> None:
    spark.sql(f"ALTER TABLE lake.{namespace}.ready RENAME TO {namespace}.renamed")
    assert agreed(served, spark, f"{namespace}.renamed") == [(1,)]
    spark.sql(f"DROP TABLE lake.{namespace}.renamed")
    assert f"{namespace}.renamed" not in served.lake.at("main").tables


def test_earlier_snapshots_are_read_and_restored(spark: Spark, served: Served, namespace: str) -> None:
    name = f"lake.{namespace}.t"
    spark.sql(f"CREATE TABLE {name} (id BIGINT) USING iceberg")
    for i in range(3):
        spark.sql(f"INSERT INTO {name} VALUES ({i})")
    snapshots = [
        row[0] for row in spark.sql(f"SELECT snapshot_id FROM {name}.snapshots ORDER BY committed_at")
    ]
    assert [len(spark.sql(f"SELECT * FROM {name} VERSION AS OF {one}")) for one in snapshots] == [1, 2, 3]
    spark.sql(f"CALL lake.system.rollback_to_snapshot('{namespace}.t', {snapshots[0]})")
    assert agreed(served, spark, f"{namespace}.t") == [(0,)]


def test_spark_rewrites_files_and_manifests(spark: Spark, served: Served, namespace: str) -> None:
    name = f"{namespace}.t"
    spark.sql(f"CREATE TABLE lake.{name} (id BIGINT) USING iceberg")
    for i in range(3):
        spark.sql(f"INSERT INTO lake.{name} VALUES ({i})")
    spark.sql(
        f"CALL lake.system.rewrite_data_files(table => '{name}', options => map('min-input-files', '2'))"
    )
    spark.sql(f"CALL lake.system.rewrite_manifests('{name}')")
    assert len(served.lake.at("main").table(name).files) == 1
    assert agreed(served, spark, name) == [(0,), (1,), (2,)]


def test_spark_must_not_remove_files_that_other_refs_need(
    spark: Spark, served: Served, namespace: str
) -> None:
    for call in ("expire_snapshots", "remove_orphan_files"):
        with pytest.raises(SparkError, match="GC is disabled"):
            spark.sql(f"CALL lake.system.{call}(table => '{namespace}.ready')")


def test_a_branch_is_a_second_catalog(spark: Spark, served: Served, namespace: str) -> None:
    branch = f"team/{namespace}"
    served.lake.branch(branch)
    spark.attach("dev", served.address, branch)
    spark.sql(f"INSERT INTO dev.{namespace}.ready VALUES (2)")
    assert spark.sql(f"SELECT * FROM lake.{namespace}.ready") == [(1,)]
    both = f"SELECT * FROM dev.{namespace}.ready EXCEPT SELECT * FROM lake.{namespace}.ready"
    assert spark.sql(both) == [(2,)]
    served.lake.merge(branch, "main")
    assert agreed(served, spark, f"{namespace}.ready") == [(1,), (2,)]


def test_a_tag_is_read_only_and_a_name_that_is_not_there_is_refused(
    spark: Spark, served: Served, namespace: str
) -> None:
    served.lake.tag(f"tag-{namespace}")
    spark.attach("tagged", served.address, f"tag-{namespace}")
    assert spark.sql(f"SELECT * FROM tagged.{namespace}.ready") == [(1,)]
    with pytest.raises(SparkError):
        spark.sql(f"INSERT INTO tagged.{namespace}.ready VALUES (2)")
    assert spark.sql(f"SELECT * FROM tagged.{namespace}.ready") == [(1,)]
    spark.attach("typo", served.address, "mian")
    with pytest.raises(SparkError, match="mian"):
        spark.sql("SHOW NAMESPACES IN typo")


def test_views_of_spark_are_views_of_the_lake(spark: Spark, served: Served, namespace: str) -> None:
    spark.sql("USE lake")
    spark.sql(
        f"CREATE VIEW lake.{namespace}.doubled AS SELECT one * 2 AS two, concat('a', 'b') AS ab FROM {namespace}.ready"
    )
    assert spark.sql(f"SELECT * FROM lake.{namespace}.doubled") == [(2, "ab")]
    assert spark.sql(f"SHOW VIEWS IN lake.{namespace}") == [(namespace, "doubled", False)]
    assert served.mounted(f"{namespace}.doubled") == [(2, "ab")]
    spark.sql(
        f"CREATE OR REPLACE VIEW lake.{namespace}.doubled AS SELECT one + 10 AS more FROM {namespace}.ready"
    )
    assert spark.sql(f"SELECT more FROM lake.{namespace}.doubled") == [(11,)]
    assert served.mounted(f"{namespace}.doubled") == [(11,)]
    spark.sql(f"DROP VIEW lake.{namespace}.doubled")
    assert f"{namespace}.doubled" not in served.lake.at("main").views


def test_views_of_spark_are_run_by_ingot(spark: Spark, served: Served, namespace: str) -> None:
    served.write(f"{namespace}.t", PLAIN)
    served.write(f"{namespace}.deep.o", "SELECT i::INTEGER AS id, i * 10 AS q FROM range(5) r(i)")
    spark.sql(f"USE lake.{namespace}")
    queries = {
        "bare": "SELECT id, id / (id - 3) AS part, `name` FROM t",
        "counted": "SELECT day, count(1) AS n, sum(big) AS bigs FROM t GROUP BY day",
        "named": f"SELECT t.id, o.q FROM lake.{namespace}.t t JOIN {namespace}.deep.o o ON t.id = o.id",
        "text": "SELECT id, nvl(name, 'none') AS name, name RLIKE '1$' AS one, substring(name, 3, 2) AS cut FROM t",
    }
    for name, query in queries.items():
        spark.sql(f"CREATE VIEW lake.{namespace}.{name} AS {query}")
    spark.sql("USE lake")
    for name in queries:
        found = comparable(spark.sql(f"SELECT * FROM lake.{namespace}.{name}"))
        assert served.mounted(f"{namespace}.{name}") == found
        assert found


def test_views_of_ingot_are_views_of_spark(spark: Spark, served: Served, namespace: str) -> None:
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
        "kinds": f"SELECT wide, small, bytes, \"at\", moment, coalesce(name, 'none') AS name FROM {namespace}.t",
    }
    for name, query in queries.items():
        served.show(f"{namespace}.{name}", query)
    served.show(f"{namespace}.over", f"SELECT two * 2 AS four FROM {namespace}.plain")
    assert (namespace, "over", False) in spark.sql(f"SHOW VIEWS IN lake.{namespace}")
    assert spark.sql(f"SELECT * FROM lake.{namespace}.over") == [(4,)]
    for name in queries:
        found = comparable(spark.sql(f"SELECT * FROM lake.{namespace}.{name}"))
        assert found == served.mounted(f"{namespace}.{name}")
        assert found


def test_a_view_reads_the_tables_of_the_branch_on_which_it_is_looked_at(
    spark: Spark, served: Served, namespace: str
) -> None:
    served.show(f"{namespace}.ours", f"SELECT one FROM {namespace}.ready")
    spark.sql("USE lake")
    spark.sql(f"CREATE VIEW lake.{namespace}.theirs AS SELECT one FROM {namespace}.ready")
    served.lake.branch(f"views-{namespace}")
    spark.attach("views", served.address, f"views-{namespace}")
    served.write(f"{namespace}.ready", "SELECT 2 AS one", on=f"views-{namespace}")
    for view in ("ours", "theirs"):
        assert spark.sql(f"SELECT * FROM lake.{namespace}.{view}") == [(1,)]
        assert spark.sql(f"SELECT * FROM views.{namespace}.{view}") == [(2,)]
        assert served.mounted(f"{namespace}.{view}", on=f"views-{namespace}") == [(2,)]


def test_the_same_tables_are_there_over_nessie(spark: Spark, served: Served, namespace: str) -> None:
    branch = f"over/{namespace}"
    served.lake.branch(branch)
    spark.attach_nessie("nessie", served.address, branch, str(served.lake.warehouse))
    assert (namespace,) in spark.sql("SHOW NAMESPACES IN nessie")
    assert spark.sql(f"SHOW TABLES IN nessie.{namespace}") == [(namespace, "ready", False)]
    spark.sql(f"INSERT INTO nessie.{namespace}.ready VALUES (2)")
    spark.sql(f"DELETE FROM nessie.{namespace}.ready WHERE one = 1")
    assert spark.sql(f"SELECT * FROM nessie.{namespace}.ready") == [(2,)]
    spark.sql(f"CREATE NAMESPACE nessie.{namespace}.inner")
    spark.sql(
        f"CREATE TABLE nessie.{namespace}.inner.made USING iceberg PARTITIONED BY (k) AS SELECT id, id % 2 AS k FROM range(6)"
    )
    spark.sql(f"ALTER TABLE nessie.{namespace}.inner.made ADD COLUMN note STRING")
    spark.sql(
        f"MERGE INTO nessie.{namespace}.inner.made t USING (SELECT 5L AS id) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET note = 'five'"
    )
    made = comparable(spark.sql(f"SELECT * FROM nessie.{namespace}.inner.made"))
    assert made == [(i, i % 2, "five" if i == 5 else None) for i in range(6)]
    assert served.rows(f"{namespace}.inner.made", on=branch) == made
    assert served.rows(f"{namespace}.ready") == [(1,)]
    served.lake.merge(branch, "main")
    assert agreed(served, spark, f"{namespace}.ready") == [(2,)]
    spark.sql(f"DROP TABLE nessie.{namespace}.inner.made")
    assert f"{namespace}.inner.made" not in served.lake.at(branch).tables
    assert f"{namespace}.inner.made" in served.lake.at("main").tables


def test_a_branch_inside_a_table_is_kept(spark: Spark, served: Served, namespace: str) -> None:
    name = f"lake.{namespace}.ready"
    spark.sql(f"ALTER TABLE {name} CREATE BRANCH audit")
    spark.sql(f"INSERT INTO {name}.branch_audit VALUES (5)")
    assert sorted(spark.sql(f"SELECT * FROM {name} VERSION AS OF 'audit'")) == [(1,), (5,)]
    assert agreed(served, spark, f"{namespace}.ready") == [(1,)]
    spark.sql(f"CALL lake.system.fast_forward('{namespace}.ready', 'main', 'audit')")
    assert agreed(served, spark, f"{namespace}.ready") == [(1,), (5,)]


def test_a_table_of_format_version_3_is_written_and_read(
    spark: Spark, served: Served, namespace: str
) -> None:
    name = f"{namespace}.t"
    options = "'format-version'='3', 'write.delete.mode'='merge-on-read'"
    spark.sql(f"CREATE TABLE lake.{name} (id BIGINT) USING iceberg TBLPROPERTIES ({options})")
    spark.sql(f"INSERT INTO lake.{name} SELECT id FROM range(5)")
    spark.sql(f"DELETE FROM lake.{name} WHERE id = 3")
    found = comparable(spark.sql(f"SELECT * FROM lake.{name}"))
    assert found == [(0,), (1,), (2,), (4,)]
    assert served.rows(name) == found


def test_two_writers_append_at_once_and_no_row_is_lost(spark: Spark, served: Served, namespace: str) -> None:
    name = f"{namespace}.t"
    spark.sql(f"CREATE TABLE lake.{name} (id INT) USING iceberg")

    with ThreadPoolExecutor(1) as pool:
        own = pool.submit(lambda: [spark.sql(f"INSERT INTO lake.{name} VALUES ({i})") for i in range(4)])
        for i in range(100, 104):
            served.write(name, f"SELECT {i}::INTEGER AS id", mode="append")
        own.result(120)
    assert [row[0] for row in agreed(served, spark, name)] == [0, 1, 2, 3, 100, 101, 102, 103]
