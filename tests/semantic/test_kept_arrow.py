"""Answers to SQL that are kept whole: in memory of their size, whatever their types."""

import duckdb
import pyarrow as pa

from ingot.semantic.answers.arrow import _copied

VECTOR = 2_048


def test_kept_rows_hold_no_more_memory_than_they_need() -> None:
    """The engine's own batches have room for 2,048 rows: 200 of them held 12 MB that nobody counted."""
    with duckdb.connect() as con:
        asked = con.sql(
            "SELECT 'a'::ENUM('a', 'b') AS kind, 1.5::DECIMAL(38, 2) AS amount, 'x' AS text, [1, 2] AS list, NULL AS nothing FROM range(6)"
        )
        batch = asked.to_arrow_reader(VECTOR).read_next_batch()
    found = _copied(batch)
    assert found.equals(batch)
    assert found.schema == batch.schema
    mine = {one.address for column in found.columns for one in column.buffers() if one is not None}
    theirs = {one.address for column in batch.columns for one in column.buffers() if one is not None}
    assert not mine & theirs
    assert isinstance(found, pa.RecordBatch)
