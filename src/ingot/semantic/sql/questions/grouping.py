"""Groups: which columns of a grouped SELECT are the groups' keys, measures, or aggregates over rows."""

from sqlglot import exp

from ingot.semantic.sql.allowed import called
from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.postgres.writing import TYPE
from ingot.semantic.sql.questions.aggregates import asked_measure, filtered, is_aggregate
from ingot.semantic.sql.questions.asking import Asking
from ingot.semantic.sql.questions.columns import changed, marked
from ingot.semantic.sql.questions.joining import GroupQuestion
from ingot.semantic.sql.questions.selecting import Selecting
from ingot.semantic.sql.rows.scope import ENGINE


class Grouping:
    """Takes the expressions of a grouped SELECT apart."""

    def __init__(self, selecting: Selecting, sets: list[list[exp.Expr]]) -> None:
        """`sets`: the keys of each way to group; more than one where there are GROUPING SETS."""
        self.selecting = selecting
        self.around = selecting.around
        self.keys = list(dict.fromkeys(key for one in sets for key in one))
        self.sets = [[n for n, key in enumerate(self.keys) if key in one] for one in sets]
        self.types = [self.around.type(key) for key in self.keys]
        self.aggregated: dict[exp.Expr, str] = {}
        """Aggregates over rows, and their names."""
        self.counted: set[str] = set()
        self.top = self.around.alias()
        self.asked: list[tuple[str, exp.Expr | None]] = []
        """Measures, and the condition of each that has a FILTER."""

    def lifted(self, tree: exp.Expr) -> exp.Expr:
        """`tree` over the columns of the derived table."""
        return self._lifted(tree.copy())

    def tables(self) -> list[exp.Expr]:
        """The derived tables: what the measures are by the keys, and what rows are aggregated to."""
        if len(self.sets) == 1 and len(self.sets[0]) == len(self.keys):
            return [_named(self._whole(self.sets[0]), self.top)]
        parts: list[exp.Query] = [self._padded(one) for one in self.sets]
        made = parts[0]
        for one in parts[1:]:
            made = exp.Union(this=made, expression=one, distinct=False)
        return [_named(made, self.top)]

    def _padded(self, chosen: list[int]) -> exp.Select:
        """One of several ways to group: null for the keys that it does not group by, and which these are."""
        alias = self.around.alias()
        columns: list[exp.Expr] = []
        for n in range(len(self.keys)):
            value = exp.column(f"k{n + 1}", table=alias, quoted=True) if n in chosen else exp.null()
            columns.append(exp.alias_(value, f"k{n + 1}", quoted=True))
        columns += [
            exp.alias_(exp.Literal.number(int(n not in chosen)), f"g{n + 1}", quoted=True)
            for n in range(len(self.keys))
        ]
        names = [*(f"m{n}" for n in range(1, len(self.asked) + 1)), *self.aggregated.values()]
        columns += [exp.alias_(exp.column(one, table=alias, quoted=True), one, quoted=True) for one in names]
        return exp.Select().select(*columns, copy=False).from_(_named(self._whole(chosen), alias), copy=False)

    def _told(self, node: exp.Anonymous) -> exp.Expr:
        """`GROUPING(a, b)`: a bit for each of them that a row is not grouped by."""
        made: exp.Expr | None = None
        for one in node.expressions:
            if one.unnest() not in self.keys:
                raise SqlError(
                    "arguments to GROUPING must be grouping expressions of the associated query level",
                    at=node,
                    sqlstate="42803",
                )
            place = self.keys.index(one.unnest())
            several = len(self.sets) > 1 or len(self.sets[0]) < len(self.keys)
            bit = self._column(f"g{place + 1}", "int4") if several else exp.Literal.number(0)
            made = (
                bit
                if made is None
                else exp.Add(
                    this=exp.Mul(this=exp.Paren(this=made), expression=exp.Literal.number(2)), expression=bit
                )
            )
        assert made is not None
        return exp.Paren(this=made)

    def _lifted(self, node: exp.Expr) -> exp.Expr:
        bare = node.unnest()
        if bare in self.keys:
            place = self.keys.index(bare)
            found = self._column(f"k{place + 1}", self.types[place])
            name = marked(bare)
            if name is not None and (digits := self.around.digits(name)):
                found.meta[ENGINE] = digits
            return found
        if isinstance(node, exp.Anonymous) and called(node) == "grouping" and node.expressions:
            return self._told(node)
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
        model, owners = self.selecting.model, self.selecting.scope.owners
        name, test = filtered(node, model, owners) or (asked_measure(node, model, owners), None)
        if name is None:
            alias = self.aggregated.setdefault(node.copy(), f"a{len(self.aggregated) + 1}")
            return self._column(alias, self.around.type(node))
        if test is not None:
            # It becomes a condition of WHERE, whose errors would name that.
            self.around.tested(test.copy(), "FILTER")
        if (name, test) not in self.asked:
            self.asked.append((name, test))
        # PostgreSQL's sum of int8 is numeric; what MEASURE gives is the member's own.
        bare = node.this if isinstance(node, exp.Filter) else node
        summed = isinstance(bare, exp.Sum | exp.Avg)
        kind = self.around.type(bare) if summed else self.around.member_type(name)
        return self._column(f"m{self.asked.index((name, test)) + 1}", kind)

    def _whole(self, chosen: list[int]) -> exp.Select:
        tests = list(dict.fromkeys(test for _, test in self.asked))
        joining = self.selecting.scope.joining
        measures: exp.Select | None = None
        rows: exp.Select | None = None
        if joining is not None and joining.alike:
            measures = self._of_measures(chosen, None)
        else:
            # The groups of joined rows, where each measure is asked of some of these only.
            joined = (
                bool(tests) and None not in tests and bool(chosen) and len(self.selecting.scope.tables) > 1
            )
            of_rows = bool(self.aggregated) or joined
            measures = self._of_measures(chosen, None) if None in tests or not of_rows else None
            rows = self._of_rows(chosen) if of_rows else None
        parts = [self._of_measures(chosen, test) for test in tests if test is not None]
        if measures is not None and rows is None and not parts:
            return measures
        if rows is not None and measures is None and not parts:
            return rows
        return self._joined(measures, rows, parts, chosen)

    def _keyed(self, question: Asking, chosen: list[int]) -> list[exp.Expr]:
        return [exp.alias_(question.dimension(self.keys[n].copy()), f"k{n + 1}", quoted=True) for n in chosen]

    def _of_measures(self, chosen: list[int], test: exp.Expr | None) -> exp.Select:
        """The measures of all rows, or those with a FILTER of the rows that pass it."""
        question = self.selecting.question(ungrouped=False)
        if test is not None:
            question.where(test.copy())
        columns = self._keyed(question, chosen)
        columns += [
            exp.alias_(question.measure(name), f"m{n}", quoted=True)
            for n, (name, own) in enumerate(self.asked, 1)
            if own == test
        ]
        if test is None and isinstance(question, GroupQuestion) and question.joining.alike:
            columns += [
                exp.alias_(question.aggregate(node, self.around.type(node)), name, quoted=True)
                for node, name in self.aggregated.items()
            ]
        if not columns:
            return self._of_nothing(question)
        return exp.Select().select(*columns, copy=False).from_(question.table(), copy=False)

    def _of_nothing(self, question: Asking) -> exp.Select:
        """The group of all rows, where nothing is asked of it: one row."""
        question.dimension(self.selecting.any_dimension())
        count = exp.alias_(exp.Count(this=exp.Star()), "n", quoted=True)
        return exp.Select().select(count, copy=False).from_(question.table(), copy=False)

    def _of_rows(self, chosen: list[int]) -> exp.Select:
        question = self.selecting.question(ungrouped=True)
        columns = self._keyed(question, chosen)
        for node, name in self.aggregated.items():
            columns.append(
                exp.alias_(self.around.meant(_over(node.copy(), question)).tree, name, quoted=True)
            )
        self.selecting.whole(question)
        select = exp.Select().select(*columns, copy=False).from_(question.table(), copy=False)
        if chosen:
            select = select.group_by(*(exp.Literal.number(n) for n in range(1, len(chosen) + 1)), copy=False)
        return select

    def _joined(
        self,
        measures: exp.Select | None,
        rows: exp.Select | None,
        parts: list[exp.Select],
        chosen: list[int],
    ) -> exp.Select:
        """All by their keys: the groups of measures and of rows, and to these what a FILTER lets through."""
        keys = [f"k{n + 1}" for n in chosen]
        whole = [one for one in (measures, rows) if one is not None]
        aliases = [self.around.alias() for _ in (*whole, *parts)]

        def column(name: str, table: str) -> exp.Expr:
            return exp.column(name, table=table, quoted=True)

        def key(name: str) -> exp.Expr:
            first, *others = (column(name, table) for table in aliases[: len(whole)])
            return exp.Coalesce(this=first, expressions=others) if others else first

        columns: list[exp.Expr] = [exp.alias_(key(name), name, quoted=True) for name in keys]
        tests = [test for _, test in self.asked if test is not None]
        places = {test: aliases[len(whole) + n] for n, test in enumerate(dict.fromkeys(tests))}
        for n, (name, test) in enumerate(self.asked, 1):
            value: exp.Expr = column(f"m{n}", aliases[0] if test is None else places[test])
            if keys and self.around.is_count(name):
                value = exp.Coalesce(this=value, expressions=[exp.Literal.number(0)])
            columns.append(exp.alias_(value, f"m{n}", quoted=True))
        for node, name in self.aggregated.items():
            value = column(name, aliases[len(whole) - 1])
            if keys and isinstance(node.this if isinstance(node, exp.Filter) else node, exp.Count):
                value = exp.Coalesce(this=value, expressions=[exp.Literal.number(0)])
            columns.append(exp.alias_(value, name, quoted=True))
        made = exp.Select().select(*columns, copy=False).from_(_named(whole[0], aliases[0]), copy=False)
        for n, one in enumerate((*whole[1:], *parts), 1):
            if not keys:
                made = made.join(_named(one, aliases[n]), join_type="cross", copy=False)
                continue
            on = exp.and_(
                *(
                    exp.NullSafeEQ(
                        this=key(name) if n >= len(whole) else column(name, aliases[0]),
                        expression=column(name, aliases[n]),
                    )
                    for name in keys
                ),
                copy=False,
            )
            # Rows that the statement joins itself have the same groups whatever is asked of them.
            both = "inner" if self.selecting.scope.joining is not None else "full"
            kind = both if n < len(whole) else "left"
            made = made.join(_named(one, aliases[n]), on=on, join_type=kind, copy=False)
        return made


def _over(node: exp.Expr, question: Asking) -> exp.Expr:
    """An aggregate over the columns of a question for rows."""

    def one(each: exp.Expr) -> exp.Expr:
        return question.dimension(each) if marked(each) is not None else each

    return changed(node, one)


def _named(select: exp.Query, alias: str) -> exp.Subquery:
    return exp.Subquery(this=select, alias=exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))
