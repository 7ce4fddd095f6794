"""The warehouse in an object store: every verb, what the engine may read there, and keys that stay hidden."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingot.engines.duckdb import DuckDBEngine, connect
from ingot.lake import Lake, LakeError, MissingFileError, WriteError, files, objects
from tests.lake import s3

pytestmark = pytest.mark.slow

Con = duckdb.DuckDBPyConnection
BUCKET = "ingot"
WAREHOUSE = f"s3://{BUCKET}/some folder/lake"


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, str]]:
    with s3.serving(BUCKET) as environment:
        yield environment


@pytest.fixture
def environment(server: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for name in (
        "AWS_SESSION_TOKEN",
        "AWS_ENDPOINT_URL_S3",
        "AWS_DEFAULT_REGION",
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
    ):
        monkeypatch.delenv(name, raising=False)
    for name, value in server.items():
        monkeypatch.setenv(name, value)
    return server


@pytest.fixture
def warehouse(environment: dict[str, str], tmp_path: Path) -> str:
    """A place of its own in the bucket for each test."""
    return f"{WAREHOUSE}/{tmp_path.name}"


@pytest.fixture
def lake(warehouse: str, tmp_path: Path) -> Iterator[Lake]:
    with Lake(f"sqlite:///{tmp_path}/lake.db", warehouse) as made:
        yield made


@pytest.fixture
def con(lake: Lake) -> Iterator[Con]:
    made = connect(stores=[lake.warehouse])
    yield made
    made.close()


def write(lake: Lake, con: Con, source: Any, **options: Any) -> None:
    lake.commit("main", [lake.stage(con, "s.t", source, on="main", **options)], message="write")


def rows(lake: Lake, con: Con) -> list[tuple[Any, ...]]:
    return con.execute(f"SELECT * FROM {lake.at().scan('s.t')} ORDER BY ALL").fetchall()


def stored(warehouse: str) -> set[str]:
    return {one.location for one in objects.listed(warehouse)}


def test_every_way_to_write_works_in_an_object_store(lake: Lake, con: Con, tmp_path: Path) -> None:
    write(lake, con, "SELECT i, i % 3 AS p FROM range(6) r(i)", partition_by=["p"])
    write(lake, con, "SELECT 6::BIGINT AS i, 0::BIGINT AS p", mode="append")
    write(lake, con, "SELECT 100::BIGINT AS i, 1::BIGINT AS p", mode="overwrite_partitions")
    write(lake, con, "SELECT 100::BIGINT AS i, 2::BIGINT AS p", mode="upsert", by=["i"])
    assert rows(lake, con) == [(0, 0), (2, 2), (3, 0), (5, 2), (6, 0), (100, 2)]
    table = lake.at().table("s.t")
    assert table.rows == 6
    assert all(path.startswith(f"{lake.warehouse}/s/t-") for path in table.files)
    assert {one.bytes for one in objects.listed(f"{table.location}/data")} > {0} or table.bytes
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".parquet", ".avro", ".json")]


def test_a_query_that_fails_leaves_no_object(lake: Lake, con: Con, warehouse: str) -> None:
    write(lake, con, "SELECT 1 AS a")
    before = stored(warehouse)
    with pytest.raises(WriteError):
        lake.stage(
            con,
            "s.t",
            "SELECT CASE WHEN i = 9999 THEN error('boom') ELSE i END AS a FROM range(10000) r(i)",
            on="main",
        )
    assert stored(warehouse) == before
    staged = lake.stage(con, "s.t", "SELECT 2 AS a", on="main")
    assert len(stored(warehouse)) == len(before) + len(staged.files)
    lake.discard([staged])
    assert stored(warehouse) == before


def test_a_missing_object_is_named(lake: Lake) -> None:
    with pytest.raises(MissingFileError, match=r"nothing\.json cannot be read: No such file"):
        files.read(f"{lake.warehouse}/nothing.json")
    files.remove([f"{lake.warehouse}/nothing.json"])


def test_the_engine_reads_the_warehouse_and_nothing_beside_it(lake: Lake, con: Con) -> None:
    write(lake, con, "SELECT 42 AS a")
    outside = f"s3://{BUCKET}/outside/x.txt"
    files.write(outside, b"outside")
    engine = DuckDBEngine(lake)
    try:
        assert engine.query("SELECT a FROM s.t", at=lake.at()).rows == [(42,)]
        with engine.session(lake.at()) as cursor:
            up = "/".join([".."] * lake.warehouse.removeprefix(f"s3://{BUCKET}/").count("/"))
            for path in (
                outside,
                f"{lake.warehouse}/{up}/../outside/x.txt",
                f"{lake.warehouse}-2/x",
                "/etc/passwd",
            ):
                with pytest.raises((duckdb.PermissionException, duckdb.HTTPException)):
                    cursor.execute(f"SELECT content FROM read_text('{path}')").fetchall()
            with pytest.raises(duckdb.Error):
                cursor.execute("SET GLOBAL httpfs_client_implementation = 'curl'")
    finally:
        engine.close()


def test_keys_are_in_no_error_no_repr_and_no_log(
    lake: Lake, con: Con, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    told = [repr(objects.access()), str(objects.access())]
    told.append(str(con.execute("SELECT * FROM duckdb_secrets()").fetchall()))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr(objects, "_RETRIES", {"max_retries": 0})
    objects._store.cache_clear()
    for work in (lambda: files.write(f"{lake.warehouse}/x", b"x"), lambda: files.read(f"{lake.warehouse}/x")):
        with pytest.raises(LakeError) as error:
            work()
        told += [str(error.value), repr(error.value), str(error.value.__cause__)]
    objects._store.cache_clear()
    broken = connect(stores=[lake.warehouse])
    with pytest.raises(WriteError) as failed:
        lake.stage(broken, "s.u", "SELECT 1 AS a", on="main")
    broken.close()
    told += [str(failed.value), str(failed.value.__cause__)]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"not an address {s3.SECRET}")
    with pytest.raises(LakeError, match="not the address") as error:
        objects.access()
    told += [str(error.value)]
    out, err = capfd.readouterr()
    for text in (*told, caplog.text, out, err):
        assert s3.SECRET not in text
        assert s3.SECRET.partition("'")[0] not in text


def test_missing_keys_are_asked_for_by_name(
    warehouse: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(LakeError, match="AWS_SECRET_ACCESS_KEY is not set"):
        connect(stores=[warehouse])
    with pytest.raises(LakeError, match="AWS_SECRET_ACCESS_KEY is not set"):
        files.read(f"{warehouse}/x")


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, ("us-east-1", None, False)),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, ("eu-west-1", None, False)),
        ({"AWS_ENDPOINT_URL": "https://minio:9000/"}, ("us-east-1", "https://minio:9000", True)),
        ({"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_S3": "http://b"}, ("us-east-1", "http://b", True)),
        ({"AWS_ENDPOINT_URL": "https://a", "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "true"}, ("us-east-1", "https://a", False)),
        ({"AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false"}, ("us-east-1", None, True)),
    ],
)  # fmt: skip
def test_the_environment_says_how_to_reach_the_store(
    environ: dict[str, str], expected: tuple[Any, ...]
) -> None:
    found = objects.access({"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", **environ})
    assert (found.region, found.endpoint, found.path_style) == expected


@pytest.mark.parametrize(
    "location", ["s3://", "s3://b//x", "s3://b/../x", "s3://b/./x", "s3://b/\n", "gs://b/x", "http://b/x"]
)
def test_a_warehouse_that_cannot_be_one_is_refused(location: str) -> None:
    with pytest.raises(LakeError):
        files.root(location)


@pytest.mark.parametrize(
    ("location", "within"),
    [
        ("s3://b/w/t/x", True),
        ("s3://b/w", False),
        ("s3://b/w2/x", False),
        ("s3://b/w/../x", False),
        ("s3://b/w//x", False),
        ("s3://c/w/x", False),
        ("/w/x", False),
        ("S3://b/w/x", False),
    ],
)
def test_a_location_is_inside_of_the_warehouse_or_not(location: str, within: bool) -> None:
    assert files.inside("s3://b/w", location) is within
