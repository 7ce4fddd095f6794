"""Which method on which path is answered by which function."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from ingot.lake.nessie import commits, entries, history, merges, trees
from ingot.lake.nessie.answer import Answer
from ingot.lake.nessie.call import Call

Endpoint = Callable[[Call], Answer]

# A name with slashes need not encode them where an `@` says where it ends: `my/branch@/history`.
_REF = r"[^/]+|[^@/]+(?:/[^@/]*)*(?:@|%40)[^@/]*"
_PARTS = {
    "ref": _REF,
    "from": _REF,
    "to": _REF,
    "refs": "[^/]+",
    "key": "[^/]+",
    "name": "[^/]+",
    "kind": "branch|tag",
}


@dataclass(frozen=True)
class Path:
    """A path of one version of the API, and what its methods do."""

    version: int
    path: str
    methods: Mapping[str, Endpoint]

    @property
    def whole(self) -> str:
        """The path as clients write it, with `{names}`."""
        return f"/api/v{self.version}{self.path}"

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches the path as it is sent."""
        return _pattern(self.whole)


def _pattern(path: str) -> re.Pattern[str]:
    pieces = re.split(r"{(\w+)}", path)
    text = "".join(
        f"(?P<{piece}>{_PARTS[piece]})" if at % 2 else re.escape(piece) for at, piece in enumerate(pieces)
    )
    return re.compile(text)


PATHS = (
    Path(2, "/config", {"GET": trees.config}),
    Path(2, "/trees", {"GET": trees.list_all, "POST": trees.create}),
    Path(2, "/trees/{ref}/entries", {"GET": entries.list_all}),
    Path(2, "/trees/{ref}/history", {"GET": history.log}),
    Path(2, "/trees/{ref}/recent-changes", {"GET": trees.recent_changes}),
    Path(2, "/trees/{from}/diff/{to}", {"GET": entries.diff}),
    Path(2, "/trees/{ref}/contents", {"GET": entries.get_many, "POST": entries.post_many}),
    Path(2, "/trees/{ref}/contents/{key}", {"GET": entries.get}),
    Path(2, "/trees/{ref}/history/commit", {"POST": commits.commit}),
    Path(2, "/trees/{ref}/history/merge", {"POST": merges.merge}),
    Path(2, "/trees/{ref}/history/transplant", {"POST": merges.transplant}),
    Path(2, "/trees/{ref}", {"GET": trees.get, "PUT": trees.assign, "DELETE": trees.delete}),
    Path(1, "/config", {"GET": trees.config}),
    Path(1, "/trees", {"GET": trees.list_all}),
    Path(1, "/trees/tree", {"GET": trees.default, "POST": trees.create_v1}),
    Path(1, "/trees/tree/{ref}", {"GET": trees.get}),
    Path(1, "/trees/tree/{ref}/log", {"GET": history.log}),
    Path(1, "/trees/tree/{ref}/entries", {"GET": entries.list_all}),
    Path(1, "/trees/{kind}/{name}", {"PUT": trees.assign, "DELETE": trees.delete}),
    Path(1, "/trees/branch/{name}/commit", {"POST": commits.commit}),
    Path(1, "/trees/branch/{name}/merge", {"POST": merges.merge}),
    Path(1, "/trees/branch/{name}/transplant", {"POST": merges.transplant}),
    Path(1, "/contents", {"POST": entries.post_many}),
    Path(1, "/contents/{key}", {"GET": entries.get}),
    Path(1, "/diffs/{refs}", {"GET": entries.diff_v1}),
)
