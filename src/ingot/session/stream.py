"""Arrow's streaming format, or a Parquet file -> a table."""

import io
from typing import Any

from ingot.errors import UsageError


def read(data: bytes) -> Any:
    """The `pyarrow.Table` of a stream. Raises `UsageError` where pyarrow is not installed."""
    try:
        from pyarrow import ipc  # noqa: PLC0415 - an extra
    except ImportError:
        raise UsageError("A session's answers need pyarrow.", hint="pip install 'ingot[arrow]'") from None
    with ipc.open_stream(data) as stream:
        return stream.read_all()


def read_parquet(data: bytes) -> Any:
    """The `pyarrow.Table` of a Parquet file. Raises `UsageError` where pyarrow is not installed."""
    try:
        from pyarrow import parquet  # noqa: PLC0415 - an extra
    except ImportError:
        raise UsageError("A session's answers need pyarrow.", hint="pip install 'ingot[arrow]'") from None
    return parquet.read_table(io.BytesIO(data))
