"""Cube's JavaScript models, as far as they are static -> cubes and views.

`cube(name, {…})` and `view(name, {…})` with object literals, template strings and the arrow functions that
FILTER_PARAMS takes. Read with tree-sitter, never executed; code that computes a model becomes a note.
"""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ingot.errors import IngotError, UsageError
from ingot.semantic.imports.converted import Converted, Table

if TYPE_CHECKING:
    from tree_sitter import Node

# Keys whose entries are named by their authors and stay as they are.
_NAMED = frozenset(
    {
        "dimensions",
        "measures",
        "segments",
        "joins",
        "pre_aggregations",
        "hierarchies",
        "granularities",
        "indexes",
    }
)
# Keys whose values are members: written as {CUBE}.x or names, plain names in YAML.
_MEMBERS = frozenset(
    {"drill_members", "drill_member_references", "measure_references", "dimension_references", "segment_references",
     "time_dimension_reference", "rollups", "levels", "measures", "dimensions", "segments", "time_dimension",
     "join_path", "includes", "excludes", "extends"}
)  # fmt: skip
_OLD = {
    "drill_member_references": "drill_members",
    "measure_references": "measures",
    "dimension_references": "dimensions",
    "segment_references": "segments",
    "time_dimension_reference": "time_dimension",
    "shown": "public",
}
_RELATIONS = {"belongsTo": "many_to_one", "hasMany": "one_to_many", "hasOne": "one_to_one"}
_ESCAPES = {"\\n": "\n", "\\t": "\t", "\\r": "\r"}
_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")


class _DynamicError(Exception):
    """JavaScript that has to be run to be known; its text is what."""


def convert(files: Mapping[str, str]) -> Converted:
    """The cubes and views of JavaScript files (name -> text).

    Raises `IngotError` without tree-sitter, `UsageError` for text that is no JavaScript or has no models.
    """
    parse = _parser()
    made = Converted()
    for name, text in files.items():
        root = parse(text.encode())
        if root.has_error:
            row, column = _error(root).start_point
            raise UsageError(f"{name}:{row + 1}:{column + 1}: this is not JavaScript.")
        for statement in root.named_children:
            _statement(name, statement, made)
    if not made.cubes and not made.views:
        raise UsageError("No file calls cube(…) or view(…) at its top level.")
    return made


def _parser() -> Any:
    try:
        import tree_sitter  # noqa: PLC0415 - an extra
        import tree_sitter_javascript  # noqa: PLC0415
    except ImportError:
        raise IngotError(
            "Reading Cube's JavaScript needs the package tree-sitter.", hint="pip install 'ingot[cube-js]'"
        ) from None
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_javascript.language()))
    return lambda text: parser.parse(text).root_node


def _error(node: "Node") -> "Node":
    found = next(
        (child for child in node.children if child.has_error or child.is_error or child.is_missing), None
    )
    return node if found is None else _error(found)


def _statement(name: str, node: "Node", made: Converted) -> None:
    where = f"{name}:{node.start_point[0] + 1}"
    if node.type in ("comment", "import_statement", "empty_statement", "export_statement"):
        if node.type == "export_statement":
            made.note(where, "an export was left out")
        return
    call = node.named_children[0] if node.type == "expression_statement" and node.named_children else None
    function = (
        call.child_by_field_name("function") if call is not None and call.type == "call_expression" else None
    )
    kind = _source(function) if function is not None else ""
    if call is None or kind not in ("cube", "view"):
        made.note(where, f"code that is run was left out: {_short(node)}")
        return
    arguments = call.child_by_field_name("arguments")
    given = (
        [one for one in arguments.named_children if one.type != "comment"] if arguments is not None else []
    )
    if len(given) != 2:
        made.note(where, f"{kind}() takes a name and an object; this was left out: {_short(node)}")
        return
    reader = _Reader(name, made)
    try:
        called = reader.text(given[0])
        spec = reader.table(given[1], ())
    except _DynamicError as error:
        made.note(where, f"{kind} left out: {error}")
        return
    (made.cubes if kind == "cube" else made.views).append({"name": called} | _listed(spec))


def _listed(spec: Table) -> Table:
    """Objects of named things as YAML's lists."""
    found: Table = {}
    for key, value in spec.items():
        if key in _NAMED and isinstance(value, dict):
            found[key] = [
                {"name": name} | (_listed(one) if isinstance(one, dict) else {"sql": one})
                for name, one in value.items()
            ]
        else:
            found[key] = value
    return found


