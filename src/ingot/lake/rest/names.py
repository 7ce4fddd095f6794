"""Names of new tables, views and namespaces: fit to be stored, and free."""

from ingot.lake.model import Key
from ingot.lake.names import dotted
from ingot.lake.rest.answer import RestError, exists
from ingot.lake.rest.call import Call, checked


def free(call: Call, key: Key, *, besides: Key = ()) -> Key:
    """The key, which nothing at the request's ref has, nor, to SQL, the same name in other case.

    `besides` is a key that will be gone. Raises `InvalidNameError`, or a 409 that names what is there.
    """
    checked(key)
    entries = call.lake.catalog.entries(call.at.hash)
    if (there := entries.get(key)) is not None:
        raise exists(there.type.value.removeprefix("ICEBERG_").lower(), dotted(key))
    folded = tuple(map(str.casefold, key))
    for other in entries:
        # Parents count too: whoever asks for `Gold.t` where `gold` is would get a second namespace.
        size = len(other)
        if other not in (key[:size], besides) and tuple(map(str.casefold, other)) == folded[:size]:
            raise RestError(
                409, "AlreadyExistsException", f"'{dotted(key)}' differs only by case from '{dotted(other)}'."
            )
    return key
