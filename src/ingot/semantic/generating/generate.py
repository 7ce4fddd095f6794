"""Tables of a state -> files of a first model, with what was found out and what was left out."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ingot.errors import NotFoundError, UsageError
from ingot.semantic.generating.cubes import cube, cube_names
from ingot.semantic.generating.facts import Facts, facts_of
from ingot.semantic.generating.keys import find_key, find_references
from ingot.semantic.imports.converted import to_yaml
from ingot.semantic.imports.files import Imported

if TYPE_CHECKING:
    from ingot.engines import Engine
    from ingot.lake import State
    from ingot.project import Project

_LAYERS = ("gold", "marts", "mart", "analytics", "main")
_RAW = frozenset({"raw", "bronze", "staging", "silver", "intermediate"})


def generate(project: "Project", state: "State", engine: "Engine", wanted: Sequence[str] = ()) -> Imported:
    """A cube for each of the tables `wanted` (names, or schemas), by default those of the last layer.

    A table that a cube of the project reads already is left out. Raises `NotFoundError` for a table or schema
    that is not there, `UsageError` where there is nothing to make a model of.
    """
    existing = {(one.sql_table or "").strip().casefold(): one for one in project.cubes if one.sql_table}
    named = _wanted(state, wanted)
    notes = [
        f"{one}: cube '{existing[one.casefold()].name}' reads it already"
        for one in named
        if one.casefold() in existing
    ]
    named = [one for one in named if one.casefold() not in existing]
    if not named:
        said = notes[0] if notes else "the lake has no tables yet"
        raise UsageError(f"There is nothing to make a model of: {said}.", hint="ingot run makes tables.")
    manifest = project.state_dir / "dbt" / "target" / "manifest.json"
    tables = facts_of(state, named, manifest)

    def ask(sql: str) -> Sequence[Sequence[Any]]:
        return engine.query(sql, at=state).rows

    for facts in tables.values():
        find_key(facts, ask)
    notes += find_references(tables.values(), ask)
    for facts in tables.values():
        _keep_sound(facts, tables, notes)
    names = cube_names(
        tables.values(), [*(one.name for one in project.cubes), *(one.name for one in project.views)]
    )
    made = [cube(facts, names, notes) for facts in tables.values()]
    found = [_found(facts, names) for facts in tables.values() if facts.key or facts.references]
    folder = project.semantic.path / "cubes"
    files = {folder / f"{one['name']}.yml": to_yaml("cubes", one) for one in made}
    return Imported(files, (*found, *notes))


def _wanted(state: "State", wanted: Sequence[str]) -> list[str]:
    every = [*state.tables, *state.views]
    schemas = {name.rpartition(".")[0] for name in every}
    if wanted:
        named: list[str] = []
        for one in wanted:
            inside = [name for name in every if name.rpartition(".")[0] == one or name == one]
            if not inside:
                raise NotFoundError("table or schema", one, [*every, *schemas])
            named += inside
        return list(dict.fromkeys(named))
    for layer in _LAYERS:
        if layer in schemas:
            return [name for name in every if name.rpartition(".")[0] == layer]
    finished = [name for name in every if name.rpartition(".")[0] not in _RAW]
    return finished or every


def _keep_sound(facts: Facts, tables: dict[str, Facts], notes: list[str]) -> None:
    """Leaves out references whose other end is no key: rows would be repeated unseen."""
    kept = []
    for one in facts.references:
        other = tables[one.table]
        if other.key == (one.other,) or (other.key and one.other in other.unique):
            kept.append(one)
        else:
            notes.append(
                f"{facts.name}.{one.column}: no join to {other.name}, {one.other} is not known to be unique there"
            )
    facts.references[:] = kept


def _found(facts: Facts, names: dict[str, str]) -> str:
    parts = []
    if facts.key:
        parts.append(f"primary key {', '.join(facts.key)} ({facts.why})")
    parts += [f"join to {names[one.table]} by {one.column} ({one.why})" for one in facts.references]
    return f"{names[facts.name]}: {'; '.join(parts)}"
