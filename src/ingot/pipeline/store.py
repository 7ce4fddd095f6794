"""The record of runs and their steps in the state database (`ops.db`, or PostgreSQL by URL).

It is a record, not the truth about data: the lake's commits say what was published. A lost `ops.db`
costs history, never rows.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa

from ingot.errors import NotFoundError
from ingot.lake import Store
from ingot.pipeline.model import RunResult, RunStatus, Step, StepStatus
from ingot.project import Project

_METADATA = sa.MetaData()

_RUNS = sa.Table(
    "runs",
    _METADATA,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("branch", sa.String(200), nullable=False),
    sa.Column("commit", sa.String(64)),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("started", sa.String(40), nullable=False),
    sa.Column("seconds", sa.Float, nullable=False, default=0.0),
    sa.Column("error", sa.Text),
)

_STEPS = sa.Table(
    "steps",
    _METADATA,
    sa.Column("run", sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(300), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("rows", sa.BigInteger),
    sa.Column("bytes", sa.BigInteger),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("error", sa.Text),
    sa.Column("rows_sql", sa.Text),
    sa.Column("key", sa.String(500)),
)


class RunStore:
    """Runs and steps by URL; safe for several processes."""

    def __init__(self, url: str) -> None:
        self._store = Store(url, what="record of runs")
        try:
            self._store.write(_prepare)
        except BaseException:
            self._store.close()
            raise

    @classmethod
    def open(cls, project: Project) -> Self:
        """The project's store, made where it is not there yet."""
        project.state_dir.mkdir(parents=True, exist_ok=True)
        return cls(project.ops_url)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Gives back the connections."""
        self._store.close()

    def begin(self, result: RunResult, fingerprint: str) -> None:
        """Records a run that starts, or starts again."""

        def work(connection: sa.Connection) -> None:
            connection.execute(sa.delete(_STEPS).where(_STEPS.c.run == result.run))
            connection.execute(sa.delete(_RUNS).where(_RUNS.c.id == result.run))
            connection.execute(
                sa.insert(_RUNS).values(
                    id=result.run,
                    status=result.status.value,
                    branch=result.branch,
                    commit=result.commit,
                    fingerprint=fingerprint,
                    started=result.started.isoformat(),
                    seconds=result.seconds,
                    error=result.error,
                )
            )

        self._store.write(work)

    def add_steps(self, run: str, first: int, steps: Sequence[Step]) -> None:
        """Records ended steps, numbered from `first`."""
        if not steps:
            return
        rows = [
            {
                "run": run,
                "position": first + offset,
                "name": step.name,
                "kind": step.kind,
                "status": step.status.value,
                "rows": step.rows,
                "bytes": step.bytes,
                "seconds": step.seconds,
                "error": step.error,
                "rows_sql": step.rows_sql,
                "key": step.key,
            }
            for offset, step in enumerate(steps)
        ]
        self._store.write(lambda connection: connection.execute(sa.insert(_STEPS), rows))

    def finish(self, result: RunResult) -> None:
        """Records how a run ended."""
        ended = (
            sa.update(_RUNS)
            .where(_RUNS.c.id == result.run)
            .values(
                status=result.status.value, commit=result.commit, seconds=result.seconds, error=result.error
            )
        )
        self._store.write(lambda connection: connection.execute(ended))

    def mark_interrupted(self) -> list[str]:
        """Ends the records of runs whose process is gone; the caller holds the run lock, so all are.

        Returns their ids, oldest first.
        """

        def work(connection: sa.Connection) -> list[str]:
            running = _RUNS.c.status == RunStatus.RUNNING.value
            ids: list[str] = list(
                connection.scalars(sa.select(_RUNS.c.id).where(running).order_by(_RUNS.c.id))
            )
            connection.execute(
                sa.update(_RUNS)
                .where(running)
                .values(
                    status=RunStatus.INTERRUPTED.value,
                    error="The process ended before the run did; main is as it was.",
                )
            )
            return ids

        return self._store.write(work)

    def get(self, run: str) -> RunResult:
        """The run `run`; `NotFoundError` with the nearest id."""
        found = self._select(_RUNS.c.id == run)
        if not found:
            raise NotFoundError("run", run, self.ids(), hint="ingot status lists the runs.")
        return found[0]

    def fingerprint(self, run: str) -> str | None:
        """The fingerprint of the transformations that the run was started with."""
        query = sa.select(_RUNS.c.fingerprint).where(_RUNS.c.id == run)
        return self._store.read(lambda connection: connection.scalar(query))

    def ids(self) -> list[str]:
        """Ids of all runs, newest first."""
        query = sa.select(_RUNS.c.id).order_by(_RUNS.c.id.desc())
        return self._store.read(lambda connection: list(connection.scalars(query)))

    def recent(self, limit: int = 20) -> list[RunResult]:
        """The newest runs, newest first."""
        return self._select(sa.true(), limit)

    def _select(self, condition: sa.ColumnElement[bool], limit: int | None = None) -> list[RunResult]:
        query = sa.select(_RUNS).where(condition).order_by(_RUNS.c.id.desc()).limit(limit)
        return self._store.read(lambda connection: _results(connection, query))


def _results(connection: sa.Connection, query: sa.Select[Any]) -> list[RunResult]:
    runs = connection.execute(query).mappings().all()
    ids = [run["id"] for run in runs]
    steps: dict[str, list[Step]] = {run: [] for run in ids}
    ordered = sa.select(_STEPS).where(_STEPS.c.run.in_(ids)).order_by(_STEPS.c.position)
    for row in connection.execute(ordered).mappings():
        steps[row["run"]].append(
            Step(
                name=row["name"],
                kind=row["kind"],
                status=StepStatus(row["status"]),
                rows=row["rows"],
                bytes=row["bytes"],
                seconds=row["seconds"],
                error=row["error"],
                rows_sql=row["rows_sql"],
                key=row["key"],
            )
        )
    return [
        RunResult(
            run=run["id"],
            status=RunStatus(run["status"]),
            branch=run["branch"],
            commit=run["commit"],
            seconds=run["seconds"],
            steps=tuple(steps[run["id"]]),
            error=run["error"],
            started=datetime.fromisoformat(run["started"]).astimezone(UTC),
        )
        for run in runs
    ]


def _prepare(connection: sa.Connection) -> None:
    """Makes the tables, or brings those of an earlier version up to date: every column ever added may be NULL."""
    _METADATA.create_all(connection)
    present = sa.inspect(connection)
    quote = connection.dialect.identifier_preparer.quote
    for table in _METADATA.sorted_tables:
        known = {column["name"] for column in present.get_columns(table.name)}
        for column in table.columns:
            if column.name not in known:
                kind = column.type.compile(connection.dialect)
                connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {quote(column.name)} {kind}")
