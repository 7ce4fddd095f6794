"""Answers as files: the same rows as JSON in types of their own, stopped with their client, never left behind."""

import csv
import io
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import httpx2
import pyarrow as pa
import pytest
from pyarrow import ipc

from tests.api.slow import SLOW, Server, eventually, slow_server

QUERY = {
    "measures": ["orders.total", "orders.ratio"],
    "dimensions": ["customers.city", "orders.status"],
    "timeDimensions": [{"dimension": "orders.created_at", "granularity": "month"}],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with slow_server(tmp_path_factory.mktemp("files")) as made:
        yield made


@pytest.fixture(autouse=True)
def _nothing_is_left(server: Server) -> Iterator[None]:
    yield
    eventually(lambda: not list(server.downloads.iterdir()) if server.downloads.exists() else True)


def rows(server: Server, query: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of the JSON answer, times and numbers as Python has them."""
    answer = server.ask({**query, "responseFormat": "compact"}).json()["data"]
    plain = [n for n, name in enumerate(answer["members"]) if name != "orders.created_at"]
    return [tuple(row[n] for n in plain) for row in answer["dataset"]]


def as_text(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    if hasattr(value, "isoformat"):
        return value.isoformat(timespec="milliseconds")
    return str(int(value)) if float(value).is_integer() else str(float(value))


def test_csv_has_the_rows_under_the_members_names(server: Server) -> None:
    answer = server.ask(QUERY, format="csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["ingot-ref"] == "main"
    assert len(answer.headers["ingot-commit"]) == 64
    head, *lines = csv.reader(io.StringIO(answer.text))
    assert head == [
        "customers.city",
        "orders.status",
        "orders.created_at.month",
        "orders.total",
        "orders.ratio",
    ]
    wanted = [
        ["" if value is None else as_text(float(value)) if n > 2 else value for n, value in enumerate(row)]
        for row in rows(server, QUERY)
    ]
    assert [[*line[:3], *(as_text(float(value)) for value in line[3:])] for line in lines] == wanted


def test_parquet_and_arrow_have_types(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    file.write_bytes(server.ask(QUERY, format="parquet").content)
    with duckdb.connect() as con:
        found = con.execute(f"SELECT * FROM '{file}'").fetchall()
        types = [row[1] for row in con.execute(f"DESCRIBE SELECT * FROM '{file}'").fetchall()]
    assert types[2] == "TIMESTAMP"
    assert [tuple(as_text(value) for value in row) for row in found] == rows(server, QUERY)
    table = ipc.open_stream(io.BytesIO(server.ask(QUERY, format="arrow").content)).read_all()
    assert pa.types.is_timestamp(table.schema.field("orders.created_at.month").type)
    assert [tuple(as_text(value) for value in row.values()) for row in table.to_pylist()] == rows(
        server, QUERY
    )


def test_a_ref_a_limit_and_values_are_those_of_json(server: Server) -> None:
    query = {
        "dimensions": ["orders.id"],
        "filters": [{"member": "orders.status", "operator": "equals", "values": ["done", "'; DROP"]}],
        "order": {"orders.id": "desc"},
        "limit": 2,
    }
    answer = server.ask(query, format="csv", ref="dev")
    assert answer.text == "orders.id\n99\n3\n"
    assert answer.headers["ingot-ref"] == "dev"


def test_a_get_gives_a_file_too(server: Server) -> None:
    params = {"query": '{"measures":["orders.count"]}', "format": "csv"}
    assert httpx2.get(f"{server.url}/cubejs-api/v1/load", params=params).text == "orders.count\n3\n"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"query": QUERY, "format": "xlsx"}, "one of json, csv, parquet, arrow"),
        ({"query": QUERY, "format": 5}, "one of json"),
        ({"query": [QUERY, QUERY], "format": "csv"}, "one query at a time"),
        ({"query": {**QUERY, "limit": 1_000_001}, "format": "csv"}, "at most 1000000"),
        ({"query": {**QUERY, "limit": 60_000}}, "at most 50000"),
        ({"query": {"measures": ["orders.cuont"]}, "format": "csv"}, "did you mean"),
    ],
)
def test_what_fits_no_file_is_refused(server: Server, asked: dict[str, Any], said: str) -> None:
    answer = httpx2.post(f"{server.url}/cubejs-api/v1/load", json=asked)
    assert answer.status_code == 400
    assert said in answer.json()["error"]


def test_more_rows_fit_a_file_than_json(server: Server) -> None:
    assert (
        server.ask({"measures": ["orders.count"], "limit": 60_000}, format="csv").text == "orders.count\n3\n"
    )


def test_a_client_that_leaves_stops_the_writing(server: Server) -> None:
    connection = server.send(SLOW, format="csv")
    eventually(lambda: server.engine.running == 1)
    time.sleep(0.2)
    connection.close()
    assert eventually(lambda: server.engine.running == 0) < 2


def test_a_file_can_be_cancelled(server: Server) -> None:
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(server.ask, SLOW, format="csv", headers={"x-request-id": "file"})
        eventually(lambda: server.engine.running == 1)
        assert httpx2.delete(f"{server.url}/cubejs-api/v1/running-query/file").status_code == 200
        assert waiting.result(20).status_code == 499
    eventually(lambda: server.engine.running == 0)


def test_without_pyarrow_the_answer_says_what_to_install(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    answer = server.ask(QUERY, format="arrow")
    assert answer.status_code == 400
    assert "pip install 'ingot[arrow]'" in answer.json()["error"]
