"""Dimensions of type switch: a choice between fixed values, which no column holds.

Each becomes a small source of its values that is joined to every row of its cube, so that a row belongs to each
of them; what holds for joins that repeat rows holds here, too.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlglot import exp

from ingot.semantic.compiler.snippet import SnippetError
from ingot.semantic.labels import label
from ingot.semantic.model import Cube, Dimension, Join, Label


def is_switch(spec: Any) -> bool:
    """Whether a dimension is a choice between values and has no SQL."""
    return spec.type == "switch" and spec.sql is None and spec.case is None


def switch(cube: str, spec: Any, owner: Any) -> Dimension:
    """The dimension of a spec. Raises `SnippetError`."""
    if not spec.values:
        raise SnippetError("a dimension of type switch needs 'values'")
    name = f"{cube}.{spec.name}"
    value = exp.column("value", table=name, quoted=True)
    return Dimension(cube, spec.name, "string", value, ((cube, name),), label(spec, owner))


def with_switches(
    cubes: Mapping[str, Cube], edges: Mapping[str, tuple[Join, ...]]
) -> tuple[dict[str, Cube], dict[str, tuple[Join, ...]]]:
    """The cubes and joins, and the sources of all switches among them."""
    more = {source.name: source for source in _sources(cubes.values())}
    if not more:
        return dict(cubes), dict(edges)
    joined = dict(edges)
    for name in more:
        owner = name.partition(".")[0]
        joined[owner] = (*joined[owner], Join(owner, name, "one_to_many", exp.true()))
        joined[name] = ()
    return {**cubes, **more}, joined


def _sources(cubes: Iterable[Cube]) -> Iterator[Cube]:
    for cube in cubes:
        for dimension in cube.dimensions.values():
            spec = dimension.label.details.get("spec")
            if spec is not None and is_switch(spec):
                rows = [exp.Tuple(expressions=[exp.Literal.string(value)]) for value in spec.values]
                alias = exp.TableAlias(
                    this=exp.to_identifier("choice"), columns=[exp.to_identifier("value", quoted=True)]
                )
                values = (
                    exp.Select()
                    .select(exp.column("value", quoted=True))
                    .from_(exp.Values(expressions=rows, alias=alias))
                )
                source = exp.Subquery(this=values)
                hidden = Label("", "", public=False)
                yield Cube(f"{cube.name}.{dimension.name}", source, (), {}, {}, {}, (), hidden)
