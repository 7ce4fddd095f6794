"""A view's SELECT in the dialects of DuckDB, Trino and Spark.

What is translated must mean the same there. The translator that does the writing lets pass what it does not know,
so a query goes to another engine only if every part of it is on a list of parts that mean the same in all of them.
"""

from ingot.lake.dialects.inward import inward
from ingot.lake.dialects.kinds import kinds
from ingot.lake.dialects.outward import outward
from ingot.lake.dialects.untranslatable import Untranslatable

__all__ = ["Untranslatable", "inward", "kinds", "outward"]
