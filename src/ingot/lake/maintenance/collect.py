"""Garbage collection: files that only commits and snapshots name which nobody can ask for any more."""

from collections.abc import Mapping

from ingot.lake.errors import MissingFileError
from ingot.lake.maintenance import storage
from ingot.lake.maintenance.live import Live, named_by, statistics_of
from ingot.lake.maintenance.storage import Found, Look
from ingot.lake.model import Content, ContentType
from ingot.lake.state import document_of


def candidates(look: Look, known: Mapping[str, tuple[Content, str]], live: Live) -> list[Found]:
    """Files that some commit ever named and that are not live, those first that others do not lead to.

    In this order a sweep that is killed leaves what names the rest, and the next one finds it.
    """
    found: dict[str, None] = {}
    metadata: dict[str, None] = {}
    seen: set[str] = set()
    for at, (content, _) in known.items():
        if content.type is ContentType.TABLE:
            for path in _files(content, seen):
                found[storage.normal(path)] = None
        metadata[storage.normal(at)] = None
    data = [path for path in found if not path.endswith(".avro")]
    lists = [path for path in found if path.endswith(".avro")]
    return [
        file
        for path in (*data, *lists, *metadata)
        if not live.holds(path) and (file := look(path)) is not None
    ]


def _files(content: Content, seen: set[str]) -> list[str]:
    """What a table's metadata leads to, in the order of removal; nothing where it was collected before."""
    try:
        document = document_of(content)
    except MissingFileError:
        return []
    found = statistics_of(document)
    for snapshot in document["snapshots"]:
        listed = snapshot.get("manifest-list", "")
        if not listed or listed in seen:
            continue
        seen.add(listed)
        try:
            found += named_by(snapshot)
        except MissingFileError:
            continue  # collected before, or half of it: `orphans` finds what is left
    return found
