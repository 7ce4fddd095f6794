"""Jinja as model files may use it: sandboxed, with ends to size, steps and time, and values printed as YAML.

The limits stop accidents (a loop in a loop in a loop, text that doubles itself); they are no wall against who
writes the project's files, who has `globals.py` anyway.
"""

import json
import re
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from jinja2 import ChainableUndefined, nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from ingot.project.rendering.compile_context import Part
from ingot.project.rendering.lines import mark, marked

MAX_TEXT = 2_000_000
MAX_STEPS = 500_000
MAX_SECONDS = 10.0
_WIDE = re.compile(r"%[-+ #0]*(?:\*|\d{5,})|%[^%a-zA-Z]*\.(?:\*|\d{5,})|\{[^{}]*:[^{}]*\d{5,}[^{}]*\}")
_PADDING = frozenset({"center", "ljust", "rjust", "zfill", "expandtabs"})


class LimitError(SecurityError):
    """The template goes on for longer, or makes more text, than any model needs."""


class Budget:
    """The steps and the time that are left to one rendering."""

    def __init__(self) -> None:
        self.steps = MAX_STEPS
        self.until = time.monotonic() + MAX_SECONDS

    def spend(self) -> None:
        """One turn of a loop, or one call. Raises `LimitError`."""
        self.steps -= 1
        if self.steps < 0:
            raise LimitError(f"the template takes more than {MAX_STEPS:,} steps")
        if self.steps % 256 == 0 and time.monotonic() > self.until:
            raise LimitError(f"the template takes longer than {MAX_SECONDS:g} seconds")


budget: ContextVar[Budget] = ContextVar("budget")


class Missing(ChainableUndefined):
    """A name that is not there: false in a condition, but never silently nothing in the text."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        if isinstance(self._undefined_obj, Part):
            return f"there is no '{self._undefined_name}' in the COMPILE_CONTEXT"
        return super()._undefined_message

    def __str__(self) -> str:
        return str(self._fail_with_undefined_error())

    def __iter__(self) -> Any:
        return self._fail_with_undefined_error()

    __len__ = __iter__


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment of one project's templates."""

    intercepted_binops = frozenset({"*", "**", "%", "+"})
    marking = False

    def __init__(self, loader: Any, joined: Callable[[str, str], str]) -> None:
        """`joined` gives the file that a template means by a name, from the name and the template's own."""
        super().__init__(
            loader=loader,
            undefined=Missing,
            finalize=_printed,
            keep_trailing_newline=True,
            auto_reload=False,
            cache_size=400,
            extensions=("jinja2.ext.do", "jinja2.ext.loopcontrols"),
        )
        self._joined = joined
        del self.globals["lipsum"]
        self.filters["tojson"] = _json
        self.filters["safe"] = str
        for name in ("center", "indent", "wordwrap", "batch", "slice", "format", "replace"):
            self.filters[name] = _bounded(self.filters[name])

    def join_path(self, template: str, parent: str) -> str:
        """The file that `parent` means by a name."""
        return self._joined(template, parent)

    def compile(self, source: Any, *arguments: Any, **named: Any) -> Any:
        """Compiles with the steps counted."""
        if isinstance(source, str):
            name = arguments[0] if arguments else named.get("name")
            source = self.parse(source, name, arguments[1] if len(arguments) > 1 else named.get("filename"))
        return super().compile(_Counted().visit(source), *arguments, **named)

    def compiled_with_marks(self, source: str, name: str) -> Any:
        """The template with the number of each line in its text."""
        tree = self.parse(source, name, name)
        for data in tree.find_all(nodes.TemplateData):
            data.data = marked(data.data, data.lineno)
        for output in tree.find_all(nodes.Output):
            output.nodes = [each for one in output.nodes for each in (_marks(one), one) if each is not None]
        return self.template_class.from_code(self, self.compile(tree, name, name), self.make_globals(None))

    def tick(self) -> str:
        """One turn of a loop."""
        budget.get().spend()
        return ""

    def joined(self, *parts: Any) -> str:
        """Text put together by `~`."""
        texts = [str(part) for part in parts]
        _check_size(sum(map(len, texts)))
        return "".join(texts)

    def call(self, context: Context, function: Any, *arguments: Any, **named: Any) -> Any:
        """A call, counted; padding to any width is refused."""
        budget.get().spend()
        name = getattr(function, "__name__", "")
        owner = getattr(getattr(function, "__wrapped__", function), "__self__", None)
        if isinstance(owner, str):
            if name in _PADDING and arguments and isinstance(arguments[0], int):
                _check_size(arguments[0])
            if name == "replace" and len(arguments) >= 2:
                _check_size(len(owner) + owner.count(str(arguments[0])) * len(str(arguments[1])))
            if name in ("format", "format_map") and _WIDE.search(owner):
                raise LimitError("this format is too wide")
            if name == "join" and arguments and isinstance(arguments[0], list | tuple):
                _check_size(len(owner) * len(arguments[0]))
        return super().call(context, function, *arguments, **named)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """An operation that could make something huge, where it does not."""
        if operator == "**":
            if not (abs(_size(left)) <= 10**6 and abs(_size(right)) <= 100):
                raise LimitError("this power is too large")
        elif operator == "*":
            for one, other in ((left, right), (right, left)):
                if isinstance(one, str | list | tuple) and isinstance(other, int):
                    _check_size(len(one) * other)
            if (
                isinstance(left, int)
                and isinstance(right, int)
                and left.bit_length() + right.bit_length() > 4096
            ):
                raise LimitError("this number is too large")
        elif (
            operator == "+" and isinstance(left, str | list | tuple) and isinstance(right, str | list | tuple)
        ):
            _check_size(len(left) + len(right))
        elif operator == "%" and isinstance(left, str) and _WIDE.search(left):
            raise LimitError("this format is too wide")
        return super().call_binop(context, operator, left, right)


