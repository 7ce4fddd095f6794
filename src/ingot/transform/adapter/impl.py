"""The adapter itself: what dbt and our materializations ask of the branch."""

from dataclasses import dataclass
from typing import Any

from dbt.adapters.base.impl import ConstraintSupport
from dbt.adapters.base.meta import available
from dbt.adapters.capability import Capability, CapabilityDict, CapabilitySupport, Support
from dbt.adapters.contracts.connection import AdapterResponse
from dbt.adapters.duckdb.column import DuckDBColumn
from dbt.adapters.duckdb.impl import DuckDBAdapter
from dbt_common.contracts.constraints import ConstraintType
from dbt_common.exceptions import DbtRuntimeError
from duckdb import DuckDBPyConnection

from ingot.errors import IngotError
from ingot.transform.adapter.branch import Branch, Written
from ingot.transform.adapter.config import comment_of, properties_of, terms_of
from ingot.transform.adapter.connections import IngotConnectionManager
from ingot.transform.adapter.relation import IngotRelation
from ingot.transform.columns import stored_type

SUPPORTED = ("table", "view", "incremental", "ephemeral", "snapshot", "seed", "test", "unit")


@dataclass
class IngotResponse(AdapterResponse):  # type: ignore[misc]
    """dbt's record of a statement, with the size of what it wrote."""

    bytes: int | None = None


