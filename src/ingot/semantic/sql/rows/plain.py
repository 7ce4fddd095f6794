"""A whole statement over tables: WITH, sets, sub-queries, and each SELECT in the engine's words.

Types are learned from the tables up: a look-up tells each column's, literals have PostgreSQL's own, calls what their
signature gives, sub-queries what they select.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlglot import exp

from ingot.semantic.sql.bounds import bounded
from ingot.semantic.sql.errors import SqlError, shown
from ingot.semantic.sql.guessing import Guessing
from ingot.semantic.sql.postgres.kinds import from_engine
from ingot.semantic.sql.postgres.writing import Writing
from ingot.semantic.sql.rows.outer import Outer
from ingot.semantic.sql.rows.results import columns_of, ordered_by_columns, united
from ingot.semantic.sql.rows.scope import OURS, Col, Fixed, Seen, Source, renamed
from ingot.semantic.sql.rows.tables import Means, Placed

_PARTS = frozenset(
    {
        "expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset", "distinct",
        "with_", "this", "expression", "alias", "by_name", "side", "kind", "on",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Relation:
    """What can stand in FROM: where the engine finds it, and the engine's type of each column."""

    columns: Mapping[str, str]
    parts: tuple[str, ...] = ()
    """Its name in the engine."""


Find = Callable[[exp.Table], Relation | None]
"""A table that somebody wrote -> what it is; None for one that is not known. Raises `SqlError`."""


@dataclass(slots=True)
class Named:
    """A named sub-query of WITH. `visible`: those that it can use itself."""

    query: exp.Query
    visible: "Names"
    columns: tuple[str, ...] = ()
    outer: Seen | None = None
    materialized: bool | None = None
    made: exp.Query | None = None
    """Its translation, where it is read as a table, and not only seen through."""
    itself: tuple[Col, ...] | None = None
    """The columns of one that reads itself, once they are known."""


Names = Mapping[str, Named]


