"""A SELECT over the rows of others: PostgreSQL's own, but that cubes and views in it are their rows."""

from collections.abc import Callable, Iterator, Sequence

from sqlglot import exp

from ingot.semantic.sql.aggregates import is_measure_call
from ingot.semantic.sql.allowed import called
from ingot.semantic.sql.columns import JOIN_FIELD, inside
from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.naming import output_name
from ingot.semantic.sql.postgres import kinds
from ingot.semantic.sql.postgres.calls import Meant
from ingot.semantic.sql.postgres.casts import becoming
from ingot.semantic.sql.postgres.tree import call, case, cast, error, op, over, sub, whole
from ingot.semantic.sql.postgres.writing import TYPE, Writing, output_types
from ingot.semantic.sql.scope import Fixed, Seen, Source

MOST = 10_000_000
"""Values of a series."""
Placed = Callable[[], exp.Expr]
Look = Callable[[exp.Table], "tuple[Source, Placed]"]
"""A table of FROM -> its columns, and what stands in its place once all that is used of it is known."""
Query = Callable[[exp.Query, Seen | None], exp.Query]


class Outer:
    """Writes one such SELECT, which is changed."""

    def __init__(
        self,
        select: exp.Select,
        *,
        writing: Writing,
        look: Look,
        query: Query,
        outer: Seen | None,
        alias: Callable[[], str],
    ) -> None:
        """`look` knows tables, `query` writes a sub-query that sees some tables, `alias` gives a new name."""
        self.select = select
        self.writing = writing
        self.look = look
        self.query = query
        self.alias = alias
        self.seen = Seen(outer=outer)
        self.places: list[tuple[exp.Expr, Placed]] = []

    def written(self) -> exp.Select:  # noqa: PLR0912 - one for each clause
        """The SELECT in the engine's words, with the types of its columns in their `meta`."""
        select = self.select
        if not select.expressions:
            raise SqlError("The SELECT has no columns.", at=select)
        if select.args.get("from_"):
            self._source(select.args["from_"].this)
        for join in select.args.get("joins") or []:
            self._join(join)
        self._refuse_measures()
        outputs = self._outputs()
        made = exp.Select()
        projections = []
        for name, tree in outputs:
            found = self.writing.column(self._filled(tree.copy()))
            column = exp.alias_(found.tree, name, quoted=True, copy=False)
            column.meta[TYPE] = found.type
            if found.literal is not None or found.is_null:
                column.meta["open"] = found
            projections.append(column)
        made.set("expressions", projections)
        if select.args.get("where"):
            test = self.writing.test(self._filled(select.args["where"].this))
            made.set("where", exp.Where(this=test))
        if select.args.get("group"):
            made.set("group", self._group(select.args["group"], outputs))
        if select.args.get("having"):
            test = self.writing.test(self._filled(select.args["having"].this), "HAVING")
            made.set("having", exp.Having(this=test))
        if select.args.get("distinct"):
            made.set("distinct", self._distinct(select.args["distinct"], outputs))
        if select.args.get("order"):
            made.set("order", self._order(select.args["order"], outputs))
        for key in ("limit", "offset", "from_", "joins"):
            if select.args.get(key):
                made.set(key, select.args[key])
        for node, place in self.places:
            made_of = place()
            if node.args.get("joins"):
                made_of.set("joins", node.args["joins"])
            node.replace(made_of)
        return made

    # -- FROM ------------------------------------------------------------------------------------------

    def _source(self, node: exp.Expr) -> Source:
        joined = node.args.get("joins")
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table):
            if node.alias:
                raise SqlError("Brackets around tables have no name here.", at=node, sqlstate="0A000")
            first = self._source(node.this)
            for join in node.this.args.get("joins") or []:
                self._join(join)
            return first
        source = self._of(node)
        self.seen.add(source, node)
        if joined and isinstance(node, exp.Table) and not isinstance(node.parent, exp.Subquery):
            for join in joined:
                self._join(join)
        return source

    def _of(self, node: exp.Expr) -> Source:
        if isinstance(node, exp.Lateral):
            return self._lateral(node)
        if isinstance(node, exp.Values):
            return self._values(node)
        if isinstance(node, exp.Unnest) or (
            isinstance(node, exp.Table) and isinstance(node.this, exp.Anonymous)
        ):
            return self._series(node)
        if isinstance(node, exp.Table):
            source, place = self.look(node)
            self.places.append((node, place))
            return source
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Query):
            return self._subquery(node, self.seen.outer)
        raise SqlError("This cannot be used as a table.", at=node, sqlstate="0A000")

    def _subquery(self, node: exp.Subquery, outer: Seen | None) -> Source:
        made = self.query(node.this, outer)
        alias = node.args.get("alias")
        columns = [one.name for one in alias.columns] if alias is not None else []
        found = columns_of(made, columns, node)
        name = node.alias or self.alias()
        node.set("this", made)
        node.set("alias", _alias(name, list(found)))
        return Fixed(name, found)

    def _lateral(self, node: exp.Lateral) -> Source:
        inner = node.this
        if isinstance(inner, exp.Subquery) and isinstance(inner.this, exp.Query):
            seen = Seen(list(self.seen.sources), dict(self.seen.merged), outer=self.seen.outer)
            made = self.query(inner.this, seen)
            alias = node.args.get("alias")
            columns = [one.name for one in alias.columns] if alias is not None else []
            found = columns_of(made, columns, node)
            name = alias.name if alias is not None and alias.name else self.alias()
            node.set("this", exp.Subquery(this=made))
            node.set("alias", _alias(name, list(found)))
            return Fixed(name, found)
        if isinstance(inner, exp.Anonymous | exp.Unnest):
            held = exp.Table(this=inner, alias=node.args.get("alias"))
            node.replace(held)
            return self._series(held)
        raise SqlError("LATERAL takes a sub-query.", at=node, sqlstate="0A000")

    def _values(self, node: exp.Values) -> Source:
        rows = [one.expressions if isinstance(one, exp.Tuple) else [one.unnest()] for one in node.expressions]
        if len({len(one) for one in rows}) != 1:
            raise SqlError("VALUES lists must all be the same length", at=node)
        meant = [[self.writing.write(self._filled(one)) for one in row] for row in rows]
        types = []
        for place in range(len(rows[0])):
            kind = kinds.common([row[place].type for row in meant])
            if kind is None:
                raise SqlError("VALUES types cannot be matched", at=node, sqlstate="42804")
            types.append(kind)
        clock = self.writing.clock
        first = True
        for n, row in enumerate(meant):
            items = []
            for one, kind in zip(row, types, strict=True):
                tree = becoming(one, kind, clock, node)
                known = kind in kinds.KNOWN and kind != "numeric" and (first or one.is_null)
                items.append(cast(tree, kind) if known else tree)
            first = False
            node.expressions[n] = exp.Tuple(expressions=items)
        node.set("expressions", list(node.expressions))
        alias = node.args.get("alias")
        given = [one.name for one in alias.columns] if alias is not None else []
        names = [*given, *(f"column{n}" for n in range(len(given) + 1, len(types) + 1))]
        name = alias.name if alias is not None and alias.name else self.alias()
        node.set("alias", _alias(name, names))
        return Fixed(name, dict(zip(names, types, strict=True)))

    def _series(self, node: exp.Expr) -> Source:
        """`generate_series(1, 5)` and `unnest(array)` as a table of one column."""
        inner = node.this if isinstance(node, exp.Table) else node
        listed: exp.Expr
        alias = node.args.get("alias")
        if node.args.get("ordinality") or node.args.get("offset"):
            raise SqlError("WITH ORDINALITY cannot be used here.", at=node, sqlstate="0A000")
        if isinstance(inner, exp.Unnest) or (isinstance(inner, exp.Anonymous) and called(inner) == "unnest"):
            if len(inner.expressions) != 1:
                raise SqlError("unnest() takes one array here.", at=node, sqlstate="0A000")
            array = self.writing.write(self._filled(inner.expressions[0]))
            if not kinds.is_array(array.type):
                raise SqlError(
                    f"function unnest({kinds.spoken(array.type)}) does not exist", at=node, sqlstate="42883"
                )
            listed, kind, called_ = array.tree, kinds.element(array.type), "unnest"
        elif isinstance(inner, exp.Anonymous) and called(inner) == "generate_series":
            listed, kind = self._generated(inner)
            called_ = "generate_series"
        else:
            raise SqlError("Functions cannot be tables here.", at=node, sqlstate="0A000")
        name = alias.name if alias is not None and alias.name else called_
        columns = [one.name for one in alias.columns] if alias is not None else []
        column = columns[0] if columns else name
        select = exp.Select(expressions=[exp.alias_(call("unnest", listed), column, quoted=True)])
        node.replace(
            exp.Lateral(this=exp.Subquery(this=select), alias=_alias(name, [column]))
            if self.seen.sources
            else exp.Subquery(this=select, alias=_alias(name, [column]))
        )
        return Fixed(name, {column: kind})

    def _generated(self, node: exp.Anonymous) -> tuple[exp.Expr, str]:
        given = [self.writing.write(self._filled(one)) for one in node.expressions]
        if len(given) not in (2, 3):
            raise SqlError("generate_series() takes two or three values.", at=node, sqlstate="42883")
        clock = self.writing.clock
        numbers = kinds.common([one.type for one in given])
        if numbers in kinds.WHOLE:
            known = [int(one.number) for one in given if one.number is not None]
            if len(known) == len(given) and len(known) == 2 and known[1] - known[0] > MOST:
                raise SqlError(f"a series has {MOST:,} values at most here", at=node, sqlstate="54000")
            first, last = (cast(one.tree, "int8") for one in given[:2])
            step: exp.Expr = cast(given[2].tree, "int8") if len(given) == 3 else exp.Literal.number(1)
            kind = "int8" if numbers == "int8" else "int4"
            apart = whole(sub(last.copy(), first.copy()), call("nullif", step.copy(), exp.Literal.number(0)))
            return _few(apart, cast(call("generate_series", first, last, step), f"{kind}[]")), kind
        moment = kinds.common([given[0].type, given[1].type])
        if (
            len(given) != 3
            or moment not in (*kinds.MOMENTS, "text")
            or given[2].type not in (kinds.UNKNOWN, "interval")
        ):
            said = ", ".join(kinds.spoken(one.type) for one in given)
            raise SqlError(f"function generate_series({said}) does not exist", at=node, sqlstate="42883")
        kind = "timestamptz" if moment != "timestamp" else "timestamp"
        if kind == "timestamptz" and clock.zone != "UTC":
            raise SqlError(
                "generate_series() takes timestamps without a zone here.", at=node, sqlstate="0A000"
            )
        low, high = (becoming(one, kind, clock, node) for one in given[:2])
        step = becoming(given[2], "interval", clock, node)
        apart = over(
            sub(call("epoch", high.copy()), call("epoch", low.copy())),
            call("nullif", call("epoch", step.copy()), exp.Literal.number(0)),
        )
        return _few(apart, call("generate_series", low, high, step)), kind

    def _join(self, join: exp.Join) -> None:
        if join.kind not in ("", "CROSS", "INNER", "OUTER") or join.side not in ("", "LEFT", "RIGHT", "FULL"):
            raise SqlError("This join cannot be used here.", at=join, sqlstate="0A000")
        before = list(self.seen.sources)
        right = self._source(join.this)
        names = [one.name for one in join.args.get("using") or ()]
        if str(join.args.get("method") or "").upper() == "NATURAL":
            left = {name.casefold() for one in before for name in one.names()} | set(self.seen.merged)
            names = [name for name in right.names() if name.casefold() in left]
            join.set("method", None)
            if not names:
                join.set("kind", "CROSS")
        elif join.args.get("method"):
            raise SqlError("This join cannot be used here.", at=join, sqlstate="0A000")
        on = join.args.get("on")
        if names:
            on = self.seen.using(names, right, join)
            join.set("using", None)
            join.set("on", self.writing.test(on, "JOIN/ON"))
        elif on is not None:
            _refuse_join_field(on)
            join.set("on", self.writing.test(self._filled(on), "JOIN/ON"))

    # -- expressions -----------------------------------------------------------------------------------

    def _filled(self, tree: exp.Expr) -> exp.Expr:
        """`tree`, which is changed, with each column as the engine knows it, and its sub-queries written."""
        if isinstance(tree, exp.Query):
            return self._nested(tree)
        if isinstance(tree, exp.Column):
            if TYPE in tree.meta:
                return tree  # found before
            found = self.seen.column(tree)
            starts = [each.meta["start"] for each in tree.walk() if "start" in each.meta]
            if starts:
                found.meta["start"] = min(starts)
            return found
        for key, value in list(tree.args.items()):
            if isinstance(value, exp.Expr):
                tree.set(key, self._filled(value))
            elif isinstance(value, list):
                tree.set(key, [self._filled(one) if isinstance(one, exp.Expr) else one for one in value])
        return tree

    def _nested(self, tree: exp.Query) -> exp.Query:
        return self.query(tree, self.seen)

    def _outputs(self) -> list[tuple[str, exp.Expr]]:
        found: list[tuple[str, exp.Expr]] = []
        for one in self.select.expressions:
            if not _is_star(one):
                found.append((output_name(one), one.unalias()))
                continue
            inner = one.this if isinstance(one, exp.Column) else one
            if any(inner.args.get(key) for key in ("except_", "replace", "rename", "except")):
                raise SqlError("EXCEPT and REPLACE are not part of PostgreSQL's star.", at=one)
            table = one.table if isinstance(one, exp.Column) else ""
            for name, tree in self.seen.star(table, one):
                found.append((name, tree))
        return found

    def _group(self, group: exp.Group, outputs: list[tuple[str, exp.Expr]]) -> exp.Group:
        if any(group.args.get(key) for key in ("totals", "all")):
            raise SqlError("GROUP BY takes columns and expressions only.", at=group, sqlstate="0A000")
        made = exp.Group()
        for key in ("expressions", "rollup", "cube", "grouping_sets"):
            if group.args.get(key):
                made.set(key, [self._key(one, outputs) for one in group.args[key]])
        return made

    def _key(self, node: exp.Expr, outputs: list[tuple[str, exp.Expr]]) -> exp.Expr:
        if isinstance(node, exp.Rollup | exp.Cube | exp.GroupingSets | exp.Tuple):
            return type(node)(expressions=[self._key(one, outputs) for one in node.expressions])
        if isinstance(node, exp.Paren) and isinstance(node.parent, exp.GroupingSets):
            return exp.Paren(this=self._key(node.this, outputs))
        if isinstance(node, exp.Literal):
            return self._term(place(node, len(outputs)), outputs)
        if isinstance(node, exp.Column) and not self.seen.has(node):
            number = named_output(node, outputs)
            if number:
                return self._term(number, outputs)
        return self.writing.output(self._filled(node.copy())).tree

    def _term(self, number: int, outputs: list[tuple[str, exp.Expr]]) -> exp.Expr:
        return self.writing.output(self._filled(outputs[number - 1][1].copy())).tree

    def _distinct(self, distinct: exp.Distinct, outputs: list[tuple[str, exp.Expr]]) -> exp.Distinct:
        on = distinct.args.get("on")
        if on is None:
            return exp.Distinct()
        items = on.expressions if isinstance(on, exp.Tuple) else [on]
        return exp.Distinct(on=exp.Tuple(expressions=[self._ordered(one, outputs) for one in items]))

    def _ordered(self, node: exp.Expr, outputs: list[tuple[str, exp.Expr]]) -> exp.Expr:
        if isinstance(node, exp.Literal):
            return self._term(place(node, len(outputs)), outputs)
        number = named_output(node, outputs)
        if number:
            return self._term(number, outputs)
        return self.writing.output(self._filled(node.copy())).tree

    def _order(self, order: exp.Order, outputs: list[tuple[str, exp.Expr]]) -> exp.Order:
        terms = []
        for one in order.expressions:
            term = one.copy()
            number = (
                place(one.this, len(outputs))
                if isinstance(one.this, exp.Literal)
                else named_output(one.this, outputs)
            )
            inner = (
                exp.Literal.number(number)
                if number
                else self.writing.output(self._filled(one.this.copy())).tree
            )
            term.set("this", inner)
            terms.append(term)
        return exp.Order(expressions=terms)

    def _refuse_measures(self) -> None:
        for node in self._nodes():
            if is_measure_call(node):
                raise SqlError(
                    "MEASURE belongs into a SELECT whose FROM is the model alone: aggregate it in a sub-query.",
                    at=node,
                    sqlstate="42803",
                )
            if isinstance(node, exp.Column):
                _refuse_join_field(node)

    def _nodes(self) -> Iterator[exp.Expr]:
        """The nodes of its expressions, without those of tables and sub-queries."""
        for key, value in self.select.args.items():
            if key in ("from_", "joins"):
                continue
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, exp.Expr):
                    yield from inside(part)


