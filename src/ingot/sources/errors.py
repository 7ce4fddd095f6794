"""What can be wrong with the data that is read."""

from ingot.errors import IngotError


class SourceError(IngotError):
    """A file cannot be found, read or loaded as it is; nothing was loaded.

    `file`, `line` and `column` say where, as far as that is known.
    """

    code = "source"

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        line: int | None = None,
        column: str | None = None,
        hint: str | None = None,
    ) -> None:
        place = f"{file}:{line}: " if file and line else f"{file}: " if file else ""
        super().__init__(place + message, hint=hint)
        self.file = file
        self.line = line
        self.column = column
