"""What the tests of the endpoints send, and how they look at what comes back."""

from typing import Any

import httpx2

Json = dict[str, Any]
SCHEMA = {"type": "struct", "fields": [{"id": 1, "name": "i", "type": "long", "required": False}]}
VERSION = {
    "version-id": 1,
    "timestamp-ms": 1,
    "schema-id": 0,
    "summary": {},
    "default-namespace": ["s"],
    "representations": [{"type": "sql", "sql": "select 1", "dialect": "trino"}],
}


def body(response: httpx2.Response, status: int = 200) -> Json:
    assert response.status_code == status, response.text
    found: Json = response.json()
    return found


def refused(response: httpx2.Response, status: int, type_: str) -> str:
    """Checks that the answer is an error as the specification wants it; returns its message."""
    error = body(response, status)["error"]
    assert set(error) == {"message", "type", "code"}
    assert (error["code"], error["type"]) == (status, type_)
    message: str = error["message"]
    return message


def setting(**properties: str) -> Json:
    return {"requirements": [], "updates": [{"action": "set-properties", "updates": properties}]}


def snapshot(id_: int, sequence: int, parent: int | None = None) -> list[Json]:
    """The updates of an append whose files nobody reads here."""
    made: Json = {
        "snapshot-id": id_,
        "sequence-number": sequence,
        "timestamp-ms": 1_000 + sequence,
        "manifest-list": f"/lake/snap-{id_}.avro",
        "summary": {"operation": "append"},
    }
    if parent is not None:
        made["parent-snapshot-id"] = parent
    ref = {"action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": id_}
    return [{"action": "add-snapshot", "snapshot": made}, ref]
