"""A model's `config` as the lake's words: partition and sort terms, properties, comment."""

from collections.abc import Mapping
from typing import Any

from dbt_common.exceptions import DbtRuntimeError


def terms_of(config: Mapping[str, Any], *names: str) -> tuple[str, ...]:
    """The terms under the first of `names` that is set: a text, or a list of texts."""
    for name in names:
        value = config.get(name)
        if value is None or value == "":
            continue
        terms = [value] if isinstance(value, str) else value
        if not isinstance(terms, list | tuple) or not all(isinstance(term, str) for term in terms):
            raise DbtRuntimeError(
                f"`{name}` must be a term or a list of terms such as 'month(order_date)', not {value!r}."
            )
        return tuple(terms)
    return ()


def properties_of(model: Mapping[str, Any]) -> dict[str, str]:
    """`table_properties` of the model, and who made the table."""
    given = model["config"].get("table_properties") or {}
    if not isinstance(given, Mapping):
        raise DbtRuntimeError(f"`table_properties` must map names to values, not {given!r}.")
    return {**{str(name): str(value) for name, value in given.items()}, "ingot.dbt-node": model["unique_id"]}


def comment_of(model: Mapping[str, Any]) -> str | None:
    """The model's description, where `persist_docs` asks for it."""
    wanted = (model["config"].get("persist_docs") or {}).get("relation")
    return model.get("description") or None if wanted else None