class _Reader:
    """Values of one file's literals."""

    def __init__(self, file: str, made: Converted) -> None:
        self.file = file
        self.made = made

    def table(self, node: "Node", path: tuple[str, ...]) -> Table:
        if node.type != "object":
            raise _DynamicError(f"an object literal was expected, not {_short(node)}")
        found: Table = {}
        authors = bool(path) and path[-1] in _NAMED
        for pair in node.named_children:
            if pair.type == "comment":
                continue
            if pair.type == "method_definition" or pair.type != "pair":
                self._left_out(pair, "it has to be run")
                continue
            key_node, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
            assert key_node is not None
            assert value is not None
            written = self._key(key_node)
            key = written if authors else _snake(written)
            try:
                made = self.value(value, (*path, key))
            except _DynamicError as error:
                self._left_out(pair, str(error))
                continue
            key = _OLD.get(key, key)
            if key == "relationship" and isinstance(made, str):
                made = _RELATIONS.get(made, made)
            if key == "type" and isinstance(made, str):
                made = _snake(made)
            found[key] = made
        return found

    def value(self, node: "Node", path: tuple[str, ...]) -> Any:
        """The value of a literal at a path of keys."""
        match node.type:
            case "object":
                found: Any = self.table(node, path)
            case "array":
                found = [self.value(one, path) for one in node.named_children if one.type != "comment"]
            case "string" | "template_string":
                found = self.text(node)
                found = _member(found) if path[-1] in _MEMBERS else found
            case "true" | "false":
                found = node.type == "true"
            case "null":
                found = None
            case "number" | "unary_expression":
                found = _number(node)
            case "parenthesized_expression":
                found = self.value(node.named_children[0], path)
            case "arrow_function":
                found = self._function(node, path)
            case "identifier" | "member_expression" if path[-1] in _MEMBERS:
                # A reference: CUBE.count, Orders.createdAt, or count, in a list of members.
                found = _member(_source(node))
            case _:
                found = _dynamic(node)
        return found

    def text(self, node: "Node") -> str:
        if node.type == "string":
            return "".join(_escaped(part) for part in node.named_children)
        if node.type == "template_string":
            return "".join(self._parts(node))
        raise _DynamicError(f"a text was expected, not {_short(node)}")

    def _parts(self, node: "Node") -> Iterator[str]:
        for part in node.named_children:
            if part.type == "template_substitution":
                yield self._substitution(part.named_children[0])
            else:
                yield _brackets(_escaped(part))

    def _substitution(self, node: "Node") -> str:
        """`${…}` as YAML's `{…}`."""
        if node.type in ("identifier", "member_expression"):
            return "{" + _source(node).replace(" ", "").replace("\n", "") + "}"
        if node.type == "call_expression":
            function = node.child_by_field_name("function")
            name = _source(function) if function is not None else ""
            if name.startswith(("FILTER_PARAMS.", "SECURITY_CONTEXT.", "SQL_UTILS.", "FILTER_GROUP")):
                return "{" + name + self._arguments(node) + "}"
            if name.endswith(".sql") and function is not None:
                return "{" + name + "()}"
        raise _DynamicError(f"${{{_short(node)}}} has to be run")

    def _arguments(self, call: "Node") -> str:
        arguments = call.child_by_field_name("arguments")
        given = (
            [] if arguments is None else [one for one in arguments.named_children if one.type != "comment"]
        )
        return "(" + ", ".join(self._argument(one) for one in given) + ")"

    def _argument(self, node: "Node") -> str:
        if node.type in ("string", "template_string"):
            return _quoted(self.text(node))
        if node.type == "arrow_function":
            parameters = node.child_by_field_name("parameters") or node.child_by_field_name("parameter")
            names = re.findall(r"\w+", _source(parameters)) if parameters is not None else []
            body = node.child_by_field_name("body")
            if body is None or body.type not in ("string", "template_string"):
                raise _DynamicError(f"a function that is more than a text: {_short(node)}")
            text = self.text(body)
            f_string = "f" if any("{" + name + "}" in text for name in names) else ""
            return f"lambda {', '.join(names)}: {f_string}{_quoted(text)}"
        if node.type == "call_expression":
            return self._substitution(node)[1:-1]
        raise _DynamicError(f"an argument that has to be run: {_short(node)}")

    def _function(self, node: "Node", path: tuple[str, ...]) -> Any:
        """`() => value`, as older models write references."""
        parameters, body = node.child_by_field_name("parameters"), node.child_by_field_name("body")
        if (
            body is None
            or body.type == "statement_block"
            or (parameters is not None and parameters.named_children)
        ):
            return _dynamic(node)
        return self.value(body, path)

    def _key(self, node: "Node") -> str:
        if node.type in ("property_identifier", "number"):
            return _source(node)
        if node.type == "string":
            return self.text(node)
        raise _DynamicError(f"the key {_short(node)} has to be run")

    def _left_out(self, node: "Node", why: str) -> None:
        self.made.note(f"{self.file}:{node.start_point[0] + 1}", f"{_short(node)} was left out: {why}")


def _dynamic(node: "Node") -> Any:
    raise _DynamicError(f"{_short(node)} has to be run")


def _number(node: "Node") -> int | float:
    text = _source(node).replace("_", "").replace(" ", "")
    try:
        return int(text) if re.fullmatch(r"[+-]?\d+", text) else float(text)
    except ValueError:
        raise _DynamicError(f"a number was expected, not {_short(node)}") from None


def _member(text: str) -> str:
    """`{CUBE.count}`, `{CUBE}.count` -> `count`; other references without their braces."""
    bare = text.replace("{", "").replace("}", "").replace(" ", "")
    return bare.removeprefix("CUBE.")


def _brackets(text: str) -> str:
    # A brace of the author's own SQL must not read as a reference.
    return text.replace("{", "\\{").replace("}", "\\}")


def _escaped(node: "Node") -> str:
    text = _source(node)
    return _ESCAPES.get(text, text.removeprefix("\\")) if node.type == "escape_sequence" else text


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _source(node: "Node") -> str:
    return (node.text or b"").decode()


def _short(node: "Node") -> str:
    text = " ".join(_source(node).split())
    return text if len(text) <= 80 else text[:77] + "..."


def _snake(name: str) -> str:
    return _HUMP.sub(r"_\1", name).lower()
