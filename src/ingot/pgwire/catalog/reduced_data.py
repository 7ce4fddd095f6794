"""The catalog of the smaller kind: what PostgreSQL keeps in `pg_catalog`, as tables of a DuckDB in memory.

Tables of PostgreSQL of which nothing is ever shown (triggers, policies, …) are there and empty.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ingot.pgwire.catalog.reduced_tables import (
    CATALOG,
    INFORMATION,
    KINDS,
    MACROS,
    OWNER,
    PUBLIC,
    SYSTEM,
    TABLES,
    USER,
    VIEWS,
)
from ingot.pgwire.catalog.schema import identifier, literal
from ingot.pgwire.catalog.shown import Table
from ingot.pgwire.types import TYPES, numeric_modifier

if TYPE_CHECKING:
    import duckdb

_HOLDER = 6171
"""Of the role that has the schema `public`."""


def fill(
    con: "duckdb.DuckDBPyConnection", tables: Sequence[Table], databases: Sequence[str], user: str
) -> None:
    """Makes the catalog of these tables in an empty DuckDB."""
    for schema in (CATALOG, INFORMATION):
        con.execute(f"CREATE SCHEMA {schema}")
    for name, text in TABLES.items():
        columns = [one.split() for one in text.split(", ")]
        con.execute(
            f"CREATE TABLE {CATALOG}.{name} ("
            + ", ".join(f"{one[0]} {KINDS[one[1]] if len(one) > 1 else 'VARCHAR'}" for one in columns)
            + ")"
        )
    for name, text in MACROS.items():
        con.execute(f"CREATE MACRO ingot_{name}{text}")
    for name, text in VIEWS.items():
        con.execute(f"CREATE VIEW {INFORMATION}.{name} AS {text}")
    _put(
        con,
        "pg_am",
        [{"oid": 2, "amname": "heap", "amtype": "t"}, {"oid": 403, "amname": "btree", "amtype": "i"}],
    )
    _put(con, "pg_tablespace", [{"oid": 1663, "spcname": "pg_default", "spcowner": OWNER}])
    _put(con, "pg_language", [{"oid": 14, "lanname": "sql", "lanowner": OWNER, "lanpltrusted": True}])
    roles = [(OWNER, "ingot", False), (_HOLDER, "pg_database_owner", False), (USER, user, True)]
    _put(
        con,
        "pg_roles",
        [
            {"oid": oid, "rolname": name, "rolcanlogin": login, "rolinherit": True, "rolconnlimit": -1, "rolsuper": False,
             "rolcreaterole": False, "rolcreatedb": False, "rolreplication": False, "rolbypassrls": False}
            for oid, name, login in roles
        ],
    )  # fmt: skip
    _put(con, "pg_user", [{"usename": user, "usesysid": USER, "usesuper": False, "usecreatedb": False}])
    _put(
        con,
        "pg_database",
        [
            {"oid": 20_000 + n, "datname": name, "datdba": OWNER, "encoding": 6, "datlocprovider": "c", "datistemplate": False,
             "datallowconn": True, "datconnlimit": -1, "dattablespace": 1663, "datcollate": "C.UTF-8", "datctype": "C.UTF-8"}
            for n, name in enumerate(databases)
        ],
    )  # fmt: skip
    _put(con, "pg_type", _types())
    _show(con, tables)


def _types() -> list[dict[str, object]]:
    names = {
        "boolean": "bool", "bigint": "int8", "smallint": "int2", "integer": "int4", "real": "float4",
        "double precision": "float8", "character": "bpchar", "character varying": "varchar",
        "timestamp": "timestamp", "timestamp with time zone": "timestamptz", "time with time zone": "timetz",
        "bit varying": "varbit", '"char"': "char",
    }  # fmt: skip
    long = {"timestamp": "timestamp without time zone", "time": "time without time zone"}
    numbers = {20, 21, 23, 26, 700, 701, 1700}
    found: list[dict[str, object]] = []
    for one in TYPES.values():
        base = TYPES[one.element] if one.element else one
        short, shown = names.get(base.name, base.name), long.get(base.name, base.name)
        category = (
            "A"
            if one.element
            else "N"
            if one.oid in numbers
            else "S"
            if one.oid in (25, 1042, 1043, 19)
            else "U"
        )
        if one.oid in (1082, 1083, 1114, 1184, 1266):
            category = "D"
        found.append(
            {
                "oid": one.oid, "typname": f"_{short}" if one.element else short, "typnamespace": SYSTEM, "typowner": OWNER,
                "typlen": one.size, "typbyval": 0 < one.size <= 8, "typtype": "b", "typcategory": category,
                "typispreferred": one.oid in (25, 701, 16, 1184), "typisdefined": True, "typdelim": ",", "typrelid": 0,
                "typelem": one.element, "typarray": one.array, "typnotnull": False, "typbasetype": 0, "typtypmod": -1,
                "typndims": 0, "typcollation": 100 if one.oid in (25, 1043, 1042) else 0, "typalign": "i", "typstorage": "p",
                "typinput": f"{short}in", "typoutput": f"{short}out", "typreceive": f"{short}recv",
                "typdefault": f"{shown}[]" if one.element else shown,
            }
        )  # fmt: skip
    return found


def _show(con: "duckdb.DuckDBPyConnection", tables: Sequence[Table]) -> None:
    schemas = {"pg_catalog": SYSTEM, "information_schema": 13_000, PUBLIC: 2200}
    for table in tables:
        schemas.setdefault(table.schema, 17_000 + len(schemas))
    _put(
        con,
        "pg_namespace",
        [
            {"oid": oid, "nspname": name, "nspowner": _HOLDER if name == PUBLIC else OWNER}
            for name, oid in schemas.items()
        ],
    )
    oids = {(one.schema, one.name): 30_000 + 10 * n for n, one in enumerate(tables)}
    by_name = {(one.schema, one.name): one for one in tables}
    watched = {(one.schema, one.table) for table in tables for one in table.references}
    watched |= {(table.schema, table.name) for table in tables if table.references}
    rows: dict[str, list[dict[str, object]]] = {}

    def put(into: str, **row: object) -> None:
        rows.setdefault(into, []).append(row)

    for table in tables:
        oid, space = oids[table.schema, table.name], schemas[table.schema]
        numbers = {one.name: n for n, one in enumerate(table.columns, 1)}
        kind = "v" if table.view else "r"
        plain = {
            "relnamespace": space, "relowner": OWNER, "reloftype": 0, "relisshared": False, "relchecks": 0,
            "relhasrules": table.view, "relhastriggers": (table.schema, table.name) in watched, "relhassubclass": False, "relrowsecurity": False,
            "relforcerowsecurity": False, "relispopulated": True, "relreplident": "d", "relispartition": False,
            "reltablespace": 0, "reltoastrelid": 0, "relpersistence": "p", "reltuples": -1.0, "relpages": 0,
        }  # fmt: skip
        put("pg_class", oid=oid, relname=table.name, relkind=kind, relam=0 if table.view else 2,
            relnatts=len(table.columns), relhasindex=bool(table.key), **plain)  # fmt: skip
        if table.view:
            put("pg_views", schemaname=table.schema, viewname=table.name, viewowner="ingot")
        else:
            put(
                "pg_tables",
                schemaname=table.schema,
                tablename=table.name,
                tableowner="ingot",
                hasindexes=bool(table.key),
            )
        if table.comment:
            put("pg_description", objoid=oid, classoid=1259, objsubid=0, description=table.comment)
        for n, column in enumerate(table.columns, 1):
            kind_oid, modifier = _oid(column.type)
            put("pg_attribute", attrelid=oid, attname=column.name, atttypid=kind_oid, atttypmod=modifier, attnum=n,
                attlen=TYPES[kind_oid].size, attnotnull=column.required or column.name in table.key, atthasdef=False,
                attidentity="", attgenerated="", attisdropped=False, attislocal=True, attinhcount=0, attndims=0,
                attstorage="p", attcompression="", attstattarget=-1, attcollation=0)  # fmt: skip
            if column.comment:
                put("pg_description", objoid=oid, classoid=1259, objsubid=n, description=column.comment)
        constraint = {
            "connamespace": space, "condeferrable": False, "condeferred": False, "convalidated": True, "conrelid": oid,
            "contypid": 0, "conparentid": 0, "conislocal": True, "coninhcount": 0, "connoinherit": True, "conperiod": False,
        }  # fmt: skip
        if table.key:
            keys = [numbers[name] for name in table.key]
            put("pg_class", oid=oid + 1, relname=f"{table.name}_pkey", relkind="i", relam=403, relnatts=len(keys),
                relhasindex=False, **plain | {"relhastriggers": False})  # fmt: skip
            put("pg_index", indexrelid=oid + 1, indrelid=oid, indnatts=len(keys), indnkeyatts=len(keys), indisunique=True,
                indnullsnotdistinct=False, indisprimary=True, indisexclusion=False, indimmediate=True, indisclustered=False,
                indisvalid=True, indisready=True, indislive=True, indisreplident=False, indkey=keys,
                indoption=[0] * len(keys))  # fmt: skip
            put("pg_constraint", oid=oid + 2, conname=f"{table.name}_pkey", contype="p", conindid=oid + 1, confrelid=0,
                conkey=keys, definition=f"PRIMARY KEY ({_names(table.key)})", **constraint)  # fmt: skip
        for n, one in enumerate(table.references):
            other = by_name[one.schema, one.table]
            theirs = [[c.name for c in other.columns].index(name) + 1 for name in one.keys]
            target = (
                _names((one.table,))
                if one.schema == PUBLIC
                else f"{_names((one.schema,))}.{_names((one.table,))}"
            )
            put("pg_constraint", oid=1_000_000 + oid * 100 + n, conname=f"{table.name}_{'_'.join(one.columns)}_fkey", contype="f",
                conindid=oids[one.schema, one.table] + 1, confrelid=oids[one.schema, one.table],
                conkey=[numbers[name] for name in one.columns], confkey=theirs, confupdtype="a", confdeltype="a",
                confmatchtype="s", **constraint,
                definition=f"FOREIGN KEY ({_names(one.columns)}) REFERENCES {target}({_names(one.keys)})")  # fmt: skip
    for name, found in rows.items():
        _put(con, name, found)


def _names(names: Iterable[str]) -> str:
    return ", ".join(
        one if one.isidentifier() and one == one.lower() and one.isascii() else identifier(one)
        for one in names
    )


def _oid(name: str) -> tuple[int, int]:
    """OID and modifier of a type by its name in DDL."""
    base, _, rest = name.partition("(")
    array = name.endswith("[]")
    base = base.removesuffix("[]")
    known = {one.name: one for one in TYPES.values() if not one.element}
    found = known.get(base, TYPES[25])
    modifier = -1
    if rest and base == "numeric":
        precision, scale = rest.rstrip("[])").split(",")
        modifier = numeric_modifier(int(precision), int(scale))
    return (found.array if array else found.oid), modifier


def _put(con: "duckdb.DuckDBPyConnection", table: str, rows: Sequence[dict[str, object]]) -> None:
    for start in range(0, len(rows), 500):
        part = rows[start : start + 500]
        names = list(dict.fromkeys(name for row in part for name in row))
        values = ", ".join("(" + ", ".join(_value(row.get(name)) for name in names) + ")" for row in part)
        con.execute(f"INSERT INTO {CATALOG}.{table} ({', '.join(names)}) VALUES {values}")


def _value(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]"
    return str(value) if isinstance(value, int | float) else literal(str(value))
