"""The endpoint of the commit log."""

from ingot.lake.model import Commit
from ingot.lake.nessie import filters, pages
from ingot.lake.nessie.answer import Answer
from ingot.lake.nessie.call import Call
from ingot.lake.nessie.meta import entry_json
from ingot.lake.nessie.refs import At, find, find_path, spec_of

_PAGE = 250
"""Commits of a page where the client does not say, and at the most."""


def log(call: Call) -> Answer:
    """Commits from a reference back, newest first, in pages.

    `limit-hash` (v1: `startHash`) names the last commit that is shown.
    """
    at, first = _begin(call)
    limit = call.parameter("limit-hash", "startHash")
    last = None if limit is None else find(call.lake, spec_of(at.ref.name if at.ref else None, limit)).hash
    passes, all_ = filters.commits(call), call.fetch_all
    most = min(pages.size(call) or _PAGE, _PAGE)
    found: list[Commit] = []
    next_: str | None = None
    for commit in call.lake.catalog.log(first):
        if len(found) == most:
            next_ = commit.hash
            break
        if passes(commit):
            found.append(commit)
        if commit.hash == last:
            break
    return Answer(
        {
            "hasMore": next_ is not None,
            "token": next_,
            "logEntries": [entry_json(one, version=call.version, operations=all_) for one in found],
        }
    )


def _begin(call: Call) -> tuple[At, str]:
    """The reference, and the commit at which this page begins."""
    token = call.parameter("page-token", "pageToken")
    if call.version == 2:
        at = find_path(call.lake, call.path["ref"])
    else:
        at = find(
            call.lake, spec_of(call.path["ref"], call.parameter("endHash") or call.parameter("hashOnRef"))
        )
    return at, at.hash if token is None else find(call.lake, spec_of(None, token)).hash
