"""A SELECT over tables -> the same in the engine's words: its names looked up, its expressions with their meaning.

Only what is known here gets through; a statement is written anew, and never pasted.
"""

from collections.abc import Mapping, Sequence

from sqlglot import exp

from ingot.pgwire.lake_columns import aliased, expanded, is_star, matched, numbered, output_called, renamed
from ingot.pgwire.lake_names import Col, From, Look, Scope, distinct, name_of, quoted
from ingot.semantic.sql.errors import SqlError, shown
from ingot.semantic.sql.postgres import kinds
from ingot.semantic.sql.postgres.calls import Meant
from ingot.semantic.sql.postgres.casts import becoming
from ingot.semantic.sql.postgres.input import Clock
from ingot.semantic.sql.postgres.tree import call
from ingot.semantic.sql.postgres.writing import TYPE, Writing

_SELECT = frozenset(
    {
        "expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset", "distinct", "with_",
        "windows",
    }
)  # fmt: skip
_KNOWN: dict[type[exp.Expr], frozenset[str]] = {
    exp.Select: _SELECT,
    exp.SetOperation: frozenset({"this", "expression", "distinct", "order", "limit", "offset", "with_"}),
    exp.Subquery: frozenset({"this", "alias", "order", "limit", "offset", "with_"}),
    exp.Table: frozenset({"this", "db", "catalog", "alias"}),
    exp.Join: frozenset({"this", "on", "using", "side", "kind"}),
    exp.CTE: frozenset({"this", "alias", "materialized"}),
    exp.With: frozenset({"expressions", "recursive"}),
    exp.Group: frozenset({"expressions", "grouping_sets", "cube", "rollup"}),
    exp.Distinct: frozenset({"on"}),
    exp.Limit: frozenset({"expression"}),
    exp.Offset: frozenset({"expression"}),
    exp.Fetch: frozenset({"direction", "count", "limit_options"}),
    exp.Values: frozenset({"expressions", "alias"}),
}
MOST = 32_767
PLACE = "parameter"
"""In the `meta` of a NULL: that it stands for a parameter."""
_JOINS = frozenset({"", "INNER", "OUTER", "CROSS"})
_Ctes = Mapping[str, tuple[Col, ...]]


