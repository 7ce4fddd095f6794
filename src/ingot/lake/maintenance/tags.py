"""Tags that machines set, such as one a run: the old ones are dropped, so that what they alone hold can go."""

from datetime import datetime

from ingot.errors import NotFoundError
from ingot.lake.errors import CommitConflictError
from ingot.lake.lake import Lake
from ingot.lake.model import ROOT_HASH, Ref, RefKind


def old(lake: Lake, beginnings: tuple[str, ...], *, cutoff: datetime, keep: int) -> list[Ref]:
    """Tags so named whose commit is older than `cutoff`, except those of the newest `keep` commits."""
    named = [
        (lake.catalog.commit_of(ref.hash).time, ref)
        for ref in lake.catalog.refs()
        if ref.kind is RefKind.TAG and ref.name.startswith(beginnings) and ref.hash != ROOT_HASH
    ]
    named.sort(key=lambda one: (one[0], one[1].name), reverse=True)
    return [ref for time, ref in named[keep:] if time < cutoff]


def drop(lake: Lake, ref: Ref) -> bool:
    """Deletes the tag where it is still what it was; whether it did."""
    try:
        lake.delete_ref(ref.name, expected=ref.hash)
    except (NotFoundError, CommitConflictError):
        return False
    return True
