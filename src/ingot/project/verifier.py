"""What is kept of a password: PostgreSQL's verifier of SCRAM-SHA-256 (RFC 5802, RFC 7677).

Nobody can log in with a verifier, and it is the same text that PostgreSQL keeps in `pg_authid`.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

from ingot.errors import UsageError
from ingot.project.saslprep import prepared

ITERATIONS = 4096
"""As PostgreSQL's default; RFC 7677 asks for no fewer."""
MOST_ITERATIONS = 1_000_000
PATTERN = r"^SCRAM-SHA-256\$[0-9]+:[A-Za-z0-9+/]+={0,2}\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$"
_PARTS = re.compile(r"SCRAM-SHA-256\$([0-9]{1,9}):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)")


@dataclass(frozen=True, slots=True)
class Verifier:
    """By what a password is recognised."""

    iterations: int
    salt: bytes
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)

    @staticmethod
    def of(password: str, *, iterations: int = ITERATIONS, salt: bytes | None = None) -> "Verifier":
        """The verifier of a password, with a salt of its own. Raises `UsageError` for an empty password."""
        if not password:
            raise UsageError("An empty password would let anybody in.")
        salt = secrets.token_bytes(16) if salt is None else salt
        salted = hashlib.pbkdf2_hmac("sha256", prepared(password), salt, iterations)
        stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
        return Verifier(iterations, salt, stored, hmac.digest(salted, b"Server Key", "sha256"))

    @staticmethod
    def read(text: str) -> "Verifier | None":
        """The verifier that a text is; None where it is none."""
        found = _PARTS.fullmatch(text)
        if found is None:
            return None
        try:
            salt, stored, server = (base64.b64decode(part, validate=True) for part in found.groups()[1:])
        except binascii.Error:
            return None
        iterations = int(found[1])
        if not salt or len(stored) != 32 or len(server) != 32 or iterations < 1:
            return None
        return Verifier(iterations, salt, stored, server)

    def fits(self, password: str) -> bool:
        """Whether it is that of the password. Takes milliseconds, on purpose."""
        salted = hashlib.pbkdf2_hmac("sha256", prepared(password), self.salt, self.iterations)
        stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
        return hmac.compare_digest(stored, self.stored_key)

    def __str__(self) -> str:
        salt, stored, server = (
            base64.b64encode(part).decode() for part in (self.salt, self.stored_key, self.server_key)
        )
        return f"SCRAM-SHA-256${self.iterations}:{salt}${stored}:{server}"
