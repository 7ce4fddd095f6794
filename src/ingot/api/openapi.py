"""The HTTP API described for machines (OpenAPI 3.1), made from the routes, their docstrings and the query's grammar.

A route that is added is described with it: its summary is the first line of its endpoint's docstring.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pydantic import BaseModel
from starlette.routing import BaseRoute, Route

import ingot
from ingot.semantic.query import Query

Json = dict[str, Any]

DESCRIBED = ("/cubejs-api/", "/api/v1/", "/health", "/livez", "/readyz")
_NESSIE = re.compile(r"/api/v1/(trees|contents|config|namespaces|diffs|reflogs?)\b")

REF = "The branch, tag, commit or time (`main@2026-01-31`) that is asked; `main` where it is left out."
PARAMETERS: dict[str, dict[str, str]] = {
    "/cubejs-api/v1/load": {
        "query": "The query or queries as JSON (GET).",
        "queryType": "`multi`: the answer has `results`, one for each query.",
        "format": "`json`, or the answer as a file: `csv`, `parquet`, `arrow`.",
        "ref": REF,
    },
    "/cubejs-api/v1/subscribe": {"query": "The query or queries as JSON (GET).", "ref": REF},
    "/cubejs-api/v1/sql": {
        "query": "The query or queries as JSON (GET); with `format=sql` a SELECT over cubes and views.",
        "format": "`sql`: the query is SQL.",
        "ref": REF,
    },
    "/cubejs-api/v1/dry-run": {"query": "The query or queries as JSON (GET).", "ref": REF},
    "/cubejs-api/v1/explain": {"query": "The query or queries as JSON (GET).", "ref": REF},
    "/cubejs-api/v1/meta": {
        "extended": "`true`: tables, joins and pre-aggregations too.",
        "onlyViews": "`true`: views only.",
        "ref": REF,
    },
    "/cubejs-api/graphql": {
        "query": "The GraphQL document.",
        "variables": "Its variables, as JSON.",
        "operationName": "Which of its operations is meant.",
        "ref": REF,
    },
    "/api/v1/log": {"ref": REF, "limit": "Commits at the most."},
    "/api/v1/tables": {"ref": REF},
    "/api/v1/runs": {"limit": "Runs at the most."},
    "/api/v1/diff": {
        "from": REF,
        "to": "What it is compared with.",
        "table": "Only this table; may be repeated.",
        "key": "`table=column,…`: what tells rows apart; may be repeated.",
        "rows": "Rows of each kind at the most.",
        "stat": "`true`: counts only.",
    },
}
QUERIES = {f"/cubejs-api/v1/{name}" for name in ("load", "subscribe", "sql", "dry-run", "explain")}


class Failure(BaseModel):
    """What went wrong, in a sentence. Ingot's own addresses add `code` and `hint`."""

    error: str
    code: str | None = None
    hint: str | None = None


class Stage(BaseModel):
    """How far a slow query is."""

    stage: str
    timeElapsed: int  # noqa: N815 - Cube's name


class ContinueWait(BaseModel):
    """The rows are not there yet: ask the same again. `error` is `Continue wait`."""

    error: str
    stage: Stage


class Asked(BaseModel):
    """The body of a POST."""

    query: Query | list[Query]
    queryType: str | None = None  # noqa: N815 - Cube's name
    ref: str | None = None
    format: str | None = None


class Document(BaseModel):
    """The body of a POST to the GraphQL API."""

    query: str
    variables: Json | None = None
    operationName: str | None = None  # noqa: N815 - GraphQL's name
    ref: str | None = None


class Loaded(BaseModel):
    """Rows, what they mean, and what they were computed from."""

    query: Json
    data: list[Json] | Json
    annotation: Json
    lastRefreshTime: str  # noqa: N815 - Cube's names from here on
    dataSource: str  # noqa: N815
    dbType: str  # noqa: N815
    external: bool
    slowQuery: bool  # noqa: N815
    total: int | None
    usedPreAggregations: Json  # noqa: N815
    refreshKeyValues: list[Any]  # noqa: N815
    ref: str
    commit: str


