"""JSON Schemas: shipped as the specs say, and of one mind with the loader about good and bad files."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

import ingot.templates
from ingot.cli.schema import write_schemas
from ingot.errors import IngotError
from ingot.project import ProjectError, schemas
from ingot.project.schemata import FOLDER

from .conftest import Folder
from .test_dashboard import PAGE
from .test_model_files import ORDERS

# The password of RFC 7677's example.
VERIFIER = (
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
)

GOOD = [
    ("ingot", "ingot.yml", "{}"),
    ("ingot", "ingot.yml", "name: shop\ndefault_profile: dev\nprofiles: {dev: {engine: {threads: 4, memory_limit: 2GB}}}\nserve: {port: '${PORT:-4000}'}"),
    ("ingot", "ingot.yml", "lake: {protected: main}"),
    ("ingot", "ingot.yml", "auth: {jwt: {jwks_url: 'https://login.example.com/keys', audience: shop}, lake_groups: [admins]}"),
    ("ingot", "ingot.yml", "lake: {protected: [main, release/2026]}"),
    ("ingot", "ingot.yml", "auth: {users: users.yml}\nserve: {sql_tls: {certificate: server.crt, key: server.key, require: true}}"),
    ("users", "users.yml", f"users: {{ann: {{verifier: '{VERIFIER}', groups: sales, security: {{cities: [Rome]}}}}, \"o'neil é\": {{verifier: '${{X:-{VERIFIER}}}'}}}}"),
    ("users", "users.yml", f"users: [{{name: ann, verifier: '{VERIFIER}'}}]"),
    ("users", "users.yml", "{}"),
    ("ingot", "ingot.yml", "sources: [{name: a, tables: {x: {path: x.csv}}}]"),
    ("ingot", "ingot.yml", "sources: {a: {tables: [{name: x, path: [x.csv, y.csv]}]}}"),
    ("source", "sources/a.yml", "schema: raw\ntables: {x: {path: x.csv, key: id, options: {null_values: NA, skip: 1}, columns: {a: BIGINT}}}"),
    ("cube", "semantic/cubes/a.yml", ORDERS),
    ("cube", "semantic/cubes/a.yml", "cubes: {a: {sql_table: t, dimensions: {d: {sql: d, type: string}}, measures: {n: {type: count}}}}"),
    ("view", "semantic/views/a.yml", "views: [{name: v, cubes: [{join_path: a, includes: [x, {name: y, alias: z}]}, {join_path: a.b, includes: '*'}], folders: [{name: F, includes: [x, {name: G, includes: '*'}]}]}]"),
    ("dashboard", "dashboards/a.yml", PAGE),
    ("dashboard", "dashboards/a.yml", "title: 2026\ntime: {dimension: a.b, range: [2026-01-01, 2026-02-01]}\ntiles: []"),
]  # fmt: skip

BAD = [
    ("ingot", "ingot.yml", "nmae: x"),
    ("ingot", "ingot.yml", "auth: {}"),
    ("ingot", "ingot.yml", "auth: {jwt: {}}"),
    ("ingot", "ingot.yml", "auth: {jwt: {public_key: x, jwks_url: 'https://x'}}"),
    ("ingot", "ingot.yml", "auth: {jwt: {public_key: x, algorithms: [none]}}"),
    ("ingot", "ingot.yml", "auth: {lake_groups: x}"),
    ("ingot", "ingot.yml", "serve: {sql_tls: {certificate: server.crt}}"),
    ("users", "users.yml", "users: {ann: {}}"),
    ("users", "users.yml", "users: {ann: {verifier: secret}}"),
    ("users", "users.yml", "users: {ann: {password: secret}}"),
    ("users", "users.yml", f"users: {{ann: {{verifier: '{VERIFIER}', groups: [['x']]}}}}"),
    ("ingot", "ingot.yml", "lake: {protected: ['']}"),
    ("ingot", "ingot.yml", "lake: {protect: main}"),
    ("ingot", "ingot.yml", "serve: {port: 70000}"),
    ("ingot", "ingot.yml", "serve: {port: true}"),
    ("ingot", "ingot.yml", "profiles: {dev: {engine: {type: duckbd}}}"),
    ("source", "sources/a.yml", "connector: kafka"),
    ("source", "sources/a.yml", "tables: {x: {pth: x.csv}}"),
    ("source", "sources/a.yml", "tables: {x: {}}"),
    ("source", "sources/a.yml", "tables: [{path: x.csv}]"),
    ("source", "sources/a.yml", "tables: {x: {path: []}}"),
    ("source", "sources/a.yml", "tables: {x: {path: x, options: {header: maybe}}}"),
    ("cube", "semantic/a.yml", "cubes: [{name: a}]"),
    ("cube", "semantic/a.yml", "cubes: [{sql_table: t}]"),
    ("cube", "semantic/a.yml", "cubes: [{name: a, sql: x, sql_table: t}]"),
    ("cube", "semantic/a.yml", "cubes: [{name: a b, sql_table: t}]"),
    ("cube", "semantic/a.yml", "cubes: [{name: a, sql_table: t, measures: [{name: n, type: sum}]}]"),
    ("cube", "semantic/a.yml", "cubes: [{name: a, sql_table: t, measures: [{name: n, type: summ, sql: x}]}]"),
    ("cube", "semantic/a.yml", "cubes: [{name: a, sql_table: t, dimensions: [{name: n, type: time}]}]"),
    ("cube", "semantic/a.yml", "cubes: [{name: a, sql_table: t, joins: [{name: b, sql: x, relationship: friend}]}]"),
    ("view", "semantic/a.yml", "views: [{name: v, cubes: [{join_path: a, includes: all}]}]"),
    ("view", "semantic/a.yml", "views: [{name: v, cubes: [{includes: '*'}]}]"),
    ("dashboard", "dashboards/a.yml", "tiles: [{type: kpj, measures: [a.b]}]"),
    ("dashboard", "dashboards/a.yml", "tiles: [{type: kpi, measures: [a.b, a.c]}]"),
    ("dashboard", "dashboards/a.yml", "tiles: [{type: kpi, measures: [revenue]}]"),
    ("dashboard", "dashboards/a.yml", "tiles: [{type: table, measures: [a.b], order: {a.b: down}}]"),
    ("dashboard", "dashboards/a.yml", "tiles: [{type: table, measures: [a.b], order: {b: desc}}]"),
    ("dashboard", "dashboards/a.yml", "filters: [{member: a.b}]"),
    ("dashboard", "dashboards/a.yml", "filters: [{member: a.b, operator: equal, values: [x]}]"),
    ("dashboard", "dashboards/a.yml", "time: {range: today}"),
]  # fmt: skip

SCHEMAS = schemas()


class _Core(yaml.SafeLoader):
    """YAML as editors read it: dates are text."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _valid(kind: str, text: str) -> bool:
    return bool(Draft202012Validator(SCHEMAS[kind]).is_valid(yaml.load(text, Loader=_Core)))


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_schema_is_a_draft_2020_12_schema(kind: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[kind])
    assert SCHEMAS[kind]["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("kind", SCHEMAS)
def test_every_key_is_described(kind: str) -> None:
    schema = SCHEMAS[kind]
    for name, definition in {kind: schema, **schema["$defs"]}.items():
        assert definition.get("description"), name
        for key, value in definition.get("properties", {}).items():
            assert value.get("description"), f"{name}.{key}"


@pytest.mark.parametrize(("kind", "file", "text"), GOOD)
def test_a_good_file_is_good_for_the_loader_and_the_schema(
    folder: Folder, kind: str, file: str, text: str
) -> None:
    folder.write(file, text)
    folder.load()
    assert _valid(kind, text), [
        e.message for e in Draft202012Validator(SCHEMAS[kind]).iter_errors(yaml.load(text, Loader=_Core))
    ]


@pytest.mark.parametrize(("kind", "file", "text"), BAD)
def test_a_bad_file_is_bad_for_the_loader_and_the_schema(
    folder: Folder, kind: str, file: str, text: str
) -> None:
    folder.write(file, text)
    with pytest.raises(ProjectError):
        folder.load()
    assert not _valid(kind, text)


def test_the_shipped_schemas_are_up_to_date(tmp_path: Path) -> None:
    """Where this fails: `ingot schema src/ingot/project/schemas` writes them again."""
    written = write_schemas(tmp_path / "new")
    assert {path.name for path in written} == {
        f"{kind}.schema.json" for kind in ("ingot", "source", "cube", "view", "dashboard", "users")
    }
    shipped: dict[str, Any] = {path.name: json.loads(path.read_text()) for path in FOLDER.glob("*.json")}
    assert shipped == {path.name: json.loads(path.read_text()) for path in written}


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(IngotError, match="cannot be written"):
        write_schemas(tmp_path / "file")


TEMPLATES = Path(ingot.templates.__file__).parent
KINDS = {
    "ingot.yml": "ingot",
    "sources": "source",
    "cubes": "cube",
    "views": "view",
    "dashboards": "dashboard",
}
SHIPPED = [
    pytest.param(KINDS.get(path.name) or KINDS[path.parent.name], path, id=str(path.relative_to(TEMPLATES)))
    for path in sorted(TEMPLATES.rglob("*.yml"))
    if (path.name in KINDS or path.parent.name in KINDS) and "transform" not in path.parts
]


@pytest.mark.parametrize(("kind", "path"), SHIPPED)
def test_the_files_of_the_templates_are_good_for_an_editor(kind: str, path: Path) -> None:
    tree = yaml.load(path.read_text(), Loader=_Core)
    errors = [
        error.message
        for error in Draft202012Validator(SCHEMAS[kind]).iter_errors({} if tree is None else tree)
    ]
    assert errors == []
