"""How the shadow PostgreSQL is set up: its settings, and what nobody may do in it.

A client's role has no right but to look. What PostgreSQL allows to everybody beyond that (large objects, locks,
messages to others, programs in plpgsql) is taken back here, in the template of all databases.
"""

OWNER = "ingot"
"""The role that owns everything. No client ever is it."""

SETTINGS = """\
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 30
superuser_reserved_connections = 6
shared_buffers = 2MB
work_mem = 2MB
maintenance_work_mem = 2MB
temp_file_limit = 64MB
max_locks_per_transaction = 256
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
wal_log_hints = off
max_wal_senders = 0
max_replication_slots = 0
max_wal_size = 16MB
min_wal_size = 2MB
checkpoint_timeout = 1h
max_worker_processes = 0
max_parallel_workers = 0
max_parallel_workers_per_gather = 0
max_logical_replication_workers = 0
autovacuum = off
track_counts = off
bgwriter_delay = 10s
bgwriter_lru_maxpages = 0
wal_writer_delay = 10s
jit = off
update_process_title = off
log_min_messages = fatal
log_min_error_statement = panic
log_timezone = 'UTC'
timezone = 'UTC'
datestyle = 'iso, mdy'
lc_messages = 'C'
default_text_search_config = 'pg_catalog.english'
default_transaction_read_only = on
statement_timeout = 30s
client_connection_check_interval = 1s
idle_in_transaction_session_timeout = 60s
"""

SINCE_18 = "io_method = sync\n"
"""What older versions do not know."""

ACCESS = "local all all trust\n"
"""pg_hba.conf. Only who may enter the folder of the socket gets so far."""

_CLOSED = (
    "^lo_",
    "^loread$",
    "^lowrite$",
    "^pg_(try_)?advisory_(xact_)?lock",
    "^pg_(terminate|cancel)_backend$",
    "^pg_notify$",
    "^pg_export_snapshot$",
    "^pg_logical_emit_message$",
    "^pg_stat_reset",
    "^pg_replication_",
    "^pg_wal_replay_",
    "^pg_(read_file|rotate_logfile)_old$",
)
"""Functions by name that PostgreSQL lets everybody call, and that do more than look."""

STATEMENTS = (
    "DROP DATABASE postgres",
    "UPDATE pg_database SET datistemplate = false WHERE datname = 'template0'",
    "DROP DATABASE template0",
    (
        "CREATE FUNCTION pg_catalog.measure_step(anyelement, anyelement) RETURNS anyelement"
        " LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT $1'"
    ),
    "CREATE AGGREGATE pg_catalog.measure(anyelement) (sfunc = pg_catalog.measure_step, stype = anyelement)",
    "COMMENT ON AGGREGATE pg_catalog.measure(anyelement) IS 'the value of a measure, however it is computed'",
    "DO $$ DECLARE one oid; BEGIN FOR one IN SELECT oid FROM pg_proc WHERE proname ~ '"
    + "|".join(_CLOSED)
    + "' LOOP EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', one::regprocedure); END LOOP; END $$",
    "REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC",
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    "REVOKE TEMPORARY ON DATABASE template1 FROM PUBLIC",
)
"""Run once, one after the other, in the database from which all are made."""
