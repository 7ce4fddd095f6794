"""A table's metadata as clients see it: what is stored, and the properties that guide every writer.

They are set here and not stored, and they are in the metadata and not in the answer's `config`: DuckDB
takes anything there for the credentials of an object store, and asks for its region.
"""

from ingot.lake.metadata import Json, default_spec

_FILE_SIZE = "write.target-file-size-bytes"
_GOOD_SIZE = str(256 * 1024 * 1024)


def shown(document: Json) -> Json:
    """The document with the properties that guide writers."""
    # Files are shared by every ref that has ever seen them: no client can know which ones nobody needs.
    properties = {**(document.get("properties") or {}), "gc.enabled": "false"}
    # DuckDB writes files of about 8 MB by itself, and honours this one. For partitioned tables it refuses
    # it, so there it is taken away again: DuckDB stores with a new table what it was shown.
    if not default_spec(document)["fields"]:
        properties.setdefault(_FILE_SIZE, _GOOD_SIZE)
    elif properties.get(_FILE_SIZE) == _GOOD_SIZE:
        del properties[_FILE_SIZE]
    return {**document, "properties": properties}
