"""HTTP Basic: the users of the SQL port, with the same names and passwords.

A password that was right is kept as a keyed hash, so that only the first request of a client costs what guessing
is to cost. What is kept holds as long as the user's entry stays as it is.
"""

import asyncio
import base64
import binascii
import hmac
import logging
import secrets
from collections import OrderedDict

from ingot.pgwire.attempts import Attempts
from ingot.project.accounts import Accounts
from ingot.project.users import User
from ingot.project.verifier import Verifier
from ingot.semantic.context import Context, of_user

log = logging.getLogger("ingot.login")

LONGEST = 4096
"""Bytes of a header that are looked at."""
_KEPT = 10_000


class Passwords:
    """Reads the header of HTTP Basic. `None` for whoever is not who he says."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._key = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, tuple[User, Context]] = OrderedDict()
        self._attempts = Attempts()
        self._turn = asyncio.Lock()

    async def context(self, encoded: str, address: str) -> Context | None:
        """Who asks, by what stands behind `Basic`."""
        found = _read(encoded)
        if found is None:
            return None
        name, password = found
        if self._accounts.is_stale():
            await asyncio.to_thread(self._accounts.read)
        user = self._accounts.find(name)
        digest = hmac.digest(self._key, f"{name}\0{password}".encode(errors="surrogatepass"), "sha256")
        if (known := self._known(digest, user)) is not None:
            return known
        async with self._turn:  # a page asks several things at once: one of them computes
            if (known := self._known(digest, user)) is not None:
                return known
            if self._attempts.wait(address, name) > 0:
                log.warning("http login user=%r from=%s refused: too many failures", name[:200], address)
                return None
            is_right = await asyncio.to_thread(self._fits, user, password)
            if user is not None and is_right:
                who = of_user(user)
                self._right[digest] = user, who
                while len(self._right) > _KEPT:
                    self._right.popitem(last=False)
                self._attempts.succeeded(address, name)
                log.info("http login user=%r from=%s ok", name[:200], address)
                return who
            later = self._attempts.failed(address, name)
        log.warning("http login user=%r from=%s failed: password", name[:200], address)
        await asyncio.sleep(later)
        return None

    def _known(self, digest: bytes, user: User | None) -> Context | None:
        """Who it is, where the password was right before and the user's entry is the same."""
        found = self._right.get(digest)
        return found[1] if found is not None and found[0] is user else None

    def _fits(self, user: User | None, password: str) -> bool:
        if user is not None:
            return user.scram.fits(password)
        nobody = Verifier(self._accounts.iterations, b"0123456789abcdef", bytes(32), bytes(32))
        nobody.fits(password)  # who is not there takes as long as who is
        return False


def _read(encoded: str) -> tuple[str, str] | None:
    if len(encoded) > LONGEST:
        return None
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    name, colon, password = text.partition(":")
    return (name, password) if colon and name else None