class IngotAdapter(DuckDBAdapter):  # type: ignore[misc]
    """dbt-duckdb whose relations are the tables and views of a lake branch."""

    ConnectionManager = IngotConnectionManager
    Relation = IngotRelation

    _capabilities: CapabilityDict = CapabilityDict(
        {
            Capability.SchemaMetadataByRelations: CapabilitySupport(support=Support.Full),
            # Batches of one model replace the same table, one after the other.
            Capability.MicrobatchConcurrency: CapabilitySupport(support=Support.Unsupported),
        }
    )

    CONSTRAINT_SUPPORT = {  # noqa: RUF012 - dbt's own way of declaring it
        ConstraintType.check: ConstraintSupport.ENFORCED,
        ConstraintType.not_null: ConstraintSupport.ENFORCED,
        ConstraintType.unique: ConstraintSupport.ENFORCED,
        ConstraintType.primary_key: ConstraintSupport.ENFORCED,
        ConstraintType.foreign_key: ConstraintSupport.NOT_SUPPORTED,
    }

    @classmethod
    def type(cls) -> str:
        """The adapter's name, and the prefix of macros for it."""
        return "ingot"

    # What dbt asks about the database is known without a query.

    def list_relations_without_caching(self, schema_relation: IngotRelation) -> list[IngotRelation]:
        """The tables and views of a schema."""
        schema = schema_relation.schema or ""
        return [
            self.Relation.create(database=schema_relation.database, schema=schema, identifier=name, type=kind)
            for name, kind in self._branch.relations(schema)
        ]

    def get_columns_in_relation(self, relation: IngotRelation) -> list[DuckDBColumn]:
        """The columns of a relation, with the types that they have in the lake."""
        columns = super().get_columns_in_relation(relation)
        return [self.Column(column=one.name, dtype=stored_type(one.dtype)) for one in columns]

    def list_schemas(self, database: str | None) -> list[str]:  # noqa: ARG002 - dbt's signature
        """Every schema of the branch."""
        return self._branch.schemas()

    def check_schema_exists(self, database: str, schema: str) -> bool:  # noqa: ARG002 - dbt's signature
        """Whether the branch has the schema."""
        return schema.lower() in (known.lower() for known in self._branch.schemas())

    def create_schema(self, relation: IngotRelation) -> None:
        """Makes a schema; in the lake it comes with its first table."""
        self._branch.ensure_schema(relation.schema)

    def drop_schema(self, relation: IngotRelation) -> None:
        """Refused: a schema of the lake holds more than this project's tables."""
        raise DbtRuntimeError(f"Schema {relation.schema} is part of the lake and cannot be dropped by dbt.")

    def drop_relation(self, relation: IngotRelation) -> None:
        """Drops a table or view of the branch, or a temporary one of the session."""
        name = _lake_name(relation)
        if name is None or self._branch.kind(name) is None:
            super().drop_relation(relation)
            return
        with _as_dbt_errors():
            self._branch.drop(self._cursor, name, message=f"dbt: drop {name}")
        self.cache_dropped(relation)

    def rename_relation(self, from_relation: IngotRelation, to_relation: IngotRelation) -> None:
        """Renames a temporary table; a table of the lake keeps its name."""
        if _lake_name(from_relation) is not None:
            raise DbtRuntimeError(
                f"{from_relation} is a table of the lake: dbt cannot rename it to {to_relation}."
            )
        super().rename_relation(from_relation, to_relation)

    def pre_model_hook(self, config: Any) -> Any:
        """Refuses materializations whose result would not reach the lake."""
        model = getattr(config, "model", None)
        if model is not None:
            kind = model.get_materialization()
            if kind not in SUPPORTED:
                raise DbtRuntimeError(
                    f"Materialization '{kind}' is not one that Ingot can publish; "
                    "use table, view, incremental, ephemeral, snapshot or seed."
                )
        return False

    def post_model_hook(self, config: Any, context: Any) -> None:
        """Nothing to clean up: temporary tables end with their cursor."""

    @property
    def _branch(self) -> Branch:
        return IngotConnectionManager.current()

    @property
    def _cursor(self) -> DuckDBPyConnection:
        handle: Any = self.connections.get_thread_connection().handle
        # dbt-duckdb's wrapper hides DuckDB's own cursor.
        cursor: DuckDBPyConnection = handle.cursor()._cursor  # noqa: SLF001
        return cursor

    # What our materializations ask.

    @available  # type: ignore[untyped-decorator]
    def publish(
        self,
        relation: IngotRelation,
        query: str,
        model: dict[str, Any],
        mode: str = "overwrite",
        rows: int | None = None,
    ) -> IngotResponse:
        """Writes the rows of `query` into the lake and gives what dbt records of it.

        `rows` is what is recorded where more was written than changed.
        """
        name = _require_lake_name(relation)
        settings = model["config"]
        with _as_dbt_errors():
            written = self._branch.publish(
                self._cursor,
                name,
                query,
                message=f"dbt: {model['resource_type']} {name}",
                mode="append" if mode == "append" else "overwrite",
                partition_by=terms_of(settings, "partition_by", "partitioned_by"),
                sort_by=terms_of(settings, "sort_by", "sorted_by"),
                properties=properties_of(model),
                comment=comment_of(model),
            )
        return _response(written if rows is None else Written(rows, written.bytes))

    @available  # type: ignore[untyped-decorator]
    def publish_view(self, relation: IngotRelation, query: str, model: dict[str, Any]) -> IngotResponse:
        """Makes a view of the lake."""
        name = _require_lake_name(relation)
        with _as_dbt_errors():
            self._branch.publish_view(
                self._cursor, name, query, message=f"dbt: view {name}", comment=comment_of(model)
            )
        return IngotResponse(_message="OK")

    @available  # type: ignore[untyped-decorator]
    def unchanged(self) -> IngotResponse:
        """What dbt records where there was nothing to write."""
        return _response(Written(0, 0))

    @available  # type: ignore[untyped-decorator]
    def check_query(self, query: str) -> None:
        """Fails as DuckDB would on `query`, with line numbers that count from its own first line."""
        with _as_dbt_errors():
            self._cursor.execute(f"DESCRIBE {query}")

    @available  # type: ignore[untyped-decorator]
    def count_rows(self, relation: IngotRelation, where: str = "true") -> int:
        """How many rows a relation has."""
        found = self._cursor.execute(f"SELECT count(*) FROM {relation} WHERE {where}").fetchone()
        return int(found[0]) if found else 0


class _as_dbt_errors:  # noqa: N801 - reads as a verb in `with`
    """Our errors and DuckDB's as the kind that dbt reports as a failed node."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        import duckdb  # noqa: PLC0415

        if isinstance(error, IngotError | duckdb.Error):
            raise DbtRuntimeError(str(error)) from error


def _response(written: Written) -> IngotResponse:
    return IngotResponse(_message=f"OK {written.rows}", rows_affected=written.rows, bytes=written.bytes)


def _lake_name(relation: IngotRelation) -> str | None:
    """`gold.fact_orders`; None for a temporary table, which has no schema."""
    return f"{relation.schema}.{relation.identifier}" if relation.schema else None


def _require_lake_name(relation: IngotRelation) -> str:
    name = _lake_name(relation)
    if name is None:
        raise DbtRuntimeError(f"{relation} has no schema, and a table of the lake needs one.")
    return name
