"""`auth` in `ingot.yml`: who may ask the server, and how it knows who asks."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field

from ingot.project.environment import FromEnv
from ingot.project.spec import PathText, Some, Spec, Word
from ingot.project.tree import Map

SHARED = ("HS256", "HS384", "HS512")
SIGNED = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
Algorithm = Literal[
    "HS256", "HS384", "HS512",
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
]  # fmt: skip
SHORTEST = {"HS256": 32, "HS384": 48, "HS512": 64}
"""Bytes of a secret that cannot be found by trying (RFC 7518)."""


class Jwt(Spec):
    """How a token is checked: by one of a shared secret, a public key, or the keys at an address."""

    kind: ClassVar[str] = "jwt"
    rules: ClassVar[Mapping[str, Any]] = {
        "oneOf": [{"required": [key]} for key in ("secret", "public_key", "jwks_url")]
    }

    secret: Word | None = Field(
        None,
        description="The shared secret of HS256 tokens, as `${NAME}` from the environment; at least 32 characters.",
    )
    public_key: Word | None = Field(None, description="The public key (PEM) of signed tokens.")
    jwks_url: Word | None = Field(
        None, description="Where the identity provider publishes its keys: https, or http on this machine."
    )
    algorithms: Some[Algorithm] = Field(
        (),
        description="The algorithms that are accepted. Default: HS256 with a secret, else RS256 and ES256.",
    )
    issuer: Some[Word] = Field((), description="Who must have issued the token (`iss`).")
    audience: Some[Word] = Field((), description="For whom it must be (`aud`).")
    claims_namespace: Word | None = Field(
        None, description="The claim that holds the security context. Default: the whole payload."
    )

    @classmethod
    def inspect(cls, data: Map, report: Callable[..., None]) -> None:
        given = [key for key in ("secret", "public_key", "jwks_url") if key in data]
        if len(given) != 1:
            said = " and ".join(f"'{key}'" for key in given) if given else "none of them"
            report(None, f"'jwt' needs one of 'secret', 'public_key' and 'jwks_url', not {said}")
            return
        secret = data.get("secret")
        if secret is not None and not isinstance(secret, FromEnv):
            report(
                "secret",
                "a secret does not stand in a file",
                expected="${NAME}, a variable of the environment",
            )
        url = data.get("jwks_url")
        if isinstance(url, str) and not _is_safe(url):
            report("jwks_url", "keys must come over https", expected="https://… (or http:// on this machine)")
        allowed = SHARED if given == ["secret"] else SIGNED
        algorithms = data.get("algorithms", ())
        algorithms = [algorithms] if isinstance(algorithms, str) else algorithms
        least = max((SHORTEST[one] for one in algorithms if one in SHORTEST), default=SHORTEST["HS256"])
        if isinstance(secret, FromEnv) and len(secret.encode()) < least:
            report("secret", f"the secret is shorter than {least} characters and could be found by trying")
        for one in algorithms:
            # A public key that were taken for a shared secret would let anybody sign.
            if one in (*SHARED, *SIGNED) and one not in allowed:
                report("algorithms", f"{one} does not go with '{given[0]}'", expected=", ".join(allowed))

    @property
    def accepted(self) -> tuple[str, ...]:
        """The algorithms that hold."""
        if self.algorithms:
            return self.algorithms
        return ("HS256",) if self.secret is not None else ("RS256", "ES256")


class Auth(Spec):
    """Who may ask. Without it, and without users, anybody may who reaches the ports."""

    kind: ClassVar[str] = "auth"
    rules: ClassVar[Mapping[str, Any]] = {"anyOf": [{"required": [key]} for key in ("jwt", "users")]}

    jwt: Jwt | None = Field(None, description="Tokens in the header Authorization, as with Cube.")
    users: PathText | None = Field(
        None,
        description="The file of those who log in with a password, over SQL and HTTP. Default: users.yml, where "
        "it is there.",
    )
    groups_claim: Word = Field(
        "groups", description="The claim with the asker's groups; dots lead inside: realm_access.roles."
    )
    lake_groups: Some[Word] = Field(
        (),
        description="Groups that may use the lake itself, past the metrics' policies: Iceberg, Nessie, "
        "tables, diffs, runs. '*' is everybody who may ask. Default: nobody.",
    )

    @classmethod
    def inspect(cls, data: Map, report: Callable[..., None]) -> None:
        if "jwt" not in data and "users" not in data:
            report(None, "'auth' names nobody who may ask", expected="jwt, users or both")

    def opens_lake(self, groups: Iterable[str]) -> bool:
        """Whether one of these groups may use the lake itself."""
        return "*" in self.lake_groups or not set(self.lake_groups).isdisjoint(groups)


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
    )