def _check_size(size: int) -> None:
    if size > MAX_TEXT:
        raise LimitError(f"the template makes text of more than {MAX_TEXT:,} characters")


def _size(value: Any) -> float:
    return value if isinstance(value, int | float) else 0


def _bounded(function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter whose numbers cannot be large."""

    def bounded(*arguments: Any, **named: Any) -> Any:
        for one in (*arguments, *named.values()):
            if isinstance(one, int) and abs(one) > 10_000:
                raise LimitError("this number is too large for a filter")
        if isinstance(arguments[0], str) and _WIDE.search(arguments[0]):
            raise LimitError("this format is too wide")
        return function(*arguments, **named)

    for name in ("jinja_pass_arg", "__name__"):
        if hasattr(function, name):
            setattr(bounded, name, getattr(function, name))
    return bounded


def _plain(value: Any) -> Any:
    if isinstance(value, Part):
        return value.plain()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return value


def _json(value: Any, indent: int | None = None) -> str:
    return json.dumps(_plain(value), ensure_ascii=False, indent=indent, default=str)


def _printed(value: Any) -> Any:
    """How a value is written into YAML."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping | list | tuple) and not isinstance(value, Undefined):
        return _json(value)
    return value


def _marks(node: nodes.Expr) -> nodes.TemplateData | None:
    """The mark before an expression."""
    if isinstance(node, nodes.TemplateData):
        return None
    return nodes.TemplateData(mark(node.lineno), lineno=node.lineno)


class _Counted(NodeTransformer):
    """Counts the turns of loops and the length of text that is put together."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - the visitor's name
        """A loop."""
        self.generic_visit(node)
        attribute = nodes.EnvironmentAttribute("tick", lineno=node.lineno)
        call = nodes.Call(attribute, [], [], None, None, lineno=node.lineno)
        node.body.insert(0, nodes.ExprStmt(call, lineno=node.lineno))
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        """Text put together by `~`."""
        self.generic_visit(node)
        attribute = nodes.EnvironmentAttribute("joined", lineno=node.lineno)
        return nodes.Call(attribute, node.nodes, [], None, None, lineno=node.lineno)
