"""GraphQL and queries that take long: they are waited for, and stop when nobody wants them."""

import socket
import threading
from pathlib import Path

import httpx2
import orjson
import pytest

from tests.api.slow import Server, eventually, slow_server

pytestmark = pytest.mark.slow

TEXT = "{ cube { orders { count } } }"


def ask(server: Server, **headers: str) -> httpx2.Response:
    return httpx2.post(f"{server.url}/cubejs-api/graphql", json={"query": TEXT}, headers=headers, timeout=20)


def test_an_answer_is_waited_for_and_equal_questions_share_the_work(tmp_path: Path) -> None:
    with slow_server(tmp_path, continue_wait=0.05) as server:
        server.engine.go.clear()
        answers: list[httpx2.Response] = []
        threads = [threading.Thread(target=lambda: answers.append(ask(server))) for _ in range(3)]
        for thread in threads:
            thread.start()
        eventually(lambda: server.engine.running == 1)
        threading.Event().wait(0.2)
        server.engine.go.set()
        for thread in threads:
            thread.join(20)
        assert [one.json()["data"] for one in answers] == [{"cube": [{"orders": {"count": 3}}]}] * 3
        assert len(server.engine.asked) == 1


def test_a_client_that_leaves_stops_its_query(tmp_path: Path) -> None:
    with slow_server(tmp_path) as server:
        server.engine.go.clear()
        host, port = server.url.removeprefix("http://").split(":")
        body = orjson.dumps({"query": TEXT})
        with socket.create_connection((host, int(port))) as opened:
            head = f"POST /cubejs-api/graphql HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
            opened.sendall(head.encode() + body)
            eventually(lambda: server.engine.running == 1)
        assert eventually(lambda: server.engine.running == 0) < 5


def test_a_question_is_cancelled_by_its_id(tmp_path: Path) -> None:
    with slow_server(tmp_path) as server:
        server.engine.go.clear()
        answers: list[httpx2.Response] = []
        asking = threading.Thread(target=lambda: answers.append(ask(server, **{"x-request-id": "chart"})))
        asking.start()
        eventually(lambda: server.engine.running == 1)
        stopped = httpx2.delete(f"{server.url}/cubejs-api/v1/running-query/chart", timeout=20)
        asking.join(20)
        assert stopped.status_code == 200
        assert "cancelled" in answers[0].json()["errors"][0]["message"]
        eventually(lambda: server.engine.running == 0)
