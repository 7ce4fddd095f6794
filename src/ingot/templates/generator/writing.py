"""Write numpy columns as CSV, through DuckDB: it turns codes into words faster than Python could."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

Columns = Mapping[str, npt.NDArray[Any]]


class Writer:
    """Writes the chunks of tables into a folder: `orders.csv`, or `orders_0001.csv`, `orders_0002.csv`, ..."""

    def __init__(self, directory: Path, *, chunks: Mapping[str, int]) -> None:
        self.directory = directory
        self.chunks = chunks
        self.rows: dict[str, int] = dict.fromkeys(chunks, 0)
        self.written: dict[str, int] = dict.fromkeys(chunks, 0)
        self.con = duckdb.connect()
        self.con.execute("SET TimeZone = 'UTC'")

    def words(self, name: str, words: Sequence[Any]) -> None:
        """Make a list of words known to `word`."""
        self.con.execute(f"SET VARIABLE {name} = ?", [list(words)])

    def write(self, table: str, columns: Columns, select: Sequence[str]) -> None:
        """Write one chunk; each of `select` is an SQL expression over `columns` with its name."""
        self.written[table] += 1
        single = self.chunks[table] == 1
        name = f"{table}.csv" if single else f"{table}_{self.written[table]:04d}.csv"
        target = str(self.directory / name).replace("'", "''")
        self.con.register("chunk", dict(columns))
        self.con.execute(
            f"COPY (SELECT {', '.join(select)} FROM chunk) TO '{target}' (FORMAT csv, HEADER true)"
        )
        self.con.unregister("chunk")
        self.rows[table] += len(next(iter(columns.values())))

    def close(self) -> None:
        """Let go of DuckDB."""
        self.con.close()


def clear(directory: Path, tables: Sequence[str]) -> None:
    """Remove what an earlier generation has left of these tables."""
    for table in tables:
        for found in directory.glob(f"{table}*.csv"):
            if re.fullmatch(rf"{table}(_\d{{4}})?\.csv", found.name):
                found.unlink()


def word(words: str, code: str) -> str:
    """SQL for the word of a code that counts from 0; NULL for -1."""
    return f"getvariable('{words}')[{code} + 1]"


def money(cents: str) -> str:
    """SQL for dollars of a column of cents."""
    return f"{cents}::INTEGER * 0.01"


def when(moment: str) -> str:
    """SQL for the timestamp of a column of seconds; NULL for a negative number."""
    return f"CASE WHEN {moment} >= 0 THEN make_timestamp({moment} * 1000000) END"


def maybe(condition: str, value: str) -> str:
    """SQL for a value that is NULL where the condition does not hold."""
    return f"CASE WHEN {condition} THEN {value} END"


def pick(rng: np.random.Generator, weights: Sequence[float], size: int) -> npt.NDArray[np.int64]:
    """Codes from 0, drawn in proportion to their weights."""
    edges = np.cumsum(np.asarray(weights, dtype=np.float64))
    return np.minimum(np.searchsorted(edges / edges[-1], rng.random(size), side="right"), len(edges) - 1)


def pick_rows(
    rng: np.random.Generator, weights: Sequence[Sequence[float]], rows: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """As `pick`, with the weights of each one's own row."""
    edges = np.cumsum(np.asarray(weights, dtype=np.float64), axis=1)
    edges = edges / edges[:, -1:]
    found = (rng.random(len(rows))[:, None] >= edges[rows]).sum(axis=1)
    return np.minimum(found, edges.shape[1] - 1).astype(np.int64)
