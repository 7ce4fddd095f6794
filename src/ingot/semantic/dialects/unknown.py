"""What has no translation."""

from sqlglot import exp


class Untranslatable(Exception):  # noqa: N818 - said of a tree, and caught where the statement is known
    """A part of a statement means something that the dialect cannot be asked for; `what` names it."""

    def __init__(self, node: exp.Expr | None, what: str) -> None:
        super().__init__(what)
        self.what = what
        self._said = type(node) if node is not None else None
        self._name = node.name.upper() if isinstance(node, exp.Anonymous | exp.Extract) else None

    def like(self, node: exp.Expr) -> bool:
        """Whether a node of the model says the same."""
        if self._said is None:
            return False
        return isinstance(node, self._said) and self._name in (None, node.name.upper())
