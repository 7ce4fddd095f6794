"""The columns of SELECTs: matched, renamed, counted, called, and what a star stands for."""

from sqlglot import exp

from ingot.pgwire.lake_names import Col, Scope, distinct, name_of, quoted
from ingot.semantic.sql.errors import SqlError, shown
from ingot.semantic.sql.naming import output_name
from ingot.semantic.sql.postgres import kinds
from ingot.semantic.sql.postgres.writing import TYPE


def matched(left: tuple[Col, ...], right: tuple[Col, ...], at: exp.Expr) -> tuple[Col, ...]:
    """The columns of a UNION of two. Raises `SqlError` where they do not fit."""
    if len(left) != len(right):
        raise SqlError(f"each {at.key.upper()} query must have the same number of columns", at=at)
    found = []
    for a, b in zip(left, right, strict=True):
        kind = kinds.common([a.type, b.type])
        if kind is None:
            raise SqlError(
                f"{at.key.upper()} types {kinds.spoken(a.type)} and {kinds.spoken(b.type)} cannot be matched",
                at=at,
                sqlstate="42804",
            )
        found.append(Col(a.name, kind, a.inner, a.engine if a.engine == b.engine else ""))
    return tuple(found)


def numbered(node: exp.Expr, columns: tuple[Col, ...]) -> exp.Literal | None:
    """The number of the column that a term of ORDER BY or GROUP BY names or counts."""
    if isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit():
        if not 1 <= int(node.name) <= len(columns):
            raise SqlError(f"position {node.name} is not in select list", at=node, sqlstate="42P10")
        return exp.Literal(this=node.name, is_string=False)
    if isinstance(node, exp.Column) and not node.table and isinstance(node.this, exp.Identifier):
        name = name_of(node.this)
        for n, one in enumerate(columns, 1):
            if one.name == name:
                return exp.Literal(this=str(n), is_string=False)
    return None


def renamed(columns: tuple[Col, ...], names: list[str], at: exp.Expr) -> tuple[Col, ...]:
    """The columns under other names, as far as there are some."""
    if len(names) > len(columns):
        raise SqlError(
            f"{len(columns)} columns available but {len(names)} columns specified", at=at, sqlstate="42P10"
        )
    named = [Col(name, one.type, name, one.engine) for name, one in zip(names, columns, strict=False)]
    return distinct([*named, *columns[len(names) :]]) if names else columns


def aliased(name: str, columns: tuple[Col, ...]) -> exp.TableAlias:
    """The name of a table, and of its columns where some are given."""
    return exp.TableAlias(this=quoted(name), columns=[quoted(one.inner) for one in columns])


def expanded(node: exp.Expr, scope: Scope) -> list[tuple[Col, exp.Expr]]:
    """The columns that a star stands for, and the tree of each."""
    wanted = node.args.get("table") if isinstance(node, exp.Column) else None
    if _except(node):
        raise SqlError("A star takes nothing away here.", at=node, sqlstate="0A000")
    found: list[tuple[Col, exp.Expr]] = []
    if wanted is None:
        found += [(col, _marked(exp.Column(this=quoted(col.inner)), col)) for col in scope.merged.values()]
    tables = [one for one in scope.tables if wanted is None or one.alias.casefold() == wanted.name.casefold()]
    if wanted is not None and not tables:
        raise SqlError(
            f'missing FROM-clause entry for table "{shown(wanted.name)}"', at=node, sqlstate="42P01"
        )
    if not tables:
        raise SqlError("SELECT * with no tables specified is not valid", at=node)
    for one in tables:
        for col in one.columns:
            if wanted is None and col.name.casefold() in scope.merged:
                continue
            table = quoted(one.alias) if one.alias else None
            found.append((col, _marked(exp.Column(this=quoted(col.inner), table=table), col)))
    return [(Col(col.name, col.type, col.name, col.engine), tree) for col, tree in found]


def _marked(node: exp.Column, col: Col) -> exp.Column:
    node.meta[TYPE] = col.type
    return node


def _except(node: exp.Expr) -> bool:
    star = node.this if isinstance(node, exp.Column) else node
    return any(star.args.values())


def output_called(node: exp.Expr) -> str:
    """What PostgreSQL calls a column; that of a sub-query is called as in there."""
    if isinstance(node, exp.Alias):
        return name_of(node.args["alias"])
    while isinstance(node, exp.Subquery | exp.SetOperation | exp.Paren):
        node = node.this
    if isinstance(node, exp.Select) and node.expressions:
        return output_called(node.expressions[0])
    if isinstance(node, exp.Column):
        return name_of(node.this)
    return output_name(node)


def is_star(node: exp.Expr) -> bool:
    """Whether a column of a SELECT is a star."""
    return isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star))
