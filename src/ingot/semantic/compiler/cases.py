"""`case` of a dimension or measure: values by conditions, or by the value of a dimension of type switch."""

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from ingot.semantic.compiler.snippet import SnippetError

Read = Callable[[str], exp.Expr]


def case(read: Read, spec: Any) -> exp.Expr:
    """The tree of a `case`.

    Raises:
        SnippetError: where a branch has no value; what `read` raises passes through.
    """
    return _conditions(read, spec) if spec.switch is None else _switch(read, spec)


def _conditions(read: Read, spec: Any) -> exp.Expr:
    branches = []
    for when in spec.when:
        if when.sql is None or when.label is None:
            raise SnippetError("each 'when' of a case needs 'sql' and 'label'")
        branches.append(exp.If(this=read(when.sql), true=_label(read, when.label)))
    default = None
    if spec.else_ is not None:
        if spec.else_.label is None:
            raise SnippetError("the 'else' of a case needs 'label'")
        default = _label(read, spec.else_.label)
    return exp.Case(ifs=branches, default=default)


def _switch(read: Read, spec: Any) -> exp.Expr:
    written = spec.switch if "{" in spec.switch else f"{{{spec.switch}}}"
    branches = []
    for when in spec.when:
        if when.value is None or when.sql is None:
            raise SnippetError("each 'when' of a case with 'switch' needs 'value' and 'sql'")
        branches.append(exp.If(this=exp.Literal.string(when.value), true=read(when.sql)))
    default = None
    if spec.else_ is not None:
        if spec.else_.sql is None:
            raise SnippetError("the 'else' of a case with 'switch' needs 'sql'")
        default = read(spec.else_.sql)
    return exp.Case(this=read(written), ifs=branches, default=default)


def _label(read: Read, value: Any) -> exp.Expr:
    return exp.Literal.string(value) if isinstance(value, str) else read(value.sql)
