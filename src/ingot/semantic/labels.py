"""Titles, descriptions and whatever else the files tell people of a member."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ingot.semantic.formats import described
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
        described(getattr(spec, "format", None)) if member else None,
        spec.meta or None,
        spec.public,
        getattr(spec, "currency", None) if member else None,
        details(spec, owner) if member else {},
    )


def inherited(lineage: Iterable[Any], name: str) -> Label:
    """The label of a cube or view that takes over what it does not say itself; the most general first."""
    title = description = None
    meta: dict[str, Any] = {}
    public = True
    for spec in lineage:
        title = spec.title or title
        description = spec.description or description
        meta |= spec.meta or {}
        public = spec.public if "public" in spec.model_fields_set else public
    title = title or humanized(name)
    return Label(title, title, description, None, meta or None, public)


def details(spec: Any, owner: Any) -> Mapping[str, Any]:
    """What `/meta` tells beside title, type and format."""
    found: dict[str, Any] = {"spec": spec}
    if getattr(spec, "aliases", ()):
        found["aliases"] = list(spec.aliases)
    if spec.kind != "dimension":
        return found
    if spec.type == "time" and spec.granularities:
        found["granularities"] = [_granularity(each) for each in spec.granularities]
    if spec.order is not None:
        found["order"] = spec.order
    if spec.key is not None:
        key = spec.key.strip("{} ").removeprefix("CUBE.").removeprefix("TABLE.")
        found["key"] = key if "." in key else f"{owner.name}.{key}"
    if spec.values:
        found["values"] = list(spec.values)
    if spec.links:
        found["links"] = [_link(each) for each in spec.links]
    if not spec.suggest_filter_values:
        found["suggestFilterValues"] = False
    return found


def _granularity(spec: Any) -> dict[str, Any]:
    found = {"name": spec.name, "title": spec.title or humanized(spec.name)}
    for key in ("interval", "origin", "offset"):
        if (value := getattr(spec, key)) is not None:
            found[key] = value
    return found


def _link(spec: Any) -> dict[str, Any]:
    named = {
        "name": spec.name,
        "label": spec.label,
        "url": spec.url,
        "icon": spec.icon,
        "target": spec.target,
    }
    return {key: value for key, value in named.items() if value is not None}
