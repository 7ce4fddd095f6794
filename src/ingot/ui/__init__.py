"""The web page: dashboards, metrics, data and history of a project, for people.

The page is a Svelte app in `app/`, built into `dist/` (committed, so that nobody needs Node to run it).
This room only hands the built files to a browser; every number on the page comes from the public HTTP
API, so the page can ask nothing that another client could not ask.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingot.ui.assets import routes

__all__ = ["routes"]


def __getattr__(name: str) -> object:
    if name == "routes":  # starlette is loaded by who serves, not by who imports
        from ingot.ui.assets import routes  # noqa: PLC0415

        return routes
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
