"""dbt's semantic models (MetricFlow's YAML) -> cubes: entities become keys and joins, measures stay measures.

The grammar is that of dbt 1.6 to 1.11: top-level `semantic_models` and `metrics`
(https://docs.getdbt.com/docs/build/semantic-models). Metrics are `metricflow_metrics`' part.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from ingot.errors import UsageError
from ingot.semantic.imports.converted import Converted, Table
from ingot.semantic.imports.metricflow_metrics import add_metrics

_REF = re.compile(
    r"""^\s*(?:\{\{)?\s*ref\(\s*(?:["'][\w-]+["']\s*,\s*)?["']([\w.-]+)["'].*\)\s*(?:\}\})?\s*$"""
)
_PLAIN = re.compile(r"[A-Za-z_]\w*")
_UNIQUE = ("primary", "unique")
_AGGREGATES = {
    "sum": "sum",
    "average": "avg",
    "avg": "avg",
    "min": "min",
    "max": "max",
    "count": "count",
    "count_distinct": "count_distinct",
    "sum_boolean": "sum",
    "median": "number",
    "percentile": "number",
}

Columns = Mapping[str, str]
"""The type in Cube's words (string, number, time, boolean) of each column of a table."""


@dataclass(frozen=True, slots=True)
class Found:
    """A dbt model in the lake: its table, and the types of its columns."""

    table: str
    columns: Columns = field(default_factory=dict)


Find = Callable[[str], Found]
"""The table that a dbt model builds."""


def convert(files: Mapping[str, str], find: Find) -> Converted:
    """The cubes of dbt's YAML files (name -> text).

    Raises `UsageError` for a file that is no YAML or has no semantic models in any file.
    """
    models: list[Table] = []
    metrics: list[Table] = []
    made = Converted()
    for name, text in files.items():
        data = _loaded(name, text)
        models += _tables(data.get("semantic_models"))
        metrics += _tables(data.get("metrics"))
        for key in ("saved_queries", "exports"):
            if data.get(key):
                made.note(name, f"'{key}' have no counterpart and were left out")
    if not models:
        raise UsageError(
            "No file has 'semantic_models'.", hint="ingot model import dbt models/ reads dbt's YAML files."
        )
    cubes = {model["name"]: _cube(model, find, made) for model in models}
    _join(models, cubes, made)
    add_metrics(models, metrics, cubes, made)
    made.cubes = list(cubes.values())
    return made


def _loaded(name: str, text: str) -> Table:
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"{name} is not YAML: {error}") from None
    return data if isinstance(data, dict) else {}


def _tables(value: Any) -> list[Table]:
    return [one for one in value or () if isinstance(one, dict) and isinstance(one.get("name"), str)]


def _cube(model: Table, find: Find, made: Converted) -> Table:
    written = str(model.get("model", model["name"]))
    named = _REF.match(written)
    found = find(named.group(1) if named else written)
    cube: Table = {"name": model["name"], "sql_table": found.table} | _described(model)
    if model.get("primary_entity") and not any(
        one["type"] == "primary" for one in _tables(model.get("entities"))
    ):
        made.note(model["name"], "its primary_entity has no column, so the cube has no primary key")
    dimensions = _entities(model, found.columns) + _dimensions(model, found.columns, made)
    cube["dimensions"] = list({one["name"]: one for one in reversed(dimensions)}.values())[::-1]
    cube["measures"] = [one for each in _tables(model.get("measures")) if (one := measure(model, each, made))]
    return {key: value for key, value in cube.items() if value != []}


def _described(spec: Table) -> Table:
    found = {}
    if spec.get("label"):
        found["title"] = spec["label"]
    if spec.get("description"):
        found["description"] = str(spec["description"]).strip()
    if isinstance(meta := (spec.get("config") or {}).get("meta"), dict):
        found["meta"] = meta
    return found


def sql_of(spec: Table) -> str:
    """A member's expression: a column of the table, or SQL as it stands."""
    expr = str(spec["expr"]) if spec.get("expr") is not None else spec["name"]
    return f"{{CUBE}}.{expr}" if _PLAIN.fullmatch(expr) else expr


def _entities(model: Table, columns: Columns) -> list[Table]:
    made = []
    for entity in _tables(model.get("entities")):
        column = str(entity.get("expr") or entity["name"])
        one = {"name": entity["name"], "sql": sql_of(entity), "type": columns.get(column, "string")}
        if entity.get("type") == "primary":
            one["primary_key"] = True
        made.append(one | _described(entity))
    return made


def _dimensions(model: Table, columns: Columns, made: Converted) -> list[Table]:
    found = []
    for spec in _tables(model.get("dimensions")):
        kind = (
            "time"
            if spec.get("type") == "time"
            else columns.get(str(spec.get("expr") or spec["name"]), "string")
        )
        if (spec.get("type_params") or {}).get("validity_params"):
            made.note(
                f"{model['name']}.{spec['name']}",
                "validity_params (slowly changing dimension) were left out: a join finds every version",
            )
        found.append({"name": spec["name"], "sql": sql_of(spec), "type": kind} | _described(spec))
    return found


def measure(model: Table, spec: Table, made: Converted) -> Table | None:
    """A measure of a semantic model as one of its cube; hidden unless dbt makes a metric of it."""
    where = f"{model['name']}.{spec['name']}"
    kind = _AGGREGATES.get(str(spec.get("agg", "")).lower())
    if kind is None:
        made.note(where, f"the aggregate '{spec.get('agg')}' is not known; the measure was left out")
        return None
    if spec.get("non_additive_dimension"):
        made.note(
            where, "non_additive_dimension was left out: over time the measure adds up what dbt does not"
        )
    one: Table = {"name": spec["name"], "type": kind} | _described(spec)
    sql = _operand(str(spec["agg"]).lower(), spec)
    if sql is not None:
        one["sql"] = sql
    if not spec.get("create_metric"):
        one["public"] = False
    return one


def _operand(agg: str, spec: Table) -> str | None:
    sql = sql_of(spec)
    if agg == "count" and str(spec.get("expr")) in ("1", "*"):
        return None
    if agg == "sum_boolean":
        return f"CASE WHEN {sql} THEN 1 ELSE 0 END"
    if agg == "median":
        return f"PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY {sql})"
    if agg == "percentile":
        said = spec.get("agg_params") or {}
        name = "PERCENTILE_DISC" if said.get("use_discrete_percentile") else "PERCENTILE_CONT"
        return f"{name}({float(said.get('percentile', 0.5))}) WITHIN GROUP (ORDER BY {sql})"
    return sql


def _join(models: Iterable[Table], cubes: Mapping[str, Table], made: Converted) -> None:
    """A join from every cube with a foreign entity to the cubes in which the entity is unique."""
    homes: dict[str, list[tuple[str, Table]]] = {}
    for model in models:
        for entity in _tables(model.get("entities")):
            if entity.get("type") in _UNIQUE:
                homes.setdefault(entity["name"], []).append((model["name"], entity))
    for model in models:
        joins: dict[str, Table] = {}
        for entity in _tables(model.get("entities")):
            for other, home in homes.get(entity["name"], []):
                one_to_one = entity.get("type") in _UNIQUE
                if other == model["name"] or (one_to_one and other < model["name"]):
                    continue
                if other in joins:
                    made.note(
                        f"{model['name']}.{entity['name']}",
                        f"a second way to '{other}' was left out: a cube joins another once",
                    )
                    continue
                sql = f"{_side('CUBE', entity)} = {_side(other, home)}"
                kind = "one_to_one" if one_to_one else "many_to_one"
                joins[other] = {"name": other, "relationship": kind, "sql": sql}
        if joins:
            cubes[model["name"]]["joins"] = list(joins.values())


def _side(cube: str, entity: Table) -> str:
    # The entity is a dimension of its cube, whatever its expression.
    return f"{{{cube}.{entity['name']}}}"
