"""By which hash a certificate is signed: the one field that Python's `ssl` does not tell (X.509 in DER)."""

_SIGNED = {
    "1.2.840.113549.1.1.4": "sha256",  # MD5 and SHA-1 count as SHA-256 (RFC 5929)
    "1.2.840.113549.1.1.5": "sha256",
    "1.2.840.113549.1.1.11": "sha256",
    "1.2.840.113549.1.1.12": "sha384",
    "1.2.840.113549.1.1.13": "sha512",
    "1.2.840.113549.1.1.14": "sha224",
    "1.2.840.10040.4.3": "sha256",
    "2.16.840.1.101.3.4.3.2": "sha256",
    "1.2.840.10045.4.1": "sha256",
    "1.2.840.10045.4.3.1": "sha224",
    "1.2.840.10045.4.3.2": "sha256",
    "1.2.840.10045.4.3.3": "sha384",
    "1.2.840.10045.4.3.4": "sha512",
}
_PSS = "1.2.840.113549.1.1.10"
_HASHES = {
    "1.3.14.3.2.26": "sha256",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "2.16.840.1.101.3.4.2.4": "sha224",
}
_SEQUENCE, _OID, _FIRST = 0x30, 0x06, 0xA0


def signature_hash(certificate: bytes) -> str | None:
    """The hash that a binding to the certificate uses (RFC 5929), by hashlib's name.

    None where its signature has none of its own (Ed25519), or where it is no certificate.
    """
    try:
        whole, _ = _inside(certificate, 0, _SEQUENCE)
        _, at = _inside(whole, 0, _SEQUENCE)  # what is signed
        algorithm, _ = _inside(whole, at, _SEQUENCE)
        name, at = _inside(algorithm, 0, _OID)
        kind = _number(name)
        if kind != _PSS:
            return _SIGNED.get(kind)
        parameters, _ = _inside(algorithm, at, _SEQUENCE)
        if parameters[:1] != bytes([_FIRST]):
            return "sha256"  # SHA-1, where nothing is said
        tagged, _ = _inside(parameters, 0, _FIRST)
        used, _ = _inside(tagged, 0, _SEQUENCE)
        return _HASHES.get(_number(_inside(used, 0, _OID)[0]))
    except (ValueError, IndexError):
        return None


def _inside(data: bytes, at: int, tag: int) -> tuple[bytes, int]:
    """The content of the element at a place, and where the next one begins."""
    if data[at] != tag:
        raise ValueError("another element")
    size, start = data[at + 1], at + 2
    if size & 0x80:
        count = size & 0x7F
        size, start = int.from_bytes(data[start : start + count]), start + count
    if start + size > len(data):
        raise ValueError("cut off")
    return data[start : start + size], start + size


def _number(oid: bytes) -> str:
    """An object identifier with dots."""
    parts: list[int] = []
    value = 0
    for each in oid:
        value = value << 7 | each & 0x7F
        if not each & 0x80:
            parts.append(value)
            value = 0
    first = min(parts[0] // 40, 2)
    return ".".join(str(each) for each in (first, parts[0] - 40 * first, *parts[1:]))
