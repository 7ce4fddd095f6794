"""A token -> who asks. Checks the signature, the times, the issuer and the audience, as the project says.

The algorithm is never taken from the token, keys of key sets are never used as shared secrets, and what is wrong
with a token is not told to who sent it.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import jwt

from ingot.api.keys import KeySet
from ingot.errors import IngotError
from ingot.project import Auth
from ingot.semantic.context import Context

MAX_TOKEN = 16 * 1024


class Tokens:
    """Reads the tokens of one project's `auth`. Safe to use from several threads."""

    def __init__(self, auth: Auth) -> None:
        """Raises `IngotError` for a public key that is none."""
        self._auth = auth
        self._algorithms = list(auth.jwt.accepted)
        self._keys = KeySet(auth.jwt.jwks_url) if auth.jwt.jwks_url is not None else None
        self._key: Any = auth.jwt.secret
        if auth.jwt.public_key is not None:
            self._key = _public_key(self._algorithms, auth.jwt.public_key)

    @property
    def is_quick(self) -> bool:
        """Whether a look at a token never asks another machine."""
        return self._keys is None

    def opens_lake(self, who: Context) -> bool:
        """Whether one of the asker's groups may use the lake itself."""
        groups = self._auth.lake_groups
        return "*" in groups or not set(groups).isdisjoint(who.groups)

    def context(self, token: str) -> Context | None:
        """Who asks, by a valid token; None by any other. Raises `IngotError` where keys cannot be fetched."""
        if len(token) > MAX_TOKEN:
            return None
        try:
            key = self._key if self._keys is None else self._keys.key(jwt.get_unverified_header(token))
            if key is None:
                return None
            payload = jwt.decode(
                token,
                key,
                algorithms=self._algorithms,
                issuer=list(self._auth.jwt.issuer) or None,
                audience=list(self._auth.jwt.audience) or None,
                options={
                    "verify_aud": bool(self._auth.jwt.audience),
                    "require": [
                        *(["iss"] if self._auth.jwt.issuer else []),
                        *(["aud"] if self._auth.jwt.audience else []),
                    ],
                    "verify_sub": False,  # Cube's tokens may have a number there
                    "verify_jti": False,
                },
            )
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError):  # a key of another kind, too
            return None
        return self._asker(payload)

    def _asker(self, payload: dict[str, Any]) -> Context | None:
        namespace = self._auth.jwt.claims_namespace
        security = payload if namespace is None else payload.get(namespace, {})
        if not isinstance(security, dict):
            return None
        who = Context(MappingProxyType(security), _groups(payload, security, self._auth.groups_claim))
        try:
            who.key  # noqa: B018 - claims that are no proper JSON can be neither compared nor be parameters
        except TypeError:
            return None
        return who


def _groups(payload: Mapping[str, Any], security: Mapping[str, Any], claim: str) -> tuple[str, ...]:
    """The texts of the claim, in the security context or beside it."""
    for where in (security, payload):
        found: Any = where.get(claim)
        if found is None:
            found = where
            for step in claim.split("."):
                found = found.get(step) if isinstance(found, dict) else None
        if isinstance(found, str):
            return (found,)
        if isinstance(found, list):
            return tuple(sorted({one for one in found if isinstance(one, str)}))
    return ()


def _public_key(algorithms: list[str], text: str) -> Any:
    try:
        return jwt.get_algorithm_by_name(algorithms[0]).prepare_key(text)
    except NotImplementedError:
        raise IngotError(
            "Signed tokens need a package that is not installed.", hint="pip install 'ingot[oidc]'"
        ) from None
    except (jwt.PyJWTError, ValueError, TypeError):
        raise IngotError(
            "auth.jwt.public_key in ingot.yml is no public key in PEM that goes with its algorithms."
        ) from None
