"""`${VAR}`: filled in everywhere, missing ones named, and what came from outside never shown."""

import json

import pytest

from ingot.project import Project
from ingot.project.environment import FromEnv, UnsetError, interpolate

from .conftest import Folder

SECRET = "hunter2-9f31"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${A}", "1"),
        ("x${A}y${B:-z}", "x1yz"),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY}", ""),
        ("${MISSING:-}", ""),
        ("${MISSING:-a b:c/d-$e}", "a b:c/d-$e"),
        ("$${A} $A {A}", "${A} $A {A}"),
        ("$$${A}", "$${A}"),
    ],
)
def test_variables_are_filled_in(text: str, expected: str) -> None:
    assert interpolate(text, {"A": "1", "EMPTY": ""}) == expected


@pytest.mark.parametrize("text", ["${MISSING}", "${1A}", "${A", "${}", "${A:-${B}}", "${A:default}"])
def test_unset_and_malformed_variables_are_refused(text: str) -> None:
    with pytest.raises(UnsetError):
        interpolate(text, {"A": ""} if "MISSING" in text else {})


def test_a_value_with_a_variable_in_it_is_not_filled_again() -> None:
    assert interpolate("${A}", {"A": "${B}", "B": "no"}) == "${B}"


def test_an_unset_variable_is_a_problem_with_its_name_and_place(folder: Folder) -> None:
    folder.write("ingot.yml", "serve:\n  host: ${HOST}\n  port: ${PORT}\n  sql_port: ${SQL_PORT:-1234}\n")
    assert folder.problems() == [
        "ingot.yml:2:9: the environment variable 'HOST' is not set and ${HOST} has no default",
        "ingot.yml:3:9: the environment variable 'PORT' is not set and ${PORT} has no default",
    ]
    serve = folder.load(environ={"HOST": "0.0.0.0", "PORT": "8000"}).serve
    assert (serve.host, serve.port, serve.sql_port) == ("0.0.0.0", 8000, 1234)


def test_another_profiles_variables_may_be_unset(folder: Folder) -> None:
    folder.write(
        "ingot.yml",
        "profiles:\n  prod: {state: 'postgresql://u:${PASSWORD}@db/x', engine: {threads: '${N}'}}\n",
    )
    assert folder.load().profile == "dev"
    said = folder.problems(profile="prod")
    assert [line.split("'")[1] for line in said] == ["PASSWORD", "N"]
    assert (
        folder.load(profile="prod", environ={"PASSWORD": SECRET, "N": "2"}).catalog_url
        == f"postgresql://u:{SECRET}@db/x"
    )


def test_variables_in_keys_and_comments_are_left_alone(folder: Folder) -> None:
    folder.write("sources/a.yml", "# ${NOT_SET}\ntables: {x: {path: x.csv, columns: {'${K}': BIGINT}}}\n")
    assert dict(folder.load().sources[0].tables[0].columns) == {"${K}": "BIGINT"}


EVERYWHERE = {
    "ingot.yml": """
name: ${NAME}
default_profile: ${PROFILE}
profiles:
  ${PROFILE_KEY}: {warehouse: "${S}/w", state: "postgresql://u:${S}@h/d", engine: {memory_limit: "${S}", threads: "${N}"}}
transform: {path: "${DIR}-dbt", vars: {key: "${S}", deep: [{x: "${S}"}]}, threads: "${N}"}
serve: {host: "${S}", port: "${N}"}
semantic: {path: "${DIR}"}
""",
    "sources/a.yml": 'path: "${DIR}"\ndescription: "${S}"\ntables: {x: {path: ["${S}/*.csv"], columns: {c: "${S}"}, options: {delimiter: "${S}"}}}\n',
    "hunter2-9f31-dbt/dbt_project.yml": "name: x",
    "hunter2-9f31/cubes/a.yml": """
cubes:
  - name: a
    sql_table: "${S}"
    meta: {k: "${S}"}
    measures: [{name: n, type: sum, sql: "${S}", filters: [{sql: "${S}"}], format: "${S}"}]
    access_policy: [{group: "${S}", row_level: {filters: [{member: x, operator: equals, values: ["${S}"]}]}}]
views: [{name: v, cubes: [{join_path: "${S}", includes: ["${S}"], excludes: "${S}"}]}]
""",
    "dashboards/d.yml": 'title: "${S}"\ntiles: [{type: kpi, title: "${S}", measures: ["m.${NAME}"]}, {type: kpi, measures: ["m.${NAME}"]}]\n',
}
ENVIRON = {"NAME": "shop_77ab", "PROFILE": "stage_51cd", "S": SECRET, "DIR": SECRET, "N": "48151"}


