"""The keys that an identity provider publishes (JWKS): fetched when a token names one that is not known.

A stranger can name any key, so the address is asked once in half a minute at the most, for few bytes and seconds.
"""

import urllib.request
from threading import Lock
from time import monotonic
from typing import Any

import jwt
import orjson

from ingot.errors import IngotError

PAUSE = 30.0
"""Seconds between two looks for a key that was not there."""
FIRST_PAUSE = 2.0
"""The same where no key is known yet."""
MAX_BYTES = 1024 * 1024
SECONDS = 5


class KeysUnavailableError(IngotError):
    """The identity provider does not give its keys, so no token can be checked."""

    code = "keys_unavailable"
    status = 503


class KeySet:
    """The keys behind one address. Safe to use from several threads."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = Lock()
        self._keys: dict[str | None, Any] = {}
        self._looked: float | None = None

    def key(self, header: dict[str, Any]) -> Any:
        """The key that a token's header names; None where there is none.

        Raises `KeysUnavailableError` where none was ever fetched and none can be.
        """
        id = header.get("kid")
        if id is not None and not isinstance(id, str):
            return None
        found = self._keys.get(id)
        if found is not None:
            return found
        with self._lock:
            found = self._keys.get(id)
            if found is None:
                self._look()
                found = self._keys.get(id)
        return found

    def _look(self) -> None:
        pause = PAUSE if self._keys else FIRST_PAUSE
        if self._looked is None or monotonic() - self._looked > pause:
            self._looked = monotonic()
            self._fetch()
        if not self._keys:
            raise KeysUnavailableError("The keys that tokens are checked with cannot be fetched.")

    def _fetch(self) -> None:
        request = urllib.request.Request(self._url, headers={"accept": "application/json"})  # noqa: S310 - https, by the project's check
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
                listed = orjson.loads(answer.read(MAX_BYTES))["keys"]
            keys = {one.get("kid"): key for one in listed if (key := _public(one)) is not None}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return  # the keys that are known still hold
        # A token that names no key can mean the only one.
        self._keys = keys if len(keys) != 1 else {**keys, None: next(iter(keys.values()))}


def _public(entry: Any) -> Any:
    """A key for signatures; None for what is none or what would be a shared secret."""
    if not isinstance(entry, dict) or entry.get("kty") not in ("RSA", "EC", "OKP"):
        return None
    if entry.get("use", "sig") != "sig":
        return None
    try:
        return jwt.PyJWK(entry)
    except jwt.exceptions.MissingCryptographyError:
        raise IngotError(
            "Signed tokens need a package that is not installed.", hint="pip install 'ingot[oidc]'"
        ) from None
    except (jwt.PyJWTError, ValueError):
        return None