class LakeSelect:
    """Writes one statement."""

    def __init__(self, look: Look, clock: Clock, values: Sequence[exp.Expr] | None = None) -> None:
        """`values`: literals for `$1`, `$2`, …; None where they are not there yet, and only their types are asked."""
        self._look = look
        self._bound = values
        self.writing = Writing(clock)
        self.parameters: dict[int, str] = {}
        """The types of parameters, as far as what stands beside them says them."""

    def written(self, tree: exp.Query) -> tuple[Col, ...]:
        """The columns of `tree`, which becomes what the engine reads. Raises `SqlError`."""
        return self._query(tree, {}, None)

    def _query(self, tree: exp.Expr, ctes: _Ctes, outer: Scope | None) -> tuple[Col, ...]:
        _only_known(tree)
        ctes = self._with(tree, ctes, outer)
        if isinstance(tree, exp.Select):
            return self._select(tree, ctes, outer)
        if isinstance(tree, exp.SetOperation):
            left = self._query(tree.this, ctes, outer)
            right = self._query(tree.expression, ctes, outer)
            columns = matched(left, right, tree)
        elif isinstance(tree, exp.Subquery) and isinstance(tree.this, exp.Query):
            columns = self._query(tree.this, ctes, outer)
        else:
            raise SqlError("This is no SELECT.", at=tree, sqlstate="0A000")
        order = tree.args.get("order")
        for one in order.expressions if order is not None else ():
            place = numbered(one.this, columns)
            if place is None:
                raise SqlError("ORDER BY after UNION takes names and numbers of columns.", at=one)
            one.set("this", place)
        self._bounds(tree)
        return columns

    def _with(self, tree: exp.Expr, ctes: _Ctes, outer: Scope | None) -> _Ctes:
        given = tree.args.get("with_")
        if given is None:
            return ctes
        _only_known(given)
        found = dict(ctes)
        for cte in given.expressions:
            _only_known(cte)
            alias = cte.args["alias"]
            name, names = name_of(alias.this), [name_of(one) for one in alias.columns]
            inner = found
            if given.args.get("recursive") and isinstance(cte.this, exp.SetOperation):
                first = self._query(cte.this.this.copy(), found, outer)
                inner = {**found, name: renamed(first, names, cte)}
            columns = renamed(self._query(cte.this, inner, outer), names, cte)
            found[name] = columns
            cte.set("alias", aliased(name, columns))
        return found

    # -- one SELECT ------------------------------------------------------------------------------------

    def _select(self, select: exp.Select, ctes: _Ctes, outer: Scope | None) -> tuple[Col, ...]:
        scope = Scope(outer=outer)
        start = select.args.get("from_")
        if start is not None:
            self._source(start.this, ctes, scope)
        for join in select.args.get("joins") or ():
            self._join(join, ctes, scope)
        if not select.expressions:
            raise SqlError("The SELECT has no columns.", at=select)
        columns, trees = self._outputs(select, ctes, scope)
        select.set("expressions", trees)
        for key, word in (("where", "WHERE"), ("having", "HAVING")):
            node = select.args.get(key)
            if node is not None:
                node.set("this", self.writing.test(self._named(node.this, ctes, scope), word))
        self._group(select, columns, ctes, scope)
        windows = []
        for window in select.args.get("windows") or ():
            name = window.this.name.lower()
            self._named_in(window, ctes, scope)
            made = self.writing.window(window)
            made.set("this", quoted(name))
            windows.append(made)
        if windows:
            select.set("windows", windows)
        self._order(select, (columns, trees), ctes, scope)
        self._bounds(select)
        return columns

    def _outputs(
        self, select: exp.Select, ctes: _Ctes, scope: Scope
    ) -> tuple[tuple[Col, ...], list[exp.Expr]]:
        found: list[tuple[Col, exp.Expr]] = []
        for one in select.expressions:
            if is_star(one):
                found += expanded(one, scope)
                continue
            name = output_called(one)
            tree = one.this if isinstance(one, exp.Alias) else one
            engine = ""
            if isinstance(tree.unnest(), exp.Column):
                engine = scope.column(tree.unnest())[0].engine
            written = self.writing.output(self._named(tree, ctes, scope))
            found.append((Col(name, written.type, name, engine), written.tree))
        columns = distinct(col for col, _ in found)
        trees: list[exp.Expr] = []
        for col, (_, tree) in zip(columns, found, strict=True):
            made = exp.alias_(tree, col.inner, quoted=True)
            made.meta[TYPE] = col.type
            trees.append(made)
        return columns, trees

    def _group(self, select: exp.Select, columns: tuple[Col, ...], ctes: _Ctes, scope: Scope) -> None:
        group = select.args.get("group")
        if group is None:
            return
        _only_known(group)

        def term(node: exp.Expr) -> exp.Expr:
            if isinstance(node, exp.Tuple):
                return exp.Tuple(expressions=[term(one) for one in node.expressions])
            if isinstance(node, exp.Paren) and not isinstance(node.this, exp.Query):
                return exp.Paren(this=term(node.this))
            if isinstance(node, exp.GroupingSets | exp.Cube | exp.Rollup):
                return type(node)(expressions=[term(one) for one in node.expressions])
            own = isinstance(node, exp.Column) and scope.own(node) is not None
            place = None if own else numbered(node, columns)
            return place or self.writing.output(self._named(node, ctes, scope)).tree

        for key in ("expressions", "grouping_sets", "cube", "rollup"):
            if group.args.get(key):
                group.set(key, [term(one) for one in group.args[key]])

    def _order(
        self, select: exp.Select, given: tuple[tuple[Col, ...], list[exp.Expr]], ctes: _Ctes, scope: Scope
    ) -> None:
        columns, trees = given

        def term(node: exp.Expr) -> exp.Expr:
            return numbered(node, columns) or self.writing.output(self._named(node, ctes, scope)).tree

        distinct_ = select.args.get("distinct")
        on = distinct_.args.get("on") if distinct_ is not None else None
        order = select.args.get("order")
        for one in order.expressions if order is not None else ():
            made = term(one.this)
            if (
                distinct_ is not None
                and on is None
                and not isinstance(made, exp.Literal)
                and not any(made == each.this for each in trees)
            ):
                raise SqlError(
                    "for SELECT DISTINCT, ORDER BY expressions must appear in select list",
                    at=one,
                    sqlstate="42P10",
                )
            one.set("this", made)
        if distinct_ is None or on is None:
            return
        _only_known(distinct_)
        terms = []
        for one in on.expressions if isinstance(on, exp.Tuple) else [on]:
            place = numbered(one, columns)
            terms.append(trees[int(place.name) - 1].this.copy() if place is not None else term(one))
        distinct_.set("on", exp.Tuple(expressions=terms))

    def _bounds(self, tree: exp.Expr) -> None:
        for key in ("limit", "offset"):
            node = tree.args.get(key)
            if node is None:
                continue
            _only_known(node)
            if isinstance(node, exp.Fetch):
                options = node.args.get("limit_options")
                if options is not None and (options.args.get("percent") or options.args.get("with_ties")):
                    raise SqlError("FETCH takes a number of rows.", at=node, sqlstate="0A000")
                given = node.args.get("count") or exp.Literal.number(1)
            else:
                given = node.expression
            if isinstance(given, exp.Null) or (isinstance(given, exp.Column) and given.name.lower() == "all"):
                tree.set(key, None)
                continue
            if isinstance(given, exp.Parameter):
                given = self._parameter(given)
                self._guess(node, list(node.find_all(exp.Parameter)))
            if isinstance(given, exp.Null):
                tree.set(key, None)
                continue
            if given.find(exp.Column, exp.Query):
                raise SqlError(
                    f"argument of {key.upper()} must not contain variables", at=node, sqlstate="42P10"
                )
            made = self.writing.write(given)
            if made.type not in (*kinds.WHOLE, "numeric", kinds.UNKNOWN, kinds.ANY):
                raise SqlError(f"{key.upper()} takes a whole number.", at=node, sqlstate="42804")
            if isinstance(made.number, str) and made.number.startswith("-"):
                raise SqlError(f"{key.upper()} must not be negative", at=node, sqlstate="2201W")
            tree.set(key, (exp.Limit if key == "limit" else exp.Offset)(expression=made.tree))

    # -- tables ----------------------------------------------------------------------------------------

    def _join(self, join: exp.Join, ctes: _Ctes, scope: Scope) -> None:
        natural = str(join.args.get("method") or "").upper() == "NATURAL"
        if natural:
            join.set("method", None)
        _only_known(join)
        if (join.kind or "").upper() not in _JOINS:
            raise SqlError(f"{join.kind} JOIN cannot be used here.", at=join, sqlstate="0A000")
        before = len(scope.tables)
        self._source(join.this, ctes, scope)
        if natural:
            _spell_out(join, scope, before)
        merged: list[exp.Expr] = []
        for one in join.args.get("using") or ():
            identifier = one.this if isinstance(one, exp.Column) else one
            sides = []
            for tables in (scope.tables[:before], scope.tables[before:]):
                cols = [col for each in tables for col in each.find(identifier)]
                known = scope.merged.get(identifier.name.casefold())
                if known is not None and tables is not scope.tables[before:] and len(cols) > 1:
                    cols = [known]
                if len(cols) != 1:
                    said = "does not exist" if not cols else "is ambiguous"
                    raise SqlError(
                        f'column "{shown(identifier.name)}" specified in USING clause {said}',
                        at=one,
                        sqlstate="42703" if not cols else "42702",
                    )
                sides.append(cols[0])
            scope.merged[identifier.name.casefold()] = sides[0]
            merged.append(quoted(sides[0].inner))
        if merged:
            join.set("using", merged)
        if join.args.get("on") is not None:
            join.set("on", self.writing.test(self._named(join.args["on"], ctes, scope), "JOIN/ON"))

    def _source(self, node: exp.Expr, ctes: _Ctes, scope: Scope) -> None:
        alias = node.args.get("alias")
        names = [name_of(one) for one in alias.columns] if alias is not None else []
        called = name_of(alias.this) if alias is not None and alias.this is not None else ""
        if isinstance(node, exp.Unnest) or (isinstance(node, exp.Table) and isinstance(node.this, exp.Func)):
            self._series(node, called, names, ctes, scope)
            return
        if isinstance(node, exp.Lateral) and isinstance(node.this, exp.Subquery):
            inner = node.this
            columns = self._query(inner, ctes, Scope(list(scope.tables), dict(scope.merged), scope.outer))
        elif isinstance(node, exp.Table):
            if not isinstance(node.this, exp.Identifier):
                raise SqlError("This cannot be used as a table.", at=node, sqlstate="0A000")
            _only_known(node)
            called = called or name_of(node.this)
            columns = self._table(node, ctes)
        elif isinstance(node, exp.Subquery) and isinstance(node.this, exp.Query):
            columns = self._query(node, ctes, scope.outer)
        elif isinstance(node, exp.Values):
            _only_known(node)
            columns = self._values(node)
        else:
            raise SqlError("This cannot be used as a table.", at=node, sqlstate="0A000")
        columns = renamed(columns, names, node)
        if called:
            node.set("alias", aliased(called, columns if names or isinstance(node, exp.Values) else ()))
        scope.add(From(called, columns), node)

    def _table(self, node: exp.Table, ctes: _Ctes) -> tuple[Col, ...]:
        name = name_of(node.this)
        if not node.db and name in ctes:
            node.set("this", quoted(name))
            return ctes[name]
        try:
            found = self._look(name_of(node.args.get("catalog")), name_of(node.args.get("db")), name)
        except SqlError as error:
            raise SqlError(error.message, at=node, sqlstate=error.sqlstate, hint=error.hint) from None
        parts = [quoted(one) for one in found.parts]
        node.set("this", parts[-1])
        node.set("db", parts[-2] if len(parts) > 1 else None)
        node.set("catalog", parts[-3] if len(parts) > 2 else None)
        return tuple(Col(one, kinds.from_engine(kind), one, kind) for one, kind in found.columns.items())

    def _series(self, node: exp.Expr, called: str, names: list[str], ctes: _Ctes, scope: Scope) -> None:
        """`generate_series(1, 5)` and `unnest(array)` as a table of one column."""
        inner = node.this if isinstance(node, exp.Table) else node
        function = "unnest" if isinstance(node, exp.Unnest) else str(inner.name).lower()
        if node.args.get("offset") or node.args.get("ordinality") or len(names) > 1:
            raise SqlError("Functions give one column here.", at=node, sqlstate="0A000")
        around = Scope(outer=scope.outer)
        given = [self.writing.write(self._named(one, ctes, around)) for one in inner.expressions]
        if function == "unnest" and len(given) == 1 and kinds.is_array(given[0].type):
            made, kind = call("unnest", given[0].tree), kinds.element(given[0].type)
            select = exp.Select(expressions=[exp.alias_(made, "unnest", quoted=True)])
            table: exp.Expr = exp.Subquery(this=select)
        elif function == "generate_series":
            series, kind = self._generated(given, node)
            table = exp.Table(this=series)
        else:
            raise SqlError(
                f"The function {shown(function)}() cannot be a table here.", at=node, sqlstate="0A000"
            )
        called = called or function
        column = Col(names[0] if names else called, kind, names[0] if names else called)
        table.set("alias", aliased(called, (column,)))
        node.replace(table)
        scope.add(From(called, (column,)), node)

    def _generated(self, given: list[Meant], at: exp.Expr) -> tuple[exp.Expr, str]:
        clock = self.writing.clock
        kind = kinds.common([one.type for one in given]) if len(given) in (2, 3) else None
        if kind in kinds.WHOLE:
            return call("generate_series", *(becoming(one, "int8", clock, at) for one in given)), str(kind)
        kind = kinds.common([one.type for one in given[:2]]) if len(given) == 3 else None
        if kind not in kinds.MOMENTS or (kind != "timestamp" and clock.zone != "UTC"):
            said = ", ".join(kinds.spoken(one.type) for one in given)
            raise SqlError(
                f"generate_series({said}) cannot be used here",
                at=at,
                sqlstate="0A000",
                hint="It takes whole numbers, or two timestamps and an interval.",
            )
        kind = "timestamp" if kind == "timestamp" else "timestamptz"
        ends = [becoming(one, kind, clock, at) for one in given[:2]]
        return call("generate_series", *ends, becoming(given[2], "interval", clock, at)), kind

    def _values(self, node: exp.Values) -> tuple[Col, ...]:
        rows = [[self.writing.output(one) for one in row.expressions] for row in node.expressions]
        if any(len(row) != len(rows[0]) for row in rows):
            raise SqlError("VALUES lists must all be the same length", at=node)
        node.set("expressions", [exp.Tuple(expressions=[one.tree for one in row]) for row in rows])
        types = [
            kinds.common([one.type for one in column]) or kinds.ANY for column in zip(*rows, strict=True)
        ]
        return tuple(Col(f"column{n}", kind, f"column{n}") for n, kind in enumerate(types, 1))

    # -- names in expressions --------------------------------------------------------------------------

    def _named_in(self, node: exp.Expr, ctes: _Ctes, scope: Scope) -> None:
        for key, value in list(node.args.items()):
            if isinstance(value, list):
                node.set(
                    key,
                    [self._named(one, ctes, scope) if isinstance(one, exp.Expr) else one for one in value],
                )
            elif isinstance(value, exp.Expr):
                node.set(key, self._named(value, ctes, scope))

    def _named(self, node: exp.Expr, ctes: _Ctes, scope: Scope) -> exp.Expr:
        """An expression with its columns looked up, its parameters filled in, and the sub-queries in it written."""
        if isinstance(node, exp.Query):
            columns = self._query(node, ctes, scope)
            node.meta[TYPE] = [one.type for one in columns]
        elif isinstance(node, exp.Parameter):
            return self._parameter(node)
        elif isinstance(node, exp.Column):
            if not isinstance(node.this, exp.Star):
                self._column(node, scope)
        else:
            found = [one for one in node.iter_expressions() if isinstance(one, exp.Parameter)]
            self._named_in(node, ctes, scope)
            self._guess(node, found)
        return node

    def _parameter(self, node: exp.Parameter) -> exp.Expr:
        if not node.name.isdigit() or not 0 < int(node.name) <= MOST:
            raise SqlError(f"there is no parameter ${shown(node.name)}", at=node, sqlstate="42P02")
        place = int(node.name)
        if self._bound is not None and place <= len(self._bound):
            return self._bound[place - 1].copy()
        if self._bound is not None:
            raise SqlError(f"there is no parameter ${place}", at=node, sqlstate="42P02")
        made = exp.null()
        made.meta[PLACE] = place
        self.parameters.setdefault(place, kinds.UNKNOWN)
        return made

    def _guess(self, node: exp.Expr, found: list[exp.Parameter]) -> None:
        """What the parameters right in a node are, as far as the rest of it says."""
        if not found or self._bound is not None:
            return
        kind = kinds.UNKNOWN
        if isinstance(node, exp.Cast):
            kind = kinds.named(node.to)[0]
        elif isinstance(node, exp.Limit | exp.Offset | exp.Fetch):
            kind = "int8"
        elif isinstance(node, exp.Like | exp.ILike | exp.RegexpLike | exp.RegexpILike | exp.DPipe):
            kind = "text"
        elif isinstance(
            node, exp.Binary | exp.Between | exp.In | exp.Coalesce | exp.Nullif | exp.Case | exp.If
        ):
            for one in node.iter_expressions():
                if PLACE in one.meta:
                    continue
                try:
                    kind = self.writing.output(one.copy()).type
                except SqlError:
                    continue
                if kind not in (kinds.UNKNOWN, kinds.ANY):
                    break
        for each in found:
            if self.parameters.get(int(each.name)) == kinds.UNKNOWN:
                self.parameters[int(each.name)] = kind

    @staticmethod
    def _column(node: exp.Column, scope: Scope) -> None:
        col, table = scope.column(node)
        node.set("this", quoted(col.inner))
        node.set("table", quoted(table) if table else None)
        node.set("db", None)
        node.set("catalog", None)
        node.meta[TYPE] = col.type


def _only_known(node: exp.Expr) -> None:
    """Raises `SqlError` for a part of a SELECT that is not looked at."""
    parts = next((parts for kind, parts in _KNOWN.items() if isinstance(node, kind)), None)
    for key, value in node.args.items():
        if value and (parts is None or key not in parts):
            at = value if isinstance(value, exp.Expr) else node
            raise SqlError(f"This cannot be used here: {key.rstrip('_').upper()}.", at=at, sqlstate="0A000")


def _spell_out(join: exp.Join, scope: Scope, before: int) -> None:
    """A NATURAL JOIN as the USING that it means."""
    left = {col.name for one in scope.tables[:before] for col in one.columns}
    names = [col.name for one in scope.tables[before:] for col in one.columns if col.name in left]
    if names:
        join.set("using", [quoted(name) for name in names])
    else:
        join.set("kind", "CROSS")
