"""Names that an engine would cut, and the marks of parameters."""

import hashlib
import re
from collections.abc import Sequence
from decimal import Decimal

from sqlglot import exp

from ingot.semantic.planner.filters import Value

_LONGEST = 63
_MARK = re.compile("\0([0-9]+)\0")
_WRITTEN = {"postgres": "${}", "bigquery": "@p{}", "databricks": ":p{}"}
_TYPES: dict[type, str] = {int: "bigint", Decimal: "decimal", float: "double"}


def shortened(tree: exp.Expr) -> None:
    """Gives what is longer than PostgreSQL reads a name of its own."""
    for one in tree.find_all(exp.Identifier):
        name = one.name.encode()
        if len(name) > _LONGEST:
            digest = hashlib.blake2b(name, digest_size=6).hexdigest()
            one.set("this", f"{name[:48].decode(errors='ignore')}#{digest}")


def marked(tree: exp.Expr, values: Sequence[Value], dialect: str) -> exp.Expr:
    """`tree` with marks for its parameters, which no text of the model can hold."""

    def one(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Parameter):
            return node
        number = int(node.name)
        mark = exp.Var(this=f"\0{number}\0")
        kind = _TYPES.get(type(values[number - 1]))
        if dialect != "postgres" or kind is None:
            return mark
        return exp.Cast(this=mark, to=exp.DataType.build(kind))

    return tree.transform(one, copy=False)


def numbered(text: str, values: Sequence[Value], dialect: str) -> tuple[str, tuple[Value, ...]]:
    """`text` with the dialect's own parameters, and their values in its order."""
    form = _WRITTEN.get(dialect)
    if form is not None:
        return _MARK.sub(lambda found: form.format(found.group(1)), text), tuple(values)
    taken = tuple(values[int(found.group(1)) - 1] for found in _MARK.finditer(text))
    return _MARK.sub("?", text), taken
