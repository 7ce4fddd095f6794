"""Iceberg's table and view metadata as pure functions over its JSON documents.

A commit of any client is a list of requirements and a list of updates; `apply` turns a document and a
commit into the next document or refuses. Nothing here reads or writes a file or knows of refs of the
catalog. Versions 1, 2 and 3 of the table format are covered.
"""

from ingot.lake.metadata.apply import ACTIONS, apply
from ingot.lake.metadata.document import Json
from ingot.lake.metadata.errors import InvalidMetadataError, RequirementFailedError, StaleSnapshotError
from ingot.lake.metadata.requirements import REQUIREMENTS
from ingot.lake.metadata.schema import check_schema, fresh_ids, highest_id
from ingot.lake.metadata.snapshots import is_replay
from ingot.lake.metadata.table import (
    NO_SNAPSHOT,
    current_schema,
    current_snapshot,
    default_order,
    default_spec,
    expand,
    new_table,
)
from ingot.lake.metadata.view import apply_view, current_version, new_view

__all__ = [
    "ACTIONS",
    "NO_SNAPSHOT",
    "REQUIREMENTS",
    "InvalidMetadataError",
    "Json",
    "RequirementFailedError",
    "StaleSnapshotError",
    "apply",
    "apply_view",
    "check_schema",
    "current_schema",
    "current_snapshot",
    "current_version",
    "default_order",
    "default_spec",
    "expand",
    "fresh_ids",
    "highest_id",
    "is_replay",
    "new_table",
    "new_view",
]
