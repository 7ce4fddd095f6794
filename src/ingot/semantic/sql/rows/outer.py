"""A SELECT over the rows of others: PostgreSQL's own, but that cubes and views in it are their rows."""

from collections.abc import Iterator

from sqlglot import exp

from ingot.semantic.sql.bounds import bounded
from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.naming import output_name
from ingot.semantic.sql.postgres.writing import TYPE
from ingot.semantic.sql.questions.aggregates import is_measure_call
from ingot.semantic.sql.questions.columns import inside
from ingot.semantic.sql.rows.results import OPEN, named, place
from ingot.semantic.sql.rows.scope import ENGINE, Seen
from ingot.semantic.sql.rows.tables import Means, Tables, refuse_join_field


class Outer:
    """Writes one such SELECT, which is changed."""

    def __init__(self, select: exp.Select, means: Means, outer: Seen | None) -> None:
        self.select = select
        self.means = means
        self.writing = means.writing
        self.tables = Tables(means, outer)
        self.seen = self.tables.seen
        self.names: list[str] = []
        self.trees: list[exp.Expr] = []
        """The output columns."""

    def written(self) -> exp.Select:
        """The SELECT in the engine's words, with the types of its columns in their `meta`."""
        select = self.select
        if not select.expressions:
            raise SqlError("The SELECT has no columns.", at=select)
        self.tables.read(select)
        self._refuse_measures()
        self._outputs()
        made = exp.Select(expressions=self._projections())
        for key, word, kind in (("where", "WHERE", exp.Where), ("having", "HAVING", exp.Having)):
            if select.args.get(key):
                test = self.writing.test(self.tables.filled(select.args[key].this), word)
                made.set(key, kind(this=test))
        if select.args.get("group"):
            made.set("group", self._group(select.args["group"]))
        if select.args.get("distinct"):
            made.set("distinct", self._distinct(select.args["distinct"]))
        if select.args.get("order"):
            made.set("order", self._order(select.args["order"], made))
        bounded(made, select, self.writing, self.means.guessing)
        for key in ("from_", "joins"):
            if select.args.get(key):
                made.set(key, select.args[key])
        self.tables.place()
        return made

    def _meant(self, node: exp.Expr) -> exp.Expr:
        """An expression in the engine's words."""
        return self.writing.output(self.tables.filled(node.copy())).tree

    # -- columns ---------------------------------------------------------------------------------------

    def _outputs(self) -> None:
        for one in self.select.expressions:
            if not _is_star(one):
                self.names.append(self._called(one))
                self.trees.append(one.unalias())
                continue
            inner = one.this if isinstance(one, exp.Column) else one
            if any(inner.args.get(key) for key in ("except_", "replace", "rename", "except")):
                raise SqlError("EXCEPT and REPLACE are not part of PostgreSQL's star.", at=one)
            for name, tree in self.seen.star(one.table if isinstance(one, exp.Column) else "", one):
                self.names.append(name)
                self.trees.append(tree)

    def _called(self, node: exp.Expr) -> str:
        """What an output column is called: a column of a table whose columns are known as it is there."""
        name = output_name(node)
        column = node.unnest()
        if not isinstance(column, exp.Column):
            return name
        found = self.seen.column(column)
        known = isinstance(found, exp.Column) and found.name in (column.name, column.name.lower())
        return found.name if known else name

    def _projections(self) -> list[exp.Expr]:
        made = []
        for name, tree in zip(self.names, self.trees, strict=True):
            filled = self.tables.filled(tree.copy())
            bare = filled.unnest()
            engine = bare.meta.get(ENGINE) if isinstance(bare, exp.Column) else None
            found = self.writing.column(filled)
            column = exp.alias_(found.tree, name, quoted=True, copy=False)
            column.meta[TYPE] = found.type
            if found.literal is not None or found.is_null:
                column.meta[OPEN] = found
            if engine:
                column.meta[ENGINE] = engine
            made.append(column)
        return made

    # -- the clauses -----------------------------------------------------------------------------------

    def _group(self, group: exp.Group) -> exp.Group:
        if any(group.args.get(key) for key in ("totals", "all")):
            raise SqlError("GROUP BY takes columns and expressions only.", at=group, sqlstate="0A000")
        made = exp.Group()
        for key in ("expressions", "rollup", "cube", "grouping_sets"):
            if group.args.get(key):
                made.set(key, [self._key(one) for one in group.args[key]])
        return made

    def _key(self, node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Rollup | exp.Cube | exp.GroupingSets | exp.Tuple):
            return type(node)(expressions=[self._key(one) for one in node.expressions])
        if isinstance(node, exp.Paren) and isinstance(node.parent, exp.GroupingSets):
            return exp.Paren(this=self._key(node.this))
        number = place(node, len(self.trees))
        if number is None and isinstance(node, exp.Column) and self.seen.own(node) is None:
            number = named(node, self.names)
        return self._meant(node if number is None else self.trees[number - 1])

    def _distinct(self, distinct: exp.Distinct) -> exp.Distinct:
        on = distinct.args.get("on")
        if on is None:
            return exp.Distinct()
        items = on.expressions if isinstance(on, exp.Tuple) else [on]
        terms = []
        for one in items:
            number = place(one, len(self.trees)) or named(one, self.names)
            terms.append(self._meant(one if number is None else self.trees[number - 1]))
        return exp.Distinct(on=exp.Tuple(expressions=terms))

    def _order(self, order: exp.Order, made: exp.Select) -> exp.Order:
        distinct = self.select.args.get("distinct")
        plain = distinct is not None and distinct.args.get("on") is None
        terms = []
        for one in order.expressions:
            term = one.copy()
            number = place(one.this, len(self.trees)) or named(one.this, self.names)
            inner = self._meant(one.this) if number is None else exp.Literal.number(number)
            if plain and number is None and not any(inner == each.this for each in made.expressions):
                raise SqlError(
                    "for SELECT DISTINCT, ORDER BY expressions must appear in select list",
                    at=one,
                    sqlstate="42P10",
                )
            term.set("this", inner)
            terms.append(term)
        return exp.Order(expressions=terms)

    def _refuse_measures(self) -> None:
        for node in self._nodes():
            if is_measure_call(node):
                for column in node.find_all(exp.Column):  # a name that is not there is told first
                    self.seen.column(column)
                raise SqlError(
                    "MEASURE belongs into a SELECT whose FROM is the model alone: aggregate it in a sub-query.",
                    at=node,
                    sqlstate="42803",
                )
            if isinstance(node, exp.Column):
                refuse_join_field(node)

    def _nodes(self) -> Iterator[exp.Expr]:
        """The nodes of its expressions, without those of tables and sub-queries."""
        for key, value in self.select.args.items():
            if key in ("from_", "joins"):
                continue
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, exp.Expr):
                    yield from inside(part)


def _is_star(node: exp.Expr) -> bool:
    return isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star))
