"""A session against a server: Cube's API for metrics, Ingot's own for SQL, Nessie's for branches.

Answers come as Parquet, which every server can write: for Arrow it would need pyarrow, too.
"""

import base64
import json
import time
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

from ingot.errors import IngotError, UsageError
from ingot.session.answer import Answer
from ingot.session.stream import read_parquet


class Remote:
    """Answers of the server at `url`; a token, or a user's name and password, is sent as it asks for one."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        login: tuple[str, str] | None = None,
        timeout: float = 600,
    ) -> None:
        self._url = url.rstrip("/")
        self._authorization = f"Bearer {token}" if token is not None else None
        if login is not None:
            self._authorization = f"Basic {base64.b64encode(':'.join(login).encode()).decode()}"
        self._timeout = timeout

    def load(self, query: Mapping[str, Any], ref: str) -> Answer:
        body = {"query": query, "ref": ref, "format": "parquet"}
        return self._answer("/cubejs-api/v1/load", body, ref)

    def sql(self, text: str, ref: str) -> Answer:
        return self._answer("/api/v1/sql", {"sql": text, "ref": ref, "format": "parquet"}, ref)

    def meta(self, ref: str) -> list[dict[str, Any]]:
        cubes: list[dict[str, Any]] = self._json("GET", f"/cubejs-api/v1/meta?{urlencode({'ref': ref})}")[
            "cubes"
        ]
        return cubes

    def tables(self, ref: str) -> list[str]:
        found = self._json("GET", f"/api/v1/tables?{urlencode({'ref': ref})}")
        return sorted([*(one["name"] for one in found["tables"]), *found["views"]])

    def refs(self) -> dict[str, str]:
        return {one["name"]: one["hash"] for one in self._json("GET", "/api/v1/refs")["refs"]}

    def branch(self, name: str, start: str) -> None:
        found = self._json("GET", f"/api/v2/trees/{quote(start, safe='')}")["reference"]
        self._json("POST", f"/api/v2/trees?{urlencode({'name': name, 'type': 'BRANCH'})}", found)

    def close(self) -> None:
        """Nothing is held."""

    def _answer(self, path: str, body: Mapping[str, Any], ref: str) -> Answer:
        while True:
            data, headers = self._sent("POST", path, body)
            if "parquet" in headers.get("content-type", ""):
                return Answer(read_parquet(data), ref=ref, commit=headers.get("ingot-commit", ""))
            # Only `Continue wait` answers a question for a file with JSON and success.
            time.sleep(0.1)

    def _json(self, method: str, path: str, body: Any = None) -> Any:
        return json.loads(self._sent(method, path, body)[0])

    def _sent(self, method: str, path: str, body: Any) -> tuple[bytes, Mapping[str, str]]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"} if data is not None else {}
        if self._authorization is not None:
            headers["authorization"] = self._authorization
        request = Request(f"{self._url}{path}", data, headers, method=method)  # noqa: S310 - `open_session` lets http(s) pass only
        try:
            with urlopen(request, timeout=self._timeout) as answer:  # noqa: S310
                return answer.read(), {key.lower(): value for key, value in answer.headers.items()}
        except HTTPError as error:
            with error:
                raise UsageError(_said(error.read(), error.code)) from None
        except (URLError, HTTPException, OSError) as error:
            reason = getattr(error, "reason", error)
            raise IngotError(
                f"No answer from {self._url}: {reason}.", hint="Is it running? ingot serve starts it."
            ) from None


def _said(body: bytes, status: int) -> str:
    """What the server says went wrong, in any of its shapes."""
    try:
        found = json.loads(body)
    except ValueError:
        return f"The server answered {status}."
    if not isinstance(found, dict):
        return f"The server answered {status}."
    said = found.get("error") or found.get("message") or f"The server answered {status}."
    if isinstance(said, dict):
        said = said.get("message", f"The server answered {status}.")
    return f"{said} {found['hint']}" if found.get("hint") else str(said)
