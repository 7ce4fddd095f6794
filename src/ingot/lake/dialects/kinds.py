"""What sort of value an expression gives, as far as it can be told from the columns that the query reads.

Engines write the same division and the same cast, and mean different ones for different types.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from sqlglot import exp

Kind = Literal["whole", "number", "text", "date", "boolean"]
Kinds = Mapping[str, Kind]
"""Of columns, by their casefolded names; those of which nothing is sure are missing."""

_OF_ICEBERG: Mapping[str, Kind] = {
    "int": "whole",
    "long": "whole",
    "float": "number",
    "double": "number",
    "string": "text",
    "date": "date",
    "boolean": "boolean",
}
_WHOLE = (
    *(exp.Count, exp.RowNumber, exp.Rank, exp.DenseRank, exp.Length, exp.Extract),
    *(exp.Year, exp.Quarter, exp.Month, exp.Day, exp.Hour, exp.Minute),
)
_TEXT = (exp.Lower, exp.Upper, exp.Trim, exp.Substring, exp.Replace, exp.DPipe, exp.Concat)
_SAME = (exp.Paren, exp.Neg, exp.Min, exp.Max, exp.Sum, exp.Abs, exp.Filter, exp.Window)
_BOTH = (exp.Add, exp.Sub, exp.Mul, exp.Mod)


def kinds(columns: Iterable[tuple[str, object]], tree: exp.Expr) -> Kinds:
    """Kinds of the columns in `tree`; `columns` are names and Iceberg types of all tables that it reads."""
    seen: dict[str, set[Kind | None]] = {}
    for name, type_ in columns:
        seen.setdefault(name.casefold(), set()).add(_of_iceberg(type_))
    # A name that the query itself gives to something may hide a column.
    own = {column.name.casefold() for alias in tree.find_all(exp.TableAlias) for column in alias.columns}
    for alias in tree.find_all(exp.Alias):
        inner = alias.this
        if not (isinstance(inner, exp.Column) and inner.name.casefold() == alias.alias.casefold()):
            own.add(alias.alias.casefold())
    sure = {name: next(iter(found)) for name, found in seen.items() if len(found) == 1 and name not in own}
    return {name: kind for name, kind in sure.items() if kind is not None}


def _of_iceberg(type_: object) -> Kind | None:
    if not isinstance(type_, str):
        return None
    return "number" if type_.startswith("decimal") else _OF_ICEBERG.get(type_)


def of_type(type_: exp.DataType) -> Kind | None:
    """The kind of values of a type."""
    if type_.is_type(*exp.DataType.INTEGER_TYPES):
        return "whole"
    if type_.is_type(*exp.DataType.TEXT_TYPES):
        return "text"
    if type_.is_type(*exp.DataType.REAL_TYPES):
        return "number"
    if type_.is_type("date"):
        return "date"
    return "boolean" if type_.is_type("boolean") else None


def kind_of(node: exp.Expr, known: Kinds) -> Kind | None:
    """The kind of an expression's value; None where it is not sure."""
    found: Kind | None = None
    if isinstance(node, exp.Literal):
        found = "text" if node.is_string else "whole" if node.is_int else "number"
    elif isinstance(node, exp.Boolean):
        found = "boolean"
    elif isinstance(node, exp.Column):
        found = known.get(node.name.casefold())
    elif isinstance(node, exp.Cast):
        found = of_type(node.to)
    elif isinstance(node, _WHOLE):
        found = "whole"
    elif isinstance(node, _TEXT):
        found = "text"
    elif isinstance(node, exp.Avg):
        found = "number"
    elif isinstance(node, _SAME):
        found = kind_of(node.this, known)
    elif isinstance(node, exp.Coalesce):
        both = {kind_of(one, known) for one in (node.this, *node.expressions)}
        found = both.pop() if len(both) == 1 else None
    elif isinstance(node, _BOTH):
        both = {kind_of(node.left, known), kind_of(node.right, known)}
        found = None if not both <= {"whole", "number"} else "number" if "number" in both else "whole"
    return found
