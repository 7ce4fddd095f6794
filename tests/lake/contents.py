"""Contents for tests of the catalog, which never looks into the files that they name."""

from uuid import uuid4

from ingot.lake import Content, ContentType, Delete, Key, Put, SqlCatalog


def table(of: Content | None = None) -> Content:
    """A new table, or the next version of one."""
    return Content(ContentType.TABLE, of.id if of else str(uuid4()), f"/wh/{uuid4()}.metadata.json", 1)


def view() -> Content:
    """A new view."""
    return Content(ContentType.VIEW, str(uuid4()), f"/wh/{uuid4()}.metadata.json", 1)


def namespace() -> Content:
    """A new namespace."""
    return Content(ContentType.NAMESPACE, str(uuid4()))


def put(catalog: SqlCatalog, branch: str, *keys: Key) -> str:
    """Creates or changes keys on a branch and gives back the commit."""
    head = catalog.entries(catalog.ref(branch).hash)
    parents = sorted({key[:size] for key in keys for size in range(1, len(key))} - head.keys())
    operations = [Put(key, namespace()) for key in parents]
    operations += [Put(key, table(head.get(key)), head.get(key)) for key in keys]
    return catalog.commit(branch, operations, message="put").hash


def drop(catalog: SqlCatalog, branch: str, *keys: Key) -> str:
    """Deletes keys on a branch and gives back the commit."""
    return catalog.commit(branch, [Delete(key) for key in keys], message="drop").hash