class Plain:
    """Writes one statement."""

    def __init__(
        self, writing: Writing, find: Find = lambda _: None, guessing: Guessing | None = None
    ) -> None:
        self.writing = writing
        self.find = find
        self.guessing = guessing
        self._found: dict[str, Relation | None] = {}
        self._aliases = 0

    def query(self, tree: exp.Query, names: Names, outer: Seen | None = None) -> exp.Query:
        """A SELECT, or several with UNION, in the engine's words; in `outer` it stands. Raises `SqlError`."""
        tree = tree.copy()
        _only_known(tree)
        inner, common, recursive = self._with(tree, names, outer)
        if isinstance(tree, exp.Select):
            made: exp.Query = self.select(tree, inner, outer)
        elif isinstance(tree, exp.SetOperation):
            made = self._set(tree, inner, outer)
        elif isinstance(tree, exp.Subquery):
            made = tree
            made.set("this", self.query(tree.this, inner, outer))
        else:
            raise SqlError("This is no SELECT.", at=tree)
        written = [as_cte(name, one, tree) for name, one in common if one.made is not None]
        further = made.args.get("with_")
        if written:
            made.set("with_", exp.With(expressions=written, recursive=recursive))
            for one in further.expressions if further is not None else ():
                made.args["with_"].append("expressions", one)
        return made

    def select(self, select: exp.Select, names: Names, outer: Seen | None) -> exp.Select:
        """One SELECT, which is changed."""
        return self.over_rows(select, names, outer)

    def over_rows(self, select: exp.Select, names: Names, outer: Seen | None) -> exp.Select:
        """A SELECT over the rows of others, which is changed."""
        return Outer(select, self.means(names), outer).written()

    def means(self, names: Names) -> Means:
        """What SELECTs that see these sub-queries of WITH are written with."""
        return Means(
            self.writing,
            lambda node: self._look(node, names),
            lambda tree, seen: self.query(tree, names, seen),
            self.alias,
            self.guessing,
        )

    def alias(self) -> str:
        """A name for a derived table, which nobody can write."""
        self._aliases += 1
        return f"#table_{self._aliases}"

    def table(self, node: exp.Table) -> tuple[Source, Placed]:
        """A table that no WITH names. Raises `SqlError`."""
        found = self.found(node)
        if found is None:
            said = ".".join(part.name for part in node.parts)
            raise SqlError(f'relation "{shown(said)}" does not exist', at=node, sqlstate="42P01")
        own = [Col(name, from_engine(kind), name, kind) for name, kind in found.columns.items()]
        named = columns(node)
        cols = renamed(own, named, node)
        parts = [exp.to_identifier(one, quoted=True) for one in found.parts]
        read = exp.Table(**dict(zip(("this", "db", "catalog"), reversed(parts), strict=False)))
        return _fixed(node, read, cols, renames=bool(named))

    def found(self, node: exp.Table) -> Relation | None:
        """What a table is; None where it is none that is known. Raises `SqlError`."""
        key = exp.table_name(node, identify=True) + str([part.args.get("quoted") for part in node.parts])
        if key not in self._found:
            try:
                self._found[key] = self.find(node)
            except SqlError as error:
                raise SqlError(error.message, at=node, sqlstate=error.sqlstate, hint=error.hint) from None
        return self._found[key]

    # -- WITH ------------------------------------------------------------------------------------------

    def _with(
        self, tree: exp.Query, names: Names, outer: Seen | None
    ) -> tuple[Names, list[tuple[str, Named]], bool]:
        given = tree.args.get("with_")
        if given is None:
            return names, [], False
        tree.set("with_", None)
        common: list[tuple[str, Named]] = []
        found: dict[str, Named] = dict(names)
        recursive = False
        for cte in given.expressions:
            name = cte.alias.casefold()
            if any(name == other for other, _ in common):
                raise SqlError(f"WITH names '{shown(cte.alias)}' twice.", at=cte, sqlstate="42712")
            one = Named(cte.this, dict(found), columns(cte), outer, cte.args.get("materialized"))
            if given.args.get("recursive") and _reads(cte.this, name):
                recursive = True
                self._recursive(one, name, cte)
            else:
                self.named_query(one)
            found[name] = one
            common.append((name, one))
        return found, common, recursive

    def named_query(self, one: Named) -> None:
        """A sub-query of WITH is there: what is wrong with it is said, whether it is read or not."""
        self.used(one)

    def _recursive(self, one: Named, name: str, at: exp.Expr) -> None:
        """Translates a sub-query that reads itself: its first part says what the columns are."""
        whole = one.query
        if not isinstance(whole, exp.Union) or _reads(whole.this, name):
            raise SqlError(
                f'recursive query "{shown(name)}" does not have the form non-recursive-term UNION [ALL] recursive-term',
                at=at,
                sqlstate="42P19",
            )
        first = self.query(whole.this, one.visible, one.outer)
        one.itself = columns_of(first, one.columns, at)
        visible = {**one.visible, name: one}
        rest = self.query(whole.expression, visible, one.outer)
        made = exp.Union(this=first, expression=rest, distinct=bool(whole.args.get("distinct")))
        before = [each.type for each in one.itself]
        united(made, self.writing)
        if [each.type for each in columns_of(made, one.columns, at)] != before:
            raise SqlError(
                f'recursive query "{shown(name)}" has other types in its non-recursive term than overall',
                at=at,
                sqlstate="42804",
                hint="Cast the output of the non-recursive term to the type that comes out.",
            )
        one.made = made

    def named(self, node: exp.Table, names: Names) -> Named | None:
        """The sub-query of WITH that a table names."""
        return None if node.db else names.get(node.name.casefold())

    def used(self, named: Named) -> exp.Query:
        """The translation of a sub-query of WITH that is read as a table."""
        if named.made is None:
            named.made = self.query(named.query, named.visible, named.outer)
        return named.made

    def _look(self, node: exp.Table, names: Names) -> tuple[Source, Placed]:
        """A table of a SELECT over rows."""
        if not isinstance(node.this, exp.Identifier):
            raise SqlError("This cannot be used as a table.", at=node, sqlstate="0A000")
        named = self.named(node, names)
        if named is None:
            return self.table(node)
        itself = named.itself if named.made is None else None
        own = itself if itself is not None else columns_of(self.used(named), named.columns, node)
        cols = renamed(own, columns(node), node)
        read = exp.Table(this=exp.to_identifier(node.name.casefold(), quoted=True))
        return _fixed(node, read, cols, renames=True)

    # -- sets ------------------------------------------------------------------------------------------

    def _set(self, tree: exp.SetOperation, names: Names, outer: Seen | None) -> exp.Query:
        if tree.args.get("by_name") or tree.args.get("side") or tree.args.get("kind"):
            raise SqlError("UNION takes the columns by their places.", at=tree)
        common: list[exp.Expr] = []
        for key in ("this", "expression"):
            part = self.query(tree.args[key], names, outer)
            if not isinstance(part, exp.Subquery) and (own := part.args.get("with_")) is not None:
                common += own.expressions  # a part in no brackets has no place for it
                part.set("with_", None)
            tree.set(key, part)
        if common:
            tree.set("with_", exp.With(expressions=common))
        united(tree, self.writing)
        ordered_by_columns(tree)
        bounded(tree, tree, self.writing, self.guessing)
        return tree


def as_cte(name: str, one: Named, at: exp.Expr) -> exp.CTE:
    """A sub-query of WITH that is translated."""
    assert one.made is not None
    alias = exp.TableAlias(
        this=exp.to_identifier(name, quoted=True),
        columns=[
            exp.to_identifier(each.inner, quoted=True) for each in columns_of(one.made, one.columns, at)
        ],
    )
    return exp.CTE(this=one.made, alias=alias, materialized=one.materialized)


def _fixed(
    node: exp.Table, read: exp.Table, cols: tuple[Col, ...], *, renames: bool
) -> tuple[Source, Placed]:
    alias = node.alias or node.name
    named = [exp.to_identifier(one.inner, quoted=True) for one in cols] if renames else []
    read.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True), columns=named))
    read.meta[OURS] = True
    return Fixed(alias, cols), lambda: read


def columns(node: exp.Expr) -> tuple[str, ...]:
    """The names that are given to the columns of a table."""
    alias = node.args.get("alias")
    return tuple(one.name for one in alias.columns) if alias is not None else ()


def _reads(tree: exp.Expr, name: str) -> bool:
    """Whether a sub-query has a table of a name."""
    return any(not one.db and one.name.casefold() == name for one in tree.find_all(exp.Table))


def _only_known(tree: exp.Query) -> None:
    """Raises `SqlError` for a part of a SELECT that is not looked at."""
    if tree.args.get("joins") and not tree.args.get("from_"):
        raise SqlError("syntax error: JOIN without FROM", at=tree.args["joins"][0])
    for key, value in tree.args.items():
        if value and key not in _PARTS:
            at = value if isinstance(value, exp.Expr) else tree
            raise SqlError(f"This cannot be used here: {key.rstrip('_').upper()}.", at=at, sqlstate="0A000")
