"""A cube with members of every kind over a table with columns of every type, and a view of it with members of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ingot.engines.duckdb import DuckDBEngine, connect
from ingot.lake import Lake
from ingot.project import Cube, View
from ingot.semantic import Service
from tests.semantic.lakes import Served

ROWS = """
    SELECT n::BIGINT AS id, n::INTEGER AS small, n * 5000000000 AS large, (n * 1.25)::FLOAT AS thin, n * 0.1::DOUBLE AS wide,
        (n * 12.34)::DECIMAL(14, 2) AS price, (n * 1.000001)::DECIMAL(38, 6) AS fine, n % 2 = 0 AS even,
        chr((64 + n)::INTEGER) AS letter, DATE '2026-01-30' + n::INTEGER AS day, TIMESTAMP '2026-01-31 22:30:00.123456' + INTERVAL (n) HOUR AS moment,
        TIMESTAMPTZ '2026-01-31 22:30:00+02' + INTERVAL (n) DAY AS instant, uuid() AS token, 'x'::BLOB AS bytes, [n, n + 1]::BIGINT[] AS numbers,
        (n % 3)::BIGINT AS part_id
    FROM range(1, 8) AS r(n)
    UNION ALL SELECT 99, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
"""
PARTS = "SELECT n::BIGINT AS id, 'part ' || n AS name FROM range(3) AS r(n)"


def _dimension(name: str, kind: str, sql: str | None = None, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "sql": sql or f"{{CUBE}}.{name}"} | more


def _measure(name: str, kind: str, sql: str | None = None, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind} | ({"sql": sql} if sql else {}) | more


NUMBERS = ("small", "large", "thin", "wide", "price", "fine")
THINGS: dict[str, Any] = {
    "name": "things",
    "sql_table": "gold.things",
    "joins": [
        {"name": "parts", "relationship": "many_to_one", "sql": "{CUBE}.part_id = {parts.id}"},
        {"name": "others", "relationship": "one_to_many", "sql": "{CUBE}.id = {others}.part_id"},
    ],
    "dimensions": [
        _dimension("id", "number", "id", primary_key=True),
        *(_dimension(one, "number") for one in NUMBERS),
        _dimension("sum_of_two", "number", "{small} + {CUBE}.large"),
        _dimension("half", "number", "{CUBE}.small / 2"),
        _dimension("seven", "number", "7"),
        _dimension("letter", "string"),
        _dimension("token", "string"),
        _dimension("numbers", "string"),
        _dimension("bytes", "string"),
        _dimension("number_as_text", "string", "{CUBE}.small"),
        _dimension("even", "boolean"),
        _dimension("even_as_number", "number", "{CUBE}.even"),
        _dimension("number_of_text", "number", "CAST({CUBE}.small AS VARCHAR)"),
        _dimension("number_as_boolean", "boolean", "{CUBE}.small"),
        _dimension("text_as_boolean", "boolean", "CAST({CUBE}.even AS VARCHAR)"),
        _dimension("span_as_text", "string", "to_months({CUBE}.small) + INTERVAL '25 hours'"),
        _dimension("cast", "number", "CAST({CUBE}.small AS DOUBLE)"),
        _dimension("cast_to_digits", "number", "{CUBE}.wide::DECIMAL(9, 3)"),
        _dimension("day", "time"),
        _dimension("moment", "time"),
        _dimension("instant", "time"),
        {"name": "place", "type": "geo", "latitude": {"sql": "{CUBE}.wide"}, "longitude": {"sql": "{CUBE}.thin"}},
        {"name": "size", "type": "string", "case": {"when": [{"sql": "{CUBE}.small > 3", "label": "big"}], "else": {"label": "small"}}},
        {"name": "MixedCase", "type": "string", "sql": "{CUBE}.letter"},
        _dimension("a_name_of_more_than_sixty_three_bytes_which_is_what_postgresql_keeps", "string", "{CUBE}.letter"),
        _dimension("part", "string", "{parts.name}"),
        _dimension("others_count", "number", "{others.count}", sub_query=True),
        _dimension("secret", "string", "{CUBE}.letter", public=False),
    ],
    "measures": [
        _measure("count", "count"),
        _measure("count_of_even", "count", "{CUBE}.id", filters=[{"sql": "{CUBE}.even"}]),
        _measure("letters", "count_distinct", "{CUBE}.letter"),
        _measure("about_letters", "count_distinct_approx", "{CUBE}.letter"),
        *(_measure(f"{kind}_{one}", kind, f"{{CUBE}}.{one}") for one in NUMBERS for kind in ("sum", "min", "max", "avg")),
        *(_measure(f"latest_{one}", "max", f"{{CUBE}}.{one}") for one in ("letter", "even", "day", "moment", "instant", "token")),
        _measure("latest_cast", "max", "{CUBE}.day::TIMESTAMP"),
        _measure("least_text", "min", "CAST({CUBE}.small AS VARCHAR)"),
        _measure("sum_by_name", "sum", "{small}"),
        _measure("sum_of_one", "sum", "1"),
        _measure("sum_of_products", "sum", "{CUBE}.small * {CUBE}.price"),
        _measure("ratio", "number", "{sum_small} / NULLIF({count}, 0)"),
        _measure("difference", "number", "{sum_small} - {count}"),
        _measure("spread", "number", "max({CUBE}.small) - min({CUBE}.small)"),
        _measure("first_letter", "string", "min({CUBE}.letter)"),
        _measure("any_even", "boolean", "bool_or({CUBE}.even)"),
        _measure("last_moment", "time", "max({CUBE}.moment)"),
        _measure("per_other", "number", "{sum_small} / {others.count}"),
        _measure("rolled", "sum", "{CUBE}.small", rolling_window={"trailing": "unbounded"}),
        _measure("of_all", "number", "{sum_small}", multi_stage=True, group_by=[]),
        _measure("place_among", "rank", multi_stage=True, order_by=[{"sql": "{sum_small}", "dir": "desc"}], reduce_by=["letter"]),
    ],
    "segments": [{"name": "is_even", "sql": "{CUBE}.even"}],
}  # fmt: skip
OTHERS: dict[str, Any] = {
    "name": "others",
    "sql": "SELECT * FROM gold.things",
    "dimensions": [_dimension("id", "number", "id", primary_key=True), _dimension("moment", "time")],
    "measures": [_measure("count", "count"), _measure("sum_large", "sum", "large")],
}
PARTS_CUBE: dict[str, Any] = {
    "name": "parts",
    "sql_table": "gold.parts",
    "dimensions": [_dimension("id", "number", "id", primary_key=True), _dimension("name", "string")],
    "measures": [_measure("count", "count")],
}
ONLY_MEASURES: dict[str, Any] = {
    "name": "totals_of_a_cube_whose_name_is_longer_than_what_postgresql_keeps_of_it",
    "sql_table": "gold.things",
    "dimensions": [_dimension("id", "number", "id", primary_key=True, public=False)],
    "measures": [_measure("count", "count"), _measure("spread", "number", "max({CUBE}.small)")],
}
VIEW: dict[str, Any] = {
    "name": "everything",
    "cubes": [
        {"join_path": "things", "includes": "*"},
        {"join_path": "things.parts", "includes": "*", "prefix": True},
    ],
    "dimensions": [{"name": "letter_and_part", "type": "string", "sql": "{letter} || {parts_name}"}],
    "measures": [{"name": "per_part", "type": "number", "sql": "{sum_small} / NULLIF({parts_count}, 0)"}],
    "segments": [{"name": "even_big", "sql": "{even} AND {size} = 'big'"}],
}


@contextmanager
def kinds(folder: Path) -> Iterator[Served]:
    """A service over such a lake in `folder`."""
    project: Any = SimpleNamespace(
        cubes=tuple(Cube.model_validate(one) for one in (THINGS, OTHERS, PARTS_CUBE, ONLY_MEASURES)),
        views=(View.model_validate(VIEW),),
        dashboards=(),
        parts=None,
    )
    with connect() as con, Lake(f"sqlite:///{folder}/lake.db", folder / "warehouse") as lake:
        staged = [
            lake.stage(con, "gold.things", ROWS, on="main"),
            lake.stage(con, "gold.parts", PARTS, on="main"),
        ]
        lake.commit("main", staged, message="all kinds")
        engine = DuckDBEngine(lake)
        service = Service(project, lake, engine)
        try:
            yield Served(service, lake, engine)
        finally:
            service.close()
            engine.close()
