"""What a project shows: its model as each asker sees it and, for those allowed, the tables of its lake."""

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

from ingot.errors import IngotError
from ingot.pgwire.catalog import members
from ingot.pgwire.catalog.naming import postgres
from ingot.pgwire.catalog.shown import Column, Table
from ingot.pgwire.ports import SessionInfo
from ingot.semantic.sql.member_types import MemberTypes

if TYPE_CHECKING:
    from ingot.lake import Lake, State
    from ingot.semantic import Service

_DEFAULT = "main"


class ProjectShowing:
    """The port `Showing` over a project's service and lake."""

    def __init__(self, project: str, service: "Service", lake: "Lake") -> None:
        self._project = project
        self._service = service
        self._lake = lake
        self._types = MemberTypes()

    @property
    def project(self) -> str:
        """The project's name."""
        return self._project

    @property
    def default(self) -> str:
        """The branch that is read where none is named."""
        return _DEFAULT

    def at_hand(self, info: SessionInfo) -> Hashable | None:
        """`mark`, or None where that would wait."""
        at = self._service.states.at_hand(info.ref)
        return None if at is None else (self._service.model.serial, at.state.hash)

    def mark(self, info: SessionInfo) -> Hashable:
        """The model's serial number and the commit; `NotFoundError` where the ref is not there."""
        return self._service.model.serial, self._service.states.at(info.ref).state.hash

    def tables(self, info: SessionInfo) -> Sequence[Table]:
        """Cubes and views, and behind them tables and views of the lake."""
        state = self._service.states.at(info.ref).state
        model = self._service.seen(info.context)
        found = members.tables(model, self._types.of(model, state))
        if info.lake:
            found += _lake_tables(state)
        return found

    def refs(self) -> Sequence[str]:
        """Branches and tags."""
        return [ref.name for ref in self._lake.catalog.refs()]


def _lake_tables(state: "State") -> list[Table]:
    found = []
    for name in (*state.tables, *state.views):
        schema, _, table = name.rpartition(".")
        columns = _columns(state, name)
        if schema and columns:
            view = name in state.views
            comment = None if view else state.table(name).comment
            found.append(Table(schema, table, columns, comment, view=view))
    return found


def _columns(state: "State", name: str) -> tuple[Column, ...]:
    try:
        schema = state.view(name).schema if name in state.views else state.table(name).schema
    except (IngotError, OSError):
        return ()  # a damaged table is told of where it is read
    return tuple(Column(one.name, postgres(one.type), one.comment) for one in schema)
