"""Titles and descriptions, as the files give them or as the names suggest."""

import re
from typing import Any

from ingot.semantic.model import Label


def humanized(name: str) -> str:
    """`total_revenue` -> `Total Revenue`, `orderCount` -> `Order Count`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ")
    return " ".join(word[:1].upper() + word[1:] for word in spaced.split())


def label(spec: Any, owner: Any, *, name: str | None = None) -> Label:
    """The label of a cube or view (`owner` None), or of a member of `owner`."""
    own = spec.title or humanized(name or spec.name)
    title = own if owner is None else f"{owner.title or humanized(owner.name)} {own}"
    member = owner is not None
    return Label(
        title,
        own,
        spec.description,
        getattr(spec, "format", None) if member else None,
        spec.meta or None,
        spec.public,
        getattr(spec, "currency", None) if member else None,
    )
