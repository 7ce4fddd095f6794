"""The catalog of the smaller kind: what PostgreSQL keeps in `pg_catalog`, as tables of a DuckDB in memory.

Tables of PostgreSQL of which nothing is ever shown (triggers, policies, …) are there and empty.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ingot.pgwire.catalog.schema import identifier, literal
from ingot.pgwire.catalog.shown import Table
from ingot.pgwire.types import TYPES, numeric_modifier

if TYPE_CHECKING:
    import duckdb

CATALOG, INFORMATION, PUBLIC = "ingot_pg", "ingot_is", "public"
"""Schemas in DuckDB: of `pg_catalog`, of `information_schema`."""
SYSTEM, OWNER, USER = 11, 10, 16384
"""OIDs: of the schema `pg_catalog`, of the owner's role, of the client's."""
_HOLDER = 6171
"""Of the role that has the schema `public`."""

_TABLES = {
    "pg_namespace": "oid o, nspname, nspowner o, nspacl l",
    "pg_class": "oid o, relname, relnamespace o, reltype o, reloftype o, relowner o, relam o, relfilenode o,"
    " reltablespace o, relpages i, reltuples r, relallvisible i, reltoastrelid o, relhasindex b, relisshared b,"
    " relpersistence, relkind, relnatts i, relchecks i, relhasrules b, relhastriggers b, relhassubclass b,"
    " relrowsecurity b, relforcerowsecurity b, relispopulated b, relreplident, relispartition b, relrewrite o,"
    " relfrozenxid o, relminmxid o, relacl l, reloptions l, relpartbound",
    "pg_attribute": "attrelid o, attname, atttypid o, attlen i, attnum i, attndims i, atttypmod i, attbyval b, attalign,"
    " attstorage, attcompression, attnotnull b, atthasdef b, atthasmissing b, attidentity, attgenerated,"
    " attisdropped b, attislocal b, attinhcount i, attcollation o, attstattarget i, attacl l, attoptions l,"
    " attfdwoptions l, attmissingval",
    "pg_type": "oid o, typname, typnamespace o, typowner o, typlen i, typbyval b, typtype, typcategory, typispreferred b,"
    " typisdefined b, typdelim, typrelid o, typsubscript, typelem o, typarray o, typinput, typoutput, typreceive,"
    " typsend, typmodin, typmodout, typanalyze, typalign, typstorage, typnotnull b, typbasetype o, typtypmod i,"
    " typndims i, typcollation o, typdefault, typacl l",
    "pg_constraint": "oid o, conname, connamespace o, contype, condeferrable b, condeferred b, convalidated b, conrelid o,"
    " contypid o, conindid o, conparentid o, confrelid o, confupdtype, confdeltype, confmatchtype, conislocal b,"
    " coninhcount i, connoinherit b, conperiod b, conkey n, confkey n, conbin, definition",
    "pg_index": "indexrelid o, indrelid o, indnatts i, indnkeyatts i, indisunique b, indnullsnotdistinct b,"
    " indisprimary b, indisexclusion b, indimmediate b, indisclustered b, indisvalid b, indcheckxmin b,"
    " indisready b, indislive b, indisreplident b, indkey n, indcollation n, indclass n, indoption n, indexprs, indpred",
    "pg_description": "objoid o, classoid o, objsubid i, description",
    "pg_database": "oid o, datname, datdba o, encoding i, datlocprovider, datistemplate b, datallowconn b, datconnlimit i,"
    " datfrozenxid o, datminmxid o, dattablespace o, datcollate, datctype, datlocale, daticulocale, daticurules,"
    " datcollversion, datacl l",
    "pg_roles": "rolname, rolsuper b, rolinherit b, rolcreaterole b, rolcreatedb b, rolcanlogin b, rolreplication b,"
    " rolconnlimit i, rolpassword, rolvaliduntil, rolbypassrls b, rolconfig l, oid o",
    "pg_am": "oid o, amname, amhandler, amtype",
    "pg_tables": "schemaname, tablename, tableowner, tablespace, hasindexes b, hasrules b, hastriggers b, rowsecurity b",
    "pg_views": "schemaname, viewname, viewowner, definition",
    "pg_tablespace": "oid o, spcname, spcowner o, spcacl l, spcoptions l",
    "pg_settings": "name, setting, unit, category, short_desc, context, vartype, source",
    "pg_attrdef": "oid o, adrelid o, adnum i, adbin",
    "pg_inherits": "inhrelid o, inhparent o, inhseqno i, inhdetachpending b",
    "pg_proc": "oid o, proname, pronamespace o, proowner o, prolang o, prokind, prorettype o, proargtypes n, proargnames l,"
    " proisstrict b, provolatile, pronargs i, proretset b, prosrc",
    "pg_enum": "oid o, enumtypid o, enumsortorder r, enumlabel",
    "pg_range": "rngtypid o, rngsubtype o, rngmultitypid o",
    "pg_collation": "oid o, collname, collnamespace o, collprovider",
    "pg_trigger": "oid o, tgrelid o, tgparentid o, tgname, tgfoid o, tgtype i, tgenabled, tgisinternal b, tgconstraint o",
    "pg_policy": "oid o, polname, polrelid o, polcmd, polpermissive b, polroles n, polqual, polwithcheck",
    "pg_statistic_ext": "oid o, stxrelid o, stxname, stxnamespace o, stxowner o, stxkeys n, stxstattarget i, stxkind l",
    "pg_publication": "oid o, pubname, pubowner o, puballtables b, pubinsert b, pubupdate b, pubdelete b, pubtruncate b",
    "pg_publication_rel": "oid o, prpubid o, prrelid o, prqual, prattrs n",
    "pg_publication_namespace": "oid o, pnpubid o, pnnspid o",
    "pg_sequence": "seqrelid o, seqtypid o, seqstart g, seqincrement g, seqmax g, seqmin g, seqcache g, seqcycle b",
    "pg_rewrite": "oid o, rulename, ev_class o, ev_type, ev_enabled, is_instead b",
    "pg_depend": "classid o, objid o, objsubid i, refclassid o, refobjid o, refobjsubid i, deptype",
    "pg_shdescription": "objoid o, classoid o, description",
    "pg_extension": "oid o, extname, extowner o, extnamespace o, extrelocatable b, extversion",
    "pg_foreign_table": "ftrelid o, ftserver o, ftoptions l",
    "pg_foreign_server": "oid o, srvname, srvowner o, srvfdw o, srvoptions l",
    "pg_foreign_data_wrapper": "oid o, fdwname, fdwowner o",
    "pg_event_trigger": "oid o, evtname, evtevent, evtenabled",
    "pg_language": "oid o, lanname, lanowner o, lanpltrusted b",
    "pg_auth_members": "oid o, roleid o, member o, grantor o, admin_option b",
    "pg_matviews": "schemaname, matviewname, matviewowner, tablespace, hasindexes b, ispopulated b, definition",
    "pg_indexes": "schemaname, tablename, indexname, tablespace, indexdef",
    "pg_user": "usename, usesysid o, usecreatedb b, usesuper b, userepl b, usebypassrls b, passwd, valuntil, useconfig l",
    "pg_stat_activity": "datid o, datname, pid i, usesysid o, usename, application_name, state, query",
    "pg_cursors": "name, statement, is_holdable b, is_binary b, is_scrollable b",
    "pg_prepared_statements": "name, statement, from_sql b",
    "pg_locks": "locktype, database o, relation o, pid i, mode, granted b",
    "pg_operator": "oid o, oprname, oprnamespace o, oprleft o, oprright o, oprresult o",
    "pg_aggregate": "aggfnoid o, aggkind",
    "pg_cast": "oid o, castsource o, casttarget o, castfunc o, castcontext",
    "pg_opclass": "oid o, opcmethod o, opcname, opcnamespace o, opcdefault b",
}
_KINDS = {
    "o": "UINTEGER",
    "i": "INTEGER",
    "g": "BIGINT",
    "b": "BOOLEAN",
    "r": "FLOAT",
    "l": "VARCHAR[]",
    "n": "INTEGER[]",
}
_INFORMATION = {
    "schemata": f"SELECT current_database() AS catalog_name, nspname AS schema_name, ingot_pg_get_userbyid(nspowner) AS schema_owner FROM {CATALOG}.pg_namespace",
    "tables": "SELECT current_database() AS table_catalog, nspname AS table_schema, relname AS table_name,"
    " CASE relkind WHEN 'r' THEN 'BASE TABLE' ELSE 'VIEW' END AS table_type, 'NO' AS is_insertable_into, 'NO' AS is_typed"
    f" FROM {CATALOG}.pg_class c JOIN {CATALOG}.pg_namespace n ON n.oid = relnamespace WHERE relkind IN ('r', 'v')",
    "views": "SELECT current_database() AS table_catalog, nspname AS table_schema, relname AS table_name,"
    f" NULL::VARCHAR AS view_definition FROM {CATALOG}.pg_class c JOIN {CATALOG}.pg_namespace n ON n.oid = relnamespace"
    " WHERE relkind = 'v'",
    "columns": "SELECT current_database() AS table_catalog, nspname AS table_schema, relname AS table_name,"
    " attname AS column_name, attnum AS ordinal_position, NULL::VARCHAR AS column_default,"
    " CASE WHEN attnotnull THEN 'NO' ELSE 'YES' END AS is_nullable,"
    " CASE WHEN t.typelem > 0 AND t.typlen = -1 THEN 'ARRAY' ELSE ingot_format_type(atttypid, NULL) END AS data_type,"
    " NULL::INTEGER AS character_maximum_length,"
    " CASE WHEN atttypid = 1700 AND atttypmod > 0 THEN (atttypmod - 4) >> 16 ELSE"
    " CASE atttypid WHEN 21 THEN 16 WHEN 23 THEN 32 WHEN 20 THEN 64 WHEN 700 THEN 24 WHEN 701 THEN 53 END END AS numeric_precision,"
    " CASE WHEN atttypid = 1700 AND atttypmod > 0 THEN (atttypmod - 4) & 65535 WHEN atttypid IN (20, 21, 23) THEN 0 END AS numeric_scale,"
    " CASE WHEN atttypid IN (1083, 1114, 1184, 1186, 1266) THEN 6 WHEN atttypid = 1082 THEN 0 END AS datetime_precision,"
    " current_database() AS udt_catalog, 'pg_catalog' AS udt_schema, t.typname AS udt_name,"
    " 'NO' AS is_identity, 'NEVER' AS is_generated, 'NO' AS is_updatable"
    f" FROM {CATALOG}.pg_attribute a JOIN {CATALOG}.pg_class c ON c.oid = attrelid"
    f" JOIN {CATALOG}.pg_namespace n ON n.oid = relnamespace JOIN {CATALOG}.pg_type t ON t.oid = atttypid"
    " WHERE relkind IN ('r', 'v')",
    "table_constraints": "SELECT current_database() AS constraint_catalog, nspname AS constraint_schema, conname AS constraint_name,"
    " current_database() AS table_catalog, nspname AS table_schema, relname AS table_name,"
    " CASE contype WHEN 'p' THEN 'PRIMARY KEY' ELSE 'FOREIGN KEY' END AS constraint_type, 'NO' AS is_deferrable,"
    f" 'NO' AS initially_deferred FROM {CATALOG}.pg_constraint k JOIN {CATALOG}.pg_class c ON c.oid = conrelid"
    f" JOIN {CATALOG}.pg_namespace n ON n.oid = relnamespace",
    "key_column_usage": "SELECT current_database() AS constraint_catalog, nspname AS constraint_schema, conname AS constraint_name,"
    " current_database() AS table_catalog, nspname AS table_schema, relname AS table_name, attname AS column_name,"
    " list_position(conkey, attnum) AS ordinal_position,"
    " CASE contype WHEN 'f' THEN list_position(conkey, attnum) END AS position_in_unique_constraint"
    f" FROM {CATALOG}.pg_constraint k JOIN {CATALOG}.pg_class c ON c.oid = conrelid"
    f" JOIN {CATALOG}.pg_namespace n ON n.oid = relnamespace JOIN {CATALOG}.pg_attribute a ON attrelid = conrelid AND list_contains(conkey, attnum)",
    "constraint_column_usage": "SELECT current_database() AS table_catalog, nspname AS table_schema, relname AS table_name, attname AS column_name,"
    " nspname AS constraint_schema, conname AS constraint_name"
    f" FROM {CATALOG}.pg_constraint k JOIN {CATALOG}.pg_class c ON c.oid = CASE contype WHEN 'f' THEN confrelid ELSE conrelid END"
    f" JOIN {CATALOG}.pg_namespace n ON n.oid = relnamespace"
    f" JOIN {CATALOG}.pg_attribute a ON attrelid = c.oid AND list_contains(CASE contype WHEN 'f' THEN confkey ELSE conkey END, attnum)",
    "referential_constraints": "SELECT nspname AS constraint_schema, k.conname AS constraint_name, nspname AS unique_constraint_schema,"
    " p.conname AS unique_constraint_name, 'NONE' AS match_option, 'NO ACTION' AS update_rule, 'NO ACTION' AS delete_rule"
    f" FROM {CATALOG}.pg_constraint k JOIN {CATALOG}.pg_namespace n ON n.oid = k.connamespace"
    f" JOIN {CATALOG}.pg_constraint p ON p.conrelid = k.confrelid AND p.contype = 'p' WHERE k.contype = 'f'",
}  # fmt: skip
MACROS = {
    "format_type": "(t, m) AS (CASE WHEN t = 1700 AND m > 0 THEN 'numeric(' || ((m - 4) >> 16) || ',' || ((m - 4) & 65535) || ')'"
    f" ELSE (SELECT max(ty.typdefault) FROM {CATALOG}.pg_type ty WHERE ty.oid = t) END)",
    "pg_table_is_visible": f"(o) AS (EXISTS (SELECT 1 FROM {CATALOG}.pg_class cl WHERE cl.oid = o AND cl.relnamespace IN (2200, {SYSTEM})))",
    "pg_type_is_visible": "(o) AS (true)",
    "pg_function_is_visible": "(o) AS (true)",
    "pg_get_userbyid": f"(o) AS (CASE WHEN o = {OWNER} THEN 'ingot' ELSE (SELECT max(ro.rolname) FROM {CATALOG}.pg_roles ro WHERE ro.oid = o) END)",
    "pg_encoding_to_char": "(e) AS (CASE e WHEN 6 THEN 'UTF8' ELSE 'SQL_ASCII' END)",
    "pg_get_constraintdef": f"(o, p := false) AS ((SELECT max(co.definition) FROM {CATALOG}.pg_constraint co WHERE co.oid = o))",
    "pg_get_indexdef": "(o, c := 0, p := false) AS ((SELECT max('CREATE UNIQUE INDEX ' || ic.relname || ' ON ' || tc.relname || ' USING btree (' ||"
    f" regexp_extract(co.definition, '\\((.*)\\)', 1) || ')') FROM {CATALOG}.pg_index ix JOIN {CATALOG}.pg_class ic ON ic.oid = ix.indexrelid"
    f" JOIN {CATALOG}.pg_class tc ON tc.oid = ix.indrelid JOIN {CATALOG}.pg_constraint co ON co.conindid = ix.indexrelid AND co.contype = 'p'"
    " WHERE ix.indexrelid = o))",
    "obj_description": f"(o, c := 'pg_class') AS ((SELECT max(de.description) FROM {CATALOG}.pg_description de WHERE de.objoid = o AND de.objsubid = 0))",
    "col_description": f"(o, n) AS ((SELECT max(de.description) FROM {CATALOG}.pg_description de WHERE de.objoid = o AND de.objsubid = n))",
    "shobj_description": "(o, c) AS (NULL::VARCHAR)",
    "regclass": f"(n) AS ((SELECT max(cl.oid) FROM {CATALOG}.pg_class cl JOIN {CATALOG}.pg_namespace ns ON ns.oid = cl.relnamespace"
    " WHERE replace(n, '\"', '') IN (ns.nspname || '.' || cl.relname, cl.relname)))",
    "regclass_name": "(o) AS ((SELECT max(CASE WHEN cl.relnamespace IN (2200, 11) THEN cl.relname ELSE ns.nspname || '.' || cl.relname END)"
    f" FROM {CATALOG}.pg_class cl JOIN {CATALOG}.pg_namespace ns ON ns.oid = cl.relnamespace WHERE cl.oid = o))",
    "regtype": f"(n) AS ((SELECT max(ty.oid) FROM {CATALOG}.pg_type ty WHERE n IN (ty.typname, ty.typdefault)))",
    "regnamespace": f"(n) AS ((SELECT max(ns.oid) FROM {CATALOG}.pg_namespace ns WHERE ns.nspname = replace(n, '\"', '')))",
    "regnamespace_name": f"(o) AS ((SELECT max(ns.nspname) FROM {CATALOG}.pg_namespace ns WHERE ns.oid = o))",
    "has_schema_privilege": "(a, b, c := '') AS (true)",
    "has_database_privilege": "(a, b, c := '') AS (true)",
    "has_table_privilege": "(a, b, c := '') AS (upper(CASE WHEN c = '' THEN b::VARCHAR ELSE c END) = 'SELECT')",
    "has_column_privilege": "(a, b, c, d := '') AS (upper(CASE WHEN d = '' THEN c::VARCHAR ELSE d END) = 'SELECT')",
    "has_any_column_privilege": "(a, b, c := '') AS (upper(CASE WHEN c = '' THEN b::VARCHAR ELSE c END) = 'SELECT')",
    "pg_is_in_recovery": "() AS (false)",
    "pg_backend_pid": "() AS (1)",
    "pg_relation_is_publishable": "(o) AS (false)",
    "pg_table_size": "(o) AS (0)",
    "pg_relation_size": "(o, f := '') AS (0)",
    "pg_total_relation_size": "(o) AS (0)",
    "pg_database_size": "(o) AS (0)",
    "pg_size_pretty": "(n) AS (n::VARCHAR || ' bytes')",
    "quote_ident": "(n) AS (CASE WHEN regexp_full_match(n, '[a-z_][a-z0-9_$]*') THEN n ELSE '\"' || replace(n, '\"', '\"\"') || '\"' END)",
    "quote_literal": "(n) AS ('''' || replace(n, '''', '''''') || '''')",
    "array_upper": "(a, d) AS (len(a))",
    "array_lower": "(a, d) AS (CASE WHEN len(a) > 0 THEN 1 END)",
    "generate_subscripts": "(a, d) AS (unnest(range(1, len(a) + 1)))",
    "pg_partition_ancestors": "(o) AS (o::UINTEGER)",
    "json_build_object": "(a, b, c := 0, d := 0, e := 0, f := 0, g := 0, h := 0, i := 0, j := 0, k := 0, l := 0, m := 0, n := 0)"
    " AS (NULL::VARCHAR)",
}  # fmt: skip
"""Functions of PostgreSQL, by name; what stands in SQL is `ingot_` and the name."""


def fill(
    con: "duckdb.DuckDBPyConnection", tables: Sequence[Table], databases: Sequence[str], user: str
) -> None:
    """Makes the catalog of these tables in an empty DuckDB."""
    for schema in (CATALOG, INFORMATION):
        con.execute(f"CREATE SCHEMA {schema}")
    for name, text in _TABLES.items():
        columns = [one.split() for one in text.split(", ")]
        con.execute(
            f"CREATE TABLE {CATALOG}.{name} ("
            + ", ".join(f"{one[0]} {_KINDS[one[1]] if len(one) > 1 else 'VARCHAR'}" for one in columns)
            + ")"
        )
    for name, text in MACROS.items():
        con.execute(f"CREATE MACRO ingot_{name}{text}")
    for name, text in _INFORMATION.items():
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
