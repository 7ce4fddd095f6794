"""Results as Arrow streams. pyarrow is an extra: only who asks for Arrow needs it."""

from pathlib import Path

from duckdb import DuckDBPyConnection

from ingot.engines.ports import Parameters
from ingot.errors import UsageError

_ROWS = 10_000
"""Rows of one batch: the most that is held in memory."""


def write_arrow(cursor: DuckDBPyConnection, select: str, parameters: Parameters, path: Path) -> None:
    """Writes the result of `select` to `path` in Arrow's streaming format.

    Raises `UsageError` where pyarrow is not installed, and DuckDB's errors.
    """
    try:
        import pyarrow  # noqa: PLC0415 - an extra
        from pyarrow import ipc  # noqa: PLC0415
    except ImportError:
        raise UsageError(
            "Answers as Arrow need a package that is not installed.", hint="pip install 'ingot[arrow]'"
        ) from None
    cursor.execute(select, parameters or None)
    with (
        cursor.to_arrow_reader(_ROWS) as batches,
        pyarrow.OSFile(str(path), "wb") as file,
        ipc.new_stream(file, batches.schema) as stream,
    ):
        for batch in batches:
            stream.write_batch(batch)
