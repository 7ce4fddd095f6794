"""Write numpy columns as CSV, through DuckDB: it turns codes into words faster than Python could."""

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from ingot.errors import IngotError

Columns = Mapping[str, npt.NDArray[Any]]


class GenerationError(IngotError):
    """The data could not be written: the disk is full, or the folder may not be written to."""

    code = "generation"


class Writer:
    """Writes the chunks of tables into a folder: `orders.csv`, or `orders_0001.csv`, `orders_0002.csv`, ...

    One chunk is written in the background while the next one is drawn.
    """

    def __init__(self, directory: Path, *, chunks: Mapping[str, int]) -> None:
        self.directory = directory
        self.chunks = chunks
        self.rows: dict[str, int] = dict.fromkeys(chunks, 0)
        self.written: dict[str, int] = dict.fromkeys(chunks, 0)
        self.lists: dict[str, list[Any]] = {}
        self.con = duckdb.connect()
        self.con.execute("SET TimeZone = 'UTC'")
        self.pool = ThreadPoolExecutor(1, thread_name_prefix="storefront-csv")
        self.pending: Future[None] | None = None

    def words(self, name: str, words: Sequence[Any]) -> None:
        """Make a list of words known to `word` in what is written from now on."""
        self.lists[name] = list(words)

    def write(self, table: str, columns: Columns, select: Sequence[str]) -> None:
        """Write one chunk; each of `select` is an SQL expression over `columns` with its name.

        Raises:
            GenerationError: this chunk or the one before it could not be written.
        """
        self.written[table] += 1
        single = self.chunks[table] == 1
        name = f"{table}.csv" if single else f"{table}_{self.written[table]:04d}.csv"
        self.rows[table] += len(next(iter(columns.values())))
        lists, self.lists = self.lists, {}
        self.wait()
        self.pending = self.pool.submit(self.copy, self.directory / name, dict(columns), select, lists)

    def copy(
        self, file: Path, columns: dict[str, Any], select: Sequence[str], lists: Mapping[str, list[Any]]
    ) -> None:
        """Write one file."""
        for name, words in lists.items():
            self.con.execute(f"SET VARIABLE {name} = ?", [words])
        self.con.register("chunk", columns)
        target = str(file).replace("'", "''")
        try:
            self.con.execute(
                f"COPY (SELECT {', '.join(select)} FROM chunk) TO '{target}' (FORMAT csv, HEADER true)"
            )
        except duckdb.IOException as error:
            raise GenerationError(
                f"{file} cannot be written: {error}.", hint="choose a folder with room that you may write to"
            ) from error
        finally:
            self.con.unregister("chunk")

    def wait(self) -> None:
        """Wait until what was handed over is written."""
        if self.pending is not None:
            self.pending.result()

    def close(self) -> None:
        """Let go of DuckDB and the thread."""
        self.pool.shutdown()
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
    found = np.searchsorted(edges / edges[-1], rng.random(size), side="right").astype(np.int64)
    return np.asarray(np.minimum(found, len(edges) - 1), dtype=np.int64)


def pick_rows(
    rng: np.random.Generator, weights: Sequence[Sequence[float]], rows: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """As `pick`, with the weights of each one's own row."""
    edges = np.cumsum(np.asarray(weights, dtype=np.float64), axis=1)
    edges = edges / edges[:, -1:]
    found = (rng.random(len(rows))[:, None] >= edges[rows]).sum(axis=1)
    return np.asarray(np.minimum(found, edges.shape[1] - 1), dtype=np.int64)
