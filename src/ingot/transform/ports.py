"""The seam of the transformation: what any engine of it must do, and the one that does nothing.

An engine is bound to one project and used for one run. The contract is dbt's: models in the order of
their dependencies, tests after what they test, children of a failure skipped.
"""

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from ingot.transform.model import BuildResult, OnEvent

if TYPE_CHECKING:
    from ingot.lake import Lake


class TransformEngine(Protocol):
    """Builds the transformations of one project on a branch of its lake."""

    def fingerprint(self) -> str:
        """Changes where anything that a build depends on has changed, other than the data.

        Raises `DbtProjectError` where the project's files are not there.
        """

    def start(self) -> None:
        """Gets ready in the background; returns at once. Calling it is never needed and never wrong."""

    def build(
        self,
        lake: "Lake",
        branch: str,
        *,
        select: Sequence[str] = (),
        exclude: Sequence[str] = (),
        full_refresh: bool = False,
        completed: frozenset[str] = frozenset(),
        on_event: OnEvent | None = None,
    ) -> BuildResult:
        """Builds and tests on `branch`, one commit a model.

        Args:
            lake: the lake that holds the branch.
            branch: where tables are read and written.
            select: dbt's selectors; none: everything.
            exclude: dbt's selectors of what is left out.
            full_refresh: builds incremental models from scratch.
            completed: unique ids that an earlier build of this branch has done; they are left out.
            on_event: is told of each node as it starts and finishes.

        Raises:
            DbtProjectError: the project cannot be compiled; nothing was built.
            TransformError: the build ended early; the branch holds the nodes that were reported.
        """

    def close(self) -> None:
        """Ends whatever `start` or `build` has started."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class NullTransform:
    """The engine of a project without transformations: nothing to build, and always the same."""

    def fingerprint(self) -> str:
        """A constant."""
        return "none"

    def start(self) -> None:
        """Nothing to get ready."""

    def build(
        self,
        lake: "Lake",  # noqa: ARG002 - the port's signature
        branch: str,  # noqa: ARG002
        *,
        select: Sequence[str] = (),  # noqa: ARG002
        exclude: Sequence[str] = (),  # noqa: ARG002
        full_refresh: bool = False,  # noqa: ARG002
        completed: frozenset[str] = frozenset(),  # noqa: ARG002
        on_event: OnEvent | None = None,  # noqa: ARG002
    ) -> BuildResult:
        """An empty result."""
        return BuildResult("ok")

    def close(self) -> None:
        """Nothing to end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None
