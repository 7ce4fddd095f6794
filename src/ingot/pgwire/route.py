"""Who answers a statement: the catalog, the model, or the tables of the lake.

What names cubes and views goes to the model, what names tables of schemas or of other databases to the lake.
All else is PostgreSQL's own: the catalog, what reads no table at all, what nobody knows, and what would write.
"""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from ingot.errors import did_you_mean, nearest
from ingot.pgwire.constants import Said, constants_of
from ingot.pgwire.errors import PgError
from ingot.pgwire.explain import explaining
from ingot.pgwire.model_source import ModelSource
from ingot.pgwire.ports import SessionInfo, Source, Statement
from ingot.pgwire.shape import Shape, shape_of

if TYPE_CHECKING:
    from ingot.pgwire.catalog.ports import CatalogSource
    from ingot.pgwire.lake_source import LakeBeside

_SYSTEM = frozenset({"pg_catalog", "information_schema", "pg_toast"})


class Whose(Enum):
    """Whose a table is."""

    CATALOG = "the catalog"
    MODEL = "cubes or views"
    LAKE = "tables"
    BOTH = "cubes or views, and tables"
    NOBODY = ""


class Tables(Source, Protocol):
    """Answers statements over tables of the lake and of databases beside it."""

    def knows(self, parts: tuple[str, ...]) -> bool:
        """Whether such a name is one of these: `(schema, table)` or `(database, schema, table)`. It is cheap."""

    def has(self, schema: str, name: str) -> bool:
        """Whether the lake has this table."""

    def beside(self, faces: Iterable[str]) -> "LakeBeside":
        """Its tables for statements that read cubes or views, too."""


