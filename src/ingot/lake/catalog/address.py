"""The URL of a state database as people write it: read strictly, and shown without what must stay secret."""

import re

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from ingot.lake.errors import CatalogUnavailableError

_SHAPE = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
_SECRET_OPTIONS = re.compile(r"pass|secret|key|token", re.IGNORECASE)


def parsed(url: str) -> URL:
    """The URL; `CatalogUnavailableError`, which does not repeat it, where it cannot be understood."""
    # The usual name of the scheme elsewhere.
    text = re.sub(r"^postgres(?=[:+])", "postgresql", str(url))
    try:
        found = make_url(text)
    except (ArgumentError, ValueError):
        # What cannot be understood may have the password anywhere: it stays out of the message and its cause.
        raise CatalogUnavailableError(
            "The URL of the state database cannot be understood.",
            hint=f"Write {_SHAPE} or sqlite:///path; see `state` in ingot.yml.",
        ) from None
    if found.host is not None and "@" in found.host:
        raise CatalogUnavailableError(
            "The URL of the state database has an '@' in its password.",
            hint="Write it as %40, and ':' as %3A, '/' as %2F, '%' as %25.",
        )
    return found


def shown(url: URL) -> str:
    """Where the database is: no password, and no options, for those may hold one too."""
    bare = URL.create(url.drivername, url.username, None, url.host, url.port, url.database)
    return bare.render_as_string()


def without_secrets(url: URL, text: str) -> str:
    """What a driver says of a connection, with every secret of the URL left out."""
    secrets = [url.password, *_texts(url)]
    for secret in sorted(filter(None, map(_text, secrets)), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def _texts(url: URL) -> list[str]:
    found = []
    for name, value in url.query.items():
        if _SECRET_OPTIONS.search(name):
            found += [value] if isinstance(value, str) else list(value)
    return found


def _text(value: object) -> str:
    return "" if value is None else str(value)
