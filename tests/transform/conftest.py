"""A lake with raw tables, and dbt in one worker process that all tests of this folder share."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from duckdb import DuckDBPyConnection

from ingot.engines.duckdb import connect, mount
from ingot.lake import Lake
from ingot.transform import BuildResult, NodeResult
from ingot.transform.dbt import DbtTransform
from ingot.transform.process import WorkerProcess

SHOP = Path(__file__).parent / "project"
BRANCH = "run/1"

ORDERS = """
    select * from (values
        (1, 1, 10.0, 'paid', timestamp '2026-01-05 09:00:00'),
        (2, 2, 20.0, 'open', timestamp '2026-01-20 10:00:00'),
        (3, 1, 30.5, 'paid', timestamp '2026-02-03 11:00:00'),
        (4, 3, 40.0, 'paid', timestamp '2026-03-01 12:00:00')
    ) t(order_id, customer_id, amount, status, ordered_at)"""
CUSTOMERS = """
    select * from (values
        (1, 'Ann', 'home', timestamp '2026-01-01'),
        (2, 'Bob', 'home', timestamp '2026-01-01'),
        (3, 'Cy', 'firm', timestamp '2026-01-01')
    ) t(customer_id, name, segment, updated_at)"""


@dataclass(frozen=True)
class Transform:
    path: Path
    vars: Mapping[str, Any] = field(default_factory=dict)
    threads: int = 2


@dataclass(frozen=True)
class Project:
    """As much of a project as the transformation asks for."""

    root: Path
    transform: Transform | None
    profile: str = "dev"
    state: Path | None = None

    @property
    def state_dir(self) -> Path:
        return self.state or self.root / ".ingot"

    @property
    def catalog_url(self) -> str:
        return f"sqlite:///{self.root / 'lake.db'}"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse"


@dataclass
class Shop:
    """A lake with a branch, and a dbt project to build on it."""

    project: Project
    lake: Lake
    con: DuckDBPyConnection
    worker: WorkerProcess
    mounted: int = 0

    def put(self, name: str, query: str) -> None:
        """Replaces a table of the branch."""
        self.lake.commit(BRANCH, [self.lake.stage(self.con, name, query, on=BRANCH)], message=f"test: {name}")

    def build(self, *select: str, dbt: Path | None = None, **options: Any) -> BuildResult:
        """Builds what is selected; the dbt project is the shop's unless given."""
        settings = Transform(dbt or SHOP, options.pop("variables", {}), options.pop("threads", 2))
        # What dbt has parsed holds for one set of variables.
        shared = self.project.state if dbt is None else None
        state = shared / "-".join(("state", *sorted(settings.vars))) if shared else None
        project = Project(self.project.root, settings, state=state)
        with DbtTransform(project, worker=self.worker) as transform:  # type: ignore[arg-type]
            return transform.build(self.lake, BRANCH, select=select, **options)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a query over the branch as it is now gives."""
        self.mounted += 1
        catalog = f"at_{self.mounted}"
        assert not mount(self.con, self.lake.at(BRANCH), catalog).broken
        cursor = self.con.cursor()
        cursor.execute(f"USE {catalog}")
        try:
            return cursor.execute(sql).fetchall()
        finally:
            cursor.close()

    def messages(self) -> list[str]:
        """The commit messages of the branch, newest first."""
        return [one.message for one in self.lake.catalog.log(self.lake.catalog.ref(BRANCH).hash)]


@pytest.fixture(scope="session")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcess]:
    """The process that all tests build in; a test that ends it starts its own."""
    process = WorkerProcess(tmp_path_factory.mktemp("worker") / "worker.log")
    yield process
    process.close()


@pytest.fixture(scope="session")
def dbt_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where dbt keeps what it has parsed of the shop's project, which no test changes."""
    return tmp_path_factory.mktemp("dbt")


@pytest.fixture
def shop(tmp_path: Path, worker: WorkerProcess, dbt_state: Path) -> Iterator[Shop]:
    """The raw tables on a branch, and the shop's dbt project."""
    project = Project(tmp_path, Transform(SHOP), state=dbt_state)
    with Lake(project.catalog_url, project.warehouse) as lake:
        lake.branch(BRANCH)
        con = connect()
        one = Shop(project, lake, con, worker)
        one.put("raw.orders", ORDERS)
        one.put("raw.customers", CUSTOMERS)
        yield one
        con.close()


def by_name(result: BuildResult) -> dict[str, NodeResult]:
    """The nodes of a build by name."""
    return {node.name: node for node in result.nodes}


def dbt_project(folder: Path, files: Mapping[str, str]) -> Path:
    """A small dbt project made of `files`."""
    for name, text in {"dbt_project.yml": "name: small\nprofile: any\n", **files}.items():
        path = folder / "dbt" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "dbt"


Builder = Callable[..., BuildResult]
Names = Sequence[str]