class Routed:
    """The source of one session: it hands each statement to whom it belongs."""

    def __init__(
        self,
        info: SessionInfo,
        model: ModelSource,
        catalog: "CatalogSource | None" = None,
        tables: Tables | None = None,
    ) -> None:
        self._info = info
        self._model = model
        self._catalog = catalog
        self._tables = tables if info.lake else None

    async def prepare(self, text: str, parameters: Sequence[int] = ()) -> Statement:
        """See `Source.prepare`."""
        if self._catalog is not None and (said := await constants_of(text)):
            found = await shape_of(text)
            about = await shape_of(found.explained.text) if found.explained is not None else found
            if await self._whose(about) in (Whose.MODEL, Whose.LAKE, Whose.BOTH):
                return await Said(
                    text, said, self._catalog, lambda made: self._answered(made, parameters)
                ).prepared()
        return await self._answered(text, parameters)

    async def _answered(self, text: str, parameters: Sequence[int]) -> Statement:
        found = await shape_of(text)
        about = found.explained
        if about is not None:
            whose = await self._whose(await shape_of(about.text))
            if whose in (Whose.MODEL, Whose.BOTH):
                return await explaining(self._model, about, parameters, self._beside(whose))
            if whose is Whose.LAKE and self._tables is not None:
                return await self._tables.prepare(text, parameters)
            return await self._by_catalog(text, parameters, found)
        if found.writes:
            raise PgError(f"cannot execute {found.writes} in a read-only transaction", sqlstate="25006")
        whose = await self._whose(found)
        if whose in (Whose.MODEL, Whose.BOTH):
            return await self._model.prepare(text, parameters, self._beside(whose))
        if whose is Whose.LAKE and self._tables is not None:
            return await self._tables.prepare(text, parameters)
        return await self._by_catalog(text, parameters, found)

    def _beside(self, whose: Whose) -> "LakeBeside | None":
        if whose is not Whose.BOTH or self._tables is None:
            return None
        return self._tables.beside(self._model.faces())

    def cancel(self) -> None:
        """See `Source.cancel`."""
        for source in (self._model, self._catalog, self._tables):
            if source is not None:
                source.cancel()

    async def close(self) -> None:
        """See `Source.close`."""
        for source in (self._model, self._catalog, self._tables):
            if source is not None:
                await source.close()

    @property
    def catalog(self) -> "CatalogSource | None":
        """What answers for the catalog, and checks settings; None where there is none."""
        return self._catalog

    async def _whose(self, found: Shape) -> Whose:
        if not all(_is_system(parts) for parts in found.tables):
            await self._model.look()
        return self.whose(found)

    def whose(self, found: Shape) -> Whose:
        """Who answers a statement. Raises `PgError` 0A000 for tables that cannot be read together."""
        if found.verb == "show" and found.shows in ("catalogs", "schemas", "tables"):
            return Whose.LAKE if self._tables is not None else Whose.CATALOG
        if not found.reads or not found.tables:
            return Whose.CATALOG
        owners = {self._of(parts): parts for parts in found.tables}
        if Whose.NOBODY in owners:
            return Whose.CATALOG
        if owners.keys() == {Whose.MODEL, Whose.LAKE}:
            return Whose.BOTH
        if len(owners) > 1:
            (one, first), (other, second), *_ = sorted(owners.items(), key=lambda each: each[0].value)
            raise PgError(
                f'{one.value} ("{".".join(first)}") and {other.value} ("{".".join(second)}") '
                "cannot be read in one statement",
                sqlstate="0A000",
                hint="Ask twice, and join what comes.",
            )
        return next(iter(owners))

    def _of(self, parts: tuple[str, ...]) -> Whose:
        if len(parts) == 1:
            return self._unqualified(parts[0])
        if len(parts) == 3 and parts[0] in (self._info.database, self._info.database.partition("@")[0]):
            parts = parts[1:]
        if len(parts) == 2 and parts[0] in _SYSTEM:
            return Whose.CATALOG
        if len(parts) == 2 and parts[0] == "public" and self._model.has(parts[1]):
            return Whose.MODEL
        return Whose.LAKE if self._in_lake(parts) else Whose.NOBODY

    def _unqualified(self, name: str) -> Whose:
        path = schemas(self._info.settings.get("search_path", "public"))
        for schema in path if "pg_catalog" in path else ("pg_catalog", *path):
            if schema == "pg_catalog":
                if name.startswith("pg_"):
                    return Whose.CATALOG
            elif schema == "public":
                if self._model.has(name):
                    return Whose.MODEL
            elif schema not in _SYSTEM and self._tables is not None and self._tables.has(schema, name):
                return Whose.LAKE
        return Whose.NOBODY

    def _in_lake(self, parts: tuple[str, ...]) -> bool:
        if self._tables is None or len(parts) not in (2, 3) or parts[0] == "public":
            return False
        return self._tables.knows(parts)

    async def _by_catalog(self, text: str, parameters: Sequence[int], found: Shape) -> Statement:
        if self._catalog is None:
            raise self._nobody(found)
        try:
            return await self._catalog.prepare(text, parameters)
        except PgError as error:
            if error.sqlstate == "42P01" and error.hint is None:
                error.hint = self._near(found.tables)
            raise

    def _near(self, tables: Iterable[tuple[str, ...]]) -> str | None:
        for parts in tables:
            if self._of(parts) is Whose.NOBODY and (len(parts) == 1 or parts[-2] == "public"):
                near = nearest(parts[-1], self._model.faces())
                return f'Perhaps you meant "{near}".' if near else None
        return None

    def _nobody(self, found: Shape) -> PgError:
        """What is said where no PostgreSQL is there to say it."""
        for parts in found.tables:
            if self._of(parts) is Whose.NOBODY:
                name = ".".join(parts)
                near = did_you_mean(parts[-1], self._model.faces())
                return PgError(f'relation "{name}" does not exist{near}', sqlstate="42P01")
        if found.verb in ("select", "with", "values", "table", "explain", "show", ""):
            return PgError("the catalog is not available", sqlstate="0A000")
        return PgError(f"cannot execute {found.verb.upper()} in a read-only transaction", sqlstate="25006")


def _is_system(parts: tuple[str, ...]) -> bool:
    return parts[-1].startswith("pg_") if len(parts) == 1 else parts[-2] in _SYSTEM


def schemas(search_path: str) -> tuple[str, ...]:
    """The schemas of a search path, as its setting is written."""
    found = []
    for part in search_path.split(","):
        name = part.strip()
        if name.startswith('"') and name.endswith('"') and len(name) > 1:
            name = name[1:-1].replace('""', '"')
        else:
            name = name.strip("'").lower()
        if name and name != "$user":
            found.append(name)
    return tuple(found)
