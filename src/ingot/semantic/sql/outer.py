"""A SELECT over the rows of others: PostgreSQL's own, but that cubes and views in it are their rows."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlglot import exp

from ingot.semantic.model import Measure
from ingot.semantic.sql.aggregates import is_measure_call
from ingot.semantic.sql.around import OURS
from ingot.semantic.sql.columns import JOIN_FIELD, Scope, inside, marked, same
from ingot.semantic.sql.errors import SqlError, shown
from ingot.semantic.sql.integers import WHOLE, length
from ingot.semantic.sql.naming import output_name
from ingot.semantic.sql.question import Question

if TYPE_CHECKING:
    from ingot.semantic.sql.translating import Names, Translating


class Outer:
    """Writes one such SELECT, which is changed."""

    def __init__(self, whole: "Translating", select: exp.Select, names: "Names") -> None:
        self.whole = whole
        self.around = whole.around
        self.select = select
        self.names = names
        self.integers: dict[str, dict[str, int]] = {}
        """By table how long the integers of its columns are."""

    def written(self) -> exp.Select:
        """The SELECT in the engine's words."""
        select = self.select
        joins = select.args.get("joins") or []
        sources = [join.this for join in joins]
        if select.args.get("from_"):
            sources.insert(0, select.args["from_"].this)
        faces = [(node, scope) for node in sources if (scope := self._source(node)) is not None]
        for node, scope in faces:
            self._rows(node, scope)
        self._refuse_measures()
        for key, value in list(select.args.items()):
            if key in ("from_", "joins"):
                continue
            if isinstance(value, exp.Expr):
                select.set(key, self._plain(value))
            elif isinstance(value, list):
                select.set(key, [self._plain(one) for one in value])
        for join in joins:
            if join.args.get("on") is not None:
                join.set("on", self._plain(join.args["on"]))
        outputs = []
        for one in select.expressions:
            bare = (
                one
                if _is_star(one) or isinstance(one, exp.Alias)
                else exp.alias_(one, output_name(one), quoted=True)
            )
            outputs.append(bare)
        select.set("expressions", outputs)
        return select

    def _source(self, node: exp.Expr) -> Scope | None:
        """Puts what a table of FROM is into its place; gives back what a cube or view is, to be done later."""
        if isinstance(node, exp.Table):
            named = self.whole.named(node, self.names)
            if named is None:
                return self.whole.face_scope(node)
            node.set("this", exp.to_identifier(node.name.casefold(), quoted=True))
            node.meta[OURS] = True
            self._remember(node.alias or node.name, self.whole.used(named), named.columns)
            return None
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Query):
            made = self.whole.query(node.this, self.names)
            node.set("this", made)
            alias = node.args.get("alias")
            columns = tuple(one.name for one in alias.columns) if alias is not None else ()
            self._remember(node.alias, made, columns)
            return None
        what = "Brackets around tables" if isinstance(node, exp.Subquery) else "This"
        raise SqlError(f"{what} cannot be used as a table.", at=node, sqlstate="0A000")

    def _remember(self, alias: str, made: exp.Query, columns: tuple[str, ...]) -> None:
        while isinstance(made, exp.SetOperation | exp.Subquery):
            made = made.this
        names = [*columns, *(one.alias for one in made.expressions[len(columns) :])]
        whole = {
            name.casefold(): length(one.this)
            for name, one in zip(names, made.expressions, strict=False)
            if isinstance(one, exp.Alias)
        }
        self.integers[alias.casefold()] = whole

    def _refuse_measures(self) -> None:
        for node in self._nodes():
            if is_measure_call(node):
                raise SqlError(
                    "MEASURE belongs into a SELECT whose FROM is the model alone: aggregate it in a sub-query.",
                    at=node,
                    sqlstate="42803",
                )
            if isinstance(node, exp.Column) and node.name.casefold() == JOIN_FIELD:
                raise SqlError(
                    "__cubeJoinField joins cubes and views with each other, and nothing else.", at=node
                )

    def _nodes(self) -> Iterator[exp.Expr]:
        """The nodes of its expressions, without those of tables and sub-queries."""
        for key, value in self.select.args.items():
            if key == "joins":
                parts = [join.args["on"] for join in value or () if join.args.get("on") is not None]
            elif key == "from_":
                continue
            else:
                parts = value if isinstance(value, list) else [value]
            for part in parts:
                if isinstance(part, exp.Expr):
                    yield from inside(part)

    def _plain(self, tree: exp.Expr) -> exp.Expr:
        for node in inside(tree):
            if not isinstance(node, exp.Column):
                continue
            tables = [node.table.casefold()] if node.table else list(self.integers)
            found = [
                self.integers[one].get(node.name.casefold(), 0) for one in tables if one in self.integers
            ]
            node.meta[WHOLE] = max(found, default=0)
        return self.around.meant(self.whole.nested(tree, self.names))

    def _rows(self, node: exp.Expr, scope: Scope) -> None:
        """Puts the rows of a cube or view, with the columns that the SELECT uses, in the place of its name."""
        self.whole.counted(node)
        question = Question(self.around, ungrouped=True)
        own = scope.tables[0]
        model = self.around.seen
        columns: dict[str, exp.Expr] = {}
        for each in self._nodes():
            if not isinstance(each, exp.Column) or isinstance(each.this, exp.Star):
                continue
            mine = same(each.table, own.alias) if each.table else None
            if mine is False:
                continue
            found = scope.column(each) if mine else own.find(each.this)
            name = marked(found) if found is not None else None
            if name is None or found is None:
                continue
            if isinstance(model.members[name].member, Measure):
                if not mine:
                    continue
                raise SqlError(
                    f"'{name}' is a measure: aggregate it in a sub-query, and join that.",
                    at=each,
                    sqlstate="42803",
                )
            columns[each.name] = question.dimension(found)
        if any(_is_star(one) for one in self.select.expressions):
            raise SqlError(
                f"Name the columns: a star cannot stand beside the rows of '{shown(own.alias)}'.", at=node
            )
        if not columns:
            question.dimension(self._first(scope, node))
        outputs = [exp.alias_(tree, name, quoted=True) for name, tree in columns.items()]
        inner = exp.Select().select(*(outputs or [exp.Literal.number(1)]), copy=False)
        alias = exp.TableAlias(this=exp.to_identifier(own.alias, quoted=True))
        node.replace(exp.Subquery(this=inner.from_(question.table(), copy=False), alias=alias))

    def _first(self, scope: Scope, node: exp.Expr) -> exp.Expr:
        for tree in scope.tables[0].columns.values():
            name = marked(tree)
            if name is not None and not isinstance(self.around.seen.members[name].member, Measure):
                return tree
        raise SqlError(f"'{shown(scope.tables[0].alias)}' has no dimension.", at=node)


def _is_star(node: exp.Expr) -> bool:
    return isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star))
