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
        settings = auth.jwt
        assert settings is not None, "who has no tokens does not ask for them"
        self._jwt = settings
        self._groups_claim = auth.groups_claim
        self._algorithms = list(settings.accepted)
        self._keys = KeySet(settings.jwks_url) if settings.jwks_url is not None else None
        self._key: Any = settings.secret
        if settings.public_key is not None:
            self._key = _public_key(self._algorithms, settings.public_key)

    @property
    def is_quick(self) -> bool:
        """Whether a look at a token never asks another machine."""
        return self._keys is None

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
                issuer=list(self._jwt.issuer) or None,
                audience=list(self._jwt.audience) or None,
                options={
                    "verify_aud": bool(self._jwt.audience),
                    "require": [
                        *(["iss"] if self._jwt.issuer else []),
                        *(["aud"] if self._jwt.audience else []),
                    ],
                    "verify_sub": False,  # Cube's tokens may have a number there
                    "verify_jti": False,
                },
            )
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError):  # a key of another kind, too
            return None
        return self._asker(payload)

    def _asker(self, payload: dict[str, Any]) -> Context | None:
        namespace = self._jwt.claims_namespace
        security = payload if namespace is None else payload.get(namespace, {})
        if not isinstance(security, dict):
            return None
        who = Context(MappingProxyType(security), _groups(payload, security, self._groups_claim))
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
