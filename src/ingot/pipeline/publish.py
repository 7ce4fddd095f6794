"""What a run does to refs: the merge into `main`, its tag, and the branches that runs leave behind."""

from ingot.errors import NotFoundError
from ingot.lake import Lake, RefKind, State
from ingot.lake.model import Commit
from ingot.pipeline.model import RunResult, RunStatus, branch_of
from ingot.pipeline.store import RunStore

KEPT_BRANCHES = 5
"""How many unmerged runs keep their branch for inspection."""

_RUN = "ingot.run"
_TRANSFORM = "ingot.transform"
_STATE = "ingot.state"

_SEARCHED = 200
"""How many commits of `main` are searched for the newest run's."""


def merge(lake: Lake, run_id: str, branch: str, fingerprint: str, inputs: tuple[str, ...]) -> str:
    """Merges a run's branch into `main` in one commit and turns the branch into a tag.

    Returns the hash of `main`'s head. Raises `ConflictError` where a table that the run read or wrote has
    moved on `main` since the run began.
    """
    built = lake.at(branch)
    result = lake.merge(
        branch,
        into="main",
        message=f"run {run_id}",
        require=inputs,
        properties={_RUN: run_id, _TRANSFORM: fingerprint, _STATE: _fingerprint(built)},
    )
    _tag(lake, branch, result.hash)
    return result.hash


def is_current(lake: Lake, state: State, fingerprint: str) -> bool:
    """Whether `state` is what the newest run published, from the same transformations.

    Compares contents, not commits: a merge of something else moves `main` and makes this False; so does a
    change that a client wrote to any table.
    """
    for commit in lake.catalog.log(state.hash, limit=_SEARCHED):
        if _RUN in commit.properties:
            same_files = commit.properties.get(_TRANSFORM) == fingerprint
            return same_files and commit.properties.get(_STATE) == _fingerprint(state)
    return False


def settle_interrupted(lake: Lake, store: RunStore) -> None:
    """Puts right what killed processes left: records that say `running`, a merge without its tag."""
    interrupted = store.mark_interrupted()
    if not interrupted:
        return
    published: dict[str, Commit] = {
        commit.properties[_RUN]: commit
        for commit in lake.catalog.log(lake.catalog.ref("main").hash, limit=_SEARCHED)
        if _RUN in commit.properties
    }
    for run_id in interrupted:
        if run_id in published:
            _tag(lake, branch_of(run_id), published[run_id].hash)
            store.finish(RunResult(run_id, RunStatus.MERGED, branch_of(run_id), published[run_id].hash))


def prune_branches(lake: Lake) -> None:
    """Drops the branches of all but the newest unmerged runs."""
    unmerged = sorted(
        (
            ref.name
            for ref in lake.catalog.refs()
            if ref.kind is RefKind.BRANCH and ref.name.startswith("run/")
        ),
        reverse=True,
    )
    for name in unmerged[KEPT_BRANCHES:]:
        lake.delete_ref(name)


def _fingerprint(state: State) -> str:
    return state.fingerprint([*state.tables, *state.views])


def _tag(lake: Lake, branch: str, commit: str) -> None:
    try:
        if lake.catalog.ref(branch).kind is RefKind.TAG:
            return
        lake.delete_ref(branch)
    except NotFoundError:
        pass  # killed between the two: the branch is gone, the tag not yet there
    lake.tag(branch, at=commit)
