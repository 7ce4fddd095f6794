"""Where the tables of a catalog lie: remembered with it, so that a project that was moved is told so.

Iceberg's metadata names every file in full. At another place the tables would not be found, or, in a copy,
the files of the original would be read and new ones be written beside them.
"""

import os

from ingot.lake import files, objects
from ingot.lake.catalog import SqlCatalog
from ingot.lake.errors import MovedError
from ingot.lake.model import ContentType

_SETTING = "warehouse"


def check(catalog: SqlCatalog, warehouse: str) -> None:
    """Returns where `warehouse` is the place of the catalog's tables, or is so from now on.

    Raises `MovedError`, with both places, where they lie elsewhere.
    """
    known = catalog.remember(_SETTING, lambda: _found(catalog, warehouse) or warehouse)
    if known == warehouse or _same(known, warehouse):
        return
    if _found(catalog, warehouse) is None:
        catalog.remember(_SETTING, lambda: warehouse, instead_of=known)
        return
    raise MovedError(
        f"The tables of this lake were written to {known}, but its warehouse is now {warehouse}. "
        "Iceberg tables name their files in full, so they cannot be read from another place.",
        hint="Move it back, or build it anew: remove the folder .ingot, then `ingot run`. "
        "Where the state is in PostgreSQL, each project needs a database (or a schema) of its own.",
    )


def _found(catalog: SqlCatalog, warehouse: str) -> str | None:
    """The warehouse in which the first table of any ref lies; None where there is no table."""
    for ref in catalog.refs():
        for key, content in catalog.entries(ref.hash).items():
            if content.type is ContentType.TABLE:
                if files.inside(warehouse, content.metadata_location):
                    return warehouse
                # <warehouse>/<a folder for each part of the name>/metadata/<file>
                parts = files.as_read(content.metadata_location).split("/")
                return "/".join(parts[: -len(key) - 2])
    return None


def _same(known: str, warehouse: str) -> bool:
    """Whether two paths lead to one folder, by a link for example."""
    if objects.is_remote(known) or objects.is_remote(warehouse):
        return False
    return os.path.realpath(files.local(known)) == os.path.realpath(files.local(warehouse))
