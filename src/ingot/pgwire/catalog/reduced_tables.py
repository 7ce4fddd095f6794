"""Which tables, views and functions the smaller catalog has: those of PostgreSQL, as DuckDB says them."""

CATALOG, INFORMATION, PUBLIC = "ingot_pg", "ingot_is", "public"
"""Schemas in DuckDB: of `pg_catalog`, of `information_schema`."""
SYSTEM, OWNER, USER = 11, 10, 16384
"""OIDs: of the schema `pg_catalog`, of the owner's role, of the client's."""

TABLES = {
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
"""Tables of `pg_catalog`: columns, and a letter for their type."""
KINDS = {
    "o": "UINTEGER",
    "i": "INTEGER",
    "g": "BIGINT",
    "b": "BOOLEAN",
    "r": "FLOAT",
    "l": "VARCHAR[]",
    "n": "INTEGER[]",
}
"""The types of their columns, by the letter behind a name; text has none."""
VIEWS = {
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
"""Views of `information_schema`."""
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
