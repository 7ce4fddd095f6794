"""Names of several parts and values of any plain kind as SQL text, on top of the lake's quoting."""

from ingot.lake.sql import identifier, literal


def quote_identifier(*parts: str) -> str:
    """`"gold"."fact_orders"` for `("gold", "fact_orders")`, whatever characters the parts hold."""
    if not parts or any(not part or "\0" in part for part in parts):
        raise ValueError(f"not a name: {parts!r}")
    return ".".join(identifier(part) for part in parts)


def quote_literal(value: object) -> str:
    """`value` as a SQL literal: text, number, truth value, NULL, or a list or struct of these.

    Raises `TypeError` for anything else; values from outside belong in parameters wherever a statement
    takes them.
    """
    match value:
        case None:
            return "NULL"
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | float():
            return repr(value)
        case str():
            if "\0" in value:
                raise ValueError("SQL text cannot hold a NUL character")
            return literal(value)
        case list() | tuple():
            return "[" + ", ".join(quote_literal(item) for item in value) + "]"
        case dict():
            return (
                "{"
                + ", ".join(f"{quote_literal(key)}: {quote_literal(item)}" for key, item in value.items())
                + "}"
            )
        case _:
            raise TypeError(f"no SQL literal for {type(value).__name__}")
