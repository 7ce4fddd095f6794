"""What is known of tables before anybody looks into their rows: columns, descriptions, and what dbt's tests say."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingot.lake import State


@dataclass(frozen=True, slots=True)
class Reference:
    """A column whose values are the key of another table; `why` says who says so."""

    column: str
    table: str
    other: str
    why: str


@dataclass(slots=True)
class Facts:
    """A table. `key` is empty where none is known, `why` says how it was found."""

    name: str
    columns: dict[str, str]
    """Types by column."""
    description: str | None = None
    descriptions: dict[str, str] = field(default_factory=dict)
    rows: int | None = None
    key: tuple[str, ...] = ()
    why: str = ""
    unique: set[str] = field(default_factory=set)
    references: list[Reference] = field(default_factory=list)

    @property
    def bare(self) -> str:
        """The name without its schema."""
        return self.name.rpartition(".")[2]


def facts_of(state: "State", tables: list[str], manifest: Path | None) -> dict[str, Facts]:
    """The facts of tables and views of a state by name; `manifest` is dbt's, where there is one."""
    found: dict[str, Facts] = {}
    for name in tables:
        if name in state.tables:
            table = state.table(name)
            schema, rows = table.schema, table.rows
            description = table.metadata.get("properties", {}).get("comment")
        else:
            schema, rows, description = state.view(name).schema, None, None
        found[name] = Facts(
            name,
            {one.name: one.type for one in schema},
            description or None,
            {one.name: one.comment for one in schema if one.comment},
            rows,
        )
    if manifest is not None and manifest.is_file():
        _add_dbt(found, json.loads(manifest.read_text("utf-8")))
    return found


def _add_dbt(found: dict[str, Facts], manifest: Mapping[str, Any]) -> None:
    nodes = manifest.get("nodes", {})
    tables = {
        id: found[name]
        for id, node in nodes.items()
        if node.get("resource_type") in ("model", "seed", "snapshot")
        and (name := f"{node.get('schema')}.{node.get('alias') or node.get('name')}") in found
    }
    for id, facts in tables.items():
        node = nodes[id]
        facts.description = (node.get("description") or "").strip() or facts.description
        for name, column in node.get("columns", {}).items():
            if (text := (column.get("description") or "").strip()) and name in facts.columns:
                facts.descriptions[name] = text
    _add_tests(found, nodes, tables)


def _add_tests(found: dict[str, Facts], nodes: Mapping[str, Any], tables: Mapping[str, Facts]) -> None:
    not_null: set[tuple[str, str]] = set()
    unique: list[tuple[str, str]] = []
    for node in nodes.values():
        test = node.get("test_metadata") or {}
        facts_here = tables.get(str(node.get("attached_node")))
        if facts_here is None or node.get("config", {}).get("enabled") is False:
            continue
        together = _together(test, facts_here)
        if together and not facts_here.key and not node.get("config", {}).get("where"):
            facts_here.key, facts_here.why = together, "dbt tests them to be unique together"
        column = node.get("column_name") or test.get("kwargs", {}).get("column_name")
        if column not in facts_here.columns:
            continue
        kind = test.get("name")
        if kind == "unique" and not node.get("config", {}).get("where"):
            unique.append((facts_here.name, column))
        elif kind == "not_null":
            not_null.add((facts_here.name, column))
        elif kind == "relationships":
            _add_reference(facts_here, column, node, tables)
    for name, column in unique:
        found[name].unique.add(column)
    # One column is the better key, where there is one.
    for name, column in [*[one for one in unique if one in not_null], *unique]:
        if len(found[name].key) != 1:
            found[name].key, found[name].why = (column,), "dbt tests it to be unique"


def _together(test: Mapping[str, Any], facts: Facts) -> tuple[str, ...]:
    """The columns that a test of the usual names says to be unique together."""
    if test.get("name") not in ("unique_combination_of_columns", "unique_together"):
        return ()
    given = test.get("kwargs", {})
    given = {**given, **given.get("arguments", {})}
    columns = given.get("combination_of_columns") or given.get("columns") or ()
    known = isinstance(columns, list) and all(one in facts.columns for one in columns)
    return tuple(columns) if known else ()


def _add_reference(facts: Facts, column: str, node: Mapping[str, Any], tables: Mapping[str, Facts]) -> None:
    given = node["test_metadata"].get("kwargs", {})
    field_ = given.get("field") or given.get("arguments", {}).get("field")
    others = [id for id in node.get("depends_on", {}).get("nodes", []) if id != node.get("attached_node")]
    other = tables.get(others[0]) if len(others) == 1 else facts if not others else None
    if other is not None and other is not facts and field_ in other.columns:
        facts.references.append(Reference(column, other.name, str(field_), "dbt tests the relationship"))
