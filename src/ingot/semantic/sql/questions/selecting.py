"""One SELECT over the model: what of it the model answers, and what is computed on the answer's rows."""

from collections.abc import Callable, Iterator

from sqlglot import exp

from ingot.semantic.model import Dimension, Measure
from ingot.semantic.planner.times import GRANULARITIES
from ingot.semantic.sql.around import Around
from ingot.semantic.sql.bounds import bounded
from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.naming import output_name
from ingot.semantic.sql.postgres.kinds import named
from ingot.semantic.sql.postgres.writing import TYPE
from ingot.semantic.sql.questions.aggregates import (
    asked_measure,
    is_aggregate,
    is_aggregate_call,
    is_measure_call,
)
from ingot.semantic.sql.questions.asking import Asking
from ingot.semantic.sql.questions.columns import Scope, changed, inside, mark, marked, members
from ingot.semantic.sql.questions.joining import LOOKING
from ingot.semantic.sql.questions.question import Question, time_period
from ingot.semantic.sql.rows.scope import ENGINE

MOST_SETS = 64
_STARRED = "starred"
"""In the `meta` of an output: a star stands for it."""
Nested = Callable[[exp.Expr], exp.Expr]
_WHOLE_DAYS = frozenset(GRANULARITIES[GRANULARITIES.index("day") :])


