# ruff: noqa: ISC004 - a statement is longer than a line
"""What tools that cannot run here ask, written down in the shape that their documentation and issue trackers show.

`STARTING`: when they connect and look around. `ASKING`: for a chart. Each must be answered as PostgreSQL answers it.
"""

STARTING: dict[str, list[str]] = {
    "Tableau": [
        "SET DateStyle = 'ISO';SET extra_float_digits = 2;show transaction_isolation",
        "select oid, typbasetype from pg_type where typname = 'lo'",
        "select current_schema()",
        "select n.nspname, c.relname, a.attname, a.atttypid, t.typname, a.attnum, a.attlen, a.atttypmod, a.attnotnull, c.relhasrules, "
        "c.relkind, c.oid, pg_get_expr(d.adbin, d.adrelid), case t.typtype when 'd' then t.typbasetype else 0 end, t.typtypmod, 0, "
        "attidentity, c.relhassubclass from (((pg_catalog.pg_class c inner join pg_catalog.pg_namespace n on n.oid = c.relnamespace "
        "and c.relname = 'orders' and n.nspname = 'public') inner join pg_catalog.pg_attribute a on (not a.attisdropped) and a.attnum > 0 "
        "and a.attrelid = c.oid) inner join pg_catalog.pg_type t on t.oid = a.atttypid) left outer join pg_attrdef d on a.atthasdef and "
        "d.adrelid = a.attrelid and d.adnum = a.attnum order by n.nspname, c.relname, attnum",
        "select relname, nspname, relkind from pg_catalog.pg_class c, pg_catalog.pg_namespace n where relkind in ('r', 'v', 'm', 'f', 'p') "
        "and nspname not in ('pg_catalog', 'information_schema', 'pg_toast', 'pg_temp_1') and n.oid = relnamespace order by nspname, relname",
        "SELECT ta.attname, ia.attnum, ic.relname, n.nspname, tc.relname FROM pg_catalog.pg_attribute ta, pg_catalog.pg_attribute ia, "
        "pg_catalog.pg_class tc, pg_catalog.pg_index i, pg_catalog.pg_namespace n, pg_catalog.pg_class ic WHERE tc.relname = 'orders' "
        "AND n.nspname = 'public' AND tc.oid = i.indrelid AND n.oid = tc.relnamespace AND i.indisprimary = 't' AND ia.attrelid = i.indexrelid "
        "AND ta.attrelid = i.indrelid AND ta.attnum = i.indkey[ia.attnum-1] AND (NOT ta.attisdropped) AND (NOT ia.attisdropped) "
        "AND ic.oid = i.indexrelid ORDER BY ia.attnum",
        "SELECT n.nspname FROM pg_catalog.pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY n.nspname",
        "SELECT CAST(current_setting('server_version_num') AS INT) >= 90000",
    ],
    "Power BI": [
        "SELECT version()",
        """SELECT ns.nspname, t.oid, t.typname, t.typtype, t.typnotnull, t.elemtypoid
        FROM (
            SELECT typ.oid, typ.typnamespace, typ.typname, typ.typtype, typ.typrelid, typ.typnotnull, typ.relkind,
                elemtyp.oid AS elemtypoid, elemtyp.typname AS elemtypname, elemcls.relkind AS elemrelkind,
                CASE WHEN elemproc.proname='array_recv' THEN 'a' ELSE elemtyp.typtype END AS elemtyptype
            FROM (
                SELECT typ.oid, typnamespace, typname, typrelid, typnotnull, relkind, typelem AS elemoid,
                    CASE WHEN proc.proname='array_recv' THEN 'a' ELSE typ.typtype END AS typtype,
                    CASE WHEN proc.proname='array_recv' THEN typ.typelem WHEN typ.typtype='r' THEN rngsubtype
                        WHEN typ.typtype='m' THEN (SELECT rngtypid FROM pg_range WHERE rngmultitypid = typ.oid)
                        WHEN typ.typtype='d' THEN typ.typbasetype END AS elemtypoid
                FROM pg_type AS typ
                LEFT JOIN pg_class AS cls ON (cls.oid = typ.typrelid)
                LEFT JOIN pg_proc AS proc ON proc.oid = typ.typreceive
                LEFT JOIN pg_range ON (pg_range.rngtypid = typ.oid)
            ) AS typ
            LEFT JOIN pg_type AS elemtyp ON elemtyp.oid = elemtypoid
            LEFT JOIN pg_class AS elemcls ON (elemcls.oid = elemtyp.typrelid)
            LEFT JOIN pg_proc AS elemproc ON elemproc.oid = elemtyp.typreceive
        ) AS t
        JOIN pg_namespace AS ns ON (ns.oid = typnamespace)
        WHERE typtype IN ('b', 'r', 'm', 'e', 'd') OR (typtype = 'c' AND relkind='c')
            OR (typtype = 'p' AND typname IN ('record', 'void', 'unknown'))
            OR (typtype = 'a' AND (elemtyptype IN ('b', 'r', 'm', 'e', 'd') OR (elemtyptype = 'p' AND elemtypname IN ('record', 'void'))
                OR (elemtyptype = 'c' AND elemrelkind='c')))
        ORDER BY CASE WHEN typtype IN ('b', 'e', 'p') THEN 0 WHEN typtype = 'c' THEN 1 WHEN typtype = 'r' THEN 2
            WHEN typtype = 'm' THEN 3 WHEN typtype = 'd' AND elemtyptype <> 'a' THEN 4 WHEN typtype = 'a' THEN 5
            WHEN typtype = 'd' AND elemtyptype = 'a' THEN 6 END""",
        "SELECT typ.oid, att.attname, att.atttypid FROM pg_type AS typ JOIN pg_namespace AS ns ON (ns.oid = typ.typnamespace) "
        "JOIN pg_class AS cls ON (cls.oid = typ.typrelid) JOIN pg_attribute AS att ON (att.attrelid = typ.typrelid) "
        "WHERE (typ.typtype = 'c' AND cls.relkind='c') AND attnum > 0 AND NOT attisdropped ORDER BY typ.oid, att.attnum",
        "SELECT pg_type.oid, enumlabel FROM pg_enum JOIN pg_type ON pg_type.oid=enumtypid ORDER BY oid, enumsortorder",
        "select character_set_name from INFORMATION_SCHEMA.character_sets",
        "select TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE from INFORMATION_SCHEMA.tables "
        "where TABLE_SCHEMA not in ('information_schema', 'pg_catalog') order by TABLE_SCHEMA, TABLE_NAME",
        "select COLUMN_NAME, ORDINAL_POSITION, IS_NULLABLE, case when (data_type like '%unsigned%') then DATA_TYPE || ' unsigned' "
        "else DATA_TYPE end as DATA_TYPE from INFORMATION_SCHEMA.columns where TABLE_SCHEMA = 'public' and TABLE_NAME = 'orders' "
        "order by TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION",
        "select i.CONSTRAINT_SCHEMA || '_' || i.CONSTRAINT_NAME as INDEX_NAME, ii.COLUMN_NAME, ii.ORDINAL_POSITION, "
        "case when i.CONSTRAINT_TYPE = 'PRIMARY KEY' then 'Y' else 'N' end as PRIMARY_KEY from INFORMATION_SCHEMA.table_constraints i "
        "inner join INFORMATION_SCHEMA.key_column_usage ii on i.CONSTRAINT_SCHEMA = ii.CONSTRAINT_SCHEMA and "
        "i.CONSTRAINT_NAME = ii.CONSTRAINT_NAME and i.TABLE_SCHEMA = ii.TABLE_SCHEMA and i.TABLE_NAME = ii.TABLE_NAME "
        "where i.TABLE_SCHEMA = 'public' and i.TABLE_NAME = 'orders' and i.CONSTRAINT_TYPE in ('PRIMARY KEY', 'UNIQUE') "
        "order by i.CONSTRAINT_SCHEMA || '_' || i.CONSTRAINT_NAME, ii.TABLE_SCHEMA, ii.TABLE_NAME, ii.ORDINAL_POSITION",
        "select pkcol.COLUMN_NAME as PK_COLUMN_NAME, fkcol.TABLE_SCHEMA AS FK_TABLE_SCHEMA, fkcol.TABLE_NAME AS FK_TABLE_NAME, "
        "fkcol.COLUMN_NAME as FK_COLUMN_NAME, fkcol.ORDINAL_POSITION as ORDINAL, fkcon.CONSTRAINT_SCHEMA || '_' || fkcol.TABLE_NAME || "
        "'_' || 'orders' || '_' || fkcon.CONSTRAINT_NAME as FK_NAME from (select distinct constraint_catalog, constraint_schema, "
        "unique_constraint_schema, constraint_name, unique_constraint_name from INFORMATION_SCHEMA.REFERENTIAL_CONSTRAINTS) fkcon "
        "inner join INFORMATION_SCHEMA.KEY_COLUMN_USAGE fkcol on fkcon.CONSTRAINT_SCHEMA = fkcol.CONSTRAINT_SCHEMA and "
        "fkcon.CONSTRAINT_NAME = fkcol.CONSTRAINT_NAME inner join INFORMATION_SCHEMA.KEY_COLUMN_USAGE pkcol on "
        "fkcon.UNIQUE_CONSTRAINT_SCHEMA = pkcol.CONSTRAINT_SCHEMA and fkcon.UNIQUE_CONSTRAINT_NAME = pkcol.CONSTRAINT_NAME "
        "where pkcol.TABLE_SCHEMA = 'public' and pkcol.TABLE_NAME = 'customers' and pkcol.ORDINAL_POSITION = fkcol.ORDINAL_POSITION "
        "order by FK_NAME, fkcol.ORDINAL_POSITION",
    ],
    "Metabase": [
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
        "SHOW TIMEZONE",
        "with table_privileges as (select NULL as role, t.schemaname as schema, t.objectname as table, "
        "pg_catalog.has_any_column_privilege(current_user, '\"' || replace(t.schemaname, '\"', '\"\"') || '\".\"' || "
        "replace(t.objectname, '\"', '\"\"') || '\"', 'update') as update, pg_catalog.has_any_column_privilege(current_user, '\"' || "
        "t.schemaname || '\".\"' || t.objectname || '\"', 'select') as select from (select schemaname, tablename as objectname from "
        "pg_catalog.pg_tables union select schemaname, viewname as objectname from pg_catalog.pg_views union select schemaname, "
        "matviewname as objectname from pg_catalog.pg_matviews) t where t.schemaname !~ '^pg_' and t.schemaname <> 'information_schema' "
        "and pg_catalog.has_schema_privilege(current_user, t.schemaname, 'usage')) select t.* from table_privileges t order by 2, 3",
        "SELECT n.nspname AS schema, c.relname AS name, CASE c.relkind WHEN 'r' THEN 'TABLE' WHEN 'p' THEN 'PARTITIONED TABLE' "
        "WHEN 'v' THEN 'VIEW' WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'm' THEN 'MATERIALIZED VIEW' END AS type, d.description "
        "FROM pg_catalog.pg_class c INNER JOIN pg_catalog.pg_namespace n ON c.relnamespace = n.oid LEFT JOIN pg_catalog.pg_description d "
        "ON c.oid = d.objoid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass WHERE c.relkind IN ('r', 'p', 'v', 'f', 'm') "
        "AND n.nspname !~ '^information_schema|catalog_history|pg_' ORDER BY type ASC, schema ASC, name ASC",
        "SELECT c.column_name AS name, CASE WHEN c.udt_schema IN ('public', 'pg_catalog') THEN FORMAT('%s', c.udt_name) ELSE "
        "FORMAT('\"%s\".\"%s\"', c.udt_schema, c.udt_name) END AS \"database-type\", c.ordinal_position - 1 AS \"database-position\", "
        "c.table_schema AS \"table-schema\", c.table_name AS \"table-name\", pk.column_name IS NOT NULL AS \"pk?\", "
        "col_description(CAST(CAST(format('%I.%I', CAST(c.table_schema AS text), CAST(c.table_name AS text)) AS regclass) AS oid), "
        "c.ordinal_position) AS \"field-comment\" FROM information_schema.columns AS c LEFT JOIN (SELECT tc.table_schema, tc.table_name, "
        "kc.column_name FROM information_schema.table_constraints AS tc INNER JOIN information_schema.key_column_usage AS kc ON "
        "tc.constraint_name = kc.constraint_name AND tc.table_schema = kc.table_schema AND tc.table_name = kc.table_name WHERE "
        "tc.constraint_type = 'PRIMARY KEY') AS pk ON c.table_schema = pk.table_schema AND c.table_name = pk.table_name AND "
        "c.column_name = pk.column_name WHERE c.table_schema !~ '^information_schema|catalog_history|pg_' ORDER BY \"table-schema\" ASC, "
        "\"table-name\" ASC, \"database-position\" ASC",
        "SELECT fk_ns.nspname AS \"fk-table-schema\", fk_table.relname AS \"fk-table-name\", fk_column.attname AS \"fk-column-name\" "
        "FROM pg_constraint AS c INNER JOIN pg_class AS fk_table ON c.conrelid = fk_table.oid INNER JOIN pg_namespace AS fk_ns ON "
        "c.connamespace = fk_ns.oid INNER JOIN pg_attribute AS fk_column ON c.conrelid = fk_column.attrelid WHERE c.contype = 'f'::char "
        "AND fk_column.attnum = ANY(c.conkey) ORDER BY 1, 2",
        "SELECT nspname AS schema, pg_type.typname AS name FROM pg_type INNER JOIN pg_namespace ON pg_type.typnamespace = pg_namespace.oid "
        "WHERE pg_type.oid IN (SELECT DISTINCT e.enumtypid FROM pg_enum e)",
        "SELECT to_char(current_timestamp, 'YYYY') >= '2026' AS now",
    ],
    "Grafana": [
        "SELECT current_setting('server_version_num')::int/100 >= 1500 AS version",
        "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'",
        "SELECT CASE WHEN quote_ident(table_schema) IN (SELECT CASE WHEN trim(s[i]) = '\"$user\"' THEN user ELSE trim(s[i]) END "
        "FROM generate_series(array_lower(string_to_array(current_setting('search_path'),','),1), "
        "array_upper(string_to_array(current_setting('search_path'),','),1)) as i, string_to_array(current_setting('search_path'),',') s) "
        "THEN quote_ident(table_name) ELSE quote_ident(table_schema) || '.' || quote_ident(table_name) END AS \"table\" "
        "FROM information_schema.tables WHERE quote_ident(table_schema) NOT IN ('information_schema', 'pg_catalog', '_timescaledb_cache', "
        "'_timescaledb_catalog', '_timescaledb_internal', '_timescaledb_config', 'timescaledb_information', 'timescaledb_experimental') "
        "ORDER BY CASE WHEN quote_ident(table_schema) = 'public' THEN 0 ELSE 1 END, 1",
        "SELECT quote_ident(column_name) AS \"column\", data_type AS \"type\" FROM information_schema.columns WHERE CASE WHEN "
        "array_length(parse_ident('orders'),1) = 2 THEN quote_ident(table_schema) = (parse_ident('orders'))[1] AND "
        "quote_ident(table_name) = (parse_ident('orders'))[2] ELSE quote_ident(table_name) = (parse_ident('orders'))[1] AND "
        "quote_ident(table_schema) IN (SELECT CASE WHEN trim(s[i]) = '\"$user\"' THEN user ELSE trim(s[i]) END FROM "
        "generate_series(array_lower(string_to_array(current_setting('search_path'),','),1), "
        "array_upper(string_to_array(current_setting('search_path'),','),1)) as i, string_to_array(current_setting('search_path'),',') s) END",
        "SELECT quote_ident(column_name) FROM information_schema.columns WHERE table_name = 'orders' AND data_type IN "
        "('timestamp without time zone', 'timestamp with time zone', 'bigint', 'integer', 'double precision', 'real') ORDER BY 1",
    ],
    "DBeaver": [
        "SET extra_float_digits = 3",
        "SET application_name = 'DBeaver - Main <storefront>'",
        "SELECT current_schema(),session_user",
        "SHOW search_path",
        "SELECT db.oid > 0,db.datname FROM pg_catalog.pg_database db WHERE datname='storefront'",
        "select name, setting from pg_catalog.pg_settings where name='standard_conforming_strings'",
        "SELECT n.nspname,d.description FROM pg_catalog.pg_namespace n LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=n.oid "
        "AND d.objsubid=0 AND d.classoid='pg_namespace'::regclass WHERE n.nspname = 'public' ORDER BY nspname",
        "SELECT typcategory FROM pg_catalog.pg_type WHERE 1<>1 LIMIT 1",
        "SELECT c.relname,c.relkind,d.description,pg_catalog.pg_get_expr(c.relpartbound, c.oid) as partition_expr, "
        "pg_catalog.pg_get_partkeydef(c.oid) as partition_key FROM pg_catalog.pg_class c LEFT OUTER JOIN pg_catalog.pg_description d ON "
        "d.objoid=c.oid AND d.objsubid=0 AND d.classoid='pg_class'::regclass WHERE c.relnamespace='public'::regnamespace AND "
        "c.relkind not in ('i','I','c') ORDER BY c.relname",
        "SELECT c.relname,a.attname,a.attnum,a.atttypid,a.attnotnull,pg_catalog.pg_get_expr(ad.adbin, ad.adrelid, true) as def_value,"
        "dsc.description,dep.objid FROM pg_catalog.pg_attribute a INNER JOIN pg_catalog.pg_class c ON (a.attrelid=c.oid) LEFT OUTER JOIN "
        "pg_catalog.pg_attrdef ad ON (a.attrelid=ad.adrelid AND a.attnum = ad.adnum) LEFT OUTER JOIN pg_catalog.pg_description dsc ON "
        "(c.oid=dsc.objoid AND a.attnum = dsc.objsubid) LEFT OUTER JOIN pg_depend dep on dep.refobjid = a.attrelid AND dep.deptype = 'i' "
        "and dep.refobjsubid = a.attnum and dep.classid = dep.refclassid WHERE NOT a.attisdropped AND a.attnum > 0 AND "
        "c.relkind not in ('i','I','c') AND c.oid='public.orders'::regclass ORDER BY a.attnum",
        "SELECT c.conname,c.contype,t.relname as tabrelname,pg_catalog.pg_get_constraintdef(c.oid) FROM pg_catalog.pg_constraint c "
        "INNER JOIN pg_catalog.pg_class t ON t.oid=c.conrelid WHERE c.conrelid='public.orders'::regclass AND c.contype <> 'n' ORDER BY 1",
        "SELECT i.indisprimary,i.indkey::text,c.relname,pg_catalog.pg_get_indexdef(i.indexrelid) FROM pg_catalog.pg_index i INNER JOIN "
        "pg_catalog.pg_class c ON c.oid=i.indexrelid WHERE i.indrelid='public.orders'::regclass ORDER BY c.relname",
        "SELECT t.typname,t.typtype,t.typcategory,c.relkind,format_type(nullif(t.typbasetype, 0), t.typtypmod) as base_type_name "
        "FROM pg_catalog.pg_type t LEFT OUTER JOIN pg_class c ON c.oid=t.typrelid WHERE t.typname in ('int8','numeric','text','timestamp') "
        "ORDER BY 1",
        "SELECT count(*) > 20 FROM pg_catalog.pg_get_keywords() where word <> ALL ('{a,abs,absolute,action}'::text[])",
    ],
    "pgAdmin": [
        "SET DateStyle=ISO; SET client_min_messages=notice; SELECT set_config('bytea_output','hex',false) FROM pg_show_all_settings() "
        "WHERE name = 'bytea_output'; SET client_encoding='UTF8';",
        "SELECT db.datname, db.datallowconn, pg_encoding_to_char(db.encoding) AS serverencoding, "
        "has_database_privilege(db.oid, 'CREATE') as cancreate, datistemplate FROM pg_catalog.pg_database db WHERE db.datname = current_database()",
        "SELECT roles.rolname as name, roles.rolsuper as is_superuser, CASE WHEN roles.rolsuper THEN true ELSE roles.rolcreaterole END "
        "as can_create_role, CASE WHEN roles.rolsuper THEN true ELSE roles.rolcreatedb END as can_create_db FROM pg_catalog.pg_roles as roles "
        "WHERE rolname = current_user",
        "SELECT gss_authenticated, encrypted FROM pg_catalog.pg_stat_gssapi WHERE pid = pg_backend_pid()",
        "SELECT nsp.nspname AS name, has_schema_privilege(nsp.oid, 'CREATE') AS can_create, has_schema_privilege(nsp.oid, 'USAGE') "
        "AS has_usage FROM pg_catalog.pg_namespace nsp WHERE nspname = 'public'",
        "SELECT rel.relname AS name, (SELECT count(*) FROM pg_trigger WHERE tgrelid=rel.oid AND tgisinternal = FALSE) AS triggercount, "
        "(SELECT count(1) FROM pg_inherits WHERE inhrelid=rel.oid LIMIT 1) as is_inherits FROM pg_catalog.pg_class rel WHERE rel.relkind IN "
        "('r','s','t','p') AND rel.relnamespace = 'public'::regnamespace AND NOT rel.relispartition ORDER BY rel.relname",
        "SELECT att.attname as name, att.attnum, format_type(ty.oid,att.atttypmod) AS displaytypname, att.attnotnull as not_null, "
        "col_description(att.attrelid, att.attnum) AS description FROM pg_catalog.pg_attribute att JOIN pg_catalog.pg_type ty ON "
        "ty.oid=atttypid WHERE att.attrelid = 'orders'::regclass AND att.attnum > 0 AND att.attisdropped IS FALSE ORDER BY att.attnum",
        "SELECT row_to_json(t) IS NOT NULL AS there FROM (SELECT (SELECT count(*) FROM pg_catalog.pg_stat_activity) AS \"Total\") t",
    ],
    "Looker Studio and Sigma": [
        "SET extra_float_digits = 3",
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED",
        "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema') "
        "ORDER BY 1, 2",
        "SELECT column_name, data_type, is_nullable, numeric_precision, numeric_scale FROM information_schema.columns WHERE "
        "table_schema = 'public' AND table_name = 'sales' ORDER BY ordinal_position",
        "SELECT schema_name FROM information_schema.schemata WHERE schema_name NOT LIKE 'pg_%' ORDER BY 1",
        "select c.relname, obj_description(c.oid) from pg_class c where c.relkind in ('r', 'v') and c.relnamespace = 'public'::regnamespace order by 1",
    ],
    "Excel": [
        "SET DateStyle = 'ISO';SET extra_float_digits = 2;show transaction_isolation",
        "select nspname from pg_namespace n where nspname = 'public' order by nspname",
        "select NULL, NULL, NULL",
        "SELECT Config, nValue FROM MSysConf",
    ],
}  # fmt: skip
"""The last one of Excel must fail: it is how Microsoft's tools find out what they are connected to."""

