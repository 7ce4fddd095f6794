"""Context variables in SQL snippets: `{FILTER_PARAMS.orders.date.filter('date')}` and its relatives.

Finds them in the text and reads what they call, in Python's form and in JavaScript's. Nothing is evaluated:
the text is parsed, and only the documented forms are known. What a call becomes is said in `calling.py`.
"""

import ast
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass

_START = re.compile(
    r"(?<!\\)\$?\{\s*(?=(?:FILTER_PARAMS|FILTER_GROUP|SECURITY_CONTEXT|securityContext|COMPILE_CONTEXT|SQL_UTILS)\b"
    r"|[A-Za-z_]\w*\.sql\(\))"
)
_ARROW = re.compile(r"(?:\(\s*([\w\s,]*?)\s*\)|(\w+))\s*=>\s*")
_SECURITY = ("SECURITY_CONTEXT", "securityContext")
MAX_TEXT = 20_000


class CallError(Exception):
    """The text in the braces is none of the documented forms; the message says what is."""


@dataclass(frozen=True, slots=True)
class Template:
    """SQL with `{references}` and, for a function, its arguments as `__arg_n__`."""

    sql: str
    arguments: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class FilterParam:
    """The query's filters on a dimension, on another expression."""

    owner: str
    member: str
    column: Template


@dataclass(frozen=True, slots=True)
class FilterGroup:
    """Several of them, as the query joins them by and/or."""

    parts: tuple[FilterParam, ...]


@dataclass(frozen=True, slots=True)
class Security:
    """A value of the asker's security context: `filter`, `requiredFilter` or `unsafeValue`."""

    path: tuple[str, ...]
    verb: str
    column: Template | None = None


@dataclass(frozen=True, slots=True)
class Compiled:
    """A value that is known when the model is compiled."""

    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConvertTz:
    """A time in the zone of the query."""

    column: Template


@dataclass(frozen=True, slots=True)
class CubeSql:
    """The query or table of another cube."""

    cube: str


Call = FilterParam | FilterGroup | Security | Compiled | ConvertTz | CubeSql


def replaced(text: str, found: Callable[[Call], str]) -> str:
    """`text` with every context variable replaced by what `found` gives for it.

    Raises:
        CallError: for braces that begin like a context variable and do not go on like one.
    """
    parts: list[str] = []
    at = 0
    while (start := _START.search(text, at)) is not None:
        end = _closing(text, start.end())
        parts += [text[at : start.start()], found(read(text[start.end() : end]))]
        at = end + 1
    return "".join([*parts, text[at:]]) if at else text


def _closing(text: str, at: int) -> int:
    """Where the brace closes that is open at `at`; braces inside of it and in texts are passed over."""
    depth = 0
    quote = ""
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 1
        elif char in "{}":  # an f-string's braces are balanced, too
            if char == "}" and depth == 0 and not quote:
                return at
            depth += 1 if char == "{" else -1
        elif quote:
            quote = "" if char == quote and depth >= 0 else quote
        elif char in "'\"`":
            quote = char
        at += 1
    raise CallError(f"the brace is never closed: {text.strip()[:80]}")


