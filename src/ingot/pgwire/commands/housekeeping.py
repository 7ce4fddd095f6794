"""DISCARD, LISTEN, UNLISTEN and NOTIFY."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingot.pgwire.commands.command import Plain, Words
from ingot.pgwire.commands.scanning import Kind
from ingot.pgwire.errors import PgError
from ingot.pgwire.portals import Answer, Portal

if TYPE_CHECKING:
    from ingot.pgwire.session import Session


@dataclass
class Nothing(Plain):
    """A command that is accepted and has nothing to do here."""

    tag: str

    async def run(self, _session: "Session", _portal: Portal) -> Answer:
        return Answer(self.tag)


@dataclass
class DiscardAll(Plain):
    """DISCARD ALL: the session as it was at the start."""

    tag: str = "DISCARD ALL"

    async def run(self, session: "Session", portal: Portal) -> Answer:
        if session.transaction.is_block:
            raise PgError("DISCARD ALL cannot run inside a transaction block", sqlstate="25001")
        for name in [each.name for each in session.portals.values() if each is not portal]:
            await session.close_portal(name)
        session.prepared.clear()
        session.settings.reset()
        return Answer(self.tag)


def discard(words: Words) -> DiscardAll | Nothing:
    """DISCARD, behind its first word."""
    what = words.expect("all", "plans", "sequences", "temp", "temporary")
    words.end()
    if what == "all":
        return DiscardAll()
    return Nothing(f"DISCARD {'TEMP' if what == 'temporary' else what.upper()}")


def listen(words: Words) -> Nothing:
    """LISTEN, behind its first word. Nobody notifies here."""
    words.name()
    words.end()
    return Nothing("LISTEN")


def unlisten(words: Words) -> Nothing:
    """UNLISTEN, behind its first word."""
    if not words.symbol("*"):
        words.name()
    words.end()
    return Nothing("UNLISTEN")


def notify(words: Words) -> Nothing:
    """NOTIFY, behind its first word."""
    words.name()
    if words.symbol(","):
        words.take(Kind.STRING)
    words.end()
    return Nothing("NOTIFY")
