"""`Session`: questions in Python's words, and what they are asked of."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from ingot.errors import NotFoundError, UsageError
from ingot.session import asking
from ingot.session.answer import Answer
from ingot.session.asking import Where
from ingot.session.ports import Backend


@dataclass(frozen=True, slots=True)
class Member:
    """A measure or dimension. `kind` is which of the two, `type` that of its values."""

    name: str
    kind: str
    type: str
    title: str
    description: str | None


class Session:
    """Metrics, tables and branches of one project; a context manager, or to be closed.

    Every question takes a `ref`: a branch, tag, commit or point in time. The default is the session's.
    """

    def __init__(self, backend: Backend, *, ref: str = "main") -> None:
        self._backend = backend
        self.ref = ref

    def query(
        self,
        measures: str | Iterable[str] = (),
        *,
        by: str | Iterable[str] = (),
        where: Where = (),
        segments: str | Iterable[str] = (),
        order: str | Iterable[str] = (),
        limit: int | None = None,
        timezone: str | None = None,
        ref: str | None = None,
    ) -> Answer:
        """Measures by dimensions, governed as on every surface.

        `by` may end in a granularity (`orders.created_at.month`); `where` maps members to a value, several, None,
        or `{operator: value}`; a name in `order` with `-` before it descends.

            session.query("orders.total_revenue", by="customers.segment",
                          where={"orders.created_at": {"during": "last 12 months"}})

        Raises `UsageError` for members or operators that do not exist and `NotFoundError` for a ref.
        """
        asked = asking.query(
            measures, by, where, segments=segments, order=order, limit=limit, timezone=timezone
        )
        return self._backend.load(asked, ref or self.ref)

    def sql(self, text: str, *, ref: str | None = None) -> Answer:
        """The result of one SELECT over the lake's tables and views."""
        return self._backend.sql(text, ref or self.ref)

    def table(
        self, name: str, *, columns: Iterable[str] = (), limit: int | None = None, ref: str | None = None
    ) -> Answer:
        """The rows of a table or view, such as `gold.fact_orders`. Raises `NotFoundError`."""
        from ingot.engines.sql import quote_identifier  # noqa: PLC0415 - not to be loaded for a question

        known = self._backend.tables(ref or self.ref)
        if name not in known:
            raise NotFoundError("table", name, known)
        wanted = ", ".join(quote_identifier(column) for column in columns) or "*"
        at = ".".join(quote_identifier(part) for part in name.split("."))
        end = "" if limit is None else f" LIMIT {int(limit)}"
        return self.sql(f"SELECT {wanted} FROM {at}{end}", ref=ref)

    def tables(self, *, ref: str | None = None) -> list[str]:
        """The names of the lake's tables and views."""
        return self._backend.tables(ref or self.ref)

    def metrics(self, *, ref: str | None = None) -> list[Member]:
        """The measures that may be asked for."""
        return self._members("measures", ref)

    def dimensions(self, *, ref: str | None = None) -> list[Member]:
        """What to group and filter by."""
        return self._members("dimensions", ref)

    def refs(self) -> dict[str, str]:
        """Branches and tags, and the commit that each names."""
        return self._backend.refs()

    def branch(self, name: str, start: str | None = None) -> "Session":
        """Makes a branch at `start` (default: the session's ref); gives a session that asks it.

        It shares what this session holds: close this one only when both are done.
        """
        self._backend.branch(name, start or self.ref)
        return self.at(name)

    def at(self, ref: str) -> "Session":
        """A session that asks another ref, over what this one holds."""
        return Session(self._backend, ref=ref)

    def close(self) -> None:
        """Gives back what is held."""
        self._backend.close()

    def __enter__(self) -> "Session":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _members(self, kind: str, ref: str | None) -> list[Member]:
        cubes: list[dict[str, Any]] = self._backend.meta(ref or self.ref)
        return [
            Member(one["name"], kind.removesuffix("s"), one["type"], one["title"], one.get("description"))
            for cube in cubes
            for one in cube[kind]
            if one.get("isVisible", True) and cube.get("isVisible", True)
        ]


def open_session(
    where: str | Path = ".",
    *,
    ref: str = "main",
    token: str | None = None,
    user: str | None = None,
    password: str | None = None,
    profile: str | None = None,
) -> Session:
    """A session on the project in or above a folder, or on a server.

    Raises `ProjectError` for a folder without a valid project, `UsageError` for a user without a password. A server
    is asked when the first question is.
    """
    if (user is None) != (password is None) or (user is not None and token is not None):
        raise UsageError("A server takes either a token, or a user and his password.")
    if isinstance(where, str) and where.startswith(("http://", "https://")):
        from ingot.session.remote import Remote  # noqa: PLC0415 - needs no engine

        login = (user, password) if user is not None and password is not None else None
        return Session(Remote(where, token=token, login=login), ref=ref)
    from ingot.session.local import Local  # noqa: PLC0415 - needs no server

    return Session(Local(Path(where), profile=profile), ref=ref)
