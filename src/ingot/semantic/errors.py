"""What can be wrong with a semantic query. Mistakes in model files are `ProjectError`s of `ingot.project`."""

from collections.abc import Iterable

from ingot.errors import IngotError, UsageError, did_you_mean


class QueryError(UsageError):
    """The query asks for something that does not exist or has no sound answer."""

    code = "query"


class MemberError(QueryError):
    """A member, cube or view of the query is not in the model."""

    def __init__(self, kind: str, name: str, known: Iterable[str] = ()) -> None:
        shown = name if len(name) <= 120 else name[:117] + "..."
        near = did_you_mean(name, known) if len(name) <= 120 else ""
        super().__init__(
            f"There is no {kind} '{shown}'{near}.", hint="GET /cubejs-api/v1/meta lists all members."
        )
        self.name = name


class ExecutionError(IngotError):
    """The engine could not run the SQL of a valid query: usually a snippet of the model does not fit its table."""

    code = "execution"
    status = 400
