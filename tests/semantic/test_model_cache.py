"""A model that is compiled again after an edit is the model that a new process would compile."""

import copy
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingot.project import ModelFiles, ProjectError, load
from ingot.semantic import Model, ModelCache, compile_model

KEY = {"name": "id", "sql": "id", "type": "number", "primary_key": True}
START: dict[str, Any] = {
    "orders": {"sql_table": "gold.orders", "dimensions": [KEY, {"name": "status", "type": "string", "sql": "status"}, {"name": "city", "type": "string", "sql": "{customers.city}"}],
               "measures": [{"name": "count", "type": "count"}, {"name": "total", "type": "sum", "sql": "amount"}],
               "joins": [{"name": "customers", "relationship": "many_to_one", "sql": "{CUBE}.customer_id = {customers.id}"}]},
    "customers": {"sql_table": "gold.customers", "dimensions": [KEY, {"name": "city", "type": "string", "sql": "city"}],
                  "measures": [{"name": "count", "type": "count"}],
                  "joins": [{"name": "regions", "relationship": "many_to_one", "sql": "{CUBE}.region_id = {regions.id}"}]},
    "regions": {"sql": "SELECT * FROM {places.sql()} WHERE kind = 'r'", "dimensions": [KEY, {"name": "name", "type": "string", "sql": "name"}]},
    "places": {"sql": "SELECT * FROM gold.places", "dimensions": [KEY]},
    "big": {"extends": "orders", "measures": [{"name": "mean", "type": "number", "sql": "{total} / {count}"}]},
    "far": {"sql_table": "gold.far", "dimensions": [KEY, {"name": "region", "type": "string", "sql": "{regions}.name"}],
            "joins": [{"name": "customers", "relationship": "many_to_one", "sql": "{CUBE}.c = {customers.id}"}]},
}  # fmt: skip
VIEW = {
    "name": "sales",
    "cubes": [
        {"join_path": "orders", "includes": "*"},
        {"join_path": "orders.customers", "includes": "*", "prefix": True},
    ],
}


def sql(cube: str, place: int, text: str) -> Any:
    def edit(model: dict[str, Any]) -> None:
        if cube in model and len(model[cube].get("dimensions", [])) > place:
            model[cube]["dimensions"][place]["sql"] = text

    return edit


def renamed(cube: str, kind: str, place: int, name: str) -> Any:
    def edit(model: dict[str, Any]) -> None:
        if cube in model and len(model[cube].get(kind, [])) > place:
            model[cube][kind][place]["name"] = name

    return edit


def put(cube: str, key: str, value: Any) -> Any:
    def edit(model: dict[str, Any]) -> None:
        if cube in model:
            model[cube][key] = copy.deepcopy(value)

    return edit


def removed(cube: str) -> Any:
    return lambda model: model.pop(cube, None)


def again(cube: str) -> Any:
    return lambda model: model.__setitem__(cube, copy.deepcopy(START[cube]))


EDITS = [
    sql("customers", 1, "upper(city)"),
    sql("customers", 0, "number"),
    sql("orders", 1, "{customers.city} || 'x'"),
    sql("orders", 1, "{far.region}"),
    sql("regions", 1, "{{broken"),
    put("regions", "joins", [{"name": "customers", "relationship": "one_to_one", "sql": "{CUBE}.c = {customers.id}"}]),
    sql("regions", 1, "{customers.city}"),
    sql("customers", 1, "{regions.name}"),
    renamed("customers", "dimensions", 1, "town"),
    renamed("orders", "measures", 1, "sum"),
    put("orders", "sql_table", "gold.other"),
    put("places", "sql", "SELECT 1 AS id"),
    put("orders", "joins", []),
    put("customers", "joins", []),
    put("far", "joins", [{"name": "regions", "relationship": "many_to_one", "sql": "{CUBE}.r = {regions.id}"}]),
    put("customers", "joins", [{"name": "regions", "relationship": "one_to_many", "sql": "{CUBE}.id = {regions}.c"}]),
    put("big", "title", "Big ones"),
    put("orders", "title", "All of them"),
    put("orders", "sql_table", "gold.{{"),
    *(removed(name) for name in START),
    *(again(name) for name in START),
]  # fmt: skip


