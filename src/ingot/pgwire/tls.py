"""TLS of the SQL port: the certificate, read anew when its files change, and what logins are bound to."""

import hashlib
import logging
import os
import ssl
import time
from pathlib import Path
from typing import NoReturn
from weakref import WeakKeyDictionary

from ingot.errors import IngotError
from ingot.pgwire.certificate import signature_hash

log = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two looks at the files."""
PROTOCOL = "postgresql"
"""The name of PostgreSQL's protocol for clients that begin with TLS (ALPN)."""

_bindings: "WeakKeyDictionary[ssl.SSLContext, bytes]" = WeakKeyDictionary()


def binding_of(context: ssl.SSLContext) -> bytes | None:
    """What a login over TLS is bound to (`tls-server-end-point`, RFC 5929); None where the certificate has none."""
    return _bindings.get(context)


class Certificate:
    """The certificate that the SQL port shows."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Raises `IngotError` where the files are no certificate with its key."""
        self._certificate = certificate
        self._key = key
        self._looked = time.monotonic()
        self._seen = self._stamp()
        self._context = self._load()

    def context(self) -> ssl.SSLContext:
        """What new connections are encrypted with: of the files as they are, or as they last were right."""
        now = time.monotonic()
        if now - self._looked >= EVERY:
            self._looked = now
            stamp = self._stamp()
            if stamp != self._seen:
                try:
                    self._context = self._load()
                except IngotError as error:
                    log.warning("SQL port: the certificate is kept as it was. %s", error.message)
                else:
                    log.info("SQL port: the certificate was read anew")
                self._seen = stamp
        return self._context

    def _stamp(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(_stamp(path) for path in (self._certificate, self._key))

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION | ssl.OP_CIPHER_SERVER_PREFERENCE
        context.options |= ssl.OP_NO_TICKET  # connections last; PostgreSQL's clients resume none
        context.num_tickets = 0
        context.set_alpn_protocols([PROTOCOL])
        try:
            context.load_cert_chain(self._certificate, self._key, password=_no_password)
            pem = self._certificate.read_text(encoding="ascii", errors="replace")
            begin = pem.index("-----BEGIN CERTIFICATE-----")
            end = pem.index("-----END CERTIFICATE-----", begin)
            shown = ssl.PEM_cert_to_DER_cert(pem[begin:end] + "-----END CERTIFICATE-----\n")
        except (OSError, ValueError) as error:  # SSLError is an OSError
            why = (
                error.strerror if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) else None
            )
            raise IngotError(
                f"serve.sql_tls in ingot.yml: {self._certificate} and {self._key} are no certificate with its key"
                f"{f' ({why.lower()})' if why else ''}.",
                hint="Both are files in PEM; the key has no password and belongs to the first certificate of the file.",
            ) from None
        kind = signature_hash(shown)
        if kind is not None:
            _bindings[context] = hashlib.new(kind, shown).digest()
        return context


def _no_password() -> NoReturn:
    raise ValueError("the key has a password")


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - at connections
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
