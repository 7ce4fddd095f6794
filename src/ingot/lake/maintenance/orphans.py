"""Files that nobody names: what killed writers and refused commits leave in the folders of tables.

A writer at work has written files that no metadata names yet, so only old ones are taken.
"""

import time
from collections.abc import Collection
from datetime import timedelta

from ingot.lake.lake import Lake
from ingot.lake.maintenance import storage
from ingot.lake.maintenance.live import Live
from ingot.lake.maintenance.storage import Found


def candidates(lake: Lake, live: Live, tables: Collection[str], age: timedelta) -> list[Found]:
    """Files in folders of tables that are not live and older than `age`."""
    limit = time.time() - age.total_seconds()
    return [
        one
        for one in storage.walk(lake.warehouse, tables)
        if one.modified < limit and not live.holds(one.path)
    ]
