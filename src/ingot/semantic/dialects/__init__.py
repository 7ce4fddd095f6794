"""From the tree of a statement to the text of an engine's SQL.

The planner writes trees in the meaning of DuckDB. sqlglot writes them in the words of other engines, but where
the same words mean something else (weeks, divisions, nulls, zones, FILTER), the tree is rewritten here first, one
difference a file. What has no right translation is refused: other numbers are worse than none. All engines must
run their sessions in UTC. DuckDB's own statements pass untouched.
"""

from ingot.semantic.dialects.text import DIALECTS, Text, texts

__all__ = ["DIALECTS", "EXECUTED", "Text", "texts"]

EXECUTED = frozenset({"duckdb", "postgres", "trino", "databricks"})
"""Those whose statements the tests execute (Databricks' in Spark); the others are read back by sqlglot only."""
