"""What the tables of a state are made of, for lists and for a closer look at one."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ingot.errors import NotFoundError
from ingot.lake import Commit, Lake, State, View
from ingot.lake.names import key
from ingot.lake.scan import live_files
from ingot.quality.structure import partitioning, sort_order

_DATA = 0


def listed(lake: Lake, ref: str) -> list[dict[str, Any]]:
    """Every table and view at `ref`: kind, rows, bytes, files, and the commit that last changed it."""
    state = lake.at(ref)
    last = _last_commits(lake, state)
    found: list[dict[str, Any]] = []
    for name in state.tables:
        table = state.table(name)
        found.append(
            {
                "name": name,
                "kind": "table",
                "rows": table.rows,
                "bytes": table.bytes,
                "files": len(table.files),
                "commit": _commit(last.get(name)),
            }
        )
    found += [
        {
            "name": name,
            "kind": "view",
            "rows": None,
            "bytes": None,
            "files": None,
            "commit": _commit(last.get(name)),
        }
        for name in state.views
    ]
    return sorted(found, key=lambda one: str(one["name"]))


def describe(lake: Lake, name: str, ref: str) -> dict[str, Any]:
    """One table or view at `ref`; `NotFoundError` with the nearest name."""
    state = lake.at(ref)
    if name in state.views:
        return _view(state.view(name)) | {"commit": _commit(_last_commits(lake, state, name).get(name))}
    if name not in state.tables:
        raise NotFoundError("table or view", name, (*state.tables, *state.views), hint="ingot tables")
    table = state.table(name)
    document = table.metadata
    files = live_files(document)
    data = [one.bytes for one in files if one.content == _DATA]
    return {
        "name": name,
        "kind": "table",
        "comment": table.comment,
        "rows": table.rows,
        "bytes": table.bytes,
        "columns": [
            {"name": one.name, "type": one.type, "id": one.id, "comment": one.comment} for one in table.schema
        ],
        "partitioning": partitioning(document),
        "sort_order": sort_order(document),
        "properties": dict(sorted(table.properties.items())),
        "format_version": document["format-version"],
        "location": table.location,
        "files": {
            "data": len(data),
            "deletes": len(files) - len(data),
            "smallest": min(data, default=None),
            "largest": max(data, default=None),
        },
        "snapshots": [
            {
                "id": one["snapshot-id"],
                "time": datetime.fromtimestamp(one["timestamp-ms"] / 1000, UTC).isoformat(
                    timespec="milliseconds"
                ),
                "operation": one.get("summary", {}).get("operation"),
                "rows": _whole(one.get("summary", {}).get("total-records")),
                "current": one["snapshot-id"] == table.snapshot_id,
            }
            for one in document["snapshots"]
        ],
        "commit": _commit(_last_commits(lake, state, name).get(name)),
    }


def _view(view: View) -> dict[str, Any]:
    return {
        "name": view.name,
        "kind": "view",
        "comment": view.properties.get("comment"),
        "columns": [
            {"name": one.name, "type": one.type, "id": one.id, "comment": one.comment} for one in view.schema
        ],
        "sql": view.sql,
        "properties": dict(sorted(view.properties.items())),
    }


def _last_commits(lake: Lake, state: State, *only: str) -> Mapping[str, Commit]:
    """The newest commit that touched each table or view, found by walking back until all are known."""
    missing = {key(name): name for name in only or (*state.tables, *state.views)}
    found: dict[str, Commit] = {}
    for commit in lake.catalog.log(state.hash):
        for operation in commit.operations:
            if (name := missing.pop(operation.key, None)) is not None:
                found[name] = commit
        if not missing:
            break
    return found


def _commit(commit: Commit | None) -> dict[str, str] | None:
    if commit is None:
        return None
    return {
        "hash": commit.hash,
        "time": commit.time.isoformat(timespec="milliseconds"),
        "author": commit.author,
        "message": commit.message,
    }


def _whole(text: str | None) -> int | None:
    return None if text is None else int(text)
