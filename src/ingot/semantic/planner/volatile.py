"""SQL whose answer is another one tomorrow, or reads what is outside of the lake."""

from sqlglot import exp

_CLOCK = tuple(
    getattr(exp, name)
    for name in (
        "CurrentDate",
        "CurrentDatetime",
        "CurrentTime",
        "CurrentTimestamp",
        "Localtime",
        "Localtimestamp",
        "Rand",
        "Uuid",
    )
    if hasattr(exp, name)
)
_CLOCK_NAMES = frozenset(
    {
        "now",
        "today",
        "random",
        "get_current_time",
        "get_current_timestamp",
        "transaction_timestamp",
        "uuid",
        "nextval",
        "age",
        "uuidv4",
        "uuidv7",
    }
)
_SERIES = frozenset({"range", "generate_series", "unnest"})


def volatile(tree: exp.Expr) -> bool:
    """Whether the tree asks for the clock, for chance, or for what no fingerprint of tables knows."""
    return any(_is_volatile(node) for node in tree.walk())


def _is_volatile(node: exp.Expr) -> bool:
    if isinstance(node, exp.Table):  # a table function may read what no fingerprint knows
        return (
            not isinstance(node.this, exp.Identifier)
            and node.sql(dialect="duckdb").split("(")[0].lower() not in _SERIES
        )
    return isinstance(node, _CLOCK) or (isinstance(node, exp.Anonymous) and node.name.lower() in _CLOCK_NAMES)
