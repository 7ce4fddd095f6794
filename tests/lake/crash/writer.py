"""A process that changes a few shared keys again and again, and notes what it saw, wanted and was told.

`python -m tests.lake.crash.writer URL NAME COUNT`: one line before each attempt and one after it, as JSON.
Every third attempt is made on a branch of its own, and merged.
"""

import json
import random
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from uuid import uuid4

from ingot.lake import (
    CommitConflictError,
    Content,
    ContentType,
    Delete,
    Key,
    Operation,
    Put,
    RefKind,
    SqlCatalog,
    Unchanged,
)

from .history import Attempt, Ending

KEYS = [("s", name) for name in "abcdef"]


def values(entries: Mapping[Key, Content]) -> dict[str, str]:
    """What the shared keys hold, by the last part of their names."""
    return {key[-1]: one.metadata_location for key, one in entries.items() if key in KEYS}


def change(
    entries: Mapping[Key, Content], writes: Mapping[str, str | None], reads: Sequence[str]
) -> list[Operation]:
    """The writes as operations on what was seen, and the assertions."""
    operations: list[Operation] = []
    for name, value in writes.items():
        before = entries.get(("s", name))
        if value is None:
            operations.append(Delete(("s", name), before))
        else:
            id = before.id if before else str(uuid4())
            operations.append(Put(("s", name), Content(ContentType.TABLE, id, value, 1), before))
    return [*operations, *(Unchanged(("s", name)) for name in reads)]


def attempt(catalog: SqlCatalog, id: str, *, merged: bool) -> None:
    """One transaction, noted before and after."""
    begun = time.monotonic()
    seen = catalog.ref("main").hash
    entries = catalog.entries(seen)
    found = values(entries)
    wanted = random.sample([key[-1] for key in KEYS], random.randint(2, 4))
    size = random.randint(1, 2)
    writes = {
        name: None if name in found and random.random() < 0.2 else f"/{id}/{name}" for name in wanted[:size]
    }
    reads = wanted[size:]
    note(asdict(Attempt(id, begun, seen, found, writes, reads, merged)))
    time.sleep(random.uniform(0, 0.01))  # others come between
    try:
        if merged:
            catalog.create_ref(RefKind.BRANCH, id, seen)
            for name, value in writes.items():
                catalog.commit(id, change(entries, {name: value}, []), message="on a branch")
            required = [("s", name) for name in reads]
            result = catalog.merge(id, "main", message=id, require=required)
            if not result.applied:
                # All that it wanted gone was gone already.
                return
            made = result.hash
            catalog.delete_ref(id)
        else:
            made = catalog.commit("main", change(entries, writes, reads), message=id, expected=seen).hash
        ending = Ending(time.monotonic(), made)
    except CommitConflictError as error:
        head = catalog.ref("main").hash
        blamed = [one.key[-1] for one in error.conflicts]
        ending = Ending(time.monotonic(), "", blamed, head)
    note({"of": id, **asdict(ending)})


def note(line: Mapping[str, object]) -> None:
    """Says it at once: a process that is killed has said what it did."""
    print(json.dumps(line), flush=True)  # noqa: T201


if __name__ == "__main__":
    opened = SqlCatalog(sys.argv[1])
    for turn in range(int(sys.argv[3])):
        attempt(opened, f"{sys.argv[2]}-{turn}", merged=turn % 3 == 2)
    opened.close()