def _few(apart: exp.Expr, listed: exp.Expr) -> exp.Expr:
    """A series, unless it would fill the memory."""
    much = op(exp.GT, apart, exp.Literal.number(MOST))
    return case((much, error("54000", f"a series has {MOST:,} values at most here")), default=listed)


def _refuse_join_field(tree: exp.Expr) -> None:
    for node in tree.find_all(exp.Column):
        if node.name.casefold() == JOIN_FIELD:
            raise SqlError(
                "__cubeJoinField joins cubes and views with each other, and nothing else.", at=node
            )


def place(node: exp.Literal, count: int) -> int:
    """The column that a number in GROUP BY or ORDER BY means."""
    if node.is_string or not node.name.isdigit() or not 1 <= int(node.name[:6]) <= count:
        raise SqlError(f"There is no column {node.name[:20]} in the SELECT.", at=node, sqlstate="42P10")
    return int(node.name)


def named_output(node: exp.Expr, outputs: Sequence[tuple[str, exp.Expr]]) -> int | None:
    """The number of the output column that a bare name means."""
    if not isinstance(node, exp.Column) or node.table:
        return None
    found = [n for n, (name, _) in enumerate(outputs, 1) if name == node.name]
    found = found or [n for n, (name, _) in enumerate(outputs, 1) if name.casefold() == node.name.casefold()]
    return found[0] if found else None


