"""SCRAM-SHA-256 and SCRAM-SHA-256-PLUS as PostgreSQL's server speaks them (RFC 5802, RFC 7677). No input or output.

What is wrong with a client's message is said in PostgreSQL's words and with its SQLSTATE.
"""

import base64
import binascii
import hashlib
import hmac
import secrets

from ingot.pgwire.errors import PgError
from ingot.project.verifier import Verifier

PLAIN, PLUS = "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"
BINDING = "tls-server-end-point"
_PRINTABLE = frozenset(range(0x21, 0x7F)) - {0x2C}
_LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


class Exchange:
    """The server's side of one login: `first` answers the client's first message, `final` its last.

    `binding` is the hash of the certificate where the connection is encrypted and has one, `binds` whether the
    client chose the mechanism that uses it. `is_known` False goes the same way and fails at its end.
    """

    def __init__(
        self,
        verifier: Verifier,
        *,
        is_known: bool = True,
        binding: bytes | None = None,
        binds: bool = False,
        nonce: str | None = None,
    ) -> None:
        self._verifier = verifier
        self._is_known = is_known
        self._binding = binding
        self._binds = binds
        self._nonce = nonce or base64.b64encode(secrets.token_bytes(18)).decode()
        self._flag = b""
        self._client_nonce = b""
        self._said = b""
        """The messages so far, as both sides sign them."""

    def first(self, message: bytes) -> bytes:
        """What is said back to the client's first message. Raises `PgError`."""
        at = _Reader(_checked(message))
        self._read_flag(at)
        if at.peek() == b"a":
            raise PgError("client uses authorization identity, but it is not supported", sqlstate="0A000")
        if at.peek() != b",":
            raise _malformed(f'Unexpected attribute "{_shown(at.peek())}" in client-first-message.')
        at.skip()
        bare = at.rest
        if at.peek() == b"m":
            raise PgError("client requires an unsupported SCRAM extension", sqlstate="0A000")
        at.attribute(b"n")  # the name of the start-up message counts
        self._client_nonce = at.attribute(b"r")
        if not _PRINTABLE.issuperset(self._client_nonce):
            raise PgError("non-printable characters in SCRAM nonce", sqlstate="08P01")
        while at.rest:
            at.any_attribute()
        salt = base64.b64encode(self._verifier.salt).decode()
        answer = self._client_nonce + f"{self._nonce},s={salt},i={self._verifier.iterations}".encode()
        answer = b"r=" + answer
        self._said = bare + b"," + answer
        return answer

    def _read_flag(self, at: "_Reader") -> None:
        """What the client says of channel binding: no downgrade of it goes unseen."""
        self._flag = at.peek()
        if self._flag in (b"n", b"y"):
            if self._binds:
                raise _malformed(
                    "The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not include channel "
                    "binding data."
                )
            if self._flag == b"y" and self._binding is not None:
                raise PgError(
                    "SCRAM channel binding negotiation error",
                    sqlstate="28000",
                    detail="The client supports SCRAM channel binding but thinks the server does not.  "
                    "However, this server does support channel binding.",
                )
            at.skip()
            if at.peek() != b",":
                raise _malformed(f'Comma expected, but found character "{_shown(at.peek())}".')
            at.skip()
        elif self._flag == b"p":
            if not self._binds:
                raise _malformed(
                    "The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message includes "
                    "channel binding data."
                )
            kind = at.attribute(b"p")
            if kind != BINDING.encode():
                said = "".join(chr(each) if 0x21 <= each <= 0x7E else "?" for each in kind[:30])
                raise PgError(f'unsupported SCRAM channel-binding type "{said}"', sqlstate="08P01")
        else:
            raise _malformed(f'Unexpected channel-binding flag "{_shown(self._flag)}".')

    def final(self, message: bytes) -> bytes | None:
        """What is said to the client's last message; None where the password is wrong. Raises `PgError`."""
        at = _Reader(_checked(message))
        bound = at.attribute(b"c")
        if self._binds:
            wanted = base64.b64encode(f"p={BINDING},,".encode() + (self._binding or b""))
            if not hmac.compare_digest(bound, wanted):
                raise PgError("SCRAM channel binding check failed", sqlstate="28000")
        elif (self._flag, bound) not in ((b"n", b"biws"), (b"y", b"eSws")):
            raise PgError(
                "unexpected SCRAM channel-binding attribute in client-final-message", sqlstate="08P01"
            )
        nonce = at.attribute(b"r")
        while True:
            before = at.done - 1
            name, value = at.any_attribute()
            if name == b"p":
                break
        try:
            proof = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            proof = b""
        if len(proof) != 32:
            raise _malformed("Malformed proof in client-final-message.")
        if at.rest:
            raise _malformed("Garbage found at the end of client-final-message.")
        if not hmac.compare_digest(nonce, self._client_nonce + self._nonce.encode()):
            raise PgError("invalid SCRAM response", sqlstate="08P01", detail="Nonce does not match.")
        said = self._said + b"," + message[:before]
        signature = hmac.digest(self._verifier.stored_key, said, "sha256")
        key = bytes(one ^ other for one, other in zip(proof, signature, strict=True))
        is_right = hmac.compare_digest(hashlib.sha256(key).digest(), self._verifier.stored_key)
        answer = b"v=" + base64.b64encode(hmac.digest(self._verifier.server_key, said, "sha256"))
        return answer if is_right and self._is_known else None


class _Reader:
    """A message from its beginning to its end."""

    def __init__(self, message: bytes) -> None:
        self._message = message
        self.done = 0

    @property
    def rest(self) -> bytes:
        return self._message[self.done :]

    def peek(self) -> bytes:
        """The next character; nothing at the end."""
        return self._message[self.done : self.done + 1]

    def skip(self) -> None:
        self.done += 1

    def attribute(self, name: bytes) -> bytes:
        """The value of the attribute that has to be next."""
        if self.peek() != name:
            raise _malformed(f'Expected attribute "{name.decode()}" but found "{_shown(self.peek())}".')
        return self._value(name)

    def any_attribute(self) -> tuple[bytes, bytes]:
        name = self.peek()
        if not name:
            raise _malformed("Attribute expected, but found end of string.")
        if name[0] not in _LETTERS:
            raise _malformed(f'Attribute expected, but found invalid character "{_shown(name)}".')
        return name, self._value(name)

    def _value(self, name: bytes) -> bytes:
        self.skip()
        if self.peek() != b"=":
            raise _malformed(f'Expected character "=" for attribute "{name.decode()}".')
        self.skip()
        end = self._message.find(b",", self.done)
        value = self._message[self.done : end if end >= 0 else len(self._message)]
        self.done = end + 1 if end >= 0 else len(self._message)
        return value


def _checked(message: bytes) -> bytes:
    if not message:
        raise _malformed("The message is empty.")
    if b"\0" in message:
        raise _malformed("Message length does not match input length.")
    return message


def _shown(character: bytes) -> str:
    code = character[0] if character else 0
    return f"'{chr(code)}'" if 0x21 <= code <= 0x7E else f"0x{code:02x}"


def _malformed(detail: str) -> PgError:
    return PgError("malformed SCRAM message", sqlstate="08P01", detail=detail)
