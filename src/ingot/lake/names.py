"""Names of tables and refs: how text becomes a content key, and which names the lake refuses.

A table is written `namespace.table`, with as many namespace parts as wanted. Parts keep their case; two
names that differ only by case are one name to SQL and never stand beside each other.
"""

import re
from urllib.parse import quote

from ingot.lake.errors import InvalidNameError
from ingot.lake.model import Key

_REF = re.compile(r"[A-Za-z](?:(?:(?!\.\.)[A-Za-z0-9./_-])*[A-Za-z0-9_-])?")
_HASHLIKE = re.compile(r"[0-9a-fA-F]{8,64}")
_RESERVED_REFS = {"head", "detached"}
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f./\\\ud800-\udfff]")
_LONGEST = 200


def key(name: str) -> Key:
    """The content key of `namespace.table`; `InvalidNameError` where a part is empty or reserved."""
    parts = tuple(name.split("."))
    if len(parts) < 2:
        raise InvalidNameError(
            f"A table's name has a namespace and a name, such as 'gold.{name or 'orders'}', not '{name}'."
        )
    for part in parts:
        check_part(part, name)
    return parts


def check_part(part: str, name: str) -> None:
    """Raises `InvalidNameError` where one part of a table's name cannot be stored."""
    if not part:
        raise InvalidNameError(f"The table name '{name}' has an empty part.")
    if found := _FORBIDDEN.search(part):
        raise InvalidNameError(
            f"The table name {name!r} has the character {found.group()!r}, which is reserved."
        )
    if part != part.strip():
        raise InvalidNameError(f"The table name {name!r} has a part that begins or ends with a space.")
    if len(part) > _LONGEST:
        raise InvalidNameError(
            f"The table name '{name[:40]}…' has a part of {len(part)} characters (at most {_LONGEST})."
        )


def dotted(of: Key) -> str:
    """The name that people write for a content key."""
    return ".".join(of)


def folder(part: str) -> str:
    """A part of a key as one folder name that every file system and every Iceberg reader takes as it is."""
    return quote(part, safe="")[:_LONGEST].replace("%", "_").replace("~", "_")


def check_ref(name: str) -> None:
    """Raises `InvalidNameError` where `name` cannot be a branch or a tag (the rule is Nessie's)."""
    if not _REF.fullmatch(name) or len(name) > _LONGEST:
        raise InvalidNameError(
            f"'{name}' cannot be the name of a branch or tag: letters, digits and . _ - / only, "
            "beginning with a letter, without '..' and not ending in '.' or '/'."
        )
    if _HASHLIKE.fullmatch(name) or name.lower() in _RESERVED_REFS:
        raise InvalidNameError(f"'{name}' cannot be the name of a branch or tag: it would read as a commit.")
