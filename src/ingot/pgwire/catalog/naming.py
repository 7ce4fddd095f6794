"""Types as PostgreSQL writes them in DDL."""

from ingot.pgwire.types import numeric_scale, postgres_type, type_of


def postgres(engine: str) -> str:
    """PostgreSQL's type for one as the engine names it: `numeric(14,2)` for `DECIMAL(14,2)`."""
    oid, modifier = postgres_type(engine)
    found = type_of(oid)
    scale = numeric_scale(modifier)
    if scale is None:
        return found.name
    name = found.name.removesuffix("[]")
    return f"{name}({scale[0]},{scale[1]}){'[]' if found.element else ''}"
