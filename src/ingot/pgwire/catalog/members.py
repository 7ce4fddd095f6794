"""Cubes and views as tables: members are columns, with the types that values have and what they are as comments."""

from collections.abc import Callable, Mapping

from sqlglot import exp

from ingot.pgwire.catalog.naming import WHOLE, is_number
from ingot.pgwire.catalog.shown import Column, Reference, Table
from ingot.semantic.model import Cube, Dimension, Found, Label, Measure, Member, Model, Segment
from ingot.semantic.sql.columns import columns, faces

Types = Callable[[str], Mapping[str, str]]
"""PostgreSQL's types of a lake table's columns, by names in lower case; nothing where it is not known."""

_SIMPLE = {"time": "timestamp", "boolean": "boolean", "string": "text", "switch": "text", "geo": "text"}
_KINDS = {Dimension: "dimension", Measure: "measure", Segment: "segment"}


def tables(model: Model, types: Types) -> list[Table]:
    """The tables of all cubes and views that are public, in the order of the files."""
    known = {name: _source_types(cube, types) for name, cube in model.cubes.items()}
    found = []
    for name in faces(model):
        shown = tuple(_column(column, one, known) for column, one in columns(model, name))
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


def _column(name: str, found: Found, known: Mapping[str, Mapping[str, str]]) -> Column:
    label = found.label
    told = f"{_KINDS[type(found.member)]}: {label.short_title or label.title or name}"
    if label.description:
        told += f". {label.description}"
    return Column(name, _type(found.member, known), told)


def _comment(label: Label) -> str | None:
    if label.description and label.title:
        return f"{label.title}: {label.description}"
    return label.description or label.title or None


def _type(member: Member, known: Mapping[str, Mapping[str, str]]) -> str:
    if isinstance(member, Segment):
        return "boolean"
    simple = _SIMPLE.get(member.type)
    if simple is not None:
        return simple
    if isinstance(member, Dimension):
        return _number(member.sql, member.cube, known) or "numeric"
    return _measure(member, known)


def _measure(measure: Measure, known: Mapping[str, Mapping[str, str]]) -> str:  # noqa: PLR0911 (one case an aggregate)
    match measure.aggregate:
        case "count" | "count_distinct" | "count_distinct_approx" | "rank":
            return "bigint"
        case "sum" | "min" | "max" if measure.sql is not None and measure.stage is None:
            inner = _number(measure.sql, measure.cube, known)
            if inner is None:
                return "numeric"
            if measure.aggregate != "sum":
                return inner
            if inner in WHOLE:
                return "bigint"
            return "double precision" if inner in ("real", "double precision") else "numeric"
        case "avg":
            return "double precision"
        case _:
            # The engine divides in floating point.
            return "double precision" if measure.sql is not None and measure.sql.find(exp.Div) else "numeric"


def _number(sql: exp.Expr, cube: str, known: Mapping[str, Mapping[str, str]]) -> str | None:
    """The type of a plain column that is a number; None for any other expression."""
    if isinstance(sql, exp.Column) and sql.table in ("", cube):
        found = known.get(cube, {}).get(sql.name.casefold())
        return found if found is not None and is_number(found) else None
    if isinstance(sql, exp.Literal):
        return "bigint" if sql.is_int else None
    return None


def _source_types(cube: Cube, types: Types) -> Mapping[str, str]:
    source = cube.source
    if isinstance(source, exp.Subquery) and isinstance(source.this, exp.Select):
        select = source.this
        first = select.args.get("from_")
        plain = [one for one in select.expressions if isinstance(one, (exp.Star, exp.Column))]
        if len(plain) != len(select.expressions) or first is None or select.args.get("joins"):
            return {}
        source = first.this
    if not isinstance(source, exp.Table) or not source.db:
        return {}
    return types(f"{source.db}.{source.name}")


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
