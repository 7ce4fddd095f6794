"""SHOW CATALOGS, SHOW SCHEMAS and SHOW TABLES, as Trino has them: PostgreSQL knows no names of three parts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingot.errors import did_you_mean
from ingot.pgwire.commands.scanning import Kind, Token, tokens
from ingot.pgwire.errors import PgError
from ingot.pgwire.lake_tables import LAKE, MODEL
from ingot.pgwire.shape import LONGEST

if TYPE_CHECKING:
    from ingot.lake import State
    from ingot.pgwire.federation import Federation

WORDS = ("catalogs", "schemas", "tables")
_PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class Show:
    """What is asked: of `names`, the parts behind FROM."""

    what: str
    names: tuple[str, ...] = ()

    @property
    def column(self) -> str:
        """The name of the only column."""
        return {"catalogs": "Catalog", "schemas": "Schema", "tables": "Table"}[self.what]


def show(text: str) -> Show | None:
    """The command that a text is, if it is one of these. Raises `PgError` 42601 where only its beginning is."""
    if len(text) > LONGEST:
        return None
    found = [one for one in tokens(text) if one.value != ";"]
    if len(found) < 2 or [one.value for one in found[:1]] != ["show"] or found[1].value not in WORDS:
        return None
    what, rest = found[1].value, found[2:]
    if not rest:
        return Show(what)
    names = _names(rest[1:])
    if what == "catalogs" or rest[0].value not in ("from", "in") or not 1 <= len(names) <= 2:
        raise PgError(
            f'syntax error at or near "{rest[0].value}"',
            sqlstate="42601",
            position=rest[0].start + 1,
            hint="SHOW CATALOGS, SHOW SCHEMAS [FROM catalog], SHOW TABLES [FROM [catalog.]schema]",
        )
    return Show(what, names)


def _names(found: Sequence[Token]) -> tuple[str, ...]:
    names = [one.value for one in found[::2] if one.kind in (Kind.WORD, Kind.NAME)]
    dots = [one for one in found[1::2] if one.value == "."]
    return tuple(names) if len(names) + len(dots) == len(found) else ()


def shown(asked: Show, state: "State", federation: "Federation | None", faces: Iterable[str]) -> list[str]:
    """The names, sorted. Raises `PgError` for what is not there, or a database that cannot be reached."""
    databases = list(federation.names) if federation is not None else []
    if asked.what == "catalogs":
        return [LAKE, MODEL, *databases]
    catalog, schema = _place(asked, state, databases)
    if catalog == MODEL:
        if asked.what == "schemas":
            return [_PUBLIC]
        _known(schema or _PUBLIC, [_PUBLIC])
        return sorted(faces)
    if catalog == LAKE:
        pairs = [one.rpartition(".")[::2] for one in (*state.tables, *state.views)]
    else:
        assert federation is not None
        pairs = list(federation.tables(catalog))
    schemas = sorted({one for one, _ in pairs})
    if asked.what == "schemas":
        return schemas
    if schema is None:
        return sorted(f"{one}.{name}" for one, name in pairs)
    _known(schema, schemas)
    return sorted(name for one, name in pairs if one == schema)


def _place(asked: Show, state: "State", databases: Sequence[str]) -> tuple[str, str | None]:
    """The catalog and, for tables, the schema."""
    names = asked.names
    known = (LAKE, MODEL, *databases)
    if asked.what == "schemas":
        if len(names) > 1:
            raise PgError("SHOW SCHEMAS takes one catalog", sqlstate="42601")
        catalog = names[0] if names else LAKE
    elif len(names) == 2:
        catalog = names[0]
    elif not names:
        return LAKE, None
    else:
        # A schema of the lake before a catalog of that name, as in FROM.
        in_lake = any(one.rpartition(".")[0] == names[0] for one in (*state.tables, *state.views))
        if names[0] == _PUBLIC:
            return MODEL, _PUBLIC
        if in_lake or names[0] not in known:
            return LAKE, names[0]
        return names[0], None
    if catalog not in known:
        raise PgError(
            f'catalog "{catalog}" does not exist{did_you_mean(catalog, known)}',
            sqlstate="3D000",
            hint="SHOW CATALOGS lists the catalogs.",
        )
    return catalog, names[1] if len(names) == 2 else None


def _known(schema: str, schemas: Sequence[str]) -> None:
    if schema not in schemas:
        raise PgError(
            f'schema "{schema}" does not exist{did_you_mean(schema, schemas)}',
            sqlstate="3F000",
            hint="SHOW SCHEMAS lists the schemas of the lake, SHOW SCHEMAS FROM catalog those of another one.",
        )