class Several(BaseModel):
    """The answers to several queries."""

    queryType: str  # noqa: N815
    results: list[Loaded]
    pivotQuery: Json  # noqa: N815
    slowQuery: bool  # noqa: N815


_MODELS: tuple[type[BaseModel], ...] = (Asked, Document, Loaded, Several, ContinueWait, Failure)


def document(routes: Sequence[BaseRoute], *, login: Sequence[str]) -> Json:
    """The document of the routes that it describes; `login` are the ways to say who asks: token, password."""
    paths: dict[str, Json] = {}
    for route in described(routes):
        for method in sorted(route.methods or ()):
            if method != "HEAD":
                paths.setdefault(_bare(route.path), {})[method.lower()] = _operation(route, method)
    found: Json = {
        "openapi": "3.1.0",
        "info": {
            "title": "Ingot",
            "version": ingot.__version__,
            "description": "Metrics as Cube's REST API serves them, at any state of the lake.",
        },
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": _schemas()},
    }
    if login:
        known = {
            "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            "password": {"type": "http", "scheme": "basic"},
        }
        found["components"]["securitySchemes"] = {way: known[way] for way in login}
        found["security"] = [{way: []} for way in login]
    return found


def described(routes: Iterable[BaseRoute]) -> Iterator[Route]:
    """The routes that the document is about: Cube's and Ingot's own, not those of other protocols."""
    for route in routes:
        if isinstance(route, Route) and route.path.startswith(DESCRIBED) and not _NESSIE.match(route.path):
            yield route


def _operation(route: Route, method: str) -> Json:
    path = _bare(route.path)
    inside = [_parameter(name, "path", name) for name in re.findall(r"\{(\w+)\}", path)]
    asked = PARAMETERS.get(path, {})
    if method == "POST":
        asked = {}  # they stand in the body
    found: Json = {
        "summary": _summary(route),
        "operationId": f"{method.lower()}{re.sub(r'[^a-zA-Z0-9]+', '_', path)}",
        "tags": ["Cube" if path.startswith("/cubejs-api/") else "Ingot"],
        "parameters": inside + [_parameter(name, "query", said) for name, said in asked.items()],
        "responses": _responses(path),
    }
    if method == "POST" and path in QUERIES:
        found["requestBody"] = {"required": True, "content": _json("Asked")}
    if method == "POST" and path == "/cubejs-api/graphql":
        found["requestBody"] = {"required": True, "content": _json("Document")}
    return found


def _parameter(name: str, where: str, said: str) -> Json:
    return {
        "name": name,
        "in": where,
        "required": where == "path",
        "description": said,
        "schema": {"type": "string"},
    }


def _responses(path: str) -> Json:
    answer: Json = {"application/json": {"schema": {"type": "object"}}}
    if path == "/cubejs-api/v1/load":
        kinds = [{"$ref": f"#/components/schemas/{name}"} for name in ("Loaded", "Several", "ContinueWait")]
        answer = {
            "application/json": {"schema": {"anyOf": kinds}},
            "text/csv": {"schema": {"type": "string"}},
            "application/vnd.apache.parquet": {},
            "application/vnd.apache.arrow.stream": {},
        }
    return {
        "200": {"description": "The answer.", "content": answer},
        "4XX": {"description": "What is wrong with the request.", "content": _json("Failure")},
    }


def _json(name: str) -> Json:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _schemas() -> Json:
    found: Json = {}
    for model in _MODELS:
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        found |= schema.pop("$defs", {})
        found[model.__name__] = schema
    return dict(sorted(found.items()))


def _summary(route: Route) -> str:
    text = (route.endpoint.__doc__ or "").strip().splitlines()
    return text[0].rstrip(".") if text else route.path.rpartition("/")[2]


def _bare(path: str) -> str:
    """The path without Starlette's converters."""
    return re.sub(r"\{(\w+):\w+\}", r"{\1}", path)
