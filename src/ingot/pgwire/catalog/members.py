"""Cubes and views as tables: members are columns, with the types that values have and what they are as comments."""

from sqlglot import exp

from ingot.pgwire.catalog.shown import Column, Reference, Table
from ingot.semantic.model import Cube, Dimension, Found, Label, Measure, Model, Segment
from ingot.semantic.sql.member_types import Declared
from ingot.semantic.sql.questions.columns import columns, faces

_KINDS = {Dimension: "dimension", Measure: "measure", Segment: "segment"}


def tables(model: Model, types: Declared) -> list[Table]:
    """The tables of all cubes and views that are public, in the order of the files."""
    found = []
    for name in faces(model):
        shown = tuple(_column(column, one, types) for column, one in columns(model, name))
        cube = model.cubes.get(name)
        if not shown:
            continue
        if cube is None:
            found.append(Table("public", name, shown, _comment(model.views[name].label)))
        else:
            found.append(_cube(model, cube, shown))
    return found


def _cube(model: Model, cube: Cube, shown: tuple[Column, ...]) -> Table:
    names = {column.name for column in shown}
    key = tuple(one.name for one in cube.primary_key)
    key = key if names.issuperset(key) else ()
    joins = [_reference(model, cube, join.right, join.sql) for join in cube.joins if join.many_to_left]
    references = tuple(one for one in joins if one is not None)
    return Table("public", cube.name, shown, _comment(cube.label), key, references)


def _column(name: str, found: Found, types: Declared) -> Column:
    label = found.label
    told = f"{_KINDS[type(found.member)]}: {label.short_title or label.title or name}"
    if label.description:
        told += f". {label.description}"
    return Column(name, types(found.member), told)


def _comment(label: Label) -> str | None:
    if label.description and label.title:
        return f"{label.title}: {label.description}"
    return label.description or label.title or None


def _reference(model: Model, cube: Cube, right: str, sql: exp.Expr) -> Reference | None:
    """The join as a foreign key: where each of its conditions holds a dimension to one of the other's key."""
    other = model.cubes.get(right)
    if other is None or not other.primary_key:
        return None
    pairs: dict[str, str] = {}
    for part in sql.flatten() if isinstance(sql, exp.And) else (sql,):
        if not isinstance(part, exp.EQ):
            return None
        one = _pair(model, cube, other, part.this, part.expression) or _pair(
            model, cube, other, part.expression, part.this
        )
        if one is None:
            return None
        pairs[one[1]] = one[0]
    keys = tuple(each.name for each in other.primary_key)
    if set(pairs) != set(keys):
        return None
    return Reference(tuple(pairs[name] for name in keys), "public", right, keys)


def _pair(model: Model, cube: Cube, other: Cube, mine: exp.Expr, theirs: exp.Expr) -> tuple[str, str] | None:
    left = _named(model, cube, mine)
    key = next((one.name for one in other.primary_key if one.sql == theirs), None)
    return (left, key) if left is not None and key is not None else None


def _named(model: Model, cube: Cube, sql: exp.Expr) -> str | None:
    for name, one in cube.dimensions.items():
        if one.sql == sql and model.members[f"{cube.name}.{name}"].label.public:
            return name
    return None
