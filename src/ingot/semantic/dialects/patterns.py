"""Texts that are like a pattern."""

from sqlglot import exp

from ingot.semantic.dialects.unknown import Untranslatable

# What stands after a backslash means itself, unless the statement says otherwise.
_BACKSLASH = frozenset({"postgres", "bigquery", "databricks"})


def escaped(node: exp.Escape, dialect: str) -> exp.Expr:
    """A pattern with a character that lets wildcards stand for themselves."""
    if dialect != "bigquery":
        return node
    if node.expression.name != "\\":
        raise Untranslatable(node, "ESCAPE with another character than a backslash")
    found: exp.Expr = node.this
    return found


def like(node: exp.Like | exp.ILike, dialect: str) -> exp.Expr:
    """A pattern without ESCAPE, in which a backslash is a backslash."""
    if isinstance(node.parent, exp.Escape) or dialect not in _BACKSLASH:
        return node
    pattern = node.expression
    if pattern.is_string and "\\" not in pattern.name:
        return node
    if dialect == "postgres":
        return exp.Escape(this=node, expression=exp.Literal.string(""))
    raise Untranslatable(node, "a pattern without ESCAPE that is not a plain text")
