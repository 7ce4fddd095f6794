"""What an answer may be, whatever was asked."""

from typing import Any

from tests.api.hostile.store import SECRET

CANARY = "content-of-the-canary-5521"
"""Stands in a file that nobody may read."""


def judged(answer: Any, path: str, about: str, root: str) -> None:
    """Fails for an answer that tells too much, or is neither an answer nor an error in the endpoint's shape."""
    assert answer.status_code < 500, (about, answer.status_code, answer.text[:500])
    text = answer.text
    for told in ("Traceback", 'File "', "site-packages", CANARY, SECRET, root):
        assert told not in text, (about, told, text[:500])
    if not answer.headers["content-type"].startswith("application/json"):
        assert answer.status_code == 200, (about, text[:500])
        return
    body = answer.json()
    if answer.status_code >= 400:
        assert len(text) < 6_000, (about, len(text))
    if path == "/cubejs-api/graphql" and answer.status_code != 403:  # the door speaks as Cube's
        assert set(body) <= {"data", "errors", "extensions"}, (about, text[:300])
        assert answer.status_code == 200 or body["errors"], (about, text[:300])
        assert all(one["message"] for one in body.get("errors", ())), (about, text[:300])
    elif answer.status_code >= 400:
        expected = {"error"} if path.startswith("/cubejs-api") else {"error", "code", "hint"}
        assert set(body) == expected, (about, text[:300])
        assert isinstance(body["error"], str), about
        assert body["error"], about
