"""Ingot: from raw data to answers that can be trusted, in one package.

Importing this costs nothing: every room is imported where it is used.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from ingot.session import Session

__version__ = "0.1.0"
__all__ = ["__version__", "open"]


def open(  # noqa: A001 - `ingot.open` is what people write
    where: "str | Path" = ".",
    *,
    ref: str = "main",
    token: str | None = None,
    user: str | None = None,
    password: str | None = None,
    profile: str | None = None,
) -> "Session":
    """A session on the project in or above a folder, or on the server at a URL.

    `ref` is what questions ask unless they say otherwise, `token` (or `user` and `password`) what a server with a
    login wants. Raises `ProjectError` for a folder without a valid project.
    """
    from ingot.session import open_session  # noqa: PLC0415 - importing ingot costs nothing

    return open_session(where, ref=ref, token=token, user=user, password=password, profile=profile)
