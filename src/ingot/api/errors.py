"""Errors as JSON: `{"error", "code", "hint"}` and the status that says the same."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ingot.errors import IngotError

_LOG = logging.getLogger("ingot.api")


def handlers() -> Mapping[Any, Callable[[Request, Exception], Response]]:
    """Exception handlers for the application."""
    return {IngotError: _known, HTTPException: _http, Exception: _unknown}


def _known(_request: Request, error: Exception) -> Response:
    if not isinstance(error, IngotError):
        raise error
    body = {"error": error.message, "code": error.code, "hint": error.hint}
    return JSONResponse(body, status_code=error.status)


def _http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    what = f"There is nothing at {request.url.path}." if error.status_code == 404 else error.detail
    body = {"error": what, "code": "http", "hint": None}
    return JSONResponse(body, status_code=error.status_code, headers=error.headers)


def _unknown(request: Request, error: Exception) -> Response:
    # What went wrong goes to the log; the answer tells an outsider nothing about the inside.
    _LOG.error("%s %s failed", request.method, request.url.path, exc_info=error)
    body = {"error": "This is a mistake in Ingot; the server's log has the details.", "code": "internal"}
    return JSONResponse(body, status_code=500)
