"""What can be wrong with a transformation, for people to read."""

from typing import ClassVar

from ingot.errors import IngotError


class TransformError(IngotError):
    """The build could not be done: its process ended, or the branch is not there."""

    code: ClassVar[str] = "transform_failed"


class DbtProjectError(TransformError):
    """The dbt project cannot be read or compiled; nothing was built.

    Attributes:
        file: path below the dbt project, where it is known.
        line: line in that file, where it is known.
    """

    code: ClassVar[str] = "dbt_project"
    exit_code: ClassVar[int] = 2

    def __init__(
        self, message: str, *, file: str | None = None, line: int | None = None, hint: str | None = None
    ) -> None:
        place = f"{file}:{line}: " if file and line else f"{file}: " if file else ""
        super().__init__(place + message, hint=hint)
        self.file = file
        self.line = line