def everywhere(folder: Folder) -> Project:
    for path, text in EVERYWHERE.items():
        folder.write(path, text.replace("${PROFILE_KEY}", "stage_51cd"))
    return folder.load(environ=ENVIRON)


def test_values_of_the_environment_are_used_but_never_shown(folder: Folder) -> None:
    project = everywhere(folder)
    assert project.catalog_url == f"postgresql://u:{SECRET}@h/d"
    assert project.warehouse == str(folder.root / SECRET / "w")
    assert project.cubes[0].measures[0].sql == SECRET
    assert project.dashboards[0].tiles[1].title == "Shop 77ab"
    shown = [repr(project), str(project), json.dumps(project.dump())]
    specs = [
        project.serve,
        project.engine,
        *project.sources,
        *project.cubes,
        *project.views,
        *project.dashboards,
    ]
    for spec in specs:
        shown += [
            repr(spec),
            str(spec),
            spec.model_dump_json(),
            repr(spec.model_dump()),
            json.dumps(spec.model_dump(mode="json")),
        ]
    # Where a folder itself has the secret as its name, the list of files read must name it.
    listed = [json.dumps({**project.dump(), "files": []}), repr(project).split("files=")[0]]
    for text in [*shown[3:], *listed]:
        for value in (SECRET, "shop_77ab", "Shop 77ab", "shop-77ab", "48151"):
            assert value not in text.replace(str(folder.root), "")
    assert "'${S}'" in repr(project.cubes[0])
    assert project.dump()["serve"]["port"] == "${N}"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("ingot.yml", "name: ${S} x"),
        ("ingot.yml", "default_profile: ${S}"),
        ("ingot.yml", "serve: {port: '${S}', host: x}"),
        ("ingot.yml", "profiles: {dev: {engine: {type: '${S}', threads: '${S}'}}}"),
        ("ingot.yml", "transform: {path: '${S}', threads: '${S}'}"),
        ("ingot.yml", "semantic: {path: '${S}'}"),
        ("sources/a.yml", "connector: ${S}"),
        ("sources/a.yml", "path: ${S}"),
        ("sources/a.yml", "path: package:${S}/x"),
        ("sources/a.yml", "name: ${S} x\ntables: {a: {path: x, mode: '${S}', options: {header: '${S}', skip: '${S}'}}}"),
        ("sources/a.yml", "tables: [{name: '${T}', path: x}, {name: '${T}', path: y}]"),
        ("sources/a.yml", "tables: ${S}"),
        ("semantic/a.yml", "cubes: [{name: '${T}', sql_table: t}, {name: '${T}', sql_table: t}]"),
        ("semantic/a.yml", "cubes: [{name: '${T}', sql_table: t}]\nviews: [{name: '${T}'}]"),
        ("semantic/a.yml", "cubes: [{name: '${T}', oops: 1, dimensions: [{name: '${T}', type: '${S}', sql: x}], measures: [{name: '${T}', type: count}]}]"),
        ("dashboards/a.yml", "name: ${S} x\ntiles: [{type: '${S}'}, {type: kpi, measures: '${S}', width: '${S}'}]"),
        ("dashboards/a.yml", "tiles: [{type: kpi, name: '${T}', measures: [a.b]}, {type: kpi, name: '${T}', measures: [a.c]}]"),
        ("dashboards/a.yml", "time: {dimension: '${S}', range: ['${S}', '${S}']}"),
    ],
)  # fmt: skip
def test_no_message_shows_a_value_of_the_environment(folder: Folder, file: str, text: str) -> None:
    folder.write(file, text)
    said = folder.problems(environ={"S": SECRET, "T": "table_4711"})
    assert not [line for line in said if SECRET in line or "4711" in line]


def test_text_from_the_environment_hides_itself() -> None:
    value = interpolate("a${S}b", {"S": SECRET})
    assert isinstance(value, FromEnv)
    assert value == f"a{SECRET}b"
    assert repr(value) == "'a${S}b'"
    assert repr({"k": [value]}) == "{'k': ['a${S}b']}"
