"""The logic of `ingot schema`: JSON Schemas of the project files, for editors."""

from pathlib import Path

from ingot.errors import IngotError


def write_schemas(directory: Path) -> list[Path]:
    """Writes the JSON Schema of each kind of project file into the directory and returns the paths.

    Raises:
        IngotError: where the directory cannot be written.
    """
    from ingot.project import write_schemas as write

    try:
        return write(directory)
    except OSError as error:
        raise IngotError(f"The schemas cannot be written to {directory}: {error.strerror}.") from error