class Selecting:
    """Writes one SELECT whose FROM is `scope`; `nested` writes the sub-queries in its expressions."""

    def __init__(self, select: exp.Select, scope: Scope, around: Around, nested: Nested) -> None:
        self.select = select
        self.scope = scope
        self.around = around
        self.nested = nested
        self.model = around.seen
        self.outputs = self._outputs()
        self.named = [output_name(one) for one in self.outputs]
        self.projections = [self._read(one.unalias()) for one in self.outputs]
        self.order = self._order()
        self.first = self._first_of()
        self.having = self._read(select.args["having"].this) if select.args.get("having") else None
        self.where = [*scope.where]
        if select.args.get("where"):
            self.where.append(self._condition(select.args["where"].this))

    def written(self) -> exp.Select:
        """The SELECT in the engine's words."""
        group = self.select.args.get("group")
        looked_at = [
            *self.projections,
            *(one for one, _ in self.order),
            *self.first,
            *([self.having] if self.having else []),
        ]
        grouped = group is not None or self.having is not None or any(map(_aggregates, looked_at))
        if not grouped and self._is_distinct(looked_at):
            return self._grouped(
                [[self._key(one) for one in self.projections if any(members(one))]], distinct=False
            )
        if grouped:
            return self._grouped(self._groups(group), distinct=True)
        return self._ungrouped()

    # -- names -----------------------------------------------------------------------------------------

    def _outputs(self) -> list[exp.Expr]:
        found: list[exp.Expr] = []
        for one in self.select.expressions:
            star = isinstance(one, exp.Star) or (
                isinstance(one, exp.Column) and isinstance(one.this, exp.Star)
            )
            if not star:
                found.append(one)
                continue
            if any(one.args.get(key) for key in ("except_", "replace", "rename", "except")):
                raise SqlError("EXCEPT and REPLACE are not part of PostgreSQL's star.", at=one)
            table = one.table if isinstance(one, exp.Column) else ""
            columns = self.scope.star(table)
            if not columns:
                raise SqlError(f"There is no table '{table[:80]}' in FROM.", at=one, sqlstate="42P01")
            for name, tree in columns:
                output = exp.alias_(tree.copy(), name, quoted=True)
                output.meta[_STARRED] = True
                found.append(output)
        return found

    def _read(self, tree: exp.Expr) -> exp.Expr:
        return self.nested(self.scope.filled(tree.copy()))

    def _condition(self, tree: exp.Expr) -> exp.Expr:
        """What WHERE says. Sub-queries in it may look at tables that the statement joins itself."""
        if self.scope.joining is None:
            return self._read(tree)
        found = self.scope.filled(tree.copy())
        for node in found.walk(prune=lambda each: isinstance(each, exp.Query)):
            if isinstance(node, exp.Query):
                node.meta[LOOKING] = True
        return found

    def _order(self) -> list[tuple[exp.Expr, exp.Ordered]]:
        found = []
        order = self.select.args.get("order")
        for one in order.expressions if order else ():
            node = one.this
            place = self._place(node) or self._output(node)
            found.append((exp.Literal.number(place) if place else self._read(node), one))
        return found

    def _first_of(self) -> list[exp.Expr]:
        """What DISTINCT ON keeps one row of each of."""
        distinct = self.select.args.get("distinct")
        on = distinct.args.get("on") if distinct is not None else None
        items = on.expressions if isinstance(on, exp.Tuple) else [on] if on is not None else []
        found = []
        for one in items:
            place = self._place(one) or self._output(one)
            found.append(self.projections[place - 1] if place else self._read(one.unnest()))
        return found

    def _place(self, node: exp.Expr) -> int | None:
        node = node.unnest()
        if not isinstance(node, exp.Literal):
            return None
        if node.is_string or not node.name.isdigit() or not 1 <= int(node.name[:6]) <= len(self.outputs):
            raise SqlError(f"There is no column {node.name[:20]} in the SELECT.", at=node, sqlstate="42P10")
        return int(node.name)

    def _output(self, node: exp.Expr) -> int | None:
        """The number of the output column that a bare name means."""
        if not isinstance(node, exp.Column) or node.table:
            return None
        found = [n for n, one in enumerate(self.named, 1) if one.casefold() == node.name.casefold()]
        return found[0] if found else None

    def _groups(self, group: exp.Group | None) -> list[list[exp.Expr]]:
        """The keys of each way to group: one, but for ROLLUP, CUBE and GROUPING SETS."""
        if group is None:
            return [[]]
        if any(group.args.get(key) for key in ("totals", "all")):
            raise SqlError("GROUP BY takes columns and expressions only.", at=group, sqlstate="0A000")
        items = [
            one
            for key in ("expressions", "rollup", "cube", "grouping_sets")
            for one in group.args.get(key) or ()
        ]
        found: list[list[exp.Expr]] = [[]]
        for item in items:
            found = [[*one, *other] for one in found for other in self._sets(item)]
            if len(found) > MOST_SETS:
                raise SqlError(
                    f"too many grouping sets present (maximum {MOST_SETS} here)", at=group, sqlstate="54001"
                )
        return found

    def _sets(self, node: exp.Expr) -> list[list[exp.Expr]]:
        if isinstance(node, exp.Rollup):
            parts = [self._part(one) for one in node.expressions]
            return [[key for part in parts[:n] for key in part] for n in range(len(parts), -1, -1)]
        if isinstance(node, exp.Cube):
            parts = [self._part(one) for one in node.expressions[:10]]
            return [
                [key for n, part in enumerate(parts) if not bits >> n & 1 for key in part]
                for bits in range(2 ** len(parts))
            ]
        if isinstance(node, exp.GroupingSets):
            return [
                chosen
                for one in node.expressions
                for chosen in (
                    self._sets(one)
                    if isinstance(one, exp.Rollup | exp.Cube | exp.GroupingSets)
                    else [self._part(one)]
                )
            ]
        return [self._part(node)]

    def _part(self, node: exp.Expr) -> list[exp.Expr]:
        """The keys of one element: several where they stand in brackets."""
        items = node.expressions if isinstance(node, exp.Tuple) else [node]
        found = [self._grouped_by(one) for one in items]
        for one in found:
            for each in inside(one):
                name = marked(each)
                if is_aggregate(each) or (
                    name is not None and isinstance(self.model.members[name].member, Measure)
                ):
                    raise SqlError("Measures and aggregates cannot be grouped by.", at=each, sqlstate="42803")
        return [self._key(one) for one in found if any(members(one))]

    def _grouped_by(self, node: exp.Expr) -> exp.Expr:
        place = self._place(node)
        if place:
            return self.projections[place - 1]
        try:
            return self._read(node)
        except SqlError:
            output = self._output(node)
            if not output:
                raise
            return self.projections[output - 1]

    def _is_distinct(self, trees: list[exp.Expr]) -> bool:
        """Whether it is a DISTINCT over dimensions, which grouping by them is, too."""
        distinct = self.select.args.get("distinct")
        return bool(
            distinct
            and not distinct.args.get("on")
            and not any(isinstance(node, exp.Window) for one in trees for node in inside(one))
            and not any(
                isinstance(self.model.members[name].member, Measure) for t in trees for name in members(t)
            )
            and any(name for t in self.projections for name in members(t))
        )

    # -- writing ---------------------------------------------------------------------------------------

    def _ungrouped(self) -> exp.Select:
        question = self.question(ungrouped=True)

        for one in (*self.projections, *(each for each, _ in self.order), *self.first):
            self._added_up(one, question)
        of_row = question.of_row
        trees = [
            question.of_star(one) if _STARRED in output.meta else changed(one.copy(), of_row)
            for one, output in zip(self.projections, self.outputs, strict=True)
        ]
        order = [changed(one.copy(), of_row) for one, _ in self.order]
        first = [changed(one.copy(), of_row) for one in self.first]
        self.whole(question)
        return self._finished(trees, order, None, [question.table()], first, distinct=True)

    def _added_up(self, tree: exp.Expr, question: Asking) -> None:
        """Tells `question` of the measures whose values of rows windows add up."""
        for node in inside(tree):
            if not isinstance(node, exp.Window) or isinstance(node.this, exp.Min | exp.Max):
                continue
            if is_aggregate_call(node.this.this if isinstance(node.this, exp.Filter) else node.this):
                for name in members(node.this):
                    if isinstance(self.model.members[name].member, Measure):
                        question.added_up(name, node)

    def _grouped(self, sets: list[list[exp.Expr]], *, distinct: bool) -> exp.Select:
        from ingot.semantic.sql.questions.grouping import Grouping  # noqa: PLC0415 - they know each other

        grouping = Grouping(self, sets)
        trees = [grouping.lifted(one) for one in self.projections]
        order = [grouping.lifted(one) for one, _ in self.order]
        first = [grouping.lifted(one) for one in self.first]
        having = grouping.lifted(self.having) if self.having is not None else None
        return self._finished(trees, order, having, grouping.tables(), first, distinct=distinct)

    def _key(self, tree: exp.Expr) -> exp.Expr:
        """What must be grouped by: a period, where all that is done to it is to make a date of it."""
        node = tree.unnest()
        if type(node) is exp.Cast and named(node.to) in (("date", ()), ("timestamp", ())):
            inner: exp.Expr = node.this.unnest()
            period = time_period(inner, self.model)
            if period is not None and (period[1] in _WHOLE_DAYS or named(node.to)[0] == "timestamp"):
                return inner
        return node

    def question(self, *, ungrouped: bool) -> Asking:
        """A new question with the conditions of WHERE."""
        joining = self.scope.joining
        question: Asking = (
            joining.question(ungrouped=ungrouped)
            if joining is not None
            else Question(self.around, ungrouped, joins=self.scope.joins)
        )
        for one in self.where:
            for node in inside(one):
                if is_measure_call(node) or is_aggregate(node):
                    raise SqlError("Aggregates belong into HAVING.", at=node, sqlstate="42803")
            question.where(one.copy())
        return question

    def whole(self, question: Asking) -> None:
        """Makes `question` ask for the joined rows, also where nothing is asked of a table."""
        if len(self.scope.tables) > 1 and self.scope.joining is None:
            for one in self.dimension_of_each():
                question.dimension(one)
        known = next(self.dimension_of_each(), None)
        for table in self.scope.tables if known is None else ():
            for tree in table.columns.values():  # rows without a dimension have something of a measure
                if question.is_empty:
                    question.of_row(tree)
        if question.is_empty:
            question.dimension(known or self.any_dimension())

    def any_dimension(self) -> exp.Expr:
        """A dimension that every row has: where rows are counted and nothing else is asked of them."""
        for one in self.dimension_of_each():
            return one
        raise SqlError("None of its dimensions can be asked for.", at=self.select, sqlstate="42501")

    def dimension_of_each(self) -> Iterator[exp.Expr]:
        """A dimension of each table: where rows are those of all of them, whatever is asked."""
        for table in self.scope.tables:
            known = [
                (name, found)
                for tree in table.columns.values()
                for name in members(tree)
                if isinstance((found := self.model.members[name]).member, Dimension)
            ]
            if known:
                yield mark(min(known, key=lambda each: len(each[1].path))[0])

    def _finished(
        self,
        trees: list[exp.Expr],
        order: list[exp.Expr],
        having: exp.Expr | None,
        tables: list[exp.Expr],
        first: list[exp.Expr],
        *,
        distinct: bool,
    ) -> exp.Select:
        meant = self.around.meant
        columns = []
        for tree, name, read in zip(trees, self.named, self.projections, strict=True):
            found = meant(tree)
            column = exp.alias_(found.tree, name, quoted=True, copy=False)
            column.meta["member"] = self._member(read)
            column.meta[TYPE] = found.type
            if ENGINE in found.tree.meta and isinstance(found.tree, exp.Column):
                column.meta[ENGINE] = found.tree.meta[ENGINE]
            columns.append(column)
        made = exp.Select().select(*columns, copy=False).from_(tables[0], copy=False)
        for one in tables[1:]:
            made = made.join(one, copy=False)
        if having is not None:
            made = made.where(self.around.tested(having, "HAVING"), copy=False)
        given = self.select.args.get("distinct")
        if given and distinct:
            on = [meant(tree).tree for tree in first]
            made.set("distinct", exp.Distinct(on=exp.Tuple(expressions=on)) if on else exp.Distinct())
        if order:
            terms = []
            for tree, (_, one) in zip(order, self.order, strict=True):
                term = one.copy()
                term.set("this", meant(tree).tree if not isinstance(tree, exp.Literal) else tree)
                terms.append(term)
            made = made.order_by(*terms, copy=False)
        bounded(made, self.select, self.around.writing)
        return made

    def _member(self, tree: exp.Expr) -> str | None:
        """The member that an output column is."""
        node = tree.unnest()
        period = time_period(node, self.model)
        if is_aggregate(node):
            name = asked_measure(node, self.model, self.scope.owners)
        else:
            name = period[0] if period is not None else marked(node)
        return (self.model.members[name].name or None) if name is not None else None


def _aggregates(tree: exp.Expr) -> bool:
    return any(is_aggregate(node) for node in inside(tree))
