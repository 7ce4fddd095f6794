"""Last pass: facts -> one SELECT.

One fact is one SELECT. Several are put together by UNION ALL and GROUP BY, which treats nulls in dimensions
as equal and keeps groups that only one of them has; a count there is 0 for the others.
"""

from collections.abc import Callable, Sequence

from sqlglot import exp

from ingot.semantic import marks
from ingot.semantic.context import ANYONE, Context
from ingot.semantic.model import Measure, Model
from ingot.semantic.planner.aggregates import COUNTS, calculation, row_value
from ingot.semantic.planner.composed import Composer
from ingot.semantic.planner.fanout import Fact, Grain, Leaf, leaves, shared_paths
from ingot.semantic.planner.filters import condition_tree
from ingot.semantic.planner.joins import along, tree
from ingot.semantic.planner.resolve import Column, Condition, Resolved, conditions, member_paths
from ingot.semantic.planner.rows_of import JoinedRows, Reader, Rows
from ingot.semantic.planner.writing import Writing
from ingot.semantic.policy.reading import guarded
from ingot.semantic.stages import SubQuery

# No cube can have this name.
_FACTS = "#facts"
_GROUPS = "#groups"
_TESTED = "#tested"


class Statement:
    """Writes the SELECT of one resolved query; `reader` decides where each fact is read from."""

    def __init__(
        self, model: Model, query: Resolved, reader: Reader = JoinedRows, context: Context = ANYONE
    ) -> None:
        self.model = model
        self.query = query
        self.grain = Grain.of(query)
        self.writing = Writing(model, query.timezone, query.columns, self._sub_query, context)
        self.writing.rows = dict(query.rows)
        self.reader = guarded(reader, query)
        self.composer = Composer(self.writing, self.reader, self.grain)

    def _sub_query(self, one: SubQuery) -> exp.Expr:
        return self.composer.sub_query(one)

    def rows(self, fact: Fact) -> Rows:
        return self.reader(self.writing, fact, self.grain)

    def grouped(self, facts: Sequence[Fact]) -> exp.Select:
        """The statement of a grouped query without order and limit."""
        if len(facts) == 1:
            rows = self.rows(facts[0])
            return self.finished(rows.select(), rows.dimension, rows.leaf)
        return self.united(facts)

    def composed(self) -> exp.Select:
        """The statement of a grouped query with measures that are computed in several steps."""
        composer, query = self.composer, self.query
        asked = [column.found for column in query.measures]
        asked += [one.found for tree_ in query.having for one in conditions(tree_)]
        parts = [p for one in asked for p in composer.parts(one.member.full_name, one.path, self.grain)]
        relation = composer.relation(self.grain, parts)

        def column(one: Column) -> exp.Expr:
            return exp.column(self.writing.name(one), table=_GROUPS, quoted=True)

        def value(one: Column | Condition) -> exp.Expr:
            name, path = one.found.member.full_name, one.found.path
            return composer.value(name, path, self.grain, relation.leaf(_GROUPS), column)

        columns = [self.named(one, column(one)) for one in query.dimensions]
        columns += [self.named(one, value(one)) for one in query.measures]
        source = exp.Subquery(this=relation.select, alias=_alias(_GROUPS))
        select = exp.Select().select(*columns).from_(source, copy=False)
        if query.having:
            select = self.tested(select, value)
        return composer.branches.series.on(select)

    def tested(self, select: exp.Select, value: Callable[[Condition], exp.Expr]) -> exp.Select:
        """The rows of `select` that pass the conditions on measures: `value` writes these beside its columns."""
        places: dict[int, str] = {}

        def to_sql(one: Condition) -> exp.Expr:
            name = places.get(id(one))
            if name is None:
                name = places[id(one)] = f"#having_{len(places) + 1}"
                select.select(exp.alias_(value(one), name, quoted=True), copy=False)
            return self.writing.condition(one, lambda: exp.column(name, table=_TESTED, quoted=True))

        tests = [condition_tree(one, to_sql) for one in self.query.having]
        columns = [
            self.named(one, exp.column(self.writing.name(one), table=_TESTED, quoted=True))
            for one in self.query.columns
        ]
        source = exp.Subquery(this=select, alias=_alias(_TESTED))
        return exp.Select().select(*columns).from_(source, copy=False).where(*tests, copy=False)

    def ungrouped(self) -> exp.Select:
        """The statement of an ungrouped query without order and limit."""
        paths = list(shared_paths(self.grain))
        paths += [path for column in self.query.measures for path in member_paths(column.found)]
        for name, way in leaves(self.query):
            paths += [way[:-1] + path for path in self.model.measure(name).paths]
        whole = tree(along(self.model.edges, self.grain.hints), paths)

        def leaf(one: Leaf) -> exp.Expr:
            measure = self.model.measure(one[0])
            return row_value(self.model, measure, is_root=whole.root == measure.cube)

        rows = JoinedRows(self.writing, Fact(whole, ()), self.grain)
        columns = [self.named(column, rows.dimension(column)) for column in self.query.dimensions]
        columns += [self.measure(column, leaf) for column in self.query.measures]
        return rows.select().select(*columns, copy=False)

    def finished(
        self,
        select: exp.Select,
        dimension: Callable[[Column], exp.Expr],
        leaf: Callable[[Leaf], exp.Expr],
    ) -> exp.Select:
        """`select` with columns, groups and conditions on measures."""
        dimensions = [self.named(column, dimension(column)) for column in self.query.dimensions]
        measures = [self.measure(column, leaf) for column in self.query.measures]
        return self.having(_by(select.select(*dimensions, *measures, copy=False), len(dimensions)), leaf)

    def having(self, select: exp.Select, leaf: Callable[[Leaf], exp.Expr]) -> exp.Select:
        tests = []
        for one in self.query.having:

            def to_sql(each: Condition) -> exp.Expr:
                return self.writing.condition(each, lambda: marks.wrapped(self.calculation(each, leaf)))

            tests.append(condition_tree(one, to_sql))
        return select.having(*tests, copy=False) if tests else select

    def calculation(self, one: Column | Condition, leaf: Callable[[Leaf], exp.Expr]) -> exp.Expr:
        return calculation(self.model, one.found.member.full_name, one.found.path, leaf)

    def united(self, facts: Sequence[Fact]) -> exp.Select:
        names = {one: f"value_{n}" for n, one in enumerate(leaf for fact in facts for leaf in fact.leaves)}
        branches = []
        for fact in facts:
            own = set(fact.leaves)
            rows = self.rows(fact)
            select = rows.select()
            values = [
                exp.alias_(rows.leaf(one) if one in own else exp.null(), name, quoted=True, copy=False)
                for one, name in names.items()
            ]
            dimensions = [self.named(column, rows.dimension(column)) for column in self.query.dimensions]
            branches.append(_by(select.select(*dimensions, *values, copy=False), len(dimensions)))
        union: exp.Query = branches[0]
        for branch in branches[1:]:
            union = exp.union(union, branch, distinct=False, copy=False)

        def dimension(column: Column) -> exp.Expr:
            return exp.column(self.writing.name(column), table=_FACTS, quoted=True)

        def leaf(one: Leaf) -> exp.Expr:
            value: exp.Expr = exp.AnyValue(this=exp.column(names[one], table=_FACTS, quoted=True))
            if self.model.measure(one[0]).aggregate in COUNTS:
                value = exp.Coalesce(this=value, expressions=[exp.Literal.number(0)])
            return value

        select = exp.Select().from_(exp.Subquery(this=union, alias=_alias(_FACTS)), copy=False)
        return self.finished(select, dimension, leaf)

    def named(self, column: Column, value: exp.Expr) -> exp.Expr:
        return exp.alias_(value, self.writing.name(column), quoted=True, copy=False)

    def measure(self, column: Column, leaf: Callable[[Leaf], exp.Expr]) -> exp.Expr:
        assert isinstance(column.found.member, Measure)
        return self.named(column, self.calculation(column, leaf))

    def ordered(self, select: exp.Select) -> exp.Select:
        """`select` in the query's order, ties broken by the dimensions, with limit and offset."""
        query = self.query
        places = {column.key: n for n, column in enumerate(query.columns, 1)}
        order = dict(query.order)
        if not query.ungrouped:
            order |= {column.key: False for column in query.dimensions if column.key not in order}
        terms = [
            exp.Ordered(this=exp.Literal.number(places[key]), desc=descending, nulls_first=False)
            for key, descending in order.items()
        ]
        if terms:
            select = select.order_by(*terms, copy=False)
        select = select.limit(query.limit, copy=False)
        return select.offset(query.offset, copy=False) if query.offset else select


def counted(select: exp.Select) -> exp.Select:
    """How many rows `select` has."""
    rows = exp.Subquery(this=select, alias=_alias("#rows"))
    return exp.Select().select(exp.alias_(exp.Count(this=exp.Star()), "total")).from_(rows, copy=False)


def _alias(name: str) -> exp.TableAlias:
    return exp.TableAlias(this=exp.to_identifier(name, quoted=True))


def _by(select: exp.Select, dimensions: int) -> exp.Select:
    """`select` grouped by its first columns."""
    return (
        select.group_by(*(exp.Literal.number(n) for n in range(1, dimensions + 1)), copy=False)
        if dimensions
        else select
    )
