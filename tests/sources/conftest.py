"""A project with one source table over files that a test writes, and the real lake under it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingot.engines.duckdb import DuckDBEngine, connect
from ingot.lake import Lake
from ingot.project import load as load_project
from ingot.sources import LoadResult, Plan, load, plan


@dataclass
class Room:
    """Files below `data/`, one table `raw.t` that is read from them, and what comes of it."""

    root: Path
    lake: Lake
    table: dict[str, Any] = field(default_factory=lambda: {"path": "*"})

    def write(self, name: str, content: bytes | str) -> Path:
        path = self.root / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def plan(self, **table: Any) -> Plan:
        self.table |= table
        source = {"path": "data", "tables": {"t": self.table}}
        (self.root / "sources" / "files.yml").write_text(yaml.safe_dump(source))
        project = load_project(self.root)
        [only] = project.sources
        return plan(project, only, only.tables[0], self.lake.at("main"))

    def execute(self, todo: Plan) -> LoadResult:
        with connect(threads=2) as con:
            staged, result = load(con, self.lake, todo, on="main")
        self.lake.commit("main", [staged], message=todo.reason)
        return result

    def load(self, **table: Any) -> LoadResult:
        return self.execute(self.plan(**table))

    def rows(self, sql: str = "SELECT * FROM raw.t") -> list[tuple[Any, ...]]:
        engine = DuckDBEngine(self.lake, threads=1)
        try:
            return engine.query(sql, at=self.lake.at("main")).rows
        finally:
            engine.close()

    def types(self) -> dict[str, str]:
        return {each.name: each.type for each in self.lake.at("main").table("raw.t").schema}

    def untouched(self) -> bool:
        """Whether nothing was left behind: no table, no data file, no temporary file."""
        warehouse = Path(self.lake.warehouse)
        left = [path for path in warehouse.rglob("*") if path.is_file()] if warehouse.exists() else []
        temporary = list((self.root / ".ingot" / "tmp").glob("*"))
        return not (left or temporary or "raw.t" in self.lake.at("main").tables)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    root = tmp_path / "project"
    (root / "sources").mkdir(parents=True)
    (root / "data").mkdir()
    (root / "ingot.yml").write_text("")
    (root / "sources" / "files.yml").write_text("path: data\ntables: {t: {path: '*'}}\n")
    with Lake.open(load_project(root)) as lake:
        yield Room(root, lake)
