"""What a build did, as immutable data: nodes, events, the whole. Nothing here knows of dbt's classes."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Self

Kind = Literal["model", "test", "seed", "snapshot", "unit_test", "hook"]
Status = Literal["ok", "failed", "warned", "skipped"]


@dataclass(frozen=True, slots=True)
class NodeResult:
    """One node of the transformation graph, and how it ended."""

    unique_id: str
    """dbt's id, `model.storefront.fact_orders`; what `completed` of a later build lists."""
    name: str
    kind: Kind
    status: Status
    seconds: float = 0.0
    rows: int | None = None
    """Rows that the node wrote; None for a view and for a test."""
    bytes: int | None = None
    """Bytes of data files written."""
    error: str | None = None
    """What went wrong, without dbt's headings and colours; for a warning, the warning."""
    relation: str | None = None
    """The table or view that the node makes, or that the test is about: `gold.fact_orders`."""
    failing_rows: int | None = None
    """Of a failed or warned test: how many rows it found."""
    failing_rows_sql: str | None = None
    """A SELECT that shows those rows on the branch; None where there are none to show."""
    file: str | None = None
    """Path below the dbt project; for a test in YAML, the YAML file."""

    def to_message(self) -> dict[str, Any]:
        """The result as plain JSON values."""
        return asdict(self)

    @classmethod
    def of_message(cls, message: Mapping[str, Any]) -> Self:
        """The result that `to_message` described."""
        return cls(**message)


@dataclass(frozen=True, slots=True)
class NodeEvent:
    """A node that just started or finished."""

    what: Literal["started", "finished"]
    unique_id: str
    name: str
    kind: Kind
    total: int
    """How many nodes the build has."""
    result: NodeResult | None = None
    """How it ended, once it has."""


OnEvent = Callable[[NodeEvent], None]


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What a build did to its branch."""

    status: Literal["ok", "failed"]
    """`ok` also where tests only warned."""
    nodes: tuple[NodeResult, ...] = ()
    inputs: tuple[str, ...] = ()
    """Tables and views of the branch that the build read and did not make: `raw.orders`."""
    manifest: Path | None = None
    """dbt's `manifest.json`, for lineage."""
    error: str | None = None
    """What went wrong outside of any node."""

    @property
    def failures(self) -> tuple[NodeResult, ...]:
        """The nodes that failed, in the order in which they ended."""
        return tuple(node for node in self.nodes if node.status == "failed")