ASKING: dict[str, list[str]] = {
    "Tableau": [
        'SELECT "orders"."order_status" AS "order_status", SUM("orders"."total_revenue") AS "sum:total_revenue:ok" FROM "public"."orders" '
        '"orders" GROUP BY 1',
        'SELECT CAST(TRUNC(EXTRACT(YEAR FROM "orders"."order_date")) AS INTEGER) AS "yr:order_date:ok", COUNT(1) AS "cnt:orders:ok" '
        'FROM "public"."orders" "orders" WHERE ("orders"."order_date" >= (TIMESTAMP \'2026-01-01 00:00:00.000\')) GROUP BY 1',
        'SELECT DATE_TRUNC( \'MONTH\', CAST("orders"."order_date" AS DATE) ) AS "tmn:order_date:ok", SUM("orders"."total_revenue") AS '
        '"sum:total_revenue:ok" FROM "public"."orders" "orders" GROUP BY 1',
        'SELECT "orders"."channel" AS "channel" FROM "public"."orders" "orders" GROUP BY 1 HAVING (COUNT(1) > 0) ORDER BY 1 ASC NULLS FIRST',
        'SELECT "t0"."channel" AS "channel", SUM("t0"."n") AS "n" FROM (SELECT "orders"."channel" AS "channel", '
        '"orders"."order_status" AS "order_status", COUNT(*) AS "n" FROM "public"."orders" "orders" GROUP BY 1, 2) "t0" GROUP BY 1',
        'SELECT (CASE WHEN ("orders"."total_amount" > 100) THEN \'high\' WHEN NOT ("orders"."total_amount" > 100) THEN \'low\' ELSE NULL END) '
        'AS "Calculation_1", COUNT(1) AS "n" FROM "public"."orders" "orders" GROUP BY 1',
    ],
    "Power BI": [
        'select "_"."order_status", "_"."a0" from (select "rows"."order_status" as "order_status", sum("rows"."total_revenue") as "a0" '
        'from (select "_"."order_status", "_"."total_revenue" from "public"."orders" "_") "rows" group by "order_status") "_" '
        'where not "_"."a0" is null limit 1000001',
        'select "$Table"."campaign_id" as "campaign_id", "$Table"."campaign_name" as "campaign_name", "$Table"."start_date" as "start_date" '
        'from "public"."campaigns" "$Table" limit 1000',
        'select count(distinct("rows"."order_status")) as "a0", count(*) as "a1" from "public"."orders" "rows"',
        'select "_"."channel" from "public"."orders" "_" where "_"."channel" = \'web\' and "_"."channel" is not null group by "_"."channel" '
        'order by "_"."channel" limit 501',
    ],
    "Metabase": [
        'SELECT TRUE AS "_" FROM "public"."orders" WHERE 1 <> 1 LIMIT 0',
        'SELECT "public"."orders"."order_status" AS "order_status", COUNT(*) AS "count" FROM "public"."orders" GROUP BY '
        '"public"."orders"."order_status" ORDER BY "public"."orders"."order_status" ASC',
        'SELECT CAST(DATE_TRUNC(\'month\', "public"."orders"."order_date") AS date) AS "order_date", SUM("public"."orders"."total_revenue") AS "sum" '
        'FROM "public"."orders" WHERE ("public"."orders"."order_date" >= timestamp with time zone \'2026-01-01 00:00:00.000Z\') '
        'AND ("public"."orders"."order_date" < timestamp with time zone \'2026-07-01 00:00:00.000Z\') '
        'GROUP BY DATE_TRUNC(\'month\', "public"."orders"."order_date") ORDER BY DATE_TRUNC(\'month\', "public"."orders"."order_date") ASC',
        'SELECT "source"."order_status" AS "order_status", SUM("source"."count") AS "sum" FROM (SELECT "public"."orders"."order_status" AS '
        '"order_status", "public"."orders"."channel" AS "channel", COUNT(*) AS "count" FROM "public"."orders" GROUP BY '
        '"public"."orders"."order_status", "public"."orders"."channel") AS "source" GROUP BY "source"."order_status" '
        'ORDER BY "source"."order_status" ASC',
        'SELECT "public"."campaigns"."campaign_id" AS "campaign_id", SUBSTRING("public"."campaigns"."campaign_name", 1, 1234) AS "name" '
        'FROM "public"."campaigns" ORDER BY "public"."campaigns"."campaign_id" ASC LIMIT 2000',
    ],
    "Grafana": [
        'SELECT floor(extract(epoch from order_date)/86400)*86400 AS "time", COUNT(*) AS "n" FROM orders WHERE order_date BETWEEN '
        "'2026-01-01T00:00:00Z' AND '2026-02-01T00:00:00Z' GROUP BY 1 ORDER BY 1",
        'SELECT order_date AS "time", total_amount FROM orders WHERE order_date >= \'2026-09-01T00:00:00Z\' AND order_date <= '
        "'2026-09-05T00:00:00Z' ORDER BY order_id LIMIT 50",
        "SELECT DISTINCT channel AS \"__text\", channel AS \"__value\" FROM orders ORDER BY 1",
    ],
    "DBeaver": [
        "SELECT x.* FROM public.campaigns x ORDER BY x.campaign_id LIMIT 200",
        "SELECT count(*) FROM public.orders x WHERE x.channel = 'web'",
        "SELECT order_id, order_date FROM public.orders WHERE order_id = 5 FETCH FIRST 1 ROWS ONLY",
    ],
    "pgAdmin": [
        "SELECT * FROM public.campaigns\nORDER BY campaign_id ASC LIMIT 100",
        "SELECT COUNT(*) AS \"cnt\" FROM public.orders",
    ],
    "Looker Studio and Sigma": [
        'SELECT SUM(1) AS "qt_1", t0."order_status" AS "t0_qt_2" FROM (SELECT * FROM "public"."orders") AS t0 GROUP BY "t0_qt_2" '
        'ORDER BY "qt_1" DESC LIMIT 2000001',
        'select ORDER_STATUS_1, SUM_2 from (select Q1."order_status" ORDER_STATUS_1, sum(Q1."total_revenue") SUM_2 from '
        '"public"."orders" Q1 group by Q1."order_status") Q2 order by SUM_2 desc, ORDER_STATUS_1 limit 1001',
    ],
    "Excel": [
        'SELECT orders.order_status, orders.channel, orders.total_amount FROM public.orders orders WHERE (orders.order_id<50) '
        "ORDER BY orders.order_id",
        'SELECT "orders"."order_status", Count(*) AS "Number" FROM "storefront"."public"."orders" "orders" GROUP BY "orders"."order_status"',
    ],
}  # fmt: skip
