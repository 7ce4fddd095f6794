"""`POST /api/v1/sql`: one SELECT over the lake's tables at a ref, as JSON, Parquet or an Arrow stream.

For whoever may read the lake itself; metrics are asked through Cube's API, which knows policies.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import orjson
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from ingot.api.downloads import TYPES
from ingot.api.requests import Call, call
from ingot.errors import UsageError

if TYPE_CHECKING:
    from ingot.engines import Format
    from ingot.engines.duckdb import DuckDBEngine
    from ingot.lake import Lake

_TYPES = {name: TYPES[name] for name in ("arrow", "parquet")}
MOST = 50_000
"""Rows of an answer in JSON; a stream has no limit."""


def routes(lake: "Lake", engine: "DuckDBEngine", folder: Path, *, timeout: float | None) -> list[Route]:
    """The route; files on their way out lie in `folder`, which the engine may write to."""

    async def answer(request: Request) -> Response:
        """The result of one SELECT over the lake's tables and views."""
        asked = await call(request)
        if asked.format in _TYPES:
            return await run_in_threadpool(streamed, asked)
        return await run_in_threadpool(listed, asked)

    def streamed(asked: Call) -> Response:
        at = lake.at(asked.ref or "main")
        path = folder / f"{uuid4().hex}.{asked.format}"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            engine.export(
                _text(asked), at=at, path=path, format=cast("Format", asked.format), timeout=timeout
            )
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return FileResponse(
            path,
            media_type=_TYPES[asked.format],
            headers={"ingot-commit": at.hash, "content-encoding": "identity"},
            background=BackgroundTask(path.unlink, missing_ok=True),
        )

    def listed(asked: Call) -> Response:
        if asked.format != "json":
            raise UsageError("SQL is answered as json, parquet or arrow.")
        at = lake.at(asked.ref or "main")
        result = engine.query(_text(asked), at=at, timeout=timeout, most=MOST + 1)
        if len(result.rows) > MOST:
            raise UsageError(f"The answer has more than {MOST:,} rows.", hint='Ask with "format": "parquet".')
        body: dict[str, Any] = {
            "commit": at.hash,
            "columns": [{"name": one.name, "type": one.type} for one in result.columns],
            "rows": result.rows,
        }
        return Response(_packed(body), media_type="application/json")

    return [Route("/api/v1/sql", answer, methods=["POST"])]


def _packed(body: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(body, default=str)
    except TypeError:  # keys of maps that are no texts, and integers of more than 64 bits
        return orjson.dumps(_plain(body), default=str)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, int) and not -(2**63) <= value < 2**63 else value


def _text(asked: Call) -> str:
    text = asked.given.get("sql")
    if not isinstance(text, str) or not text.strip():
        raise UsageError('"sql" is missing: {"sql": "select count(*) from gold.fact_orders"}.')
    return text
