"""Slow queries over a real server: clients that leave, come back, cancel, and those beside them."""

import socket
import statistics
import struct
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from ingot.engines import QueryError
from tests.api.slow import QUICK, SLOW, Server, eventually, slow_server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with slow_server(tmp_path_factory.mktemp("patient")) as made:
        yield made


@pytest.fixture(scope="module")
def brisk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Says `Continue wait` at once."""
    with slow_server(tmp_path_factory.mktemp("brisk"), continue_wait=0.2, grace=0.8) as made:
        yield made


@pytest.fixture(autouse=True)
def _let_go(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    for name in ("server", "brisk"):
        if name in request.fixturenames:
            made: Server = request.getfixturevalue(name)
            made.engine.fail = None
            made.engine.go.set()
            eventually(lambda: made.engine.running == 0)  # noqa: B023 - called at once
            made.engine.asked.clear()


def fresh(number: int) -> dict[str, object]:
    """A query that no test asked before."""
    return {**QUICK, "limit": number}


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_client_that_leaves_stops_its_query(server: Server, how: str) -> None:
    connection = server.send(SLOW)
    eventually(lambda: server.engine.running == 1)
    time.sleep(0.2)
    if how == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    assert eventually(lambda: server.engine.running == 0) < 2  # the benchmark holds it to 0.1
    assert server.service._execution.running == 0


def test_a_client_that_leaves_does_not_stop_the_query_of_others(server: Server) -> None:
    server.engine.go.clear()
    leaving = server.send(fresh(101))
    with ThreadPoolExecutor() as pool:
        eventually(lambda: server.engine.running == 1)
        staying = pool.submit(server.ask, fresh(101))
        eventually(lambda: _waiting(server) == 2)
        leaving.close()
        eventually(lambda: _waiting(server) == 1)
        server.engine.go.set()
        assert staying.result(20).json()["data"] == [{"orders.count": "3"}]
    assert len(server.engine.asked) == 1


def _waiting(server: Server) -> int:
    return sum(flight.waiting for flight in server.service._execution._flights._flying.values())


def test_equal_queries_at_once_run_once(server: Server) -> None:
    server.engine.go.clear()
    with ThreadPoolExecutor(30) as pool:
        asked = [pool.submit(server.ask, fresh(102)) for _ in range(30)]
        eventually(lambda: _waiting(server) == 30)
        server.engine.go.set()
        answers = {one.result(20).text for one in asked}
    assert len(server.engine.asked) == 1
    assert len(answers) == 1


def test_a_failing_query_fails_for_all_who_wait_and_is_tried_again_later(server: Server) -> None:
    server.engine.go.clear()
    server.engine.fail = QueryError("the disk is gone")
    with ThreadPoolExecutor(5) as pool:
        asked = [pool.submit(server.ask, fresh(103)) for _ in range(5)]
        eventually(lambda: _waiting(server) == 5)
        server.engine.go.set()
        for one in asked:
            assert one.result(20).json() == {"error": "the disk is gone"}
            assert one.result(20).status_code == 400
    server.engine.fail = None
    assert server.ask(fresh(103)).json()["data"] == [{"orders.count": "3"}]


def test_a_request_is_cancelled_by_its_id(server: Server) -> None:
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(server.ask, SLOW, headers={"x-request-id": "abc-span-1"})
        eventually(lambda: server.engine.running == 1)
        stopped = httpx2.delete(f"{server.url}/cubejs-api/v1/running-query/abc")
        assert stopped.json() == {"result": "ok", "cancelled": 1}
        answer = waiting.result(20)
    assert (answer.status_code, answer.json()) == (499, {"error": "The query was cancelled."})
    eventually(lambda: server.engine.running == 0)
    unknown = httpx2.delete(f"{server.url}/cubejs-api/v1/running-query/abc")
    assert unknown.status_code == 404
    assert set(unknown.json()) == {"error"}


def test_who_waits_too_long_is_told_to_come_back_and_joins_the_same_query(brisk: Server) -> None:
    brisk.engine.go.clear()
    first = brisk.ask(fresh(104))
    assert first.status_code == 200
    assert first.json()["error"] == "Continue wait"
    assert first.json()["stage"]["stage"] == "Executing query"
    assert 100 < first.json()["stage"]["timeElapsed"] < 10_000
    second = brisk.ask(fresh(104)).json()
    assert second["stage"]["timeElapsed"] > first.json()["stage"]["timeElapsed"]
    brisk.engine.go.set()
    assert brisk.ask(fresh(104)).json()["data"] == [{"orders.count": "3"}]
    assert len(brisk.engine.asked) == 1


def test_an_error_waits_for_who_was_told_to_come_back(brisk: Server) -> None:
    brisk.engine.go.clear()
    assert brisk.ask(fresh(105)).json()["error"] == "Continue wait"
    brisk.engine.fail = QueryError("too late")
    brisk.engine.go.set()
    eventually(lambda: brisk.engine.running == 0)
    assert brisk.ask(fresh(105)).json() == {"error": "too late"}
    assert len(brisk.engine.asked) == 1


def test_a_query_stops_when_nobody_comes_back(brisk: Server) -> None:
    assert brisk.ask(SLOW).json()["error"] == "Continue wait"
    assert brisk.engine.running == 1
    assert eventually(lambda: brisk.engine.running == 0) > 0.2
    assert brisk.service._execution.running == 0


def test_a_query_whose_client_was_told_to_come_back_can_be_cancelled(brisk: Server) -> None:
    assert brisk.ask(SLOW, headers={"x-request-id": "later"}).json()["error"] == "Continue wait"
    assert httpx2.delete(f"{brisk.url}/cubejs-api/v1/running-query/later").json()["cancelled"] == 1
    assert eventually(lambda: brisk.engine.running == 0) < 0.6


def test_a_list_of_queries_waits_for_all_and_gives_all(brisk: Server) -> None:
    brisk.engine.go.clear()
    queries = [fresh(106), {"measures": ["tickets.count"], "limit": 106}]
    assert brisk.ask(queries, queryType="multi").json()["error"] == "Continue wait"
    brisk.engine.go.set()
    eventually(lambda: brisk.engine.running == 0)
    answer = brisk.ask(queries, queryType="multi").json()
    assert [one["data"] for one in answer["results"]] == [[{"orders.count": "3"}], [{"tickets.count": "1"}]]
    assert len(brisk.engine.asked) == 2


def test_a_full_queue_says_so(brisk: Server) -> None:
    brisk.engine.go.clear()
    with ThreadPoolExecutor(12) as pool:
        stages = [
            one["stage"]["stage"] for one in pool.map(lambda n: brisk.ask(fresh(200 + n)).json(), range(12))
        ]
    assert sorted(set(stages)) == ["Executing query", "Waiting in queue"]
    assert stages.count("Executing query") == 8


@pytest.mark.slow
def test_kept_answers_do_not_wait_for_slow_queries(server: Server) -> None:
    server.ask(QUICK)
    slow = [server.send({**SLOW, "limit": n}) for n in range(1, 11)]
    eventually(lambda: server.engine.running == 8)
    taken = []
    with httpx2.Client() as client:
        for _ in range(60):
            began = time.monotonic()
            answer = client.post(f"{server.url}/cubejs-api/v1/load", json={"query": QUICK})
            taken.append(time.monotonic() - began)
            assert answer.json()["data"] == [{"orders.count": "3"}]
    for one in slow:
        one.close()
    assert statistics.median(taken) < 0.1  # without the care for it: as long as a slow query takes


def test_kept_answers_wait_in_no_queue_where_the_catalog_is_another_machines(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.ask(QUICK)
    monkeypatch.setattr(type(server.service.states._lake.catalog), "head", lambda *_: None)
    server.engine.go.clear()
    slow = [server.send({**QUICK, "limit": 400 + n}) for n in range(10)]
    eventually(lambda: server.engine.running == 8)
    assert server.ask(QUICK).json()["data"] == [{"orders.count": "3"}]
    assert server.engine.running == 8
    for one in slow:
        one.close()
