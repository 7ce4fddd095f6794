"""Pre-aggregations of a cube: what is stored beforehand and when it is made again."""

from collections.abc import Callable
from typing import ClassVar, Literal

from pydantic import Field

from ingot.project.member import Sql
from ingot.project.spec import Identifier, Named, Options, Positive, Some, Spec, Word
from ingot.project.tree import Map


class RefreshKey(Spec):
    """When something is computed again. Ingot keys results by snapshots, so this is a lower bound only."""

    kind: ClassVar[str] = "refresh key"

    every: Word | None = Field(None, description="An interval such as '1 hour', or a cron expression.")
    timezone: Word | None = Field(None, description="Time zone of the cron expression.")
    sql: Word | None = Field(None, description="A query whose answer changes when the data did.")
    incremental: bool = Field(False, description="Whether only the newest partitions are made again.")
    update_window: Word | None = Field(
        None, description="How far back partitions are made again, such as '7 days'."
    )
    immutable: bool = Field(False, description="Whether it is never made again.")


class Index(Spec):
    """An index on a stored pre-aggregation."""

    kind: ClassVar[str] = "index"

    name: Identifier = Field(description="The index's name.")
    columns: Some[Word] = Field((), description="The members that are indexed.")
    sql: Word | None = Field(None, description="SQL of the index.")
    type: Literal["regular", "aggregate"] = Field("regular", description="The kind of index.")


class TimePart(Spec):
    """A time dimension of a rollup."""

    kind: ClassVar[str] = "time dimension"

    dimension: Word = Field(description="The time dimension.")
    granularity: Word | None = Field(None, description="The finest granularity kept.")


class PreAggregation(Spec):
    """Results that are stored beforehand so that queries answer faster."""

    kind: ClassVar[str] = "pre-aggregation"

    name: Identifier = Field(description="The name, unique in its cube.")
    type: Literal["rollup", "original_sql", "rollup_join", "rollup_lambda", "auto_rollup"] = Field(
        "rollup", description="What is stored."
    )
    measures: Some[Word] = Field((), description="The measures that are kept.")
    dimensions: Some[Word] = Field((), description="The dimensions that are kept.")
    segments: Some[Word] = Field((), description="The segments that are kept.")
    time_dimension: Word | None = Field(None, description="The time dimension that is kept.")
    granularity: Word | None = Field(None, description="The finest granularity of the time dimension.")
    time_dimensions: tuple[TimePart, ...] = Field(
        (), description="Several time dimensions with granularities."
    )
    rollups: Some[Word] = Field((), description="The rollups that a rollup_join or rollup_lambda is made of.")
    partition_granularity: Word | None = Field(None, description="How the stored data is cut, such as month.")
    refresh_key: RefreshKey | None = Field(None, description="When it is made again.")
    build_range_start: Sql | None = Field(None, description="First moment that is stored.")
    build_range_end: Sql | None = Field(None, description="Last moment that is stored.")
    scheduled_refresh: bool = Field(True, description="Whether it is made in the background.")
    external: bool = Field(True, description="Whether it is kept outside of the source database.")
    indexes: Named[Index] = Field((), description="Indexes on the stored data.")
    allow_non_strict_date_range_match: bool = Field(
        False, description="Whether a date range may be rounded to partitions."
    )
    read_only: bool = Field(False, description="Whether the source database may not be written.")
    stream_offset: Literal["earliest", "latest"] | None = Field(
        None, description="Where a stream is read from."
    )
    sql_alias: Word | None = Field(None, description="A shorter name in SQL.")
    use_original_sql_pre_aggregations: bool = Field(
        False, description="Whether it is made from the stored original_sql."
    )
    unique_key_columns: Some[Word] = Field((), description="Columns that name a row, for streams.")
    output_column_types: tuple[Options, ...] = Field((), description="Types of the stored columns.")
    union_with_source_data: bool = Field(
        False, description="Whether a rollup_lambda adds the newest source rows."
    )
    max_pre_aggregations: Positive | None = Field(None, description="Most rollups that auto_rollup makes.")

    @classmethod
    def inspect(cls, data: Map, report: Callable[..., None]) -> None:
        if data.get("type", "rollup") != "rollup":
            return
        if "time_dimension" in data and "granularity" not in data and "partition_granularity" in data:
            report(
                None,
                f"{cls.called(data)} has no 'granularity'",
                expected="the finest granularity that is kept",
            )
        if "granularity" in data and "time_dimension" not in data:
            report(
                "granularity",
                f"{cls.called(data)} has a granularity but no 'time_dimension'",
                expected="the key 'time_dimension'",
            )
