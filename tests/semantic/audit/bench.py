"""A lake of tables that a test writes in SQL, a service over a model in YAML, and plain SQL beside it.

`rows` asks the service; `sql` asks DuckDB over the same tables, without anything of the semantic layer.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

from ingot.engines.duckdb import DuckDBEngine, connect
from ingot.lake import Lake
from ingot.project import Cube, View
from ingot.semantic import Service
from ingot.semantic.context import ANYONE, Context
from ingot.semantic.rollups.build import build


class Bench:
    """Tables in a lake and in a plain DuckDB."""

    def __init__(self, folder: Path, tables: Mapping[str, str]) -> None:
        self.folder = folder
        self.con = connect()
        self.con.execute("SET TimeZone = 'UTC'")
        self.con.execute("CREATE SCHEMA gold")
        self.lake = Lake(f"sqlite:///{folder}/lake.db", folder / "warehouse")
        staged = []
        for name, select in tables.items():
            self.con.execute(f"CREATE TABLE gold.{name} AS {select}")
            staged.append(self.lake.stage(self.con, f"gold.{name}", f"FROM gold.{name}", on="main"))
        self.lake.commit("main", staged, message="tables")
        self.engine = DuckDBEngine(self.lake, readable=[folder / "rollups"])
        self._services = 0

    def close(self) -> None:
        self.engine.close()
        self.lake.close()
        self.con.close()

    def write(self, branch: str, table: str, select: str, mode: Any = "append") -> None:
        """Rows of `select` into a table on a branch of the lake, and not into the plain DuckDB."""
        with connect() as con:
            self.lake.commit(
                branch,
                [self.lake.stage(con, f"gold.{table}", select, on=branch, mode=mode)],
                message="more rows",
            )

    def service(self, model: str, *, rollups: bool = False) -> Service:
        """A service of a model; with `rollups` all pre-aggregations are built, else there are none."""
        self._services += 1
        root = self.folder / "rollups" / str(self._services)
        made = Service(project(model), self.lake, self.engine, rollups=root if rollups else None)
        if rollups:
            self.built(made)
        return made

    def built(self, service: Service, ref: str = "main") -> None:
        assert service.rollups is not None
        at = service.states.at(ref)
        for rollup in service.rollups.of(service.model):
            tables = service.states.tables(rollup.tables, at)
            if not rollup.parts and tables is not None and rollup.never is None:
                build(rollup, at.state, tables, engine=self.engine, store=service.rollups.store)

    def sql(self, text: str) -> list[tuple[Any, ...]]:
        """What plain SQL says, each value as an answer shows it."""
        return [tuple(shown(value) for value in row) for row in self.con.execute(text).fetchall()]


@contextmanager
def bench(folder: Path, tables: Mapping[str, str]) -> Iterator[Bench]:
    made = Bench(folder, tables)
    try:
        yield made
    finally:
        made.close()


def project(model: str) -> Any:
    """A project whose model is the text, in YAML."""
    given = yaml.safe_load(model)
    return SimpleNamespace(
        cubes=tuple(Cube.model_validate(one) for one in given.get("cubes", ())),
        views=tuple(View.model_validate(one) for one in given.get("views", ())),
        dashboards=(),
        parts=None,
    )


def shown(value: Any) -> Any:
    """A value as text, so that 2, 2.0 and Decimal('2.00') are the same number."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    if isinstance(value, date):
        return f"{value.isoformat()}T00:00:00.000"
    return number(Decimal(repr(value)) if isinstance(value, float) else Decimal(value))


def number(value: Decimal) -> str:
    """To 12 digits, which is as far as sums of doubles agree."""
    if not value:
        return "0"
    text = format(value, ".12g" if value != value.to_integral_value() else "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def rows(
    service: Service, query: Mapping[str, Any], context: Context = ANYONE, ref: str | None = None
) -> list[tuple[Any, ...]]:
    """The rows of an answer: dimensions, then times, then measures, as the query names them."""
    answer = service.load(dict(query), context=context, ref=ref)
    keys = list(query.get("dimensions", []))
    times = query.get("timeDimensions", [])
    keys += [f"{time['dimension']}.{time['granularity']}" for time in times if time.get("granularity")]
    keys += query.get("measures", [])
    numeric = {
        name
        for part in ("measures", "dimensions")
        for name, one in answer["annotation"][part].items()
        if one["type"] == "number"
    }
    return [
        tuple(
            number(Decimal(row[key])) if key in numeric and row[key] is not None else row[key] for key in keys
        )
        for row in answer["data"]
    ]
