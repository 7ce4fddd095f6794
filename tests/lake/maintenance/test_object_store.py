"""Maintenance of a warehouse in an S3-compatible store."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ingot.engines.duckdb import connect
from ingot.lake import Lake, objects
from ingot.lake.maintenance import Outcome, Policy, maintain
from tests.lake import s3

from .conftest import NOTHING, numbers
from .deletes import delete_rows

pytestmark = pytest.mark.slow


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lake]:
    with s3.serving("ingot") as environment:
        for name in ("AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "AWS_DEFAULT_REGION"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        with Lake(f"sqlite:///{tmp_path}/lake.db", "s3://ingot/the lake") as made:
            yield made


def test_tables_in_a_store_are_compacted_and_collected_as_on_a_disk(lake: Lake) -> None:
    objects.write("s3://ingot/the lake/notes.txt", b"mine")
    objects.write("s3://ingot/the lake too/data/x.parquet", b"mine")
    with connect(extensions=("avro", "iceberg"), stores=[lake.warehouse]) as con:
        for first in range(0, 40, 10):
            query = f"SELECT i, i % 2 AS p FROM range({first}, {first + 10}) r(i)"
            staged = lake.stage(con, "s.t", query, on="main", mode="append", partition_by=["p"])
            lake.commit("main", [staged], message="append")
        delete_rows(lake, con, "main", "s.t", "i % 10 = 4")
        lake.tag("v1")
        given_up = lake.stage(con, "s.t", "SELECT 1 AS i", on="main", mode="append")
        report = maintain(lake, con, policy=Policy(older_than=timedelta(0), keep=1))
        assert [one.outcome for one in report.tables if one.outcome is not Outcome.DONE] == []
        expected = [i for i in range(40) if i % 10 != 4]
        assert numbers(lake, con) == numbers(lake, con, "v1") == expected
        assert len(lake.at().table("s.t").files) == 2

        def stored() -> dict[str, int]:
            return {one.location: one.bytes for one in objects.listed("s3://ingot/the lake")}

        before = stored()
        assert set(given_up.files) <= before.keys()
        report = maintain(lake, con, policy=NOTHING)
        after = stored()
        assert report.bytes_freed == sum(before.values()) - sum(after.values()) > 0
        assert not set(given_up.files) & after.keys()
        assert numbers(lake, con) == numbers(lake, con, "v1") == expected
        lake.delete_ref("v1")
        assert maintain(lake, con, policy=NOTHING).files_freed > 0
        assert numbers(lake, con) == expected
        assert "s3://ingot/the lake/notes.txt" in stored()
        assert objects.read("s3://ingot/the lake too/data/x.parquet") == b"mine"
