"""A whole statement: which of its SELECTs are over the model, and which run on the rows of others."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from ingot.errors import did_you_mean
from ingot.semantic.sql.aggregates import is_aggregate
from ingot.semantic.sql.around import OURS, Around
from ingot.semantic.sql.columns import (
    JOIN_FIELD,
    Scope,
    Table,
    face,
    faces,
    inside,
    is_measure,
    marked,
    same,
    table,
)
from ingot.semantic.sql.errors import SqlError, shown
from ingot.semantic.sql.keyed import KeyedJoin, keyed
from ingot.semantic.sql.outer import Outer, Placed, columns_of, united
from ingot.semantic.sql.rows import Rows
from ingot.semantic.sql.scope import Fixed, Seen, Source
from ingot.semantic.sql.selecting import Selecting
from ingot.semantic.sql.semijoin import conditions

_PLAIN = ("group", "having", "distinct", "limit", "offset", "windows", "qualify", "with_", "with")
_PARTS = frozenset(
    {
        "expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset", "distinct",
        "with_", "this", "expression", "alias", "by_name", "side", "kind", "on",
    }
)  # fmt: skip
MAX_QUESTIONS = 50


@dataclass(slots=True)
class Named:
    """A named sub-query of WITH. `visible`: those that it can use itself."""

    query: exp.Query
    visible: "Names"
    columns: tuple[str, ...] = ()
    outer: Seen | None = None
    made: exp.Query | None = None
    """Its translation, where it is read as a table, and not only seen through."""
    itself: dict[str, str] | None = None
    """The columns of one that reads itself, once they are known."""


Names = Mapping[str, Named]


@dataclass
class Translating:
    """Translates one statement."""

    around: Around
    known: dict[int, Scope | None] = field(default_factory=dict)
    questions: int = 0

    def query(self, tree: exp.Query, names: Names, outer: Seen | None = None) -> exp.Query:
        """A SELECT, or several with UNION, in the engine's words; in `outer` it stands."""
        tree = tree.copy()
        _only_known(tree)
        inner, common, recursive = self._with(tree, names, outer)
        if isinstance(tree, exp.Select):
            made: exp.Query = self._select(tree, inner, outer)
        elif isinstance(tree, exp.SetOperation):
            made = self._set(tree, inner, outer)
        elif isinstance(tree, exp.Subquery):
            made = tree
            made.set("this", self.query(tree.this, inner, outer))
        else:
            raise SqlError("This is no SELECT.", at=tree)
        written = [
            exp.CTE(
                this=one.made,
                alias=exp.TableAlias(
                    this=exp.to_identifier(name, quoted=True),
                    columns=[
                        exp.to_identifier(each, quoted=True)
                        for each in columns_of(one.made, one.columns, tree)
                    ],
                ),
            )
            for name, one in common
            if one.made is not None
        ]
        if written:
            made.set("with_", exp.With(expressions=written, recursive=recursive))
        return made

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
            columns = tuple(one.name for one in cte.args["alias"].columns)
            one = Named(cte.this, dict(found), columns, outer)
            if given.args.get("recursive") and _reads(cte.this, name):
                recursive = True
                self._recursive(one, name, cte)
            found[name] = one
            common.append((name, one))
        return found, common, recursive

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
        before = list(columns_of(first, one.columns, at).values())
        united(made, self.around.writing)
        if list(columns_of(made, one.columns, at).values()) != before:
            raise SqlError(
                f'recursive query "{shown(name)}" has other types in its non-recursive term than overall',
                at=at,
                sqlstate="42804",
                hint="Cast the output of the non-recursive term to the type that comes out.",
            )
        one.made = made

    def _set(self, tree: exp.SetOperation, names: Names, outer: Seen | None) -> exp.Query:
        if tree.args.get("by_name") or tree.args.get("side") or tree.args.get("kind"):
            raise SqlError("UNION takes the columns by their places.", at=tree)
        for key in ("this", "expression"):
            side = tree.args[key]
            tree.set(key, self.query(side, names, outer))
        united(tree, self.around.writing)
        self._plain_tail(tree)
        return tree

    def _plain_tail(self, tree: exp.Query) -> None:
        order = tree.args.get("order")
        for one in order.expressions if order else ():
            if not isinstance(one.this, exp.Column | exp.Literal):
                raise SqlError("ORDER BY after UNION takes names and numbers of columns.", at=one)
            _quoted(one)

    # -- one SELECT ------------------------------------------------------------------------------------

    def _select(self, select: exp.Select, names: Names, outer: Seen | None) -> exp.Select:
        select = conditions(select)
        scope = self._scope(select, names) or self._keyed(select, names)
        if scope is None or (outer is not None and self._looks_out(select, scope, outer)):
            return self._outer(select, names, outer)
        self.counted(select)
        before = select.copy() if any(select.find_all(exp.Query)) else None
        try:
            return Selecting(
                select, scope, self.around, lambda tree: self.nested(tree, names, outer)
            ).written()
        except SqlError as error:
            # A sub-query in it may look at its columns: then the rows are joined by the engine.
            if before is None or error.sqlstate not in ("42703", "42P01") or not _has_nested(before):
                raise
            try:
                return self._outer(before, names, outer)
            except SqlError:
                raise error from None

    def _looks_out(self, select: exp.Select, scope: Scope, outer: Seen) -> bool:
        """Whether a SELECT uses columns of what is around it."""
        for node in select.find_all(exp.Column):
            if isinstance(node.this, exp.Star):
                continue
            try:
                scope.column(node)
            except SqlError as error:
                if error.sqlstate != "42702" and outer.has(node):
                    return True
        return False

    def counted(self, at: exp.Expr) -> None:
        self.questions += 1
        if self.questions > MAX_QUESTIONS:
            raise SqlError(
                f"The statement asks the model more than {MAX_QUESTIONS} times.", at=at, sqlstate="54001"
            )

    def nested(self, tree: exp.Expr, names: Names, outer: Seen | None = None) -> exp.Expr:
        """`tree` with the sub-queries in it translated; they see no columns of the SELECT that they stand in."""
        if isinstance(tree, exp.Query):
            return self.query(tree, names, outer)
        for key, value in list(tree.args.items()):
            if isinstance(value, exp.Expr):
                tree.set(key, self.nested(value, names, outer))
            elif isinstance(value, list):
                tree.set(
                    key,
                    [self.nested(one, names, outer) if isinstance(one, exp.Expr) else one for one in value],
                )
        return tree

    # -- what is over the model ------------------------------------------------------------------------

    def _scope(self, select: exp.Select, names: Names) -> Scope | None:
        """The tables of a SELECT, where the model alone can answer it."""
        if not select.expressions:
            raise SqlError("The SELECT has no columns.", at=select)
        source = select.args.get("from_")
        if source is None:
            return None
        first = self._source(source.this, names)
        if first is None:
            return None
        joins = select.args.get("joins") or []
        if not joins:
            return first
        tables, where = [*first.tables], [*first.where]
        for join in joins:
            own = self._source(join.this, names)
            if own is None or not self._by_model(join):
                return None
            if any(table.owner is None for table in (*tables, *own.tables)):
                return None
            for one in own.tables:
                if any(one.owner == other.owner for other in tables):
                    raise SqlError(
                        f"'{shown(str(one.owner))}' stands twice in FROM, and the model joins it once: put one of them "
                        "into a sub-query with a LIMIT or GROUP BY, and join that with a condition.",
                        at=join,
                        sqlstate="0A000",
                    )
                if any(same(one.alias, other.alias) for other in tables):
                    raise SqlError(f"FROM names '{shown(one.alias)}' twice.", at=join, sqlstate="42712")
            tables += own.tables
        return Scope(tables, where)

    def _keyed(self, select: exp.Select, names: Names) -> Scope | None:
        """The cubes of a SELECT with measures whose joins say by their keys what the model declares."""
        joins = select.args.get("joins") or []
        first = self._source(select.args["from_"].this, names) if joins else None
        if first is None or not self._is_cube(first):
            return None
        scope = Scope([*first.tables])
        found: list[KeyedJoin] = []
        for join in joins:
            own = self._source(join.this, names)
            if own is None or not self._is_cube(own) or own.owners[0] in scope.owners:
                return None
            if any(same(own.tables[0].alias, one.alias) for one in scope.tables):
                return None
            one = keyed(join, scope, own, self.around.model, self.around.seen)
            if one is None:
                return None
            found.append(one)
            scope.tables += own.tables
        if not self._names_measure(select, scope):
            return None
        scope.joins = tuple(found)
        scope.where += [test for one in found for test in one.tests()]
        return scope

    def _is_cube(self, scope: Scope) -> bool:
        return len(scope.tables) == 1 and scope.tables[0].owner in self.around.model.cubes

    def _names_measure(self, select: exp.Select, scope: Scope) -> bool:
        """Whether an expression of a SELECT has a measure in it; without one, it is answered from the rows."""
        for key, value in select.args.items():
            if key in ("from_", "joins"):
                continue
            for part in value if isinstance(value, list) else [value]:
                for node in inside(part) if isinstance(part, exp.Expr) else ():
                    if isinstance(node, exp.Column) and isinstance(node.this, exp.Identifier):
                        try:
                            name = marked(scope.column(node))
                        except SqlError:
                            continue
                        if name is not None and is_measure(self.around.seen.members[name]):
                            return True
        return False

    def _by_model(self, join: exp.Join) -> bool:
        """Whether a join leaves its condition to the model: CROSS JOIN, a comma, or `__cubeJoinField`."""
        if join.args.get("using") or join.args.get("method") or isinstance(join.this, exp.Lateral):
            return False
        on = join.args.get("on")
        if on is None:
            return not join.side and join.kind in ("", "CROSS", "INNER")
        on = on.unnest()
        return (
            isinstance(on, exp.EQ)
            and all(
                isinstance(side, exp.Column) and side.name.casefold() == JOIN_FIELD
                for side in (on.this, on.expression)
            )
            and join.side in ("", "LEFT")
        )

    def _source(self, node: exp.Expr, names: Names) -> Scope | None:  # noqa: PLR0911 - one for each form
        """What one table of a FROM is, if it is the model's: a cube, a view, or a plain SELECT over these."""
        if isinstance(node, exp.Table):
            if isinstance(node.this, exp.Anonymous) or node.args.get("joins"):
                return None
            named = self.named(node, names)
            if named is not None:
                if named.itself is not None:
                    return None
                alias = node.alias or node.name
                return self._flat(named.query, named.visible, alias, _columns(node) or named.columns)
            return None if _columns(node) else self.face_scope(node)
        if isinstance(node, exp.Subquery) and not node.args.get("joins"):
            if isinstance(node.this, exp.Table):
                return None
            return self._flat(node.this, names, node.alias, _columns(node))
        return None

    def named(self, node: exp.Table, names: Names) -> Named | None:
        """The sub-query of WITH that a table names."""
        return None if node.db else names.get(node.name.casefold())

    def used(self, named: Named) -> exp.Query:
        """The translation of a sub-query of WITH that is read as a table."""
        if named.made is None:
            named.made = self.query(named.query, named.visible, named.outer)
        return named.made

    def face_scope(self, node: exp.Table) -> Scope:
        """The cube or view that a table names."""
        return Scope([table(self.around.seen, self._face(node), node.alias or node.name)])

    def _face(self, node: exp.Table) -> str:
        if not isinstance(node.this, exp.Identifier):
            raise SqlError("Functions cannot be tables here.", at=node, sqlstate="0A000")
        if any(
            node.args.get(key) for key in ("pivots", "sample", "version", "hints", "changes", "rows_from")
        ):
            raise SqlError("A cube or view can only have an alias.", at=node, sqlstate="0A000")
        model = self.around.seen
        schema = node.db.casefold() if node.db else "public"
        found = face(model, node.name) if schema == "public" and not node.catalog else None
        if found is None:
            name = node.name if schema == "public" else f"{node.db}.{node.name}"
            raise SqlError(
                f"There is no cube or view '{shown(name)}'{did_you_mean(node.name, faces(model))}.",
                at=node,
                sqlstate="42P01",
                hint="GET /cubejs-api/v1/meta lists all cubes and views.",
            )
        return found

    def _flat(self, query: exp.Expr, names: Names, alias: str, columns: tuple[str, ...]) -> Scope | None:
        """A SELECT of rows of the model as a table whose columns are expressions over members."""
        while isinstance(query, exp.Subquery) and not query.args.get("joins"):
            query = query.this
        if not isinstance(query, exp.Select) or any(query.args.get(key) for key in _PLAIN):
            return None
        key = id(query)
        scope = self.known.get(key) if key in self.known else self._scope(query, names)
        self.known[key] = scope
        if scope is None:
            return None
        selecting = Selecting(query, scope, self.around, lambda tree: tree)
        trees = selecting.projections
        looked_at = [*trees, *selecting.where]
        if any(
            is_aggregate(node) or isinstance(node, exp.Window | exp.Query)
            for t in looked_at
            for node in t.walk()
        ):
            return None
        found = list(columns) + selecting.named[len(columns) :]
        if len({name.casefold() for name in found}) != len(found):
            return None
        plain = dict(zip(found, trees, strict=True))
        owner = None
        if len(scope.tables) == 1 and scope.tables[0].owner is not None:
            owner = scope.tables[0].owner
        made = Table(alias, plain, None)
        return Scope([made], selecting.where, owner=owner)

    def _outer(self, select: exp.Select, names: Names, outer: Seen | None) -> exp.Select:
        """A SELECT over the rows of others."""
        return Outer(
            select,
            writing=self.around.writing,
            look=lambda node: self._look(node, names),
            query=lambda tree, seen: self.query(tree, names, seen),
            outer=outer,
            alias=self.around.alias,
        ).written()

    def _look(self, node: exp.Table, names: Names) -> tuple[Source, Placed]:
        """A table of such a SELECT: of WITH, or the rows of a cube or view."""
        alias = node.alias or node.name
        named = self.named(node, names)
        if named is None:
            self.counted(node)
            own = self.face_scope(node)
            rows = Rows(alias, own.tables[0], self.around, _columns(node))
            return rows, lambda: rows.table(node)
        columns = named.itself if named.itself is not None and named.made is None else None
        if columns is None:
            columns = columns_of(self.used(named), named.columns, node)
        renamed = dict(
            zip([*_columns(node), *list(columns)[len(_columns(node)) :]], columns.values(), strict=True)
        )
        read = exp.Table(
            this=exp.to_identifier(node.name.casefold(), quoted=True),
            alias=exp.TableAlias(
                this=exp.to_identifier(alias, quoted=True),
                columns=[exp.to_identifier(one, quoted=True) for one in renamed],
            ),
        )
        read.meta[OURS] = True
        return Fixed(alias, renamed), lambda: read


def _reads(tree: exp.Expr, name: str) -> bool:
    """Whether a sub-query has a table of a name."""
    return any(not one.db and one.name.casefold() == name for one in tree.find_all(exp.Table))


def _has_nested(select: exp.Select) -> bool:
    return any(
        node is not select
        for key, value in select.args.items()
        if key not in ("from_", "joins")
        for part in (value if isinstance(value, list) else [value])
        if isinstance(part, exp.Expr)
        for node in part.find_all(exp.Query)
    )


def _only_known(tree: exp.Query) -> None:
    """Raises `SqlError` for a part of a SELECT that is not looked at."""
    for key, value in tree.args.items():
        if value and key not in _PARTS:
            at = value if isinstance(value, exp.Expr) else tree
            raise SqlError(f"This cannot be used here: {key.rstrip('_').upper()}.", at=at, sqlstate="0A000")


def _columns(node: exp.Expr) -> tuple[str, ...]:
    alias = node.args.get("alias")
    return tuple(one.name for one in alias.columns) if alias is not None else ()


def _quoted(tree: exp.Expr) -> None:
    for node in tree.find_all(exp.Identifier):
        node.set("quoted", True)
