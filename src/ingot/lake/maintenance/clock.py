"""Times as the catalog and Iceberg write them."""

from datetime import datetime

from ingot.lake.catalog.records import micros


def millis(time: datetime) -> int:
    """Milliseconds since 1970 of an aware time."""
    return micros(time) // 1000
