"""FROM of a SELECT over the rows of others: tables, sub-queries, VALUES and functions, joined as PostgreSQL joins them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlglot import exp

from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.guessing import Guessing
from ingot.semantic.sql.postgres import kinds, series
from ingot.semantic.sql.postgres.casts import becoming
from ingot.semantic.sql.postgres.tree import call, cast
from ingot.semantic.sql.postgres.writing import TYPE, Writing
from ingot.semantic.sql.questions.columns import JOIN_FIELD
from ingot.semantic.sql.rows.results import columns_of
from ingot.semantic.sql.rows.scope import Col, Fixed, Seen, Source

Placed = Callable[[], exp.Expr]
Look = Callable[[exp.Table], "tuple[Source, Placed]"]
"""A table of FROM -> its columns, and what stands in its place once all that is used of it is known."""
Query = Callable[[exp.Query, Seen | None], exp.Query]


@dataclass(frozen=True, slots=True)
class Means:
    """What the SELECTs of one statement are written with."""

    writing: Writing
    look: Look
    query: Query
    """Writes a sub-query that sees some tables."""
    alias: Callable[[], str]
    """Gives a new name for a table."""
    guessing: Guessing | None = None
    """Learns the types of parameters, where those have no values yet."""


class Tables:
    """The tables of one SELECT, which is changed."""

    def __init__(self, means: Means, outer: Seen | None) -> None:
        self.means = means
        self.writing = means.writing
        self.seen = Seen(outer=outer)
        self.places: list[tuple[exp.Expr, Placed]] = []

    def read(self, select: exp.Select) -> None:
        """Looks the tables of FROM up, and writes what they are joined by. Raises `SqlError`."""
        if select.args.get("from_"):
            self._source(select.args["from_"].this)
        for join in select.args.get("joins") or []:
            self._join(join)

    def place(self) -> None:
        """Puts each table where it was named, now that all that is used of it is known."""
        for node, placed in self.places:
            made = placed()
            if node.args.get("joins"):
                made.set("joins", node.args["joins"])
            node.replace(made)

    def filled(self, tree: exp.Expr) -> exp.Expr:
        """`tree`, which is changed, with each column as the engine knows it, and its sub-queries written."""
        if isinstance(tree, exp.Query):
            return self.means.query(tree, self.seen)
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
                tree.set(key, self.filled(value))
            elif isinstance(value, list):
                tree.set(key, [self.filled(one) if isinstance(one, exp.Expr) else one for one in value])
        if self.means.guessing is not None:
            self.means.guessing.learn(tree, self.writing)
        return tree

    # -- one table -------------------------------------------------------------------------------------

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
        if isinstance(node, exp.Unnest) or (isinstance(node, exp.Table) and isinstance(node.this, exp.Func)):
            return self._series(node)
        if isinstance(node, exp.Table):
            source, placed = self.means.look(node)
            self.places.append((node, placed))
            return source
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Query):
            return self._subquery(node, node, self.seen.outer)
        raise SqlError("This cannot be used as a table.", at=node, sqlstate="0A000")

    def _subquery(self, node: exp.Expr, inner: exp.Expr, outer: Seen | None) -> Source:
        """`inner` is the sub-query that `node` is, or that stands behind its LATERAL."""
        made = self.means.query(inner.this, outer)
        found = columns_of(made, _columns(node), node)
        name = _name(node) or self.means.alias()
        if inner is node:
            node.set("this", made)
        else:
            node.set("this", exp.Subquery(this=made))
        node.set("alias", _alias(name, found))
        return Fixed(name, found)

    def _lateral(self, node: exp.Lateral) -> Source:
        inner = node.this
        if isinstance(inner, exp.Subquery) and isinstance(inner.this, exp.Query):
            seen = Seen(list(self.seen.sources), dict(self.seen.merged), outer=self.seen.outer)
            return self._subquery(node, inner, seen)
        if isinstance(inner, exp.Func):
            held = exp.Table(this=inner, alias=node.args.get("alias"))
            node.replace(held)
            return self._series(held)
        raise SqlError("LATERAL takes a sub-query.", at=node, sqlstate="0A000")

    def _values(self, node: exp.Values) -> Source:
        rows = [one.expressions if isinstance(one, exp.Tuple) else [one.unnest()] for one in node.expressions]
        if len({len(one) for one in rows}) != 1:
            raise SqlError("VALUES lists must all be the same length", at=node)
        meant = [[self.writing.write(self.filled(one)) for one in row] for row in rows]
        types = []
        for number in range(len(rows[0])):
            kind = kinds.common([row[number].type for row in meant])
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
        given = _columns(node)
        names = [*given, *(f"column{n}" for n in range(len(given) + 1, len(types) + 1))]
        columns = [Col(one, kind, one) for one, kind in zip(names, types, strict=True)]
        name = _name(node) or self.means.alias()
        node.set("alias", _alias(name, columns))
        return Fixed(name, columns)

    def _series(self, node: exp.Expr) -> Source:
        """A function as a table: a column for each list that it gives, and WITH ORDINALITY their places."""
        inner = node.this if isinstance(node, exp.Table) else node
        place = node.args.get("ordinality") or inner.args.get("offset")
        function = series.function(inner)
        given = [self.writing.write(self.filled(one)) for one in inner.expressions]
        each = [[one] for one in given] if function == "unnest" and given else [given]
        lists = [series.listed(function, one, self.writing.clock, node) for one in each]
        name, named = _name(node) or function, _columns(node)
        if isinstance(place, exp.Identifier):  # the parser takes the last name for that of the places
            named = (*named, place.name)
        known = [name if len(lists) == 1 else function for _ in lists]
        if place:
            lists.append((series.places([tree for tree, _ in lists]), "int8"))
            known.append("ordinality")
        if len(named) > len(lists):
            raise SqlError(
                f'table "{name}" has {len(lists)} columns available but {len(named)} columns specified',
                at=node,
                sqlstate="42P10",
            )
        names = [*named, *known[len(named) :]]
        inside = names if len(set(names)) == len(names) else [f"c{n}" for n in range(1, len(names) + 1)]
        columns = [Col(one, kind, own) for one, (_, kind), own in zip(names, lists, inside, strict=True)]
        select = exp.Select(
            expressions=[
                exp.alias_(call("unnest", tree), own, quoted=True)
                for (tree, _), own in zip(lists, inside, strict=True)
            ]
        )
        made: exp.Expr = exp.Subquery(this=select, alias=_alias(name, columns))
        if self.seen.sources:
            made = exp.Lateral(this=exp.Subquery(this=select), alias=_alias(name, columns))
        node.replace(made)
        return Fixed(name, columns)

    # -- joins -----------------------------------------------------------------------------------------

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
            refuse_join_field(on)
            join.set("on", self.writing.test(self.filled(on), "JOIN/ON"))


def refuse_join_field(tree: exp.Expr) -> None:
    """Raises `SqlError` for `__cubeJoinField` in a join that is not the model's."""
    for node in tree.find_all(exp.Column):
        if node.name.casefold() == JOIN_FIELD:
            raise SqlError(
                "__cubeJoinField joins cubes and views with each other, and nothing else.", at=node
            )


def _name(node: exp.Expr) -> str:
    alias = node.args.get("alias")
    return alias.name if alias is not None else ""


def _columns(node: exp.Expr) -> tuple[str, ...]:
    alias = node.args.get("alias")
    return tuple(one.name for one in alias.columns) if alias is not None else ()


def _alias(name: str, columns: Sequence[Col]) -> exp.TableAlias:
    return exp.TableAlias(
        this=exp.to_identifier(name, quoted=True),
        columns=[exp.to_identifier(one.inner, quoted=True) for one in columns],
    )
