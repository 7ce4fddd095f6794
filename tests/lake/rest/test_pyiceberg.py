"""PyIceberg as a client, from a plain append to four writers at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.exceptions import (
    NamespaceAlreadyExistsError,
    NamespaceNotEmptyError,
    NoSuchNamespaceError,
    NoSuchTableError,
    TableAlreadyExistsError,
)
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import LongType, NestedField, StringType

from ingot.engines.duckdb import connect
from ingot.lake import Lake

ROWS = pa.table({"id": pa.array([1, 2, 3], pa.int64()), "name": ["a", "b", "c"]})


def opened(address: str, ref: str = "main") -> RestCatalog:
    return RestCatalog("lake", uri=f"{address}/iceberg", warehouse=ref)


@pytest.fixture
def catalog(address: str) -> Iterator[RestCatalog]:
    found = opened(address)
    found.create_namespace("s")
    yield found
    found.close()


def test_rows_are_appended_and_overwritten(catalog: RestCatalog, lake: Lake) -> None:
    table = catalog.create_table("s.t", ROWS.schema)
    table.append(ROWS)
    table.append(ROWS)
    assert catalog.load_table("s.t").scan().to_arrow().num_rows == 6
    table.overwrite(ROWS.slice(0, 1))
    assert catalog.load_table("s.t").scan().to_arrow().to_pylist() == [{"id": 1, "name": "a"}]
    with connect() as con:
        assert con.execute(f"FROM {lake.at('main').scan('s.t')}").fetchall() == [(1, "a")]


def test_a_table_is_created_with_its_rows_in_one_commit(catalog: RestCatalog, lake: Lake) -> None:
    before = len(list(lake.catalog.log(lake.catalog.ref("main").hash)))
    with catalog.create_table_transaction("s.t", ROWS.schema) as transaction:
        transaction.append(ROWS)
    assert catalog.load_table("s.t").scan().to_arrow().num_rows == 3
    assert len(list(lake.catalog.log(lake.catalog.ref("main").hash))) == before + 1


def test_the_schema_evolves(catalog: RestCatalog) -> None:
    table = catalog.create_table("s.t", ROWS.schema)
    table.append(ROWS)
    with table.update_schema() as update:
        update.add_column("size", LongType())
        update.rename_column("name", "title")
    found = catalog.load_table("s.t")
    assert [field.name for field in found.schema().fields] == ["id", "title", "size"]
    assert found.scan().to_arrow().column("title").to_pylist() == ["a", "b", "c"]


def test_a_partitioned_table_is_appended_to(catalog: RestCatalog, lake: Lake) -> None:
    spec = PartitionSpec(
        PartitionField(source_id=2, field_id=1000, transform=IdentityTransform(), name="name")
    )
    schema = Schema(NestedField(1, "id", LongType()), NestedField(2, "name", StringType()))
    table = catalog.create_table("s.t", schema, partition_spec=spec)
    table.append(ROWS)
    assert len(lake.at("main").table("s.t").files) == 3
    assert catalog.load_table("s.t").scan("name == 'b'").to_arrow().to_pylist() == [{"id": 2, "name": "b"}]


def test_four_writers_at_once_lose_nothing(catalog: RestCatalog, address: str) -> None:
    catalog.create_table("s.t", ROWS.schema, properties={"commit.retry.num-retries": "20"})

    def write(writer: int) -> None:
        own = opened(address)
        for turn in range(4):
            ids = pa.array([writer * 100 + turn], pa.int64())
            own.load_table("s.t").append(pa.table({"id": ids, "name": ["x"]}))
        own.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    table = catalog.load_table("s.t")
    ids = sorted(table.scan().to_arrow().column("id").to_pylist())
    assert ids == sorted(writer * 100 + turn for writer in range(4) for turn in range(4))
    assert len(table.metadata.snapshots) == 16


def test_writers_of_different_tables_never_meet(catalog: RestCatalog, address: str) -> None:
    for writer in range(4):
        catalog.create_table(f"s.t{writer}", ROWS.schema, properties={"commit.retry.num-retries": "0"})

    def write(writer: int) -> None:
        own = opened(address)
        for _ in range(4):
            own.load_table(f"s.t{writer}").append(ROWS)
        own.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    counts = [catalog.load_table(f"s.t{writer}").scan().to_arrow().num_rows for writer in range(4)]
    assert counts == [12] * 4


def test_a_branch_is_written_alone(catalog: RestCatalog, address: str, lake: Lake) -> None:
    catalog.create_table("s.t", ROWS.schema)
    lake.branch("team/dev")
    dev = opened(address, "team/dev")
    dev.load_table("s.t").append(ROWS)
    assert dev.load_table("s.t").scan().to_arrow().num_rows == 3
    assert catalog.load_table("s.t").scan().to_arrow().num_rows == 0
    dev.close()


def test_what_is_missing_or_there_is_told_by_its_own_error(catalog: RestCatalog) -> None:
    catalog.create_table("s.t", ROWS.schema)
    with pytest.raises(TableAlreadyExistsError):
        catalog.create_table("s.t", ROWS.schema)
    with pytest.raises(NamespaceAlreadyExistsError):
        catalog.create_namespace("s")
    with pytest.raises(NamespaceNotEmptyError):
        catalog.drop_namespace("s")
    with pytest.raises(NoSuchNamespaceError):
        catalog.create_table("nowhere.t", ROWS.schema)
    with pytest.raises(NoSuchTableError):
        catalog.load_table("s.nothing")
    assert not catalog.table_exists("s.nothing")
    assert not catalog.namespace_exists("nowhere")


def test_namespaces_nest_and_keep_properties(catalog: RestCatalog) -> None:
    catalog.create_namespace(("s", "inner"), {"owner": "ann"})
    catalog.update_namespace_properties(("s", "inner"), removals={"nothing"}, updates={"team": "data"})
    found = catalog.load_namespace_properties(("s", "inner"))
    assert found.pop("location").endswith("/s/inner")
    assert found == {"owner": "ann", "team": "data"}
    assert catalog.list_namespaces("s") == [("s", "inner")]
    catalog.create_table(("s", "inner", "t"), ROWS.schema)
    assert catalog.list_tables(("s", "inner")) == [("s", "inner", "t")]


def test_a_table_is_renamed_dropped_and_registered_again(catalog: RestCatalog) -> None:
    catalog.create_table("s.t", ROWS.schema).append(ROWS)
    catalog.rename_table("s.t", "s.u")
    location = catalog.load_table("s.u").metadata_location
    catalog.drop_table("s.u")
    assert catalog.list_tables("s") == []
    assert catalog.register_table("s.again", location).scan().to_arrow().num_rows == 3


def test_views_of_the_lake_are_listed(catalog: RestCatalog, lake: Lake) -> None:
    staged = lake.stage_view("s.v", "SELECT 1 AS one", on="main", columns=[("one", "INTEGER")])
    lake.commit("main", [staged], message="view")
    assert catalog.list_views("s") == [("s", "v")]
    assert catalog.view_exists("s.v")
    assert catalog.list_tables("s") == []
    catalog.drop_view("s.v")
    assert lake.at("main").views == ()


def test_every_snapshot_stays_for_time_travel(catalog: RestCatalog) -> None:
    table = catalog.create_table("s.t", ROWS.schema)
    for _ in range(3):
        table.append(ROWS)
    found: Any = catalog.load_table("s.t")
    counts = [found.scan(snapshot_id=entry.snapshot_id).to_arrow().num_rows for entry in found.history()]
    assert counts == [3, 6, 9]
