"""How a table is written in SQL: schema and name only, so that the same SQL runs on any ref."""

from dataclasses import dataclass, field

from dbt.adapters.contracts.relation import Policy
from dbt.adapters.duckdb.relation import DuckDBRelation


@dataclass(frozen=True, eq=False, repr=False)
class IngotRelation(DuckDBRelation):  # type: ignore[misc]
    """A table or view of the lake, `"gold"."fact_orders"`, whatever database a source claims to be in."""

    include_policy: Policy = field(default_factory=lambda: Policy(database=False))