def read(text: str) -> Call:
    """The call that stands between the braces.

    Raises:
        CallError: where it is not of a documented form.
    """
    if len(text) > MAX_TEXT:
        raise CallError("the text between the braces is too long")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a backslash in SQL is none of Python's
            tree = ast.parse(f"({_python(text)})", mode="eval").body
        return _call(tree, text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise CallError(f"this is not a call that can be read: {{{text.strip()}}}") from None


def _python(text: str) -> str:
    """JavaScript's arrow functions and templates as Python's lambdas and f-strings."""
    out: list[str] = []
    at = 0
    while at < len(text):
        arrow = _ARROW.match(text, at)
        if arrow:
            out.append(f"lambda {arrow.group(1) or arrow.group(2) or ''}: ")
            at = arrow.end()
        elif text[at] == "`":
            end = text.find("`", at + 1)
            if end < 0:
                raise CallError("a ` is never closed")
            body = text[at + 1 : end].replace("\\", "\\\\")
            pieces = re.split(r"\$\{\s*([\w.]+)\s*\}", body)
            made = [
                f"{{{piece}}}" if n % 2 else piece.replace("{", "{{").replace("}", "}}")
                for n, piece in enumerate(pieces)
            ]
            written = "".join(made).replace('"', '\\"')
            out.append(f'f"""{written}"""')
            at = end + 1
        elif text[at] in "'\"":
            end = _end_of_text(text, at)
            out.append(text[at:end])
            at = end
        elif text[at].isalnum() or text[at] == "_":
            word = re.match(r"\w+", text[at:])
            assert word is not None
            out.append(word.group())
            at += word.end()
        else:
            out.append(text[at])
            at += 1
    return "".join(out)


def _end_of_text(text: str, at: int) -> int:
    mark = text[at] * 3 if text.startswith(text[at] * 3, at) else text[at]
    end = at + len(mark)
    while end < len(text):
        if text[end] == "\\":
            end += 2
        elif text.startswith(mark, end):
            return end + len(mark)
        else:
            end += 1
    raise CallError(f"a {mark} is never closed")


def _call(tree: ast.expr, text: str) -> Call:
    path, arguments = _path(tree)
    head = path[0] if path else ""
    if head == "FILTER_GROUP" and len(path) == 1 and arguments:
        parts = [_call(each, text) for each in arguments]
        if all(isinstance(part, FilterParam) for part in parts):
            return FilterGroup(tuple(part for part in parts if isinstance(part, FilterParam)))
        raise CallError("FILTER_GROUP(…) takes FILTER_PARAMS only")
    if head == "FILTER_PARAMS":
        return _filter_param(path, arguments)
    if head in _SECURITY:
        return _security(path, arguments)
    if head == "COMPILE_CONTEXT" and len(path) > 1 and arguments is None:
        return Compiled(path[1:])
    converts = path in (("SQL_UTILS", "convertTz"), ("SQL_UTILS", "convert_tz"))
    if converts and arguments is not None and len(arguments) == 1:
        return ConvertTz(_template(arguments[0]))
    if len(path) == 2 and path[1] == "sql" and arguments == []:
        return CubeSql(head)
    raise CallError(f"this is not a context variable that is known: {{{text.strip()}}}")


def _filter_param(path: tuple[str, ...], arguments: list[ast.expr] | None) -> FilterParam:
    if len(path) == 4 and path[3] == "filter" and arguments is not None and len(arguments) == 1:
        return FilterParam(path[1], path[2], _template(arguments[0]))
    raise CallError("it is written FILTER_PARAMS.cube.member.filter('column')")


def _security(path: tuple[str, ...], arguments: list[ast.expr] | None) -> Security:
    verb = {"required_filter": "requiredFilter", "unsafe_value": "unsafeValue"}.get(path[-1], path[-1])
    if len(path) >= 3 and arguments is not None:
        if verb in ("filter", "requiredFilter") and len(arguments) == 1:
            return Security(path[1:-1], verb, _template(arguments[0]))
        if verb == "unsafeValue" and not arguments:
            return Security(path[1:-1], verb)
    raise CallError(
        "it is written SECURITY_CONTEXT.name.filter('column'), .requiredFilter('column') or .unsafeValue()"
    )


def _path(tree: ast.expr) -> tuple[tuple[str, ...], list[ast.expr] | None]:
    """The dotted name, and the arguments where it is called."""
    arguments: list[ast.expr] | None = None
    names: list[str] = []
    at = tree
    if isinstance(tree, ast.Call):
        if tree.keywords:
            raise CallError("it takes no named arguments")
        at, arguments = tree.func, tree.args
    while True:
        if isinstance(at, ast.Attribute):
            names.append(at.attr)
            at = at.value
        elif isinstance(at, ast.Subscript) and isinstance(at.slice, ast.Constant):
            names.append(str(at.slice.value))
            at = at.value
        elif isinstance(at, ast.Name):
            return (at.id, *reversed(names)), arguments
        else:
            raise CallError("it begins with a name")


def _template(tree: ast.expr) -> Template:
    if not isinstance(tree, ast.Lambda):
        return Template(_text(tree, ()))
    given = tree.args
    if given.vararg or given.kwarg or given.kwonlyargs or given.defaults:
        raise CallError("the function takes plain arguments only")
    names = tuple(one.arg for one in (*given.posonlyargs, *given.args))
    if not names:
        raise CallError("the function takes at least one argument: the value to filter by")
    return Template(_text(tree.body, names), names)


def _text(tree: ast.expr, arguments: tuple[str, ...]) -> str:
    if isinstance(tree, ast.Constant) and isinstance(tree.value, str):
        return tree.value
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Add):
        return _text(tree.left, arguments) + _text(tree.right, arguments)
    if isinstance(tree, ast.Name) and tree.id in arguments:
        return argument(arguments.index(tree.id))
    if not isinstance(tree, ast.JoinedStr):
        raise CallError("a text of SQL is expected here, or a function that gives one")
    parts = []
    for part in tree.values:
        if isinstance(part, ast.FormattedValue):
            path, called = _path(part.value)
            if called is not None or part.format_spec is not None or part.conversion != -1:
                raise CallError("only names can stand in the braces of a text")
            if len(path) == 1 and path[0] in arguments:
                parts.append(argument(arguments.index(path[0])))
            else:
                parts.append(f"{{{'.'.join(path)}}}")
        else:
            parts.append(_text(part, arguments))
    return "".join(parts)


def argument(number: int) -> str:
    """How the n-th argument of a function stands in the SQL of its template."""
    return f"__arg_{number}__"
