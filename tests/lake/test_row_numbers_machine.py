"""Rows of a version 3 table that Ingot and DuckDB write in turn: each keeps its number, and no number is given twice.

The model is a dictionary in memory; a new row's number is learnt when it is first read, and must be a new one.
"""

import contextlib
import tempfile
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from starlette.applications import Starlette
from starlette.routing import Mount

from ingot.engines.duckdb import connect
from ingot.lake import Lake
from ingot.lake.maintenance import Outcome, Step, maintain
from ingot.lake.rest import routes
from tests.lake.rest.conftest import serving

KEYS = st.sets(st.integers(0, 30), min_size=1, max_size=6)


class NumbersMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.stack = contextlib.ExitStack()
        folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.lake = self.stack.enter_context(Lake(f"sqlite:///{folder}/lake.db", f"{folder}/wh"))
        app = Starlette(routes=[Mount("/iceberg", routes=routes(self.lake))])
        address = self.stack.enter_context(serving(app))
        self.con = self.stack.enter_context(connect(extensions=("avro", "httpfs", "iceberg"), threads=1))
        self.con.execute(
            f"ATTACH 'main' AS lake (TYPE iceberg, ENDPOINT '{address}/iceberg', AUTHORIZATION_TYPE none)"
        )
        self.count = 0
        self.fresh = 100
        self.rows: dict[int, str] = {}
        self.numbers: dict[int, int] = {}
        self.changed: dict[int, int] = {}
        self.given: set[int] = set()
        self.touched: set[int] = set()

    def teardown(self) -> None:
        self.stack.close()

    @initialize(parted=st.booleans())
    def begin(self, parted: bool) -> None:
        self.con.execute("CREATE SCHEMA lake.s")
        how = "PARTITIONED BY (p)" if parted else ""
        self.con.execute(
            f"CREATE TABLE lake.s.t (i BIGINT, p BIGINT, v VARCHAR) {how} WITH ('format-version' = '3')"
        )
        self.upserts(set(range(8)))

    def query(self, keys: set[int]) -> str:
        self.count += 1
        values = ", ".join(f"({i}::BIGINT, {i % 3}::BIGINT, 'v{self.count}')" for i in sorted(keys))
        return f"SELECT * FROM (VALUES {values}) t(i, p, v)"

    def stage(self, query: str, mode: Any, **more: Any) -> None:
        staged = self.lake.stage(self.con, "s.t", query, on="main", mode=mode, **more)
        self.lake.commit("main", [staged], message=mode)

    def wrote(self, keys: set[int]) -> None:
        self.rows |= dict.fromkeys(keys, f"v{self.count}")
        self.touched |= keys

    @rule(keys=KEYS)
    def upserts(self, keys: set[int]) -> None:
        self.stage(self.query(keys), "upsert", by=["i"])
        self.wrote(keys)

    @rule(size=st.integers(1, 4), by_duckdb=st.booleans())
    def appends(self, size: int, by_duckdb: bool) -> None:
        keys = set(range(self.fresh, self.fresh + size))
        self.fresh += size
        query = self.query(keys)
        if by_duckdb:
            self.con.execute(f"INSERT INTO lake.s.t {query}")
        else:
            self.stage(query, "append")
        self.wrote(keys)

    @rule(rest=st.integers(0, 4))
    def deletes(self, rest: int) -> None:
        self.con.execute(f"DELETE FROM lake.s.t WHERE i % 5 = {rest}")
        self.rows = {i: v for i, v in self.rows.items() if i % 5 != rest}

    @rule(rest=st.integers(0, 4))
    def updates(self, rest: int) -> None:
        self.count += 1
        self.con.execute(f"UPDATE lake.s.t SET v = 'v{self.count}' WHERE i % 5 = {rest}")
        self.wrote({i for i in self.rows if i % 5 == rest})

    @rule()
    def compacts(self) -> None:
        done = maintain(self.lake, self.con, steps=[Step.COMPACT, Step.MANIFESTS])
        assert all(one.outcome is Outcome.DONE for one in done.tables), done

    @rule(size=st.integers(1, 4))
    def appends_across_a_compaction(self, size: int) -> None:
        keys = set(range(self.fresh, self.fresh + size))
        self.fresh += size
        self.con.execute("BEGIN")
        self.con.execute(f"INSERT INTO lake.s.t {self.query(keys)}")
        with connect(extensions=("avro", "iceberg"), threads=1) as other:
            maintain(self.lake, other, steps=[Step.COMPACT])
        self.con.execute("COMMIT")
        self.wrote(keys)

    @invariant()
    def rows_and_their_numbers_are_right(self) -> None:
        if not self.count:
            return
        table = self.lake.at().table("s.t")
        last = table.metadata["last-sequence-number"]
        found = self.con.execute(
            "SELECT i, v, _row_id, _last_updated_sequence_number FROM lake.s.t"
        ).fetchall()
        assert sorted((i, v) for i, v, *_ in found) == sorted(self.rows.items())
        scanned = self.con.execute(f"SELECT i, v FROM {self.lake.at().scan('s.t')}").fetchall()
        assert sorted(scanned) == sorted(self.rows.items())
        assert table.rows == len(found)
        before = {i: one for i, one in self.numbers.items() if i in self.rows}
        self.numbers = {i: number for i, _, number, _ in found}
        assert {i: self.numbers[i] for i in before} == before
        new = [number for i, number in self.numbers.items() if i not in before]
        assert not self.given & set(new)
        assert len(set(new)) == len(new)
        self.given |= set(new)
        assert max(self.given) < table.metadata["next-row-id"]
        for i, _, _, changed in found:
            if i in self.touched:
                assert self.changed.get(i, 0) < changed <= last
            else:
                assert changed == self.changed[i]
        self.changed = {i: changed for i, _, _, changed in found}
        self.touched = set()


PATIENT = settings(
    max_examples=12,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
NumbersMachine.TestCase.settings = PATIENT
TestNumbers = pytest.mark.slow(NumbersMachine.TestCase)
