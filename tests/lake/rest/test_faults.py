"""Real clients behind a network that fails: each change is made once, and what was acknowledged is there.

DuckDB repeats a request that got no answer (`http_retries`), PyIceberg leaves it to its user. Both reach the
server through a proxy that applies a request and then loses the answer, or fails in another way.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import duckdb
import pyarrow as pa
import pytest
import requests
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.exceptions import (
    CommitFailedException,
    CommitStateUnknownException,
    RESTError,
    TableAlreadyExistsError,
)
from pyiceberg.types import LongType
from requests.adapters import HTTPAdapter
from starlette.applications import Starlette
from starlette.types import ASGIApp
from urllib3.util.retry import Retry

from ingot.engines.duckdb import connect
from ingot.lake import Lake

from .faults import Fault, Faults, proxy

pytestmark = pytest.mark.slow  # `test_traps` has the quick ones

Attach = Callable[..., duckdb.DuckDBPyConnection]

BAD_GATEWAY = Fault.ERROR_502
"""The one answer after which DuckDB 1.5.5 does not ask again."""
HEALED = [fault for fault in Fault if fault not in (Fault.NONE, BAD_GATEWAY)]
HEARD_BY_PYICEBERG = [Fault.BEFORE, Fault.RESET, Fault.CUT, BAD_GATEWAY, Fault.DELAY]
"""One of each kind: all errors of a gateway are one to PyIceberg, and so are all ways to lose a connection."""


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    """On SQLite only: what is tried here lies before the database."""
    with Lake(f"sqlite:///{tmp_path}/lake.db", tmp_path / "warehouse") as opened:
        yield opened


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def address(app: Starlette, serve: Callable[[ASGIApp], str], faults: Faults) -> Iterator[str]:
    with proxy(serve(app), faults) as found:
        yield found


@pytest.fixture
def main(attach: Attach) -> duckdb.DuckDBPyConnection:
    con = attach("main")
    con.execute("CREATE SCHEMA lake.s")
    con.execute("CREATE TABLE lake.s.t AS SELECT i::INTEGER AS i FROM range(4) r(i)")
    return con


@pytest.fixture
def catalog(address: str, main: duckdb.DuckDBPyConnection) -> Iterator[RestCatalog]:
    """PyIceberg on the same tables."""
    found = RestCatalog("lake", uri=f"{address}/iceberg", warehouse="main")
    yield found
    found.close()


def log(lake: Lake) -> list[str]:
    """The messages of the commits on main, the newest first."""
    return [one.message for one in lake.catalog.log(lake.catalog.ref("main").hash)]


def numbers(found: RestCatalog, lake: Lake, con: duckdb.DuckDBPyConnection, name: str = "s.t") -> list[int]:
    """The column `i`, on which PyIceberg, DuckDB and the lake agree."""
    in_duckdb = [row[0] for row in con.execute(f"SELECT i FROM lake.{name} ORDER BY i").fetchall()]
    assert sorted(found.load_table(name).scan().to_arrow().column("i").to_pylist()) == in_duckdb
    with connect(extensions=("avro", "iceberg")) as own:
        query = f"SELECT i FROM {lake.at().scan(name)} ORDER BY i"
        assert [row[0] for row in own.execute(query).fetchall()] == in_duckdb
    return in_duckdb


def rows(*values: int) -> pa.Table:
    return pa.table({"i": pa.array(values, pa.int32())})


@pytest.mark.parametrize("fault", HEALED, ids=lambda fault: fault.name)
def test_duckdb_makes_each_change_once_whatever_happens_to_the_answer(
    main: duckdb.DuckDBPyConnection, catalog: RestCatalog, lake: Lake, faults: Faults, fault: Fault
) -> None:
    statements = [
        ("INSERT INTO lake.s.t VALUES (10), (11)", "transactions/commit"),
        ("UPDATE lake.s.t SET i = 20 WHERE i = 1", "transactions/commit"),
        ("DELETE FROM lake.s.t WHERE i = 2", "transactions/commit"),
        ("CREATE TABLE lake.s.u AS SELECT 7::INTEGER AS i", "tables/u"),
        ("ALTER TABLE lake.s.u ADD COLUMN n INTEGER", "transactions/commit"),
        ("ALTER TABLE lake.s.u RENAME COLUMN n TO m", "transactions/commit"),
        ("INSERT INTO lake.s.u VALUES (8, 9)", "transactions/commit"),
    ]
    for statement, path in statements:
        before = len(log(lake))
        faults.next(fault, path=path)
        main.execute(statement)
        assert [one.fault for one in faults.struck] == [fault]
        assert len(log(lake)) == before + 1
        faults.next()
    assert numbers(catalog, lake, main) == [0, 3, 10, 11, 20]
    assert numbers(catalog, lake, main, "s.u") == [7, 8]
    assert main.execute("SELECT m FROM lake.s.u ORDER BY i").fetchall() == [(None,), (9,)]


def test_duckdb_survives_an_answer_that_is_lost_twice(
    main: duckdb.DuckDBPyConnection, catalog: RestCatalog, lake: Lake, faults: Faults
) -> None:
    before = len(log(lake))
    faults.next(Fault.RESET, Fault.ERROR_504, path="transactions/commit")
    main.execute("INSERT INTO lake.s.t VALUES (10)")
    assert [one.status for one in faults.struck] == [204, 204]
    faults.next()
    assert len(log(lake)) == before + 1
    assert numbers(catalog, lake, main) == [0, 1, 2, 3, 10]


def test_another_change_of_columns_is_no_repetition(
    main: duckdb.DuckDBPyConnection, catalog: RestCatalog, lake: Lake
) -> None:
    main.execute("BEGIN")
    main.execute("ALTER TABLE lake.s.t ADD COLUMN mine INTEGER")
    with catalog.load_table("s.t").update_schema() as update:
        update.add_column("yours", LongType())
    with pytest.raises(duckdb.Error, match="changed"):
        main.execute("COMMIT")
    assert [one.name for one in lake.at().table("s.t").schema] == ["i", "yours"]


@pytest.mark.parametrize("fault", [Fault.AFTER, Fault.ERROR_504], ids=lambda fault: fault.name)
def test_names_that_duckdb_gives_or_takes_are_so_once_and_its_second_request_is_told(
    main: duckdb.DuckDBPyConnection, catalog: RestCatalog, lake: Lake, faults: Faults, fault: Fault
) -> None:
    """These requests say nothing of what their sender had seen: the second one cannot be told from a new one."""
    statements = [
        ("CREATE SCHEMA lake.new", "There is already a namespace 'new'"),
        ("ALTER TABLE lake.s.t RENAME TO u", "There is no table 's.t'"),
        ("DROP SCHEMA lake.new", "There is no namespace 'new'"),
    ]
    for statement, told in statements:
        before = len(log(lake))
        faults.next(fault)
        with pytest.raises(duckdb.Error, match=told):
            main.execute(statement)
        assert len(log(lake)) == before + 1
        faults.next()
    assert lake.at().namespaces == ("s",)
    assert lake.at().tables == ("s.u",)
    assert numbers(catalog, lake, main, "s.u") == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("retries", "struck"),
    [(0, [Fault.ERROR_504]), (3, [BAD_GATEWAY]), (3, [Fault.AFTER, *[Fault.BEFORE] * 3])],
    ids=["retries are off", "a bad gateway", "the server is gone"],
)
def test_where_duckdb_gives_up_the_state_before_is_one_revert_away(
    main: duckdb.DuckDBPyConnection,
    catalog: RestCatalog,
    lake: Lake,
    faults: Faults,
    retries: int,
    struck: list[Fault],
) -> None:
    """DuckDB 1.5.5 then removes the files of rows that it believes to be refused, though they were committed.

    Nothing that it acknowledged is lost, but the table cannot be read until that commit is taken back.
    """
    main.execute(f"SET http_retries = {retries}")
    before = lake.catalog.ref("main").hash
    faults.next(*struck, path="transactions/commit")
    with pytest.raises(duckdb.Error):
        main.execute("INSERT INTO lake.s.t VALUES (10)")
    assert [one.fault for one in faults.struck] == struck
    faults.next()
    made = lake.catalog.commit_of(lake.catalog.ref("main").hash)
    assert made.parents == (before,)
    with pytest.raises(duckdb.Error, match="Cannot open file"):
        main.execute("SELECT i FROM lake.s.t").fetchall()
    lake.catalog.revert("main", made.hash)
    assert numbers(catalog, lake, main) == [0, 1, 2, 3]
    main.execute("INSERT INTO lake.s.t VALUES (11)")
    assert numbers(catalog, lake, main) == [0, 1, 2, 3, 11]


UNSURE = (CommitStateUnknownException, RESTError, requests.RequestException)
"""What PyIceberg raises where it does not know; after each it keeps the files that it wrote."""


def once(found: RestCatalog, name: str, value: int) -> None:
    """Appends a row as a user of PyIceberg does who wants it exactly once: he looks before he tries again."""
    mark = uuid4().hex
    for _ in range(12):
        try:
            table = found.load_table(name)
            if any(one.summary and one.summary.get("mark") == mark for one in table.snapshots()):
                return
            table.append(rows(value), snapshot_properties={"mark": mark})
        except CommitFailedException:
            raise
        except UNSURE:
            continue
        else:
            return
    raise AssertionError(f"{value} did not get through")


@pytest.mark.parametrize("fault", HEARD_BY_PYICEBERG, ids=lambda fault: fault.name)
def test_pyiceberg_finds_out_what_became_of_a_change_and_makes_it_once(
    main: duckdb.DuckDBPyConnection, catalog: RestCatalog, lake: Lake, faults: Faults, fault: Fault
) -> None:
    def change(do: Callable[[], object]) -> None:
        before = len(log(lake))
        faults.next(fault)
        try:
            do()
        except UNSURE:
            assert fault is not Fault.DELAY
        # There as a whole or not at all, whatever the client has heard.
        struck = faults.struck
        assert len(struck) == 1
        assert len(log(lake)) == before + (fault is not Fault.BEFORE)
        faults.next()
        if fault is Fault.BEFORE:
            do()
        assert len(log(lake)) == before + 1

    def evolve() -> None:
        with catalog.load_table("s.t").update_schema() as update:
            update.add_column("n", LongType())

    before = len(log(lake))
    faults.next(fault)
    once(catalog, "s.t", 10)
    assert len(log(lake)) == before + 1
    faults.next()
    assert numbers(catalog, lake, main) == [0, 1, 2, 3, 10]
    change(evolve)
    change(lambda: catalog.load_table("s.t").delete("i = 3"))
    change(lambda: catalog.create_namespace("new"))
    change(lambda: catalog.create_table("new.t", rows().schema))
    with pytest.raises(TableAlreadyExistsError):
        catalog.create_table("new.t", rows().schema)
    change(lambda: catalog.load_table("s.t").overwrite(rows(5, 6), "i = 10"))
    change(lambda: catalog.rename_table("new.t", "new.u"))
    assert numbers(catalog, lake, main) == [0, 1, 2, 5, 6]
    assert numbers(catalog, lake, main, "new.u") == []
    change(lambda: catalog.drop_table("new.u"))
    assert lake.at().tables == ("s.t",)


@pytest.mark.parametrize("fault", HEARD_BY_PYICEBERG, ids=lambda fault: fault.name)
def test_a_commit_that_is_sent_again_word_for_word_succeeds_and_is_there_once(
    main: duckdb.DuckDBPyConnection, catalog: RestCatalog, lake: Lake, faults: Faults, fault: Fault
) -> None:
    """PyIceberg with a transport that repeats requests, as a gateway may do as well."""
    repeats = Retry(5, allowed_methods=None, status_forcelist=[500, 502, 504], backoff_factor=0.01)
    catalog._session.mount("http://", HTTPAdapter(max_retries=repeats))
    table = catalog.load_table("s.t")
    cut = fault is Fault.CUT  # the one that the transport does not notice

    def change(do: Callable[[], object]) -> None:
        before = len(log(lake))
        faults.next(fault, path="tables/t")
        if cut:
            with pytest.raises(requests.RequestException):
                do()
        else:
            do()
        assert len(faults.struck) == 1
        assert len(log(lake)) == before + 1
        faults.next()
        table.refresh()

    def evolve() -> None:
        with table.update_schema() as update:
            update.add_column("n", LongType())

    change(lambda: table.append(rows(10)))
    change(lambda: table.delete("i = 3"))
    change(evolve)
    change(lambda: table.transaction().set_properties(a="b").commit_transaction())
    assert numbers(catalog, lake, main) == [0, 1, 2, 10]
    assert [one.name for one in lake.at().table("s.t").schema] == ["i", "n"]


@pytest.mark.parametrize("seed", range(3))
def test_rows_of_both_clients_are_there_once_on_a_network_that_fails_at_random(
    main: duckdb.DuckDBPyConnection, catalog: RestCatalog, lake: Lake, faults: Faults, seed: int
) -> None:
    chance = random.Random(seed)
    in_a_row: Counter[tuple[str, ...]] = Counter()

    def plan(*asked: str) -> Fault:
        # DuckDB asks four times, and after a 502 only once.
        if in_a_row[asked] == 2 or chance.random() < 0.5:
            in_a_row[asked] = 0
            return Fault.NONE
        in_a_row[asked] += 1
        return chance.choice(HEALED if "duckdb" in asked[2].lower() else [*HEALED, BAD_GATEWAY])

    failures: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 (handed to the test)
            failures.append(error)

    def insert() -> None:
        for number in range(100, 115):
            main.execute(f"INSERT INTO lake.s.t VALUES ({number})")

    def append() -> None:
        for number in range(200, 215):
            once(catalog, "s.t", number)

    before = len(log(lake))
    faults.plan = plan
    threads = [threading.Thread(target=guarded, args=(work,)) for work in (insert, append)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    faults.plan = Faults().plan
    assert not failures
    assert len(faults.struck) > 20
    assert numbers(catalog, lake, main) == [*range(4), *range(100, 115), *range(200, 215)]
    assert log(lake)[: len(log(lake)) - before] == ["Commit to s.t"] * 30
    sequences = [one["sequence-number"] for one in lake.at().table("s.t").metadata["snapshots"]]
    assert sequences == list(range(1, 32))
