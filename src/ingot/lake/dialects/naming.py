"""Which tables a query names, and its parts with a name for every column that comes out."""

from collections.abc import Iterator, Sequence

import sqlglot
from sqlglot import exp

from ingot.lake.dialects.untranslatable import Untranslatable


def tables(tree: exp.Expr) -> Iterator[exp.Table]:
    """The tables that a query reads, without those that its `WITH` makes and without functions."""
    own = {cte.alias.casefold() for cte in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        if table.name and not (len(table.parts) == 1 and table.name.casefold() in own):
            yield table


def rename(table: exp.Table, parts: Sequence[str]) -> None:
    """Writes another name in the table's place; its last part should be the same, for columns may be called by it."""
    names = [exp.to_identifier(part, quoted=True) for part in parts]
    catalog = names.pop(0) if len(names) > 2 else None
    table.set("catalog", catalog)
    table.set("db", names.pop(0) if len(names) > 1 else None)
    table.set("this", names[0] if len(names) == 1 else exp.Dot.build(names))


def drop_catalogs(tree: exp.Expr) -> None:
    """Calls columns by their schema and table alone."""
    for column in tree.find_all(exp.Column):
        column.set("catalog", None)


def read(text: str, dialect: str) -> exp.Query:
    """The one SELECT in `text`; raises `Untranslatable`."""
    try:
        found = [one for one in sqlglot.parse(text, dialect=dialect) if one is not None]
    except RecursionError as error:
        raise Untranslatable("it is nested too deep") from error
    except (sqlglot.errors.SqlglotError, ValueError) as error:
        raise Untranslatable(str(error).partition("\n")[0]) from error
    if len(found) != 1 or not isinstance(found[0], exp.Query):
        raise Untranslatable("it is not one SELECT statement")
    return found[0]


def name_columns(tree: exp.Query, names: Sequence[str]) -> None:
    """Gives each column that comes out its name, where the engine would make one up; raises `Untranslatable`."""
    first = tree.unnest()
    while isinstance(first, exp.SetOperation):
        first = first.left.unnest()
    if not isinstance(first, exp.Select):
        raise Untranslatable("its columns have no names")
    found = first.expressions
    if any(one.is_star for one in found):
        if not all(one.is_star or isinstance(one, exp.Alias | exp.Column) for one in found):
            raise Untranslatable("it has a column without a name beside a *")
        return
    if len(found) != len(names):
        raise Untranslatable(f"it has {len(found)} columns, and the view has {len(names)}")
    first.set(
        "expressions",
        [exp.alias_(one.unalias(), name, quoted=True) for one, name in zip(found, names, strict=True)],
    )
