"""HTTP: Cube's REST, the Iceberg REST catalog, Ingot's own `/api/v1`, health, and the page.

Holds no rules: every answer comes from a room below, through the function that the other surfaces use.
"""

from ingot.api.app import create_app

__all__ = ["create_app"]
