"""Small documents that the tests start from."""

from typing import Any

Json = dict[str, Any]

UUID = "b55d9dda-6561-423a-8bfc-787980ce421f"
OTHER_UUID = "00000000-0000-4000-8000-000000000001"


def column(id_: int, name: str, type_: Any = "long", *, required: bool = False, **more: Any) -> Json:
    return {"id": id_, "name": name, "type": type_, "required": required, **more}


def schema(*columns: Json, **more: Any) -> Json:
    return {"type": "struct", "fields": list(columns), **more}


ORDERS = schema(column(1, "id"), column(2, "day", "date"), column(3, "region", "string"))


def snapshot(id_: int, sequence: int, parent: int | None = None, **more: Any) -> Json:
    made: Json = {
        "snapshot-id": id_,
        "sequence-number": sequence,
        "timestamp-ms": 1_000_000 + sequence,
        "manifest-list": f"/lake/orders/metadata/snap-{id_}.avro",
        "summary": {"operation": "append"},
        **more,
    }
    if parent is not None:
        made["parent-snapshot-id"] = parent
    return made


def append(id_: int, sequence: int, parent: int | None = None, **more: Any) -> list[Json]:
    """The updates of a writer that appends a snapshot to `main`."""
    return [
        {"action": "add-snapshot", "snapshot": snapshot(id_, sequence, parent, **more)},
        {"action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": id_},
    ]


def at(snapshot_id: int | None, ref: str = "main") -> Json:
    return {"type": "assert-ref-snapshot-id", "ref": ref, "snapshot-id": snapshot_id}
