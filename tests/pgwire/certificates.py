"""Certificates of our own, signed in different ways."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

HASHES: dict[str, Any] = {
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


@dataclass(frozen=True)
class Files:
    """A certificate and its key."""

    certificate: Path
    key: Path
    der: bytes


def made(
    folder: Path, *, kind: str = "rsa", signed: str | None = "sha256", password: bytes | None = None
) -> Files:
    """A certificate for this machine that nobody else has signed. `kind`: rsa, pss, ec, ed25519."""
    key: Any = {
        "rsa": lambda: rsa.generate_private_key(65537, 2048),
        "pss": lambda: rsa.generate_private_key(65537, 2048),
        "ec": lambda: ec.generate_private_key(ec.SECP256R1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate,
    }[kind]()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]),
            critical=False,
        )
    )
    algorithm = HASHES[signed] if signed is not None and kind != "ed25519" else None
    more: dict[str, Any] = (
        {"rsa_padding": padding.PSS(padding.MGF1(algorithm), padding.PSS.DIGEST_LENGTH)}
        if kind == "pss" and algorithm is not None
        else {}
    )
    certificate = builder.sign(key, algorithm, **more)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "server.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
    encryption = NoEncryption() if password is None else BestAvailableEncryption(password)
    (folder / "server.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    (folder / "server.key").chmod(0o600)
    return Files(folder / "server.crt", folder / "server.key", certificate.public_bytes(Encoding.DER))
