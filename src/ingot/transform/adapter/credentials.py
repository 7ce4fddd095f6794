"""What the generated profile says: an in-memory DuckDB and a default schema; the lake is given by the worker."""

from dataclasses import dataclass

from dbt.adapters.duckdb.credentials import DuckDBCredentials


@dataclass
class IngotCredentials(DuckDBCredentials):  # type: ignore[misc]
    """dbt-duckdb's, under our name and without transactions: what is published is a commit of the lake."""

    disable_transactions: bool = True

    @property
    def type(self) -> str:
        """The adapter's name."""
        return "ingot"

    @property
    def unique_field(self) -> str:
        """What dbt would count installations by; nothing is sent anywhere."""
        return "ingot"
