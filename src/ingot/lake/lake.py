"""`Lake`: the catalog and the warehouse as one thing that the other rooms work with."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

from ingot.errors import NotFoundError
from ingot.lake import files, merging, names, place, tables, views
from ingot.lake.catalog import SqlCatalog
from ingot.lake.errors import CommitConflictError, InvalidNameError
from ingot.lake.model import (
    Commit,
    Content,
    ContentType,
    Difference,
    Key,
    KeyMerge,
    MergeMode,
    MergeResult,
    Operation,
    Put,
    Ref,
    RefKind,
    Unchanged,
)
from ingot.lake.ports import Catalog
from ingot.lake.shape import Mode
from ingot.lake.staged import Staged
from ingot.lake.state import State

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ingot.lake.datafiles import Arrow


class _Settings(Protocol):
    """What a project says of its lake."""

    @property
    def protected(self) -> Sequence[str]: ...


class _Project(Protocol):
    """What the lake needs to know of a project."""

    @property
    def catalog_url(self) -> str: ...
    @property
    def warehouse(self) -> str | Path: ...
    @property
    def lake(self) -> _Settings: ...


class Lake:
    """Refs, states, and writing; see `docs/explanation/lake.md`.

    Attributes:
        catalog: the port behind it, for everything about refs and commits that is not passed on here.
        warehouse: the location below which tables are stored.
    """

    def __init__(self, catalog_url: str, warehouse: str | Path, *, protected: Sequence[str] = ()) -> None:
        self.warehouse = files.root(warehouse)
        self._sql = SqlCatalog(catalog_url, protected=protected)
        try:
            place.check(self._sql, self.warehouse)
        except BaseException:
            self._sql.close()
            raise
        self.catalog: Catalog = self._sql

    @classmethod
    def open(cls, project: _Project) -> "Lake":
        """The lake of a project, made where there is none yet; `MovedError` where its tables lie elsewhere."""
        return cls(project.catalog_url, project.warehouse, protected=project.lake.protected)

    def close(self) -> None:
        """Closes the catalog's connections."""
        self._sql.close()

    def __enter__(self) -> "Lake":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def at(self, spec: str = "main") -> State:
        """The state that a ref, tag, commit or `main@<date>` means; `NotFoundError` with the nearest name."""
        hash = self.catalog.resolve(spec)
        return State(hash, self.catalog.entries(hash))

    def _state(self, on: State | str) -> State:
        return self.at(on) if isinstance(on, str) else on

    def stage(
        self,
        con: "DuckDBPyConnection",
        name: str,
        source: "str | Arrow",
        *,
        on: State | str,
        mode: Mode = "overwrite",
        by: Sequence[str] = (),
        partition_by: Sequence[str] = (),
        sort_by: Sequence[str] = (),
        properties: Mapping[str, str] | None = None,
        comment: str | None = None,
    ) -> Staged:
        """Writes `source` into the table `name` as it stands in `on`, and moves no ref.

        `source` is a query, which runs on `con`, or a table or stream of Arrow batches. `overwrite` replaces
        all rows, columns and the partitioning, and keeps the table's identity and history. The others match
        columns by name, add new ones and may widen types: `append` adds rows, `overwrite_partitions`
        replaces the partitions in which there are new rows, and `upsert` replaces the rows that have the
        same values in the columns `by`. A table that is not there is created by each. What comes back is
        given to `commit`. Raises `SchemaError`, `InvalidNameError` and `WriteError`; then no file is left.
        """
        key, before = self._place(name, self._state(on))
        extra = {**(properties or {}), **({} if comment is None else {"comment": comment})}
        same = before if before is not None and before.type is ContentType.TABLE else None
        staged = tables.stage(
            con,
            key,
            source,
            before=same,
            location=lambda: self._location(key),
            mode=mode,
            by=by,
            partition_by=partition_by,
            sort_by=sort_by,
            properties=extra,
        )
        return staged if same is before or before is None else replace(staged, before=before)

    def stage_view(
        self,
        name: str,
        sql: str,
        *,
        on: State | str,
        columns: Sequence[tuple[str, str]],
        properties: Mapping[str, str] | None = None,
        comment: str | None = None,
    ) -> Staged:
        """A view over the SELECT `sql`; `columns` are its names and DuckDB types. Raises `SchemaError`."""
        state = self._state(on)
        key, before = self._place(name, state)
        same = before if before is not None and before.type is ContentType.VIEW else None
        extra = {**(properties or {}), **({} if comment is None else {"comment": comment})}
        staged = views.stage(
            key,
            sql,
            columns,
            before=same,
            location=self._location(key),
            properties=extra,
            known=state.entries,
        )
        return staged if same is before or before is None else replace(staged, before=before)

    def stage_drop(self, name: str, *, on: State | str) -> Staged:
        """The deletion of a table or view; `NotFoundError` where it is not there. Its files stay."""
        state = self._state(on)
        return Staged(names.key(name), None, self._existing(name, state))

    def stage_properties(self, name: str, properties: Mapping[str, str | None], *, on: State | str) -> Staged:
        """Sets properties of a table, or removes those that are None."""
        state = self._state(on)
        return tables.stage_properties(names.key(name), properties, before=state.table(name).content)

    def discard(self, staged: Sequence[Staged]) -> None:
        """Removes the files of changes that will not be committed."""
        for one in staged:
            files.remove(one.files)

    def commit(
        self,
        branch: str,
        staged: Sequence[Staged],
        *,
        message: str,
        author: str = "ingot",
        properties: Mapping[str, str] | None = None,
        require: Sequence[str] = (),
        expected: str | None = None,
        force: bool = False,
    ) -> Commit:
        """Puts all of `staged` on `branch` in one commit, with the namespaces that they need.

        `require` names tables that must be what they were at commit `expected`. Raises
        `CommitConflictError` where another commit changed one of the tables meanwhile, `ProtectedRefError`
        where the branch moves only by merges, unless `force`.
        """
        changes: list[Operation] = [one.operation for one in staged]
        changes += [Unchanged(names.key(name)) for name in require]
        while True:
            entries = self.catalog.entries(self.catalog.ref(branch).hash)
            parents = {one.key[:size] for one in staged if one.content for size in range(1, len(one.key))}
            created = [
                Put(key, Content(ContentType.NAMESPACE, str(uuid4())))
                for key in sorted(parents)
                if key not in entries
            ]
            try:
                return self.catalog.commit(
                    branch,
                    [*created, *changes],
                    message=message,
                    author=author,
                    expected=expected,
                    properties=properties,
                    force=force,
                )
            except CommitConflictError as error:
                # Somebody else made the same namespace first: it is there, which is all that was wanted.
                if not {conflict.key for conflict in error.conflicts} <= {one.key for one in created}:
                    raise

    def branch(self, name: str, at: str = "main") -> Ref:
        """A new branch at what `at` means."""
        return self.catalog.create_ref(RefKind.BRANCH, name, self.catalog.resolve(at))

    def tag(self, name: str, at: str = "main") -> Ref:
        """A new tag at what `at` means."""
        return self.catalog.create_ref(RefKind.TAG, name, self.catalog.resolve(at))

    def delete_ref(self, name: str, *, expected: str | None = None, force: bool = False) -> Ref:
        """Removes a branch or tag; returns what it was."""
        return self.catalog.delete_ref(name, expected=expected, force=force)

    def diff(self, before: str, after: str) -> list[Difference]:
        """The keys that differ between what two specs mean, with what each side holds."""
        return self.catalog.diff(self.catalog.resolve(before), self.catalog.resolve(after))

    def merge(
        self,
        source: str,
        into: str = "main",
        *,
        message: str | None = None,
        author: str = "ingot",
        expected: str | None = None,
        require: Sequence[str] = (),
        properties: Mapping[str, str] | None = None,
        modes: Mapping[Key, KeyMerge] | None = None,
        default_mode: MergeMode = MergeMode.NORMAL,
        rebase: bool = True,
        dry_run: bool = False,
    ) -> MergeResult:
        """Merges as `Catalog.merge` does; `require` are names of tables.

        A table that both sides only appended to gets the rows of both, unless `rebase` is False. With
        `require` it never does: what was computed from an input knows nothing of rows that came later.
        """
        wish = merging.Wish(
            # A hash, so that the source is the same one when the merge is tried again.
            self.catalog.resolve(source),
            into,
            message or f"Merge '{source}' into '{into}'",
            author,
            expected,
            [names.key(name) for name in require],
            properties,
            modes or {},
            default_mode,
            rebase=rebase and not require,
            shown=source,
        )
        return merging.foreseen(self.catalog, wish) if dry_run else merging.run(self.catalog, wish)

    def _place(self, name: str, state: State) -> tuple[Key, Content | None]:
        """The key of `name` and what it holds; `InvalidNameError` where SQL could not tell it from another."""
        key = names.key(name)
        before = state.entries.get(key)
        if before is not None and before.type is ContentType.NAMESPACE:
            raise InvalidNameError(f"'{name}' is a namespace and cannot be a table or view as well.")
        if before is None:
            for size in range(1, len(key) + 1):
                folded = tuple(part.casefold() for part in key[:size])
                for other, content in state.entries.items():
                    if (
                        len(other) == size
                        and other != key[:size]
                        and tuple(map(str.casefold, other)) == folded
                    ):
                        raise InvalidNameError(
                            f"'{name}' differs only by case from the {content.type.value.lower().removeprefix('iceberg_')} "
                            f"'{names.dotted(other)}'.",
                            hint=f"Write '{names.dotted((*other, *key[size:]))}'.",
                        )
        return key, before

    def _existing(self, name: str, state: State) -> Content:
        found = state.entries.get(names.key(name))
        if found is None or found.type is ContentType.NAMESPACE:
            raise NotFoundError("table or view", name, (*state.tables, *state.views))
        return found

    def _location(self, key: Key) -> str:
        folders = [names.folder(part) for part in key]
        return "/".join([self.warehouse, *folders[:-1], f"{folders[-1]}-{uuid4()}"])
