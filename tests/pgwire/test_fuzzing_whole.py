"""Random conversations with a real server: catalog, model, tables of the lake, cursors, COPY, cancels, breaks."""

import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.conftest import Demo
from tests.pgwire import raw
from tests.pgwire.raw import Client, bind, close, describe, execute, parse, query
from tests.pgwire.test_serve import _dsn, _served

pytestmark = pytest.mark.slow

SQL = [
    "select 1", "select channel, measure(total_revenue) from orders group by 1", "select * from orders",
    "select order_id, channel from gold.fact_orders", "select $1::text", "select channel from orders where channel = $1",
    "begin", "commit", "rollback", "savepoint a", "rollback to a", "declare c cursor for select channel from orders",
    "declare d scroll cursor with hold for select order_id from gold.fact_orders",
    "declare e binary cursor for select relname, oid from pg_class", "fetch 5 c", "fetch 7 d", "fetch last d",
    "fetch prior d", "fetch 3 e", "fetch all e", "move 2 c", "close c", "close all", "set ingot.ref = 'main'",
    "set ingot.ref = 'nothing'", "set timezone = 'Asia/Tokyo'", "set local search_path = gold", "show timezone",
    "show work_mem", "set work_mem = '4MB'", "discard all", "prepare a as select channel, count(*) from orders group by 1",
    "execute a", "deallocate all", "copy (select channel from orders) to stdout",
    "copy gold.fact_orders to stdout (format binary)", "copy (select relname from pg_class) to stdout csv", "select 1/0",
    "select missing from orders", "select * from missing", "selec", "explain select channel from orders",
    "select pg_sleep(0.01)", "select 1; begin; select channel from orders", "select now(), current_user",
    "select count(*) from gold.fact_orders a, gold.fact_orders b", "select * from information_schema.tables",
    "show catalogs", "insert into orders values (1)", "select order_id from orders order by 1 limit $1",
    "select count(*) from pg_class, orders",
]  # fmt: skip
NAMES = ["", "a", "c", "d"]


@pytest.fixture(scope="module")
def server(storefront: Demo) -> Iterator[int]:
    with _served(storefront.directory, "--port", "0") as (process, lines):
        yield int(_dsn(lines).rpartition(":")[2].partition("/")[0])
        assert process.poll() is None


def _message(choose: random.Random) -> bytes:
    kind, name = choose.random(), choose.choice(NAMES)
    if kind < 0.3:
        return query(choose.choice(SQL))
    if kind < 0.5:
        return parse(choose.choice(SQL), name, choose.choice([(), (), (25,), (23,)]))
    if kind < 0.65:
        values: tuple[str | None, ...] = choose.choice([(), (), ("web",), (None,)])
        return bind(choose.choice(NAMES), name, values, choose.choice([(), (0,), (1,)]))
    if kind < 0.75:
        return describe(choose.choice("SP"), name)
    if kind < 0.88:
        return execute(name, choose.choice([0, 1, 100]))
    if kind < 0.92:
        return close(choose.choice("SP"), name)
    return raw.SYNC


@pytest.mark.parametrize("seed", range(6))
def test_every_conversation_ends_well(seed: int, server: int) -> None:
    choose = random.Random(seed)
    told: Counter[str] = Counter()
    for _ in range(12):
        with Client(server) as client:
            client.sock.settimeout(30)
            key = next(reply.body for reply in client.log_in("x", "storefront") if reply.kind == "K")
            messages = [_message(choose) for _ in range(choose.randint(1, 25))]
            sender = threading.Thread(target=client.send, args=(*messages, raw.SYNC, raw.TERMINATE))
            sender.start()
            if choose.random() < 0.3:
                with Client(server) as other:
                    other.send(struct.pack("!ii", 16, 80877102) + key)
            if choose.random() < 0.2:
                sender.join()
                client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                continue
            replies = client.rest()
            sender.join()
        wanted = sum(message[:1] in (b"Q", b"S") for message in messages) + 1
        assert sum(reply.kind == "Z" for reply in replies) == wanted
        told.update(reply.fields["C"] for reply in replies if reply.kind == "E")
    assert not {"XX000", "58000"} & told.keys()
    with Client(server) as client:
        client.log_in("x", "storefront")
        client.send(query("select 1"), raw.TERMINATE)
        assert raw.words(client.rest())[-2:] == ["C SELECT 1", "Z I"]
