"""The body of a request, read and unpacked up to a limit. Nessie's server reads bodies here, too."""

import zlib

from starlette.requests import Request

LARGEST = 64 * 1024 * 1024
"""Bytes of a body, as it is sent and once it is unpacked."""

_GZIP = ("gzip", "x-gzip")


class BodyError(Exception):
    """A body that cannot be taken: the status to answer with, and why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


async def read(request: Request) -> bytes:
    """The body as it was sent; `BodyError` as soon as it is too large."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > LARGEST:
            raise BodyError(413, f"The body is larger than {LARGEST} bytes.")
    return bytes(raw)


def unpacked(raw: bytes, encoding: str | None) -> bytes:
    """The body as it was before the client packed it, which Java's clients do with every larger one.

    Never holds more than the limit. Raises `BodyError`.
    """
    name = (encoding or "identity").strip().casefold()
    if name == "identity":
        return raw
    if name not in _GZIP:
        raise BodyError(415, f"The body has the encoding '{name[:40]}'; gzip is the only one here.")
    unpack = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        found = unpack.decompress(raw, LARGEST + 1)
    except zlib.error as error:
        raise BodyError(400, f"The body is not gzip: {error}") from error
    if len(found) > LARGEST:
        raise BodyError(413, f"The body is larger than {LARGEST} bytes once it is unpacked.")
    if not unpack.eof or unpack.unused_data:
        raise BodyError(400, "The packed body is cut off, or something follows it.")
    return found
