"""What a cube reads: its table or its query, which may stand on another cube's."""

from typing import Any

from sqlglot import exp

from ingot.errors import did_you_mean
from ingot.semantic.compiler import snippet
from ingot.semantic.compiler.calling import Calling
from ingot.semantic.compiler.members import CompiledMembers
from ingot.semantic.compiler.snippet import SnippetError


class Sources:
    """The sources of all declared cubes; those with a problem are None, and the problem is reported."""

    def __init__(self, members: CompiledMembers) -> None:
        self._members = members
        self._declared = members.declared
        self._made: dict[str, exp.Expr | None] = {}
        self._open: list[str] = []

    def known(self, cube: str, source: exp.Expr) -> None:
        """Takes over a source that was compiled before."""
        self._made[cube] = source

    def of(self, cube: str) -> exp.Expr | None:
        """The table or sub-query of a cube."""
        if cube not in self._made:
            self._open.append(cube)
            try:
                self._made[cube] = self._read(cube)
            except SnippetError as error:
                self._declared.report(self._declared.cubes[cube], f"cube '{cube}': {error}")
                self._made[cube] = None
            finally:
                self._open.pop()
        return self._made[cube]

    def _read(self, cube: str) -> exp.Expr:
        lineage = self._declared.lineages[cube]
        spec = next(
            (one for one in reversed(lineage) if one.sql is not None or one.sql_table is not None), None
        )
        if spec is None or (spec.sql is not None and spec.sql_table is not None):
            raise SnippetError("it needs either 'sql_table' or 'sql'")

        def another(name: str) -> exp.Expr:
            return self._another(cube, name)

        def asked(name: str) -> None:
            self._members.asked.setdefault(name, spec)

        resolver = Calling(
            cube,
            _no_member,
            asked=asked,
            source=another,
            compiled=self._members.compiled,
            dialect=self._members.declared.dialect,
        ).resolver
        if spec.sql_table is not None:
            return snippet.table(spec.sql_table, resolver)
        assert spec.sql is not None
        return exp.Subquery(this=snippet.query(spec.sql, resolver))

    def _another(self, cube: str, name: str) -> exp.Expr:
        if name not in self._declared.cubes:
            near = did_you_mean(name, self._declared.cubes)
            raise SnippetError(f"'{{{name}.sql()}}': '{name}' is not a cube{near}")
        self._members.needs(cube, name)
        if name in self._open:
            steps = " -> ".join([*self._open[self._open.index(name) :], name])
            raise SnippetError(f"its sql is made of itself: {steps}")
        found = self.of(name)
        if found is None:
            raise SnippetError(f"it refers to '{{{name}.sql()}}', which has a problem of its own")
        return found.copy()


def _no_member(reference: str) -> Any:
    raise SnippetError(f"'{{{reference}}}' cannot stand in a cube's sql")