def write(folder: Path, model: dict[str, Any]) -> None:
    (folder / "ingot.yml").write_text("name: shop\n")
    semantic = folder / "semantic"
    semantic.mkdir(exist_ok=True)
    for name in START:
        path = semantic / f"{name}.yml"
        if name in model:
            path.write_text(json.dumps({"cubes": [{"name": name, **model[name]}]}))
        else:
            path.unlink(missing_ok=True)
    (semantic / "view.yml").write_text(json.dumps({"views": [VIEW]}))


def shown(model: Model) -> dict[str, Any]:
    """Everything that a query can see of a model."""
    members = {
        name: (
            repr(getattr(one.member, "sql", None)),
            repr(getattr(one.member, "condition", None)),
            one.member.paths,
            getattr(one.member, "leaves", None),
            one.path,
            one.label.title,
            one.label.format,
        )
        for name, one in model.members.items()
    }
    cubes = {name: (cube.source.sql(), cube.tables, cube.label.title) for name, cube in model.cubes.items()}
    edges = {
        name: [(j.left, j.right, j.relationship, repr(j.sql)) for j in some]
        for name, some in model.edges.items()
    }
    return {"members": members, "cubes": cubes, "edges": edges}


def outcome(compile_it: Any) -> Any:
    try:
        return shown(compile_it())
    except ProjectError as error:
        return str(error)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=st.lists(st.sampled_from(EDITS), min_size=1, max_size=6))
def test_after_any_edits_the_model_is_that_of_a_new_start(edits: list[Any], tmp_path: Path) -> None:
    files, models = ModelFiles(), ModelCache()
    model = copy.deepcopy(START)
    write(tmp_path, model)
    models.model(load(tmp_path, files=files))
    for edit in edits:
        edit(model)
        write(tmp_path, model)
        assert outcome(lambda: models.model(load(tmp_path, files=files))) == outcome(
            lambda: compile_model(load(tmp_path))
        )


def test_only_what_changed_is_compiled_again(tmp_path: Path) -> None:
    files, models = ModelFiles(), ModelCache()
    model = copy.deepcopy(START)
    write(tmp_path, model)
    before = models.model(load(tmp_path, files=files))
    sql("customers", 1, "upper(city)")(model)
    write(tmp_path, model)
    after = models.model(load(tmp_path, files=files))
    same = {name for name in START if after.cubes[name] is before.cubes[name]}
    # Orders refers to the city of customers, big extends it, far joins customers.
    assert same == {"regions", "places"}
    assert after.serial != before.serial


def test_a_bad_edit_leaves_what_was_compiled_before(tmp_path: Path) -> None:
    files, models = ModelFiles(), ModelCache()
    model = copy.deepcopy(START)
    write(tmp_path, model)
    before = models.model(load(tmp_path, files=files))
    good = (tmp_path / "semantic" / "customers.yml").read_text()
    (tmp_path / "semantic" / "customers.yml").write_text("cubes: [")
    with pytest.raises(ProjectError, match=r"customers\.yml"):
        models.model(load(tmp_path, files=files))
    (tmp_path / "semantic" / "customers.yml").write_text(good)
    after = models.model(load(tmp_path, files=files))
    assert all(after.cubes[name] is before.cubes[name] for name in ("regions", "places"))


def test_a_file_with_a_variable_is_read_anew(tmp_path: Path) -> None:
    files = ModelFiles()
    write(tmp_path, {})
    (tmp_path / "semantic" / "view.yml").write_text(
        "cubes: [{name: a, sql_table: '${TABLE}', dimensions: []}]"
    )
    for table in ("gold.one", "gold.two"):
        (cube,) = load(tmp_path, environ={"TABLE": table}, files=files).cubes
        assert cube.sql_table == table


def test_a_file_of_the_same_size_and_time_is_seen_to_differ(tmp_path: Path) -> None:
    files = ModelFiles()
    write(tmp_path, {})
    path = tmp_path / "semantic" / "view.yml"
    found = []
    for table in ("gold.one", "gold.two"):
        path.write_text(f"cubes: [{{name: a, sql_table: {table}, dimensions: []}}]")
        os.utime(path, ns=(10**18, 10**18))
        found.append(load(tmp_path, files=files).cubes[0].sql_table)
    assert found == ["gold.one", "gold.two"]