def columns_of(made: exp.Query, given: Sequence[str], at: exp.Expr) -> dict[str, str]:
    """The columns of a written query as a table: names and types."""
    types = output_types(made)
    body: exp.Expr = made
    while isinstance(body, exp.SetOperation | exp.Subquery):
        body = body.this
    names = [one.alias for one in body.expressions]
    if len(given) > len(names):
        raise SqlError(
            f"a table has {len(names)} columns available but {len(given)} columns specified",
            at=at,
            sqlstate="42P10",
        )
    names = [*given, *names[len(given) :]]
    found: dict[str, str] = {}
    for name, kind in zip(names, types, strict=True):
        unique, n = name, 1
        while unique in found:
            n += 1
            unique = f"{name}:{n}"
        found[unique] = "text" if kind == kinds.UNKNOWN else kind
    return found


def united(tree: exp.SetOperation, writing: Writing) -> None:
    """Gives both sides of a UNION the types that they have in common."""
    sides = [tree.this, tree.expression]
    types = [_types(one) for one in sides]
    if len(types[0]) != len(types[1]):
        raise SqlError("each UNION query must have the same number of columns", at=tree)
    found = []
    for n, pair in enumerate(zip(*types, strict=True)):
        kind = kinds.common(list(pair))
        if kind is None:
            raise SqlError(
                f"{tree.key.upper()} types {kinds.spoken(pair[0])} and {kinds.spoken(pair[1])} cannot be matched",
                at=tree,
                sqlstate="42804",
            )
        for side, own in zip(sides, pair, strict=True):
            if own != kind:
                _become(side, n, own, kind, writing)
        found.append(kind)
    tree.meta[TYPE] = found


def _types(side: exp.Expr) -> list[str]:
    while isinstance(side, exp.Subquery) and TYPE not in side.meta:
        side = side.this
    if TYPE in side.meta:
        return list(side.meta[TYPE])
    return [str(one.meta.get(TYPE, kinds.ANY)) for one in side.expressions]


def _become(side: exp.Expr, n: int, own: str, kind: str, writing: Writing) -> None:
    if isinstance(side, exp.Subquery):
        _become(side.this, n, own, kind, writing)
    elif isinstance(side, exp.SetOperation):
        _become(side.this, n, own, kind, writing)
        _become(side.expression, n, own, kind, writing)
    elif isinstance(side, exp.Select):
        column = side.expressions[n]
        found = column.meta.get("open") or Meant(column.this, own)
        if found.is_null:
            return
        column.set("this", becoming(found, kind, writing.clock, column))
        column.meta[TYPE] = kind
        column.meta.pop("open", None)


def _alias(name: str, columns: Sequence[str]) -> exp.TableAlias:
    return exp.TableAlias(
        this=exp.to_identifier(name, quoted=True),
        columns=[exp.to_identifier(one, quoted=True) for one in columns],
    )


def _is_star(node: exp.Expr) -> bool:
    return isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star))
