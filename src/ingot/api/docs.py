"""`/openapi.json`, and `/docs`: the same for people, as one page without a script or anything from elsewhere."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from ingot.api.openapi import document

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 56rem; margin: 2rem auto; padding: 0 1rem; }
section { border: 1px solid color-mix(in srgb, currentColor 20%, transparent); border-radius: .5rem; margin: .75rem 0; padding: .75rem 1rem; }
h2 { font-size: 1rem; margin: 0; } h2 b { display: inline-block; min-width: 4.5rem; }
code, pre, h2 span { font-family: ui-monospace, monospace; font-size: .9rem; }
pre { overflow-x: auto; } td { padding: .1rem 1rem .1rem 0; vertical-align: top; } p { margin: .25rem 0; }
summary { cursor: pointer; }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
_EXAMPLE = """curl -s {address}/cubejs-api/v1/load -H 'content-type: application/json' \\
  -d '{{"query": {{"measures": ["orders.count"]}}, "ref": "main"}}'"""


def routes(described: Sequence[BaseRoute], *, login: Sequence[str]) -> list[BaseRoute]:
    """The two routes about `described`; `login` as `document` takes it."""
    made = document(described, login=login)
    body = orjson.dumps(made)

    async def openapi(_request: Request) -> Response:
        return Response(body, media_type="application/json")

    async def docs(request: Request) -> Response:
        address = f"{request.url.scheme}://{request.url.netloc}"
        return HTMLResponse(
            page(made, address),
            headers={"content-security-policy": _POLICY, "x-content-type-options": "nosniff"},
        )

    return [Route("/openapi.json", openapi), Route("/docs", docs)]


def page(made: dict[str, Any], address: str) -> str:
    """The document as HTML."""
    return "".join(_parts(made, address))


def _parts(made: dict[str, Any], address: str) -> Iterator[str]:
    info = made["info"]
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{escape(info['title'])} API</title><style>{_STYLE}</style></head><body>"
    yield f"<h1>{escape(info['title'])} API</h1><p>{escape(info['description'])} "
    yield f'Version {escape(info["version"])}. For machines: <a href="/openapi.json">openapi.json</a>.</p>'
    if "security" in made:
        yield "<p>Every request needs a token: <code>Authorization: Bearer …</code></p>"
    yield f"<pre>{escape(_EXAMPLE.format(address=address))}</pre>"
    for path, operations in made["paths"].items():
        for method, one in operations.items():
            yield from _operation(path, method, one)
    yield "<h1>Schemas</h1>"
    for name, schema in made["components"]["schemas"].items():
        text = orjson.dumps(schema, option=orjson.OPT_INDENT_2).decode()
        yield f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>'
        yield f"<pre>{escape(text)}</pre></details>"
    yield "</body></html>"


def _operation(path: str, method: str, one: dict[str, Any]) -> Iterator[str]:
    yield f"<section><h2><b>{method.upper()}</b> <span>{escape(path)}</span></h2><p>{escape(one['summary'])}</p>"
    if "requestBody" in one:
        yield '<p>Body: <a href="#Asked"><code>Asked</code></a></p>'
    if one["parameters"]:
        yield "<table>"
        for each in one["parameters"]:
            yield f"<tr><td><code>{escape(each['name'])}</code></td><td>{escape(each['description'])}</td></tr>"
        yield "</table>"
    yield "</section>"
