"""SELECT of pg_backend_pid, pg_cancel_backend and pg_terminate_backend: sessions are known here, not to the catalog."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingot.pgwire import messages
from ingot.pgwire.commands.command import Plain, Words
from ingot.pgwire.commands.scanning import Kind
from ingot.pgwire.errors import PgError
from ingot.pgwire.portals import Answer, FixedRows, Portal
from ingot.pgwire.ports import Field
from ingot.pgwire.running import ENDED

if TYPE_CHECKING:
    from ingot.pgwire.session import Session

OWN, CANCEL, TERMINATE = "pg_backend_pid", "pg_cancel_backend", "pg_terminate_backend"
_BOOL, _INT4 = 16, 23
_DENIED = {CANCEL: "permission denied to cancel query", TERMINATE: "permission denied to terminate process"}


@dataclass
class Backend(Plain):
    """A call of one of these functions, and of nothing else."""

    function: str
    process: int
    column: str
    application: str | None = None
    """The name of the sessions that are meant, instead of one's number."""
    tag: str = "SELECT"

    def fields(self, _session: "Session", /) -> tuple[Field, ...]:
        return (Field(self.column, _INT4 if self.function == OWN else _BOOL),)

    async def run(self, session: "Session", portal: Portal) -> Answer:
        is_binary = any(each == 1 for each in portal.formats)
        rows = []
        for value in self._done(session):
            if is_binary:
                number = session.process if self.function == OWN else int(value == "t")
                rows.append(messages.binary_row(number, 4 if self.function == OWN else 1))
            else:
                rows.append(messages.data_row([value]))
        return Answer(self.tag, FixedRows(self.fields(session), rows), counted=True)

    def _done(self, session: "Session") -> list[str]:
        """A value for each session that is meant."""
        if self.function == OWN:
            return [str(session.process)]
        if self.application is not None:
            # As everywhere, nobody hears of others' sessions.
            mine = [other for other in session.named(self.application) if _is_same_user(session, other)]
            return [self._do(session, other) for other in mine]
        other = session.find(self.process)
        if other is None:
            said = f"PID {self.process} is not a PostgreSQL backend process"
            session.notice("WARNING", "01000", said)
            return ["f"]
        return [self._do(session, other)]

    def _do(self, session: "Session", other: "Session") -> str:
        if not _is_same_user(session, other):
            raise PgError(_DENIED[self.function], sqlstate="42501")
        if self.function == CANCEL:
            other.running.stop()
        else:
            other.terminate("terminating connection due to administrator command", ENDED)
        return "t"


def _is_same_user(one: "Session", other: "Session") -> bool:
    return (one.refs.info.user, one.refs.info.context) == (other.refs.info.user, other.refs.info.context)


def backend(words: Words) -> Backend | None:
    """The call, behind SELECT; None where the query is another one."""
    at = 2 if _is(words, 0, "pg_catalog") and _is(words, 1, ".") else 0
    name = words.ahead(at)
    if name is None or name.kind is not Kind.WORD or name.value not in (OWN, CANCEL, TERMINATE):
        return None
    process = 0
    at += 2
    if name.value != OWN and _is(words, at, "pid"):
        return _named(words, name.value, at + 1)
    if name.value != OWN:
        number = words.ahead(at)
        if number is None or number.kind is not Kind.NUMBER or not number.value.isdigit():
            return None
        process = int(number.value)
        at += 1
    if not (_is(words, at, ")") and words.ahead(at + 1) is None):
        column = words.ahead(at + 2)
        if not (_is(words, at + 1, "as") and column is not None and words.ahead(at + 3) is None):
            return None
        return Backend(name.value, process, column.value)
    return Backend(name.value, process, name.value)


def _named(words: Words, function: str, at: int) -> Backend | None:
    """`… FROM pg_stat_activity WHERE application_name = 'x'`, which stops what a program does in all of its sessions."""
    wanted = (")", "from", "pg_stat_activity", "where", "application_name", "=")
    if not all(_is(words, at + number, each) for number, each in enumerate(wanted)):
        return None
    name = words.ahead(at + len(wanted))
    if name is None or name.kind is not Kind.STRING or words.ahead(at + len(wanted) + 1) is not None:
        return None
    return Backend(function, 0, function, name.value)


def _is(words: Words, number: int, wanted: str) -> bool:
    token = words.ahead(number)
    return token is not None and token.kind in (Kind.WORD, Kind.SYMBOL) and token.value == wanted
