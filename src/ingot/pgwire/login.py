"""Who a client is, and whether he still is: of a user the file is asked again, as long as his session lasts."""

import asyncio
import logging
from time import monotonic

from ingot.pgwire.errors import PgError
from ingot.pgwire.running import ENDED
from ingot.project.accounts import Accounts
from ingot.project.users import User
from ingot.semantic.context import ANYONE, Context, of_user

log = logging.getLogger("ingot.login")

SETTLED = 0.25
"""Seconds for which a user has to be missing: editors write files in several steps."""
AGAIN = 0.05
"""Seconds after which it is looked again."""


class Login:
    """Somebody who stays who he is: nobody in particular, where there are no users."""

    def __init__(self, context: Context = ANYONE) -> None:
        self.context = context
        """Who it is for policies and hooks, as far as that was looked at."""

    @property
    def is_stale(self) -> bool:
        """Whether `look` might find something new. It takes microseconds."""
        return False

    async def look(self) -> None:
        """Makes `context` what holds now. Raises `PgError` 57P01 for who may not be here any more."""


class UserLogin(Login):
    """A user, as long as the file has him with the password that he came with."""

    def __init__(self, accounts: Accounts, user: User) -> None:
        super().__init__(of_user(user))
        self._accounts = accounts
        self._user = user
        self._missed: float | None = None
        self._end: PgError | None = None

    @property
    def is_stale(self) -> bool:
        """See `Login.is_stale`."""
        return self._accounts.is_stale() or self._accounts.find(self._user.name) is not self._user

    async def look(self) -> None:
        """See `Login.look`."""
        while True:
            if self._accounts.is_stale():
                await asyncio.to_thread(self._accounts.read)
            seconds = self._look()
            if seconds <= 0:
                return
            await asyncio.sleep(min(seconds, AGAIN))

    def _look(self) -> float:
        """Seconds after which it has to be looked again; 0 for none. Raises `PgError`."""
        name = self._user.name
        found = self._accounts.find(name)
        if found is None:
            now = monotonic()
            self._missed = self._missed or now
            if now - self._missed < SETTLED:
                return self._missed + SETTLED - now
            raise self._ended(f'user "{name}" was removed')
        self._missed = None
        if found.verifier != self._user.verifier:
            raise self._ended(f'the password of user "{name}" was changed')
        if found is not self._user:
            self._user, self.context = found, of_user(found)
        return 0

    def _ended(self, why: str) -> PgError:
        if self._end is None:
            log.info("sql session user=%r ended: %s", self._user.name[:200], why)
            self._end = PgError(f"terminating connection because {why}", sqlstate=ENDED)
        return self._end
