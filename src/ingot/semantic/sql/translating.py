"""A whole statement: which of its SELECTs are over the model, and which run on the rows of others."""

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from ingot.errors import did_you_mean
from ingot.semantic.sql.allowed import called
from ingot.semantic.sql.around import Around
from ingot.semantic.sql.errors import SqlError, shown
from ingot.semantic.sql.guessing import Guessing
from ingot.semantic.sql.postgres.calls import FUNCTIONS
from ingot.semantic.sql.questions.aggregates import is_aggregate
from ingot.semantic.sql.questions.asking import Asking
from ingot.semantic.sql.questions.columns import (
    JOIN_FIELD,
    Scope,
    Table,
    face,
    faces,
    inside,
    is_measure,
    marked,
    members,
    same,
    table,
)
from ingot.semantic.sql.questions.joining import From, Joining
from ingot.semantic.sql.questions.keyed import KeyedJoin, OtherJoinError, keyed
from ingot.semantic.sql.questions.once import once
from ingot.semantic.sql.questions.question import Question
from ingot.semantic.sql.questions.selecting import Selecting
from ingot.semantic.sql.questions.semijoin import conditions
from ingot.semantic.sql.rows.cubes import Rows
from ingot.semantic.sql.rows.froms import compared, expressions, tables
from ingot.semantic.sql.rows.plain import Find, Named, Names, Plain, as_cte, columns
from ingot.semantic.sql.rows.scope import Seen, Source
from ingot.semantic.sql.rows.tables import Placed, Tables

_PLAIN = ("group", "having", "distinct", "limit", "offset", "windows", "qualify", "with_", "with")
MAX_QUESTIONS = 50


