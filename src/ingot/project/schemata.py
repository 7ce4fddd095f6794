"""JSON Schemas of the project files, made from the specs, for editors that complete and explain keys."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ingot.project.cube import ModelFile
from ingot.project.dashboard import Dashboard
from ingot.project.settings import Settings
from ingot.project.source import Source
from ingot.project.spec import Spec
from ingot.project.users import Users

FOLDER = Path(__file__).parent / "schemas"
"""The schemas that are shipped with the package."""

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_VARIABLE = {
    "type": "string",
    "pattern": r"\$\{",
    "description": "A value of the environment: ${NAME} or ${NAME:-default}.",
}
_ROOTS: dict[str, type[Spec]] = {
    "ingot": Settings,
    "source": Source,
    "cube": ModelFile,
    "view": ModelFile,
    "dashboard": Dashboard,
    "users": Users,
}
_NAME_IS_FILE = ("source", "dashboard")


def schemas() -> dict[str, dict[str, Any]]:
    """The schema of each kind of file: `ingot`, `source`, `cube`, `view`, `dashboard`, `users`."""
    return {name: _schema(name, root) for name, root in _ROOTS.items()}


def write_schemas(directory: Path | str) -> list[Path]:
    """Writes `<kind>.schema.json` for each kind of file into the directory and returns their paths.

    Raises:
        OSError: where the directory cannot be made or written.
    """
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, schema in schemas().items():
        path = folder / f"{name}.schema.json"
        path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        written.append(path)
    return written


def _schema(name: str, root: type[Spec]) -> dict[str, Any]:
    made = root.model_json_schema(by_alias=True)
    definitions = made.pop("$defs", {})
    classes = {each.__name__: each for each in specs(Spec)}
    for key, definition in definitions.items():
        _complete(definition, classes[key])
    _complete(made, root)
    if name in _NAME_IS_FILE:
        made["required"] = [key for key in made.pop("required", ()) if key != "name"]
    if not made.get("required"):
        made.pop("required", None)
    done: dict[str, Any] = _widened({**made, "$defs": definitions})
    done["$defs"] = {"Variable": _VARIABLE, **done["$defs"]}
    return {"$schema": _DIALECT, "$id": f"ingot/{name}.schema.json", **done}


def specs(root: type[Spec]) -> Iterator[type[Spec]]:
    """All kinds of specs below a class."""
    for each in root.__subclasses__():
        yield each
        yield from specs(each)


def _complete(schema: dict[str, Any], spec: type[Spec]) -> None:
    """Adds what pydantic cannot know: older keys, rules between keys, and names that a mapping's key gives."""
    properties = schema.get("properties", {})
    for old, now in spec.renames.items():
        properties[old] = {**properties[now], "description": f"Older name of '{now}'.", "deprecated": True}
    schema.update(spec.rules)
    if "name" in schema.get("required", ()) and spec.kind not in _NEED_NAME:
        schema["required"] = [key for key in schema["required"] if key != "name"]
    if not schema.get("required"):
        schema.pop("required", None)


_NEED_NAME = ("include", "folder")


def _widened(node: Any) -> Any:
    """The schema as the loader reads: numbers where text is expected, `${VAR}` wherever a value is."""
    if isinstance(node, list):
        return [_widened(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$defs" in node or "properties" in node or "$ref" in node:
        return {
            key: _children(key, value)
            for key, value in node.items()
            if key != "title" or not isinstance(value, str)
        }
    said = {key: node[key] for key in ("description", "default", "deprecated") if key in node}
    rest = {
        key: value
        for key, value in node.items()
        if key not in said and not (key == "title" and isinstance(value, str))
    }
    if rest.get("type") in ("integer", "number", "boolean") or "enum" in rest or "pattern" in rest:
        return {**said, "anyOf": [rest, {"$ref": "#/$defs/Variable"}]}
    if rest.get("type") == "string" and "const" not in rest:
        return {**said, **rest, "type": ["string", "number"]}
    if "patternProperties" in rest:
        rest["additionalProperties"] = False
    return {**said, **{key: _children(key, value) for key, value in rest.items()}}


def _children(key: str, value: Any) -> Any:
    if key in ("properties", "$defs"):
        return {name: _widened(item) for name, item in value.items()}
    if key in (
        "if",
        "then",
        "not",
        "oneOf",
        "required",
        "default",
        "discriminator",
        "const",
        "enum",
    ) and not _holds_refs(value):
        return value
    return _widened(value)


def _holds_refs(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict) and "$ref" in item for item in value)
