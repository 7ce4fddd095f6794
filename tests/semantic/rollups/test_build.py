# ruff: noqa: DTZ001 - times in tables have no zone
"""What is written when: by partition, for the state of a ref, shared, safe when killed and when many build at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from ingot.semantic import Service
from ingot.semantic.rollups.keeping import Keeping, watching
from tests.semantic import shop
from tests.semantic.rollups.shelf import Shelf, answer, cubes, shelf, used

BY_DAY: dict[str, Any] = {
    "name": "by_day",
    "measures": ["count", "total", "mean"],
    "dimensions": ["status"],
    "time_dimension": "created_at",
    "granularity": "day",
    "partition_granularity": "month",
}
QUERY = {
    "measures": ["orders.count", "orders.total", "orders.mean"],
    "timeDimensions": [{"dimension": "orders.created_at", "granularity": "month"}],
}


def order(id: int, time: datetime | None, amount: int = 1) -> dict[str, Any]:
    return {"id": id, "customer_id": 1, "status": "done", "created_at": time, "paid": True, "amount": amount}


def rows(*orders: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    return {
        "orders": list(orders),
        "customers": [],
        "regions": [],
        "items": [],
        "products": [],
        "tickets": [],
    }


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Shelf]:
    months = [datetime(2026, month, 3) for month in (1, 2, 3)]
    parts = [rows(order(1, months[0]), order(2, months[1], 5)), rows(order(3, months[2], 7))]
    with shelf(tmp_path, parts) as found:
        yield found


def keeping(made: Shelf, service: Service) -> Keeping:
    assert service.rollups is not None
    return Keeping(service.rollups, service.states, made.lake, made.engine)


def test_only_the_partitions_that_a_new_file_touches_are_written(made: Shelf) -> None:
    service = made.service([BY_DAY])
    first = made.built(service)["orders.by_day"]
    assert [one.partition for one in first.files] == ["20260101", "20260201", "20260301", "none"]
    assert first.made == 4
    made.append("main", "orders", [order(4, datetime(2026, 3, 20), 9)])
    second = made.built(service)["orders.by_day"]
    assert second.made == 1
    assert [a.path == b.path for a, b in zip(first.files, second.files, strict=True)] == [
        True,
        True,
        False,
        True,
    ]
    assert used(service, QUERY) == ["orders.by_day"]
    assert answer(service, QUERY, "main") == answer(made.plain(), QUERY, "main")


def test_a_new_month_is_one_new_partition(made: Shelf) -> None:
    service = made.service([BY_DAY])
    made.built(service)
    made.append("main", "orders", [order(4, datetime(2026, 4, 1)), order(5, None, 3)])
    again = made.built(service)["orders.by_day"]
    assert (len(again.files), again.made) == (5, 2)  # April, and the rows without a time
    assert answer(service, QUERY, "main") == answer(made.plain(), QUERY, "main")


def test_a_changed_dimension_table_writes_every_partition(made: Shelf) -> None:
    service = made.service([{**BY_DAY, "dimensions": ["customers.city"]}])
    made.built(service)
    made.append("main", "customers", [{"id": 1, "region_id": None, "city": "Rome", "score": 1}])
    assert made.built(service)["orders.by_day"].made == 4


def test_what_did_not_change_is_not_computed_again(made: Shelf) -> None:
    service = made.service([BY_DAY])
    made.built(service)
    made.append("main", "tickets", [{"id": 1, "customer_id": 1, "topic": "x", "opened_at": None, "hours": 1}])
    assert made.built(service)["orders.by_day"].made == 0
    assert used(service, QUERY) == ["orders.by_day"]


def test_a_branch_shares_files_and_has_its_own_numbers(made: Shelf) -> None:
    service = made.service([BY_DAY])
    first = made.built(service)["orders.by_day"]
    made.lake.branch("dev", "main")
    assert used(service, QUERY, "dev") == ["orders.by_day"]
    made.append("dev", "orders", [order(9, datetime(2026, 1, 5), 100)])
    assert used(service, QUERY, "dev") == []  # never the numbers of main
    dev = made.built(service, "dev")["orders.by_day"]
    assert len({one.path for one in dev.files} & {one.path for one in first.files}) == 3
    for ref in ("main", "dev"):
        assert used(service, QUERY, ref) == ["orders.by_day"]
        assert answer(service, QUERY, ref) == answer(made.plain(), QUERY, ref)
    made.lake.merge("dev", "main")
    assert made.built(service)["orders.by_day"].made == 0


def test_old_states_are_answered_by_what_was_built_then(made: Shelf) -> None:
    service = made.service([BY_DAY])
    made.built(service)
    before = made.lake.at("main").hash
    made.append("main", "orders", [order(4, datetime(2026, 3, 20), 9)])
    made.built(service)
    assert used(service, QUERY, before) == ["orders.by_day"]
    assert answer(service, QUERY, before) == answer(made.plain(), QUERY, before)


def test_sums_beyond_64_bits_come_back_whole(made: Shelf) -> None:
    made.append("main", "orders", [order(n, datetime(2026, 3, 20), 2**62) for n in range(10, 20)])
    service = made.service([BY_DAY])
    made.built(service)
    query = {"measures": ["orders.total"]}
    assert used(service, query) == ["orders.by_day"]
    assert service.load(query)["data"] == [{"orders.total": str(10 * 2**62 + 13)}]


def test_many_builders_at_once_make_one_rollup(made: Shelf) -> None:
    service = made.service([BY_DAY])
    with ThreadPoolExecutor(4) as pool:
        builds = list(pool.map(lambda _: made.built(service)["orders.by_day"], range(8)))
    assert len({tuple(one.files) for one in builds}) == 1
    assert not list(made.root.glob("*/.*.writing"))
    assert answer(service, QUERY, "main") == answer(made.plain(), QUERY, "main")


def test_a_half_written_build_is_not_read_and_goes_away(made: Shelf) -> None:
    service = made.service([BY_DAY])
    build = made.built(service)["orders.by_day"]
    folder = made.root / build.definition
    (folder / ".abc.writing").write_bytes(b"half")
    (folder / f"{build.inputs}.json").write_bytes(b'{"name": "orders')
    fresh = made.service([BY_DAY])
    assert used(fresh, QUERY) == []
    assert made.built(fresh)["orders.by_day"].made == 0  # the finished files are still good
    assert used(fresh, QUERY) == ["orders.by_day"]
    keeping(made, fresh).clean(fresh.model, grace=0)
    assert not list(folder.glob("*.writing"))
    assert used(fresh, QUERY) == ["orders.by_day"]


def test_cleaning_drops_what_no_ref_needs(made: Shelf) -> None:
    service = made.service([BY_DAY])
    old = made.built(service)["orders.by_day"]
    made.append("main", "orders", [order(4, datetime(2026, 3, 20), 9)])
    new = made.built(service)["orders.by_day"]
    assert keeping(made, service).clean(service.model).files == 0  # younger than an hour
    removed = keeping(made, service).clean(service.model, grace=0)
    assert (removed.builds, removed.files) == (1, 1)
    assert all((made.root / one.path).exists() for one in new.files)
    assert not all((made.root / one.path).exists() for one in old.files)
    other = made.service([{**BY_DAY, "measures": ["count"]}])
    assert keeping(made, other).clean(other.model, grace=0).definitions == 1


def test_a_dropped_rollup_is_not_read_any_more(made: Shelf) -> None:
    service = made.service([BY_DAY])
    made.built(service)
    assert used(service, QUERY) == ["orders.by_day"]
    keeping(made, service).drop(service.model, ["orders.by_day"])
    assert used(service, QUERY) == []
    assert answer(service, QUERY, "main") == answer(made.plain(), QUERY, "main")


def test_build_ranges_are_whole_partitions_and_say_what_lies_outside(made: Shelf) -> None:
    ranged = {
        **BY_DAY,
        "build_range_start": {"sql": "SELECT TIMESTAMP '2026-02-10'"},
        "build_range_end": {"sql": "SELECT TIMESTAMP '2026-03-01'"},
    }
    service = made.service(
        [
            ranged,
            {"name": "all", "type": "rollup_lambda", "rollups": ["by_day"], "union_with_source_data": True},
        ]
    )
    build = made.built(service)["orders.by_day"]
    assert build.window == (datetime(2026, 2, 1), datetime(2026, 3, 1))
    assert used(service, QUERY) == ["orders.all"]
    inside = {
        **QUERY,
        "timeDimensions": [{"dimension": "orders.created_at", "dateRange": ["2026-02-01", "2026-02-28"]}],
    }
    assert used(service, inside) == ["orders.by_day"]
    for query in (QUERY, inside):
        assert answer(service, query, "main") == answer(made.plain(), query, "main")


def test_a_build_range_that_moves_is_read_anew(made: Shelf) -> None:
    query = {
        **QUERY,
        "timeDimensions": [{"dimension": "orders.created_at", "dateRange": ["2026-03-01", "2026-03-31"]}],
    }
    for start, expected in (
        ("2026-01-01", ["orders.by_day"]),
        ("2026-03-01", ["orders.by_day"]),
        ("2026-04-01", []),
    ):
        service = made.service([{**BY_DAY, "build_range_start": {"sql": f"SELECT TIMESTAMP '{start}'"}}])
        made.built(service)
        whole = {
            **QUERY,
            "timeDimensions": [{"dimension": "orders.created_at", "dateRange": ["2026-01-01", "2026-12-31"]}],
        }
        assert used(service, query) == expected
        for asked in (query, whole):
            assert answer(service, asked, "main") == answer(made.plain(), asked, "main")


def test_a_server_builds_after_main_has_moved(made: Shelf) -> None:
    service = made.service([BY_DAY])
    watcher = watching(service, made.lake, made.engine)
    watcher.start()
    try:
        for _ in range(200):
            if used(service, QUERY):
                break
            sleep(0.05)
        assert used(service, QUERY) == ["orders.by_day"]
    finally:
        watcher.close()
    assert answer(service, QUERY, "main") == answer(made.plain(), QUERY, "main")


def test_one_rollup_that_fails_stops_no_other(made: Shelf) -> None:
    bad = {"name": "bad", "measures": ["broken"], "dimensions": ["status"]}
    found = cubes([bad, BY_DAY])
    found[0]["measures"].append({"name": "broken", "type": "sum", "sql": "no_such_column"})
    service = Service(shop.project(found), made.lake, made.engine, rollups=made.root)
    done = keeping(made, service).build(service.model, "main")
    assert [one.result for one in done] == ["failed", "built"]
    assert "no_such_column" in str(done[0].error)
