"""BEGIN, COMMIT, ROLLBACK, savepoints, and what goes with them."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ingot.pgwire.commands.command import Plain, Words
from ingot.pgwire.commands.scanning import Kind
from ingot.pgwire.errors import PgError
from ingot.pgwire.portals import Answer, Portal
from ingot.pgwire.transaction import Stage

if TYPE_CHECKING:
    from ingot.pgwire.session import Session

NO_TRANSACTION = "25P01"


@dataclass
class Begin(Plain):
    """BEGIN and START TRANSACTION."""

    tag: str
    modes: dict[str, str] = field(default_factory=dict)

    async def run(self, session: "Session", _portal: Portal) -> Answer:
        if session.transaction.is_explicit:
            session.notice("WARNING", "25001", "there is already a transaction in progress")
        else:
            session.transaction.begin()
        for name, value in self.modes.items():
            session.settings.put(name, value, local=True)
        return Answer(self.tag)


@dataclass
class Finish(Plain):
    """COMMIT, END, ROLLBACK and ABORT."""

    commits: bool
    chain: bool = False
    ends_failure: bool = True

    @property
    def tag(self) -> str:
        return "COMMIT" if self.commits else "ROLLBACK"

    async def run(self, session: "Session", _portal: Portal) -> Answer:
        transaction = session.transaction
        if not transaction.is_explicit:
            if self.chain:
                words = "COMMIT AND CHAIN" if self.commits else "ROLLBACK AND CHAIN"
                raise PgError(f"{words} can only be used in transaction blocks", sqlstate=NO_TRANSACTION)
            session.notice("WARNING", NO_TRANSACTION, "there is no transaction in progress")
        commits = self.commits and transaction.stage is not Stage.FAILED
        await session.end(commits=commits)
        if self.chain:
            transaction.begin()
        return Answer("COMMIT" if commits else "ROLLBACK")


@dataclass
class Savepoint(Plain):
    """SAVEPOINT, RELEASE and ROLLBACK TO."""

    tag: str
    name: str
    ends_failure: bool = False

    async def run(self, session: "Session", _portal: Portal) -> Answer:
        transaction = session.transaction
        if not transaction.is_explicit:
            words = {"RELEASE": "RELEASE SAVEPOINT", "ROLLBACK": "ROLLBACK TO SAVEPOINT"}.get(
                self.tag, self.tag
            )
            raise PgError(f"{words} can only be used in transaction blocks", sqlstate=NO_TRANSACTION)
        if self.tag == "SAVEPOINT":
            transaction.save(self.name)
        elif self.tag == "RELEASE":
            session.lift(transaction.release(self.name))
        else:
            await session.drop_from(transaction.return_to(self.name))
        return Answer(self.tag)


@dataclass
class Modes(Plain):
    """SET TRANSACTION and SET SESSION CHARACTERISTICS AS TRANSACTION."""

    modes: dict[str, str]
    lasting: bool
    tag: str = "SET"

    async def run(self, session: "Session", _portal: Portal) -> Answer:
        if not self.lasting and not session.transaction.is_block:
            said = "SET TRANSACTION can only be used in transaction blocks"
            session.notice("WARNING", NO_TRANSACTION, said)
            return Answer("SET")
        for name, value in self.modes.items():
            key = f"default_{name}" if self.lasting else name
            session.settings.put(key, value, local=not self.lasting)
        return Answer("SET")


@dataclass
class TwoPhase(Plain):
    """PREPARE TRANSACTION, which ends a transaction here as it does where it is switched off."""

    tag: str = "PREPARE TRANSACTION"
    ends_failure: bool = True

    async def run(self, session: "Session", _portal: Portal) -> Answer:
        if session.transaction.is_explicit:
            await session.end(commits=False)
        raise PgError(
            "prepared transactions are disabled",
            sqlstate="55000",
            hint="Nothing is written here; COMMIT does.",
        )


@dataclass
class Lock(Plain):
    """LOCK TABLE: what is read never changes, so there is nothing to wait for."""

    tag: str = "LOCK TABLE"

    async def run(self, session: "Session", _portal: Portal) -> Answer:
        if not session.transaction.is_block:
            raise PgError("LOCK TABLE can only be used in transaction blocks", sqlstate=NO_TRANSACTION)
        return Answer(self.tag)


def begin(words: Words) -> Begin:
    """BEGIN, behind its first word."""
    words.word("work", "transaction")
    return Begin("BEGIN", modes(words))


def start(words: Words) -> Begin:
    """START TRANSACTION, behind START."""
    words.expect("transaction")
    return Begin("START TRANSACTION", modes(words))


def finish(words: Words, first: str) -> Finish | Savepoint:
    """COMMIT, END, ROLLBACK or ABORT, behind the first word."""
    if first in ("commit", "rollback") and words.word("prepared"):
        raise PgError("prepared transactions are not supported", sqlstate="0A000")
    words.word("work", "transaction")
    if first == "rollback" and words.word("to"):
        words.word("savepoint")
        name = words.name()
        words.end()
        return Savepoint("ROLLBACK", name, ends_failure=True)
    chain = False
    if words.word("and"):
        chain = not words.word("no")
        words.expect("chain")
    words.end()
    return Finish(first in ("commit", "end"), chain)


def savepoint(words: Words, first: str) -> Savepoint:
    """SAVEPOINT or RELEASE, behind the first word."""
    if first == "release":
        words.word("savepoint")
    name = words.name()
    words.end()
    return Savepoint(first.upper(), name)


def modes(words: Words) -> dict[str, str]:
    """Transaction modes, up to the end, as settings."""
    found: dict[str, str] = {}
    while words.next is not None:
        if words.word("isolation"):
            words.expect("level")
            level = words.expect("serializable", "repeatable", "read")
            if level == "repeatable":
                words.expect("read")
                level = "repeatable read"
            elif level == "read":
                level = f"read {words.expect('committed', 'uncommitted')}"
            found["transaction_isolation"] = level
        elif words.word("read"):
            # READ WRITE is let pass as well: clients say it by default, and a write is refused by itself.
            words.expect("only", "write")
        elif words.word("not"):
            words.expect("deferrable")
            found["transaction_deferrable"] = "off"
        elif words.word("deferrable"):
            found["transaction_deferrable"] = "on"
        else:
            raise words.wrong()
        if words.symbol(",") and words.next is None:
            raise words.wrong()
    return found


def lock(words: Words) -> Lock:
    """LOCK, behind its first word."""
    words.word("table")
    words.take(Kind.WORD, Kind.NAME)
    return Lock()
