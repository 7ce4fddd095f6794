"""Groups: which columns of a grouped SELECT are the groups' keys, measures, or aggregates over rows."""

from sqlglot import exp

from ingot.semantic.sql.aggregates import asked_measure, is_aggregate
from ingot.semantic.sql.columns import changed, marked
from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.postgres.writing import TYPE
from ingot.semantic.sql.question import Question
from ingot.semantic.sql.selecting import Selecting


class Grouping:
    """Takes the expressions of a grouped SELECT apart."""

    def __init__(self, selecting: Selecting, keys: list[exp.Expr]) -> None:
        self.selecting = selecting
        self.around = selecting.around
        self.keys = list(dict.fromkeys(keys))
        self.types = [self.around.type(key) for key in self.keys]
        self.measures: Question | None = None
        self.rows: Question | None = None
        self.aggregated: dict[exp.Expr, str] = {}
        """Aggregates over rows, and their names."""
        self.counted: set[str] = set()
        self.top = self.around.alias()
        self.asked: list[str] = []

    def lifted(self, tree: exp.Expr) -> exp.Expr:
        """`tree` over the columns of the derived table."""
        return self._lifted(tree.copy())

    def tables(self) -> list[exp.Expr]:
        """The derived tables: what the measures are by the keys, and what rows are aggregated to."""
        return [self._whole()]

    def _lifted(self, node: exp.Expr) -> exp.Expr:
        bare = node.unnest()
        if bare in self.keys:
            place = self.keys.index(bare)
            return self._column(f"k{place + 1}", self.types[place])
        if is_aggregate(node):
            return self._aggregate(node)
        if marked(node) is not None:
            raise SqlError(
                f"The column '{node.name}' must appear in GROUP BY or in an aggregate: measures in MEASURE(…).",
                at=node,
                sqlstate="42803",
            )
        if isinstance(node, exp.Query):
            return node
        for key, value in list(node.args.items()):
            if isinstance(value, exp.Expr):
                node.set(key, self._lifted(value))
            elif isinstance(value, list):
                node.set(key, [self._lifted(each) if isinstance(each, exp.Expr) else each for each in value])
        return node

    def _column(self, name: str, kind: str) -> exp.Expr:
        found = exp.column(name, table=self.top, quoted=True)
        found.meta[TYPE] = kind
        return found

    def _aggregate(self, node: exp.Expr) -> exp.Expr:
        name = asked_measure(node, self.selecting.model, self.selecting.scope.owners)
        if name is None:
            alias = self.aggregated.setdefault(node.copy(), f"a{len(self.aggregated) + 1}")
            return self._column(alias, self.around.type(node))
        if name not in self.asked:
            self.asked.append(name)
        return self._column(f"m{self.asked.index(name) + 1}", self.around.member_type(name))

    def _whole(self) -> exp.Subquery:
        branches = []
        if self.asked or not self.aggregated:
            branches.append(self._of_measures())
        if self.aggregated:
            branches.append(self._of_rows())
        if len(branches) == 1:
            return _named(branches[0], self.top)
        return _named(self._joined(*branches), self.top)

    def _of_measures(self) -> exp.Select:
        question = self.selecting.question(ungrouped=False)
        columns = [
            exp.alias_(question.dimension(key.copy()), f"k{n}", quoted=True)
            for n, key in enumerate(self.keys, 1)
        ]
        columns += [
            exp.alias_(question.measure(name), f"m{n}", quoted=True) for n, name in enumerate(self.asked, 1)
        ]
        return exp.Select().select(*columns, copy=False).from_(question.table(), copy=False)

    def _of_rows(self) -> exp.Select:
        question = self.selecting.question(ungrouped=True)
        columns = [
            exp.alias_(question.dimension(key.copy()), f"k{n}", quoted=True)
            for n, key in enumerate(self.keys, 1)
        ]
        for node, name in self.aggregated.items():
            columns.append(
                exp.alias_(self.around.meant(_over(node.copy(), question)).tree, name, quoted=True)
            )
        if not question.dimensions:
            question.dimension(self.selecting.any_dimension())
        select = exp.Select().select(*columns, copy=False).from_(question.table(), copy=False)
        if self.keys:
            select = select.group_by(
                *(exp.Literal.number(n) for n in range(1, len(self.keys) + 1)), copy=False
            )
        return select

    def _joined(self, measures: exp.Select, rows: exp.Select) -> exp.Select:
        """Both by their keys, whichever of them has a group."""
        left, right = self.around.alias(), self.around.alias()
        keys = [f"k{n}" for n in range(1, len(self.keys) + 1)]

        def column(name: str, table: str) -> exp.Expr:
            return exp.column(name, table=table, quoted=True)

        columns: list[exp.Expr] = [
            exp.alias_(
                exp.Coalesce(this=column(key, left), expressions=[column(key, right)]), key, quoted=True
            )
            for key in keys
        ]
        for n, name in enumerate(self.asked, 1):
            value: exp.Expr = column(f"m{n}", left)
            if keys and self.around.is_count(name):
                value = exp.Coalesce(this=value, expressions=[exp.Literal.number(0)])
            columns.append(exp.alias_(value, f"m{n}", quoted=True))
        for node, name in self.aggregated.items():
            value = column(name, right)
            if keys and isinstance(node.this if isinstance(node, exp.Filter) else node, exp.Count):
                value = exp.Coalesce(this=value, expressions=[exp.Literal.number(0)])
            columns.append(exp.alias_(value, name, quoted=True))
        made = exp.Select().select(*columns, copy=False).from_(_named(measures, left), copy=False)
        if not keys:
            return made.join(_named(rows, right), join_type="cross", copy=False)
        on = exp.and_(
            *(exp.NullSafeEQ(this=column(key, left), expression=column(key, right)) for key in keys),
            copy=False,
        )
        return made.join(_named(rows, right), on=on, join_type="full", copy=False)


def _over(node: exp.Expr, question: Question) -> exp.Expr:
    """An aggregate over the columns of a question for rows."""

    def one(each: exp.Expr) -> exp.Expr:
        return question.dimension(each) if marked(each) is not None else each

    return changed(node, one)


def _named(select: exp.Select, alias: str) -> exp.Subquery:
    return exp.Subquery(this=select, alias=exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))