class Translating(Plain):
    """Translates one statement."""

    def __init__(self, around: Around, find: Find = lambda _: None, guessing: Guessing | None = None) -> None:
        """`find` knows the tables that are no cubes or views."""
        super().__init__(around.writing, find, guessing)
        self.around = around
        self.questions = 0
        self._by_rows = False
        """Whether joins that say what the model declares are joined as rows, too."""
        self._known: dict[int, tuple[exp.Expr, Scope | None]] = {}
        """By the number of a sub-query, which is kept so that no other one gets the number."""

    def alias(self) -> str:
        return self.around.alias()

    def named_query(self, one: Named) -> None:
        """It is translated when it is read as a table: most are only seen through."""

    def select(self, select: exp.Select, names: Names, outer: Seen | None) -> exp.Select:
        select = conditions(compared(select))
        once_only = self._once_only(select, names) if outer is None else {}
        made = self._answered(select, {**names, **once_only}, outer)
        written = [as_cte(name, one, select) for name, one in once_only.items() if one.made is not None]
        if written:
            made.set("with_", exp.With(expressions=written))
        return made

    def _once_only(self, select: exp.Select, names: Names) -> dict[str, Named]:
        """Sub-queries of FROM that may have other rows each time, where measures are computed in several parts.

        They are taken out of `select`, to be computed once.
        """
        nodes = tables(select)
        found = [
            one
            for one in nodes
            if len(nodes) > 1 and isinstance(one, exp.Subquery) and _is_unsteady(one.this)
        ]
        if not found or self._scope(select, names) or self._keyed(select, names):
            return {}
        scopes = {id(one): self._source(one, names) for one in nodes}
        if not self._names_measure(select, [one for one in scopes.values() if one is not None]):
            return {}
        made: dict[str, Named] = {}
        for node in found:
            if scopes[id(node)] is None and not node.args.get("joins"):
                name = self.alias()
                made[name] = Named(node.this, names, materialized=True)
                node.replace(
                    exp.Table(this=exp.to_identifier(name, quoted=True), alias=node.args.get("alias"))
                )
        return made

    def _answered(self, select: exp.Select, names: Names, outer: Seen | None) -> exp.Select:
        scope = self._scope(select, names) or self._keyed(select, names) or self._joined(select, names, outer)
        if scope is not None and outer is not None and self._looks_out(select, scope, outer):
            scope = self._joined(select, names, outer, alone=True)
        if scope is None:
            return self.over_rows(select, names, outer)
        self.counted(select)
        before = select.copy() if any(select.find_all(exp.Query)) else None
        try:
            return self._selected(select, scope, names, outer)
        except OtherJoinError:
            if self._by_rows:
                raise
            self._by_rows = True
            self._known.clear()
            try:
                return self.select(select, names, outer)
            finally:
                self._by_rows = False
                self._known.clear()
        except SqlError as error:
            # A sub-query in it may look at its columns: then the rows are joined by the engine.
            if before is None or error.sqlstate not in ("42703", "42P01") or not _has_nested(before):
                raise
            try:
                joined = self._joined(before, names, outer, alone=True) if scope.joining is None else None
                if joined is not None:
                    return self._selected(before, joined, names, outer)
                return self.over_rows(before, names, outer)
            except SqlError:
                raise error from None

    def _selected(self, select: exp.Select, scope: Scope, names: Names, outer: Seen | None) -> exp.Select:
        around = scope.joining.around if scope.joining is not None else self.around
        made = Selecting(select, scope, around, lambda tree: self.nested(tree, names, outer)).written()
        self.writing.volatile = self.writing.volatile or around.writing.volatile
        return made

    def _looks_out(self, select: exp.Select, scope: Scope, outer: Seen) -> bool:
        """Whether a SELECT uses columns of what is around it, which its tables do not know."""
        if scope.joining is not None and scope.joining.outer is outer:
            return False
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

    def _scope(self, select: exp.Select, names: Names) -> Scope | None:  # noqa: PLR0911 - one for each reason
        """The tables of a SELECT, where the model alone can answer it."""
        if not select.expressions:
            raise SqlError("The SELECT has no columns.", at=select)
        source = select.args.get("from_")
        first = self._source(source.this, names) if source is not None else None
        if first is None:
            return None
        joins = select.args.get("joins") or []
        if _starred(select) and any(one.ambiguous for one in first.tables):
            return None
        if not joins:
            return first
        found, where = [*first.tables], [*first.where]
        for join in joins:
            own = self._source(join.this, names)
            if own is None or not self._by_model(join):
                return None
            if any(table.owner is None for table in (*found, *own.tables)):
                return None
            for one in own.tables:
                if any(one.owner == other.owner for other in found):
                    return None  # the model joins it once; the statement may join it to itself
                if any(same(one.alias, other.alias) for other in found):
                    raise SqlError(f"FROM names '{shown(one.alias)}' twice.", at=join, sqlstate="42712")
            found += own.tables
        return Scope(found, where)

    def _keyed(self, select: exp.Select, names: Names, *, stars: bool = False) -> Scope | None:
        """The cubes of a SELECT with measures whose joins say by their keys what the model declares."""
        joins = select.args.get("joins") or []
        first = self._cube(select.args["from_"].this, names) if joins and not self._by_rows else None
        if first is None:
            return None
        scope = Scope([first])
        found: list[KeyedJoin] = []
        for join in joins:
            own = self._cube(join.this, names)
            if own is None or own.owner in scope.owners:
                return None
            if any(same(own.alias, one.alias) for one in scope.tables):
                return None
            one = keyed(join, scope, Scope([own]), self.around.model, self.around.seen)
            if one is None:
                return None
            found.append(one)
            scope.tables.append(own)
            scope.merged |= one.merged
            scope.hidden |= {(each.alias, name) for each in scope.tables for name in one.merged}
        if not self._names_measure(select, [scope]) and not (stars and _starred(select)):
            return None
        scope.joins = tuple(found)
        scope.where += [test for one in found for test in one.tests()]
        return scope

    def _cube(self, node: exp.Expr, names: Names) -> Table | None:
        """A cube, or a sub-query that is some of its columns."""
        scope = self._source(node, names)
        if scope is None or len(scope.tables) != 1 or scope.where or scope.joining is not None or scope.joins:
            return None
        own = scope.tables[0]
        owner = own.owner or scope.owner
        if owner not in self.around.model.cubes or own.ambiguous:
            return None
        return replace(own, owner=owner) if all(map(marked, own.columns.values())) else None

    def _joined(
        self,
        select: exp.Select,
        names: Names,
        outer: Seen | None,
        *,
        stars: bool = False,
        alone: bool = False,
    ) -> Scope | None:
        """The tables of a SELECT with measures that joins them in its own way.

        `stars`: a star may name measures. `alone`: one table will do.
        """
        nodes = tables(select)
        scopes = [self._source(one, names) for one in nodes] if len(nodes) > 1 or alone else []
        known = [one for one in scopes if one is not None]
        starred = _starred(select)
        if starred and any(each.ambiguous for one in known for each in one.tables):
            return None
        if not self._names_measure(select, known) and not (stars and starred and known):
            return None
        return Joining(
            self.around,
            lambda: self._read(select, names, scopes, outer),
            once=once(select, scopes, self.around.model, self.around.seen),
            alike=not any(self._brings_rows(one) for one in known),
            outer=outer,
        ).scope

    def _brings_rows(self, scope: Scope) -> bool:
        """Whether a table has other rows where more is asked of it: one over several cubes, of which some are joined."""
        if scope.joining is not None:
            return not scope.joining.alike
        return (scope.tables[0].owner or scope.owner) not in self.around.model.cubes

    def _read(
        self, select: exp.Select, names: Names, scopes: Sequence[Scope | None], outer: Seen | None
    ) -> From:
        """FROM, where sub-queries of rows are seen through. `scopes`: what its tables are."""
        made = exp.Select(
            from_=select.args["from_"].copy(), joins=[one.copy() for one in select.args.get("joins") or []]
        )
        through: dict[int, Rows] = {}
        for node, scope in zip(tables(made), scopes, strict=True):
            if scope is not None and scope.tables[0].owner is None:
                rows = self._rows(scope)
                place = exp.Table(this=exp.to_identifier(rows.alias, quoted=True))
                node.replace(place)
                through[id(place)] = rows
        means = self.means(names)

        def look(node: exp.Table) -> tuple[Source, Placed]:
            rows = through.get(id(node))
            return (rows, lambda: rows.table(node)) if rows is not None else means.look(node)

        found = Tables(replace(means, look=look), outer)
        found.read(made)
        return From(made, found)

    def _rows(self, scope: Scope) -> Rows:
        """The rows of a sub-query that is seen through."""
        self.counted(exp.null())
        joining = scope.joining
        around = joining.around if joining is not None else self.around
        question: Asking = (
            joining.question(ungrouped=True)
            if joining is not None
            else Question(around, ungrouped=True, joins=scope.joins)
        )
        for one in scope.where:
            question.where(one.copy())
        own = scope.tables[0]
        if joining is not None or scope.owner not in self.around.model.cubes:
            for tree in own.columns.values():  # each may bring rows of other cubes with it
                question.of_star(tree)
        return Rows(own.alias or self.alias(), own, around, question=question)

    def _names_measure(self, select: exp.Select, scopes: Sequence[Scope]) -> bool:
        """Whether an expression of a SELECT has a measure in it; without one, it is answered from the rows."""
        for node in (node for part in expressions(select) for node in inside(part)):
            if not isinstance(node, exp.Column) or not isinstance(node.this, exp.Identifier):
                continue
            for scope in scopes:
                try:
                    found = scope.column(node)
                except SqlError:
                    continue
                seen = (scope.joining.around if scope.joining is not None else self.around).seen
                if any(is_measure(seen.members[name]) for name in members(found)):
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
            if not isinstance(node.this, exp.Identifier) or node.args.get("joins"):
                return None
            named = self.named(node, names)
            if named is not None:
                if named.itself is not None:
                    return None
                alias = node.alias or node.name
                return self._flat(named.query, named.visible, alias, columns(node) or named.columns)
            return None if columns(node) or self.found(node) is not None else self.face_scope(node)
        if isinstance(node, exp.Subquery) and not node.args.get("joins"):
            if isinstance(node.this, exp.Table):
                return None
            return self._flat(node.this, names, node.alias, columns(node))
        return None

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
        if any(
            is_aggregate(node) or isinstance(node, exp.Window | exp.Query)
            for part in expressions(query)
            for node in part.walk()
        ):
            return None
        if id(query) not in self._known:
            query = compared(query)
            scope = self._scope(query, names) or self._keyed(query, names, stars=True)
            scope = scope or self._joined(query, names, None, stars=True)
            self._known[id(query)] = query, scope
        _, scope = self._known[id(query)]
        if scope is None:
            return None
        around = scope.joining.around if scope.joining is not None else self.around
        try:
            selecting = Selecting(query, scope, around, lambda tree: tree)
        except SqlError as error:
            if error.sqlstate not in ("42703", "42P01"):
                raise
            return None  # it may look at what is around it
        trees = selecting.projections
        found = list(columns) + selecting.named[len(columns) :]
        folded = [name.casefold() for name in found]
        twice = frozenset(name for name in folded if folded.count(name) > 1)
        plain = {name: tree for name, tree in zip(found, trees, strict=True) if name.casefold() not in twice}
        owner = None
        if len(scope.tables) == 1 and scope.tables[0].owner is not None:
            owner = scope.tables[0].owner
        made = Table(alias, plain, None, twice)
        return Scope([made], selecting.where, owner=owner, joins=scope.joins, joining=scope.joining)

    def table(self, node: exp.Table) -> tuple[Source, Placed]:
        """A table of a SELECT over rows: the rows of a cube or view, or one that is neither."""
        if self.found(node) is not None:
            return super().table(node)
        self.counted(node)
        own = self.face_scope(node)
        rows = Rows(node.alias or node.name, own.tables[0], self.around, columns(node))
        return rows, lambda: rows.table(node)


def _starred(select: exp.Select) -> bool:
    """Whether a star stands for columns."""
    return any(
        isinstance(one, exp.Star) or (isinstance(one, exp.Column) and isinstance(one.this, exp.Star))
        for one in select.expressions
    )


def _has_nested(select: exp.Select) -> bool:
    return any(
        node is not select
        for key, value in select.args.items()
        if key not in ("from_", "joins")
        for part in (value if isinstance(value, list) else [value])
        if isinstance(part, exp.Expr)
        for node in part.find_all(exp.Query)
    )


def _is_unsteady(query: exp.Expr) -> bool:
    """Whether a sub-query may have other rows when it is asked again: by chance, or because one among equals is taken."""
    return any(
        isinstance(node, exp.Limit | exp.Fetch | exp.Offset | exp.Window)
        or (isinstance(node, exp.Distinct) and node.args.get("on") is not None)
        or (isinstance(node, exp.Anonymous) and _is_chance(called(node)))
        for node in query.walk()
    )


def _is_chance(name: str) -> bool:
    known = FUNCTIONS.get(name)
    return known is not None and known.volatile
