"""A whole project whose warehouse is in an object store, through the command line and its REST catalog."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyiceberg.catalog.rest import RestCatalog
from starlette.applications import Starlette
from starlette.routing import Mount

from ingot.engines.duckdb import connect
from ingot.lake import Lake, objects
from ingot.lake.rest import routes
from tests.conftest import Ingot
from tests.lake import s3
from tests.lake.rest.conftest import serving
from tests.main_job.small import make_small_project, orders_total

WAREHOUSE = "s3://ingot/team/shop"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    with s3.serving("ingot") as variables:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        yield variables


@pytest.mark.slow
def test_ingest_dbt_merge_query_and_rest_work_with_the_warehouse_in_an_object_store(
    environment: dict[str, str], tmp_path: Path, ingot: Ingot
) -> None:
    project = make_small_project(tmp_path / "project")
    (project / "ingot.yml").write_text(f"name: small\nprofiles:\n  dev:\n    warehouse: {WAREHOUSE}\n")
    texts = []
    for _ in range(2):
        done = ingot("run", "--json", cwd=project)
        texts += [done.stdout, done.stderr]
        assert done.returncode == 0, done.stdout + done.stderr
        result = json.loads(done.stdout.splitlines()[-1])
        # Later rows are appended, and the models built anew.
        (project / "data" / "orders_2.csv").write_text("order_id,amount\n1000,79\n")
    assert result["status"] == "merged"
    expected = sum(range(1, 21)) + 79
    asked = ingot("query", "select total, orders from gold.totals", "--format", "json", cwd=project)
    texts += [asked.stdout, asked.stderr]
    assert [str(expected), "21"] == [str(value) for value in first_row(asked.stdout)]
    kept = [path for path in project.rglob("*") if path.suffix in (".parquet", ".avro")]
    assert not kept
    assert {one.location.rpartition(".")[2] for one in objects.listed(WAREHOUSE)} == {
        "parquet",
        "avro",
        "json",
    }

    with Lake(f"sqlite:///{project}/.ingot/lake.db", WAREHOUSE) as lake:
        assert orders_total(lake) == expected
        with serving(Starlette(routes=[Mount("/iceberg", routes=routes(lake))])) as address:
            catalog = RestCatalog(
                "lake",
                uri=f"{address}/iceberg",
                **{
                    "s3.endpoint": environment["AWS_ENDPOINT_URL"],
                    "s3.access-key-id": environment["AWS_ACCESS_KEY_ID"],
                    "s3.secret-access-key": environment["AWS_SECRET_ACCESS_KEY"],
                    "s3.region": "us-east-1",
                },
            )
            rows = catalog.load_table("gold.orders").scan().to_arrow()
            assert sum(rows["amount"].to_pylist()) == expected
            catalog.close()
            con = connect(extensions=("avro", "iceberg"), stores=[WAREHOUSE])
            con.execute(
                f"ATTACH 'main' AS lake (TYPE iceberg, ENDPOINT '{address}/iceberg', AUTHORIZATION_TYPE none)"
            )
            assert con.execute("SELECT sum(amount) FROM lake.gold.orders").fetchall() == [(expected,)]
            con.execute("INSERT INTO lake.gold.orders VALUES (2000, 1)")
            con.close()
        assert orders_total(lake) == expected + 1
    for text in texts:
        assert environment["AWS_SECRET_ACCESS_KEY"] not in text
    assert os.environ["AWS_ENDPOINT_URL"] == environment["AWS_ENDPOINT_URL"]


def first_row(printed: str) -> list[object]:
    found = json.loads(printed)
    rows = found["rows"] if isinstance(found, dict) else found
    return list(rows[0].values()) if isinstance(rows[0], dict) else list(rows[0])
