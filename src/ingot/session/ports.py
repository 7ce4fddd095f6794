"""What a session stands on: a project's files in this process, or a server."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ingot.session.answer import Answer


class Backend(Protocol):
    """Answers of one project."""

    def load(self, query: Mapping[str, Any], ref: str) -> "Answer":
        """The answer to a semantic query."""

    def sql(self, text: str, ref: str) -> "Answer":
        """The result of one SELECT over the lake's tables."""

    def meta(self, ref: str) -> list[dict[str, Any]]:
        """The cubes and views, as Cube's `meta` lists them."""

    def tables(self, ref: str) -> list[str]:
        """The names of the lake's tables and views."""

    def refs(self) -> dict[str, str]:
        """Branches and tags with their commits."""

    def branch(self, name: str, start: str) -> None:
        """Makes a branch."""

    def close(self) -> None:
        """Gives back what is held."""
