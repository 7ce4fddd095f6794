"""dbt's result of a node as ours. Used in the worker; takes dbt's objects and imports none of dbt."""

from collections.abc import Mapping
from typing import Any, cast

from ingot.transform.messages import clean
from ingot.transform.model import Kind, NodeResult, Status

_STATUS: dict[str, Status] = {
    "success": "ok",
    "pass": "ok",
    "no-op": "ok",
    "warn": "warned",
    "error": "failed",
    "fail": "failed",
    "runtime error": "failed",
    "partial success": "failed",
    "skipped": "skipped",
}
_KINDS = {"operation": "hook"}


def kind_of(node: Any) -> Kind:
    """What a node of dbt's graph is."""
    value = str(getattr(node.resource_type, "value", node.resource_type))
    return cast("Kind", _KINDS.get(value, value))


def is_ephemeral(node: Any) -> bool:
    """Whether a node is only ever a part of other nodes' SQL."""
    return str(getattr(getattr(node, "config", None), "materialized", "")) == "ephemeral"


def node_result(
    node: Any,
    nodes: Mapping[str, Any],
    *,
    status: str,
    message: str | None,
    failures: int | None,
    seconds: float,
    response: Mapping[str, Any],
) -> NodeResult:
    """How a node ended.

    Args:
        node: dbt's compiled node.
        nodes: all nodes by unique id, to find what a test is about.
        status: dbt's status.
        message: dbt's message.
        failures: rows that a test found.
        seconds: execution time.
        response: what our adapter said of the write.
    """
    kind = kind_of(node)
    ours = _STATUS.get(status, "failed")
    is_test = kind in ("test", "unit_test")
    found = failures if is_test and ours in ("failed", "warned") and status in ("fail", "warn") else None
    return NodeResult(
        unique_id=node.unique_id,
        name=node.name,
        kind=kind,
        status=ours,
        seconds=round(seconds, 6),
        rows=_whole(response.get("rows_affected")) if not is_test else None,
        bytes=_whole(response.get("bytes")),
        error=_error(kind, ours, message, found),
        relation=_relation(node, kind, nodes),
        failing_rows=found,
        failing_rows_sql=_failing_rows_sql(node) if found and kind == "test" else None,
        file=getattr(node, "original_file_path", None),
    )


def _error(kind: Kind, status: Status, message: str | None, found: int | None) -> str | None:
    if status == "ok":
        return None
    text = clean(message)
    if kind == "test" and found is not None:
        rows = "1 row" if found == 1 else f"{found} rows"
        return f"{rows} {'fails' if found == 1 else 'fail'} this test."
    return text


def _relation(node: Any, kind: Kind, nodes: Mapping[str, Any]) -> str | None:
    if kind in ("test", "unit_test"):
        about = getattr(node, "attached_node", None) or getattr(node, "tested_node_unique_id", None)
        if about is None:
            reads = node.depends_on.nodes
            about = reads[0] if len(reads) == 1 else None
        node = nodes.get(about) if about else None
        if node is None:
            return None
    if kind == "hook" or is_ephemeral(node):
        return None
    name = getattr(node, "alias", None) or getattr(node, "identifier", None) or node.name
    return f"{node.schema}.{name}"


def _failing_rows_sql(node: Any) -> str | None:
    sql = (getattr(node, "compiled_code", None) or "").strip().rstrip(";").strip()
    return sql or None


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)
