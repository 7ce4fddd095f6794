"""The steps on files: marked once for all of them, then each removes what nobody needs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from ingot.lake.lake import Lake
from ingot.lake.maintenance import collect, history, orphans, storage, sweep
from ingot.lake.maintenance.history import Retained
from ingot.lake.maintenance.live import Live
from ingot.lake.maintenance.model import Policy, Removed, Step
from ingot.lake.maintenance.storage import Found, Look
from ingot.lake.maintenance.tables import Tables

STEPS = (Step.GC, Step.ORPHANS)


@dataclass(frozen=True, slots=True)
class Clean:
    """The warehouse with everything marked that must stay."""

    lake: Lake
    policy: Policy
    now: datetime
    retained: Retained
    live: Live
    look: Look
    folders: dict[str, str]
    """The folders of all tables and views that any commit ever had, and their names."""

    @classmethod
    def mark(cls, tables: Tables, now: datetime) -> "Clean":
        """Reads what every ref and every commit within the window needs."""
        catalog = tables.lake.catalog
        retained = history.retained(catalog, tables.cutoff, tables.policy.keep)
        live = Live(tables.cutoff, tables.forgotten)
        for hash in retained.heads:
            live.add(history.contents(catalog, hash), heads=True)
        for contents in retained.fresh.values():
            live.add(contents, heads=False)
        look = storage.looker(tables.lake.warehouse)
        folders = {storage.table_folder(at): name for at, (_, name) in retained.known.items()}
        return cls(tables.lake, tables.policy, now, retained, live, look, folders)

    def find(self, step: Step, *, only: Collection[str] | None, but: Collection[str]) -> list[Found]:
        """What the step would remove; `only` of these tables, and not what is named in `but`."""
        if step is Step.GC:
            found = collect.candidates(self.look, self.retained.known, self.live)
        elif self.live.warnings:
            # Whoever cannot read a table cannot say which files nobody names.
            return []
        else:
            found = orphans.candidates(self.lake, self.live, self.folders, self.policy.orphan_age)
        return [
            one for one in found if one.path not in but and (only is None or self.name_of(one.path) in only)
        ]

    def remove(self, found: Sequence[Found]) -> list[Found]:
        """Removes the files, except what became live since the marking; gives back which."""
        return sweep.sweep(self.look, self.lake.catalog, self.live, self.retained.mark, found)

    def remove_empty_folders(self) -> None:
        """Removes the folders of tables that have been empty for as long as an orphan must be old."""
        limit = self.now - self.policy.orphan_age
        storage.remove_empty_folders(self.lake.warehouse, self.folders, limit.timestamp())

    def counted(self, step: Step, found: Sequence[Found]) -> list[Removed]:
        """The files, counted per table."""
        return sweep.by_table(step, found, self.name_of)

    def name_of(self, path: str) -> str:
        """The table whose folder a file lies in; empty where no commit knows one."""
        at = path
        while "/" in at:
            at = at.rpartition("/")[0]
            if at in self.folders:
                return self.folders[at]
        return ""
