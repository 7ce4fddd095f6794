"""Expressions over who asks, as `{ security_context.level >= 3 }` in a policy: parsed once, evaluated safely.

They are the project's own text, in Python's or JavaScript's spelling, read by an allow-list of Python's syntax.
Nothing is ever executed: what is not listed here is refused when the model is compiled.
"""

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ingot.errors import did_you_mean
from ingot.semantic.context import Context

ROOTS = ("security_context", "securityContext", "user_attributes", "userAttributes", "groups")
_CONSTANTS = {"true": True, "false": False, "null": None, "undefined": None}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Is: operator.eq,
    ast.IsNot: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda one, many: one in many,
    ast.NotIn: lambda one, many: one not in many,
}
_ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_TOKEN = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\$?\{|\}|===|!==|&&|\|\||!(?!=)""")
_SPELLED = {
    "{": "(",
    "${": "(",
    "}": ")",
    "===": "==",
    "!==": "!=",
    "&&": " and ",
    "||": " or ",
    "!": " not ",
}


class ExpressionError(Exception):
    """The text is no expression that a policy can hold; the message says why."""


class UnknownValueError(Exception):
    """Who asks has no value that the expression could be evaluated with."""


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression over who asks. `text` is as it is written."""

    text: str
    tree: ast.expr

    def value(self, context: Context) -> Any:
        """Its value for who asks; an attribute that is not there is None.

        Raises `UnknownValueError` where the values do not go together, such as a text that is less than a number.
        """
        return _value(self.tree, context)

    def holds(self, context: Context) -> bool:
        """Whether it is true for who asks; what cannot be evaluated is not."""
        try:
            return bool(self.value(context))
        except UnknownValueError:
            return False


def parse(text: str) -> Expression:
    """The expression that a text is. Raises `ExpressionError`."""
    if not text.strip():
        raise ExpressionError("an expression is expected here, and nothing stands here")
    spelled = _TOKEN.sub(lambda match: _SPELLED.get(match.group(), match.group()), text)
    try:
        tree = ast.parse(f"({spelled.strip()})", mode="eval").body
        _check(tree)
    except (SyntaxError, ValueError):
        raise ExpressionError(f"this is not an expression over the security context: {text}") from None
    except (RecursionError, MemoryError):
        raise ExpressionError("this expression is nested too deeply") from None
    return Expression(text, tree)


def _check(tree: ast.expr) -> None:
    match tree:
        case ast.BoolOp(values=values):
            parts = values
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            parts = [operand]
        case ast.Compare(left=left, comparators=others):
            parts = [left, *others]
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            pass
        case ast.Constant(value=str() | int() | float() | bool() | None):
            parts = []
        case ast.Call(func=ast.Attribute(value=owner, attr="get"), args=arguments, keywords=[]) if (
            1 <= len(arguments) <= 2
        ):
            parts = [owner, *arguments]
        case ast.Subscript(
            value=ast.Name() | ast.Attribute() | ast.Subscript() as owner,
            slice=ast.Constant(value=str() | int()),
        ):
            parts = [owner]
        case ast.Attribute(value=ast.Name() | ast.Attribute() | ast.Subscript() as owner):
            parts = [owner]
        case ast.Name(id=name):
            if name not in ROOTS and name not in _CONSTANTS:
                raise ExpressionError(f"there is no '{name}' in a policy{did_you_mean(name, ROOTS)}")
            parts = []
        case _:
            raise ExpressionError(
                f"a policy compares values of the security context; it cannot hold: {ast.unparse(tree)}"
            )
    for part in parts:
        _check(part)


def _value(tree: ast.expr, context: Context) -> Any:  # noqa: PLR0911 - one a kind of syntax
    match tree:
        case ast.BoolOp(op=op, values=values):
            found: Any = None
            for part in values:
                found = _value(part, context)
                if bool(found) is isinstance(op, ast.Or):
                    return found
            return found
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _value(operand, context)
        case ast.UnaryOp(operand=operand):
            return _called(operator.neg, _value(operand, context))
        case ast.Compare(left=left, ops=ops, comparators=others):
            return _compared(left, ops, others, context)
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return [_value(part, context) for part in parts]
        case ast.Constant(value=value):
            return value
        case ast.Call(func=ast.Attribute(value=owner), args=[key, *default]):
            value = _member(_value(owner, context), _value(key, context))
            return _value(default[0], context) if value is None and default else value
        case ast.Subscript(value=owner, slice=ast.Constant(value=key)):
            return _member(_value(owner, context), key)
        case ast.Attribute(value=owner, attr=key):
            return _member(_value(owner, context), key)
        case ast.Name(id=name):
            return _CONSTANTS[name] if name in _CONSTANTS else _root(name, context)
    raise AssertionError(ast.dump(tree))


def _compared(left: ast.expr, ops: list[ast.cmpop], others: list[ast.expr], context: Context) -> bool:
    one = _value(left, context)
    for op, other in zip(ops, others, strict=True):
        another = _value(other, context)
        if isinstance(op, _ORDER) and type(one) is not type(another) and not _numbers(one, another):
            raise UnknownValueError
        if not _called(_COMPARE[type(op)], one, another):
            return False
        one = another
    return True


def _numbers(*values: Any) -> bool:
    return all(isinstance(one, int | float) and not isinstance(one, bool) for one in values)


def _called(function: Callable[..., Any], *values: Any) -> Any:
    try:
        return function(*values)
    except TypeError:
        raise UnknownValueError from None


def _member(owner: Any, key: Any) -> Any:
    if isinstance(owner, Mapping):
        return owner.get(key)
    if isinstance(owner, list | tuple) and isinstance(key, int) and -len(owner) <= key < len(owner):
        return owner[key]
    return None


def _root(name: str, context: Context) -> Any:
    if name == "groups":
        return list(context.groups)
    security = context.security
    if name in ("security_context", "securityContext"):
        return security
    # Cube's cloud has them below `cloud`; elsewhere they are claims of the token like any other.
    cloud = security.get("cloud")
    for owner in (security, cloud if isinstance(cloud, Mapping) else {}):
        for key in ("userAttributes", "user_attributes"):
            found = owner.get(key)
            if isinstance(found, Mapping):
                return found
    return security
