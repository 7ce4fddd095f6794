"""SELECTs over plain tables: the language of SQL over the model, without a model, so that types are PostgreSQL's own.

Types are learned from the tables up: `look` tells each column's, literals have PostgreSQL's own, calls what their
signature gives, sub-queries what they select.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from sqlglot import exp

from ingot.semantic.sql.allowed import check
from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.outer import Outer, Placed, columns_of, united
from ingot.semantic.sql.postgres.input import Clock
from ingot.semantic.sql.postgres.writing import Writing
from ingot.semantic.sql.scope import Fixed, Seen, Source

Look = Callable[[exp.Table], "tuple[Mapping[str, str], exp.Expr]"]
"""A table that somebody wrote -> its columns with PostgreSQL's types (`kinds.from_engine`), and what stands in FROM
instead: a table of the engine without an alias. Raises `SqlError` 42P01."""


def translated(
    tree: exp.Query, look: Look, *, zone: str = "UTC", now: datetime | None = None
) -> tuple[exp.Query, bool]:
    """What `parsed` gave, in the engine's words, and whether its answer is another one at another time.

    Each output column has a name and its type in `meta[TYPE]` (`writing.output_types` gives them all).

    Raises:
        SqlError: for what is not known, or not allowed.
    """
    check(tree)
    whole = _Whole(look, Writing(Clock(now or datetime.now(UTC), zone)))
    return whole.query(tree, {}, None), whole.writing.volatile


class _Named:
    """A sub-query of WITH."""

    def __init__(self, columns: Mapping[str, str]) -> None:
        self.columns = columns


Names = Mapping[str, _Named]


class _Whole:
    """Translates one statement."""

    def __init__(self, look: Look, writing: Writing) -> None:
        self.look = look
        self.writing = writing
        self.aliases = 0

    def alias(self) -> str:
        self.aliases += 1
        return f"#table_{self.aliases}"

    def query(self, tree: exp.Query, names: Names, outer: Seen | None) -> exp.Query:
        tree = tree.copy()
        inner, written, recursive = self._with(tree, names, outer)
        if isinstance(tree, exp.Select):
            made: exp.Query = Outer(
                tree,
                writing=self.writing,
                look=lambda node: self._table(node, inner),
                query=lambda one, seen: self.query(one, inner, seen),
                outer=outer,
                alias=self.alias,
            ).written()
        elif isinstance(tree, exp.SetOperation):
            for key in ("this", "expression"):
                tree.set(key, self.query(tree.args[key], inner, outer))
            united(tree, self.writing)
            for one in tree.args["order"].expressions if tree.args.get("order") else ():
                if not isinstance(one.this, exp.Column | exp.Literal):
                    raise SqlError("ORDER BY after UNION takes names and numbers of columns.", at=one)
                for identifier in one.find_all(exp.Identifier):
                    identifier.set("quoted", True)
            made = tree
        elif isinstance(tree, exp.Subquery):
            made = tree
            made.set("this", self.query(tree.this, inner, outer))
        else:
            raise SqlError("This is no SELECT.", at=tree)
        if written:
            made.set("with_", exp.With(expressions=written, recursive=recursive))
        return made

    def _with(self, tree: exp.Query, names: Names, outer: Seen | None) -> tuple[Names, list[exp.CTE], bool]:
        given = tree.args.get("with_")
        if given is None:
            return names, [], False
        tree.set("with_", None)
        found: dict[str, _Named] = dict(names)
        written = []
        recursive = False
        for cte in given.expressions:
            name = cte.alias.casefold()
            columns = tuple(one.name for one in cte.args["alias"].columns)
            itself = given.args.get("recursive") and any(
                not one.db and one.name.casefold() == name for one in cte.this.find_all(exp.Table)
            )
            if itself:
                recursive = True
                made = self._recursive(cte, name, columns, found, outer)
            else:
                made = self.query(cte.this, found, outer)
            known = columns_of(made, columns, cte)
            found[name] = _Named(known)
            alias = exp.TableAlias(
                this=exp.to_identifier(name, quoted=True),
                columns=[exp.to_identifier(one, quoted=True) for one in known],
            )
            written.append(exp.CTE(this=made, alias=alias))
        return found, written, recursive

    def _recursive(
        self, cte: exp.CTE, name: str, columns: tuple[str, ...], names: Names, outer: Seen | None
    ) -> exp.Query:
        whole = cte.this
        if not isinstance(whole, exp.Union):
            raise SqlError(f'recursive query "{name[:60]}" takes UNION', at=cte, sqlstate="42P19")
        first = self.query(whole.this, names, outer)
        known = columns_of(first, columns, cte)
        rest = self.query(whole.expression, {**names, name: _Named(known)}, outer)
        made = exp.Union(this=first, expression=rest, distinct=bool(whole.args.get("distinct")))
        united(made, self.writing)
        if list(columns_of(made, columns, cte).values()) != list(known.values()):
            raise SqlError(
                f'recursive query "{name[:60]}" has other types in its non-recursive term than overall',
                at=cte,
                sqlstate="42804",
            )
        return made

    def _table(self, node: exp.Table, names: Names) -> tuple[Source, Placed]:
        alias = node.alias or node.name
        named = None if node.db else names.get(node.name.casefold())
        given = node.args.get("alias")
        renames = [one.name for one in given.columns] if given is not None else []
        if named is not None:
            columns: Mapping[str, str] = named.columns
            read: exp.Expr = exp.Table(this=exp.to_identifier(node.name.casefold(), quoted=True))
        else:
            columns, read = self.look(node)
        if len(renames) > len(columns):
            raise SqlError(f'table "{alias[:60]}" has {len(columns)} columns', at=node, sqlstate="42P10")
        known = dict(zip([*renames, *list(columns)[len(renames) :]], columns.values(), strict=True))
        read.set(
            "alias",
            exp.TableAlias(
                this=exp.to_identifier(alias, quoted=True),
                columns=[exp.to_identifier(one, quoted=True) for one in known] if renames or named else [],
            ),
        )
        return Fixed(alias, known), lambda: read
