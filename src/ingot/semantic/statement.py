"""Last pass: facts -> one SELECT.

One fact is one SELECT. Several are put together by UNION ALL and GROUP BY, which treats nulls in dimensions
as equal and keeps groups that only one of them has; a count there is 0 for the others.
"""

from collections.abc import Callable, Sequence

from sqlglot import exp

from ingot.semantic import marks
from ingot.semantic.aggregates import COUNTS, aggregate, calculation, row_value
from ingot.semantic.fanout import Fact, Leaf, shared_paths
from ingot.semantic.filters import Parameters, condition, condition_tree
from ingot.semantic.joins import Tree, tree
from ingot.semantic.model import Dimension, Measure, Model, Segment
from ingot.semantic.resolve import Column, Condition, Resolved, member_paths
from ingot.semantic.times import in_zone, truncated

# No cube can have these names.
_KEYS = "#keys"
_FACTS = "#facts"


class Statement:
    """Writes the SELECT of one resolved query."""

    def __init__(self, model: Model, query: Resolved) -> None:
        self.model = model
        self.query = query
        self.parameters = Parameters()
        self.aliases = aliases(query.columns)

    def grouped(self, facts: Sequence[Fact]) -> exp.Select:
        """The statement of a grouped query without order and limit."""
        if len(facts) == 1:
            fact = facts[0]

            def leaf(one: Leaf) -> exp.Expr:
                return self.leaf(fact, one)

            select = self.rows(fact)
            return self.finished(select, leaf, inner=_KEYS if fact.keyed is not None else None)
        return self.united(facts)

    def ungrouped(self) -> tuple[exp.Select, Tree]:
        """The statement of an ungrouped query without order and limit, and its joins."""
        paths = list(shared_paths(self.query))
        paths += [path for column in self.query.measures for path in member_paths(column.found)]
        whole = tree(self.model.edges, paths)

        def leaf(one: Leaf) -> exp.Expr:
            measure = self.model.measure(one[0])
            return row_value(self.model, measure, is_root=whole.root == measure.cube)

        select = self.joined(whole)
        columns = [self.dimension(column) for column in self.query.dimensions]
        columns += [self.measure(column, leaf) for column in self.query.measures]
        return self.filtered(select.select(*columns, copy=False)), whole

    def finished(
        self, select: exp.Select, leaf: Callable[[Leaf], exp.Expr], *, inner: str | None
    ) -> exp.Select:
        """`select` with columns, groups and conditions on measures."""
        dimensions = self.dimensions(inner)
        measures = [self.measure(column, leaf) for column in self.query.measures]
        return self.having(_by(select.select(*dimensions, *measures, copy=False), len(dimensions)), leaf)

    def having(self, select: exp.Select, leaf: Callable[[Leaf], exp.Expr]) -> exp.Select:
        tests = []
        for one in self.query.having:

            def to_sql(each: Condition) -> exp.Expr:
                return self.condition(each, lambda: marks.wrapped(self.calculation(each, leaf)))

            tests.append(condition_tree(one, to_sql))
        return select.having(*tests, copy=False) if tests else select

    def calculation(self, one: Column | Condition, leaf: Callable[[Leaf], exp.Expr]) -> exp.Expr:
        return calculation(self.model, one.found.member.full_name, one.found.path, leaf)

    def united(self, facts: Sequence[Fact]) -> exp.Select:
        names = {one: f"value_{n}" for n, one in enumerate(leaf for fact in facts for leaf in fact.leaves)}
        branches = []
        for fact in facts:
            own = set(fact.leaves)
            values = [
                exp.alias_(self.leaf(fact, one) if one in own else exp.null(), name, quoted=True, copy=False)
                for one, name in names.items()
            ]
            dimensions = self.dimensions(_KEYS if fact.keyed is not None else None)
            branches.append(_by(self.rows(fact).select(*dimensions, *values, copy=False), len(dimensions)))
        union: exp.Query = branches[0]
        for branch in branches[1:]:
            union = exp.union(union, branch, distinct=False, copy=False)

        def leaf(one: Leaf) -> exp.Expr:
            value: exp.Expr = exp.AnyValue(this=exp.column(names[one], table=_FACTS, quoted=True))
            if self.model.measure(one[0]).aggregate in COUNTS:
                value = exp.Coalesce(this=value, expressions=[exp.Literal.number(0)])
            return value

        select = exp.Select().from_(exp.Subquery(this=union, alias=_alias(_FACTS)), copy=False)
        return self.finished(select, leaf, inner=_FACTS)

    def rows(self, fact: Fact) -> exp.Select:
        """FROM and WHERE of a fact: its joined rows, or its distinct keys with their rows."""
        if fact.keyed is None:
            return self.filtered(self.joined(fact.tree))
        assert fact.own is not None
        keys = self.model.cubes[fact.keyed].primary_key
        names = [f"key_{n}" for n in range(len(keys))]
        columns = [self.dimension(column) for column in self.query.dimensions]
        columns += [
            exp.alias_(key.sql.copy(), name, quoted=True) for key, name in zip(keys, names, strict=True)
        ]
        distinct = self.filtered(self.joined(fact.tree)).select(*columns, copy=False).distinct(copy=False)
        on = exp.and_(
            *(
                exp.EQ(
                    this=exp.column(name, table=_KEYS, quoted=True), expression=marks.wrapped(key.sql.copy())
                )
                for key, name in zip(keys, names, strict=True)
            ),
            copy=False,
        )
        select = exp.Select().from_(exp.Subquery(this=distinct, alias=_alias(_KEYS)), copy=False)
        select = select.join(self.source(fact.keyed), on=on, join_type="left", copy=False)
        return self.with_joins(select, fact.own)

    def leaf(self, fact: Fact, one: Leaf) -> exp.Expr:
        measure = self.model.measure(one[0])
        tree_ = aggregate(self.model, measure, is_root=fact.tree.root == measure.cube)
        return self.local(tree_)

    def joined(self, whole: Tree) -> exp.Select:
        return self.with_joins(exp.Select().from_(self.source(whole.root), copy=False), whole)

    def with_joins(self, select: exp.Select, whole: Tree) -> exp.Select:
        for join in whole.joins:
            on = self.local(join.sql.copy())
            select = select.join(self.source(join.right), on=on, join_type="left", copy=False)
        return select

    def source(self, cube: str) -> exp.Expr:
        return exp.alias_(self.model.cubes[cube].source.copy(), cube, table=True, quoted=True, copy=False)

    def filtered(self, select: exp.Select) -> exp.Select:
        tests = [condition_tree(one, self.row_condition) for one in self.query.where]
        for segment in self.query.segments:
            assert isinstance(segment.member, Segment)
            tests.append(exp.Paren(this=self.local(segment.member.sql.copy())))
        return select.where(*tests, copy=False) if tests else select

    def row_condition(self, one: Condition) -> exp.Expr:
        member = one.found.member
        assert isinstance(member, Dimension)
        return self.condition(one, lambda: marks.wrapped(self.local(member.sql.copy())))

    def condition(self, one: Condition, column: Callable[[], exp.Expr]) -> exp.Expr:
        return condition(one, column, zone=self.query.timezone, parameters=self.parameters)

    def dimensions(self, inner: str | None) -> list[exp.Expr]:
        """The dimensions, computed here or taken from the inner SELECT of that name."""
        if inner is None:
            return [self.dimension(column) for column in self.query.dimensions]
        names = [self.aliases[column.key] for column in self.query.dimensions]
        return [
            exp.alias_(exp.column(name, table=inner, quoted=True), name, quoted=True, copy=False)
            for name in names
        ]

    def dimension(self, column: Column) -> exp.Expr:
        member = column.found.member
        assert isinstance(member, Dimension)
        value = self.local(member.sql.copy())
        if member.type == "time":
            value = in_zone(value, self.query.timezone)
            value = truncated(value, column.granularity) if column.granularity else value
        return exp.alias_(value, self.aliases[column.key], quoted=True, copy=False)

    def measure(self, column: Column, leaf: Callable[[Leaf], exp.Expr]) -> exp.Expr:
        assert isinstance(column.found.member, Measure)
        return exp.alias_(self.calculation(column, leaf), self.aliases[column.key], quoted=True, copy=False)

    def local(self, value: exp.Expr) -> exp.Expr:
        return marks.fill_local(value, lambda time: in_zone(time, self.query.timezone))

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


def aliases(columns: Sequence[Column]) -> dict[str, str]:
    """A name in SQL for each column, unlike all others however the engine compares names."""
    found: dict[str, str] = {}
    used: set[str] = set()
    for column in columns:
        name, n = column.alias, 1
        while name.casefold() in used:
            n += 1
            name = f"{column.alias}_{n}"
        used.add(name.casefold())
        found[column.key] = name
    return found


def _by(select: exp.Select, dimensions: int) -> exp.Select:
    """`select` grouped by its first columns."""
    return (
        select.group_by(*(exp.Literal.number(n) for n in range(1, dimensions + 1)), copy=False)
        if dimensions
        else select
    )
