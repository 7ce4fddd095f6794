"""Running a query into Parquet files: one `COPY`, with field ids, partitions and statistics.

DuckDB writes and measures the files; they are on disk, or gone again, when this returns.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from ingot.lake import bounds, files
from ingot.lake.errors import SchemaError, WriteError
from ingot.lake.manifests import DataFile
from ingot.lake.sql import identifier, literal
from ingot.lake.transforms import Term
from ingot.lake.types import Json, field_ids, leaves, to_duckdb

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LINEAGE: tuple[Json, ...] = (
    {"id": 2147483540, "name": "_row_id", "required": False, "type": "long"},
    {"id": 2147483539, "name": "_last_updated_sequence_number", "required": False, "type": "long"},
)
"""What version 3 keeps of a row that is written into another file: its number, and when it last changed."""
_RESERVED = 2147483447
_HELPER = "__ingot_partition_"


class Arrow(Protocol):
    """A table, or a stream of batches that can be read once, of any library that speaks Arrow."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Arrow's stream interface."""


def describe(con: "DuckDBPyConnection", query: str, name: str) -> list[tuple[str, Any]]:
    """The columns of a query with their DuckDB types, as they are named before anything renames duplicates."""
    import duckdb  # noqa: PLC0415 (heavy)

    try:
        con.execute(f"DESCRIBE {_clean(query)}")
        names = [str(row[0]) for row in con.fetchall()]
        # DESCRIBE gives types as text, in which an ENUM may be as long as its values.
        columns = con.execute(f"SELECT * FROM (\n{_clean(query)}\n) LIMIT 0").description or []
        con.fetchall()
    except duckdb.Error as error:
        raise WriteError(f"The query of {name} cannot be run: {error}") from error
    return list(zip(names, (column[1] for column in columns), strict=True))


@contextmanager
def relation(con: "DuckDBPyConnection", source: "str | Arrow") -> Iterator[str]:
    """`source` as a query: an Arrow table or reader is put before `con` for as long as it takes."""
    if isinstance(source, str):
        yield source
        return
    name = f"ingot_arrow_{uuid4().hex}"
    con.register(name, source)
    try:
        yield f"SELECT * FROM {name}"
    finally:
        con.unregister(name)


def write(
    con: "DuckDBPyConnection",
    query: str,
    *,
    name: str,
    folder: str,
    fields: Sequence[Json],
    select: Sequence[str],
    terms: Sequence[Term],
    order_by: str,
    target_bytes: int,
) -> list[DataFile]:
    """Runs `query` into Parquet files below `folder`; `select` is one expression a field.

    Raises `WriteError` and leaves no file where the query fails.
    """
    import duckdb  # noqa: PLC0415 (heavy)

    prefix = uuid4().hex
    source = selected(query, fields, select)
    options = [
        "FORMAT parquet",
        "COMPRESSION zstd",
        f"FIELD_IDS {field_ids(fields)}",
        "RETURN_STATS true",
        "APPEND true",
        f"FILENAME_PATTERN {literal(prefix + '-{uuid}')}",
    ]
    if terms:
        helpers = [f"{_HELPER}{index}" for index in range(len(terms))]
        computed = [f"{term.sql()} AS {helper}" for term, helper in zip(terms, helpers, strict=True)]
        source = f"SELECT *, {', '.join(computed)} FROM ({source})"
        # Plain names instead of `key=value` folders: values may be longer than a file name can be.
        options += [f"PARTITION_BY ({', '.join(helpers)})", "HIVE_FILE_PATTERN false"]
    else:
        options.append(f"FILE_SIZE_BYTES {target_bytes}")
    if order_by:
        source = f"SELECT * FROM ({source}) ORDER BY {order_by}"
    files.make_folder(folder)
    try:
        rows = con.execute(f"COPY ({source}) TO {literal(folder)} ({', '.join(options)})").fetchall()
        written = [_measured(row, fields, terms) for row in rows]
        empty = [one.path for one in written if one.rows == 0]
        files.remove(empty)
        kept = [one for one in written if one.rows]
        files.sync(one.path for one in kept)
    except duckdb.Error as error:
        files.remove_beginning(folder, prefix)
        raise WriteError(f"Writing {name} failed: {error}") from error
    except SchemaError as error:
        files.remove_beginning(folder, prefix)
        raise SchemaError(f"Writing {name} failed: {error.message}", hint=error.hint) from error
    except BaseException:
        files.remove_beginning(folder, prefix)
        raise
    return kept


def selected(query: str, fields: Sequence[Json], select: Sequence[str]) -> str:
    """`query` with the fields as its columns; `select` is one expression a field."""
    columns = [
        f"{expression} AS {identifier(field['name'])}"
        for expression, field in zip(select, fields, strict=True)
    ]
    return f"SELECT {', '.join(columns)} FROM (\n{_clean(query)}\n)"


def cast(column: str, given: Any, field: Json) -> str:
    """The expression that turns a column of the query into what the field stores."""
    wanted = to_duckdb(field["type"])
    quoted = identifier(column)
    return quoted if wanted is None or str(given) == wanted else f"CAST({quoted} AS {wanted})"


def _clean(query: str) -> str:
    return query.strip().rstrip(";").rstrip()


def _measured(row: Sequence[Any], fields: Sequence[Json], terms: Sequence[Term]) -> DataFile:
    path, count, size, _, statistics, keys = row
    partition = tuple(term.value((keys or {})[f"{_HELPER}{index}"]) for index, term in enumerate(terms))
    sizes: dict[int, int] = {}
    values: dict[int, int] = {}
    nulls: dict[int, int] = {}
    nans: dict[int, int] = {}
    lower: dict[int, bytes] = {}
    upper: dict[int, bytes] = {}
    known = leaves(fields)
    for column, found in statistics.items():
        number, kind, repeated = known[column]
        if number > _RESERVED:
            continue
        sizes[number] = int(found["column_size_bytes"])
        if repeated:
            # Counts inside of lists and maps are those of elements, for which readers have no use.
            continue
        values[number] = int(found["num_values"])
        nulls[number] = int(found["null_count"])
        if found.get("has_nan") == "false":
            nans[number] = 0
        if found.get("has_nan") == "true" or "min" not in found or "max" not in found:
            continue
        low, high = bounds.lower(kind, found["min"]), bounds.upper(kind, found["max"])
        if low is not None:
            lower[number] = low
        if high is not None:
            upper[number] = high
    return DataFile(str(path), int(count), int(size), partition, sizes, values, nulls, nans, lower, upper)
