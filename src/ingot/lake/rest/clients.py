"""What is known to go wrong with certain versions of certain clients, and is refused for their sake.

DuckDB up to 1.5.5 files deletions under the table's current partition spec, whichever the deleted rows were
written with. DuckDB itself still finds them; every other engine goes on showing the rows
(duckdb-iceberg issue 1274, mended after 1.5.5).
"""

import re

from ingot.lake import manifests
from ingot.lake.metadata.document import Json
from ingot.lake.model import Key
from ingot.lake.names import dotted
from ingot.lake.rest import documents
from ingot.lake.rest.answer import RestError
from ingot.lake.rest.ports import Lake

_DUCKDB = re.compile(r"duckdb/v(\d{1,4})\.(\d{1,4})\.(\d{1,4})")
_DELETES = 1


def check(lake: Lake, agent: str, key: Key, before: Json, after: Json) -> None:
    """Raises a 400 where the client's snapshots hold deletions that other engines would not see."""
    version = _DUCKDB.match(agent)
    if version is None or tuple(map(int, version.groups())) > (1, 5, 5) or len(after["partition-specs"]) < 2:
        return
    known = {one["snapshot-id"] for one in before["snapshots"]}
    for snapshot in after["snapshots"]:
        if snapshot["snapshot-id"] in known or "manifest-list" not in snapshot:
            continue
        documents.check_inside(lake, snapshot["manifest-list"])
        rows = manifests.list_rows(snapshot["manifest-list"])
        deletes = {
            row["partition_spec_id"]
            for row in rows
            if row["content"] == _DELETES and row["added_snapshot_id"] == snapshot["snapshot-id"]
        }
        data = {row["partition_spec_id"] for row in rows if row["content"] != _DELETES}
        if deletes and data - deletes:
            raise RestError(
                400,
                "BadRequestException",
                f"The partitioning of {dotted(key)} was changed, and {version[0]} cannot delete or update rows "
                "from before that: other engines would still see them. Write the table anew "
                "(CREATE TABLE ... AS SELECT), or use another engine for this statement.",
            )
