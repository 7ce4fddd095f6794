"""What is wrong with SQL that somebody wrote, and where in it."""

from sqlglot import exp

from ingot.semantic.errors import QueryError


class SqlError(QueryError):
    """A statement that is no SQL, asks for what is not there, or for what is not allowed.

    Attributes:
        position: the character in the text that it is about, from 1; None where it is about all of it.
        sqlstate: PostgreSQL's code for it.
    """

    code = "sql"

    def __init__(
        self,
        message: str,
        *,
        at: exp.Expr | int | None = None,
        sqlstate: str = "42601",
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.position = at if isinstance(at, int) else _position(at)
        self.sqlstate = sqlstate

    def located(self, text: str) -> "SqlError":
        """The same error with line and column of `text` in its message."""
        if self.position is not None and "(line " not in self.message:
            before = text[: self.position - 1]
            line = before.count("\n") + 1
            column = self.position - (before.rfind("\n") + 1)
            self.message = f"{self.message} (line {line}, column {column})"
            self.args = (self.message,)
        return self


def _position(node: exp.Expr | None) -> int | None:
    """The first character of what a node was read from."""
    if node is None:
        return None
    starts = [start for each in node.walk() if (start := each.meta.get("start")) is not None]
    return min(starts) + 1 if starts else None


def whole_row(name: str, at: exp.Expr) -> SqlError:
    """That a table's name stands where a value must: a whole row of it, which is none here."""
    return SqlError(
        f'the whole row "{shown(name)}" cannot be a value here: name its columns', at=at, sqlstate="0A000"
    )


def shown(name: str) -> str:
    """A name as messages show it, never longer than a line."""
    return name if len(name) <= 80 else name[:77] + "..."
