"""The embedded engine: DuckDB in this process, reading the lake's Parquet files in place.

`connect` makes every DuckDB connection of the product, `mount` puts a state of the lake before one, and
`DuckDBEngine` keeps the last few states mounted and answers queries over them. Importing this package
imports DuckDB (0.2 s); `ingot.engines` alone does not.
"""

from ingot.engines.duckdb.connect import connect, load_extension
from ingot.engines.duckdb.engine import DuckDBEngine
from ingot.engines.duckdb.errors import translate
from ingot.engines.duckdb.mount import Mount, mount

__all__ = ["DuckDBEngine", "Mount", "connect", "load_extension", "mount", "translate"]
