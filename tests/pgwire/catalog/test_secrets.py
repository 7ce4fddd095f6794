"""What a client may not do in the shadow, and may not learn from it."""

import re

import pytest

from ingot.pgwire.catalog import Column, Table
from ingot.pgwire.errors import PgError
from tests.pgwire.catalog.shadow import ORDERS, USERS, Shadow

pytestmark = pytest.mark.slow

SALARIES = Table(
    "public",
    "salaries",
    (Column("id", "bigint"), Column("wage_of_boss", "numeric", "measure: what the boss earns")),
    "Salaries: for the board",
    ("id",),
)

WRITES = {
    "INSERT INTO orders (id) VALUES (1)": "25006",
    "UPDATE orders SET id = 1": "25006",
    "DELETE FROM orders": "25006",
    "TRUNCATE orders": "25006",
    "MERGE INTO orders USING users ON true WHEN MATCHED THEN DELETE": "25006",
    "WITH gone AS (DELETE FROM orders RETURNING 1) SELECT * FROM gone": "25006",
    "CREATE TABLE mine (a int)": "25006",
    "CREATE TEMP TABLE mine (a int)": "25006",
    "SELECT 1 AS a INTO mine": "25006",
    "SELECT 1 AS a INTO TEMP mine": "25006",
    "CREATE VIEW mine AS SELECT 1": "25006",
    "CREATE SCHEMA mine": "25006",
    "CREATE ROLE mine": "25006",
    "CREATE EXTENSION adminpack": "25006",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'": "25006",
    "DROP TABLE orders": "25006",
    "ALTER TABLE orders ADD COLUMN mine int": "25006",
    "COMMENT ON TABLE orders IS 'mine'": "25006",
    "GRANT ALL ON orders TO PUBLIC": "25006",
    "ALTER ROLE mallory SET search_path = mine": "25006",
    "ALTER ROLE mallory PASSWORD 'mine'": "25006",
    "ALTER ROLE mallory SUPERUSER": "25006",
    "ALTER SYSTEM SET fsync = on": "25001",
    "CREATE DATABASE mine": "25006",
    "DROP DATABASE shop": "25006",
    "SECURITY LABEL ON TABLE orders IS 'x'": "25006",
}
REFUSED = (
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_read_binary_file('PG_VERSION')",
    "SELECT pg_ls_dir('/')",
    "SELECT pg_stat_file('/etc/passwd')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_create(0)",
    "SELECT lo_from_bytea(0, 'x')",
    "COPY orders TO '/tmp/mine'",
    "COPY orders FROM PROGRAM 'id'",
    "COPY (SELECT 1) TO PROGRAM 'id'",
    "LOAD '/tmp/mine.so'",
    "DO $$ BEGIN PERFORM 1; END $$",
    "SET ROLE ingot",
    "SET SESSION AUTHORIZATION ingot",
    "SET SESSION AUTHORIZATION bob",
    "SET ROLE pg_read_server_files",
    "SELECT set_config('role', 'ingot', false)",
    "SELECT set_config('session_authorization', 'ingot', false)",
    "SELECT set_config('allow_system_table_mods', 'on', false)",
    "SELECT set_config('temp_file_limit', '-1', false)",
    "SELECT set_config('log_statement', 'all', false)",
    "SELECT set_config('session_preload_libraries', 'mine', false)",
    "SELECT pg_terminate_backend(1)",
    "SELECT pg_cancel_backend(1)",
    "SELECT pg_reload_conf()",
    "SELECT pg_rotate_logfile()",
    "SELECT pg_switch_wal()",
    "SELECT pg_advisory_lock(1)",
    "SELECT pg_try_advisory_xact_lock(1)",
    "SELECT pg_read_file_old('/etc/passwd', 0, 9)",
    "SELECT pg_notify('a', 'b')",
    "SELECT pg_export_snapshot()",
    "SELECT pg_logical_emit_message(false, 'a', 'b')",
    "SELECT pg_create_physical_replication_slot('a')",
    "SELECT pg_promote()",
    "SELECT * FROM pg_authid",
    "SELECT * FROM pg_shadow",
    "SELECT * FROM pg_hba_file_rules",
    "SELECT * FROM pg_file_settings",
    "SELECT * FROM pg_config",
    "SELECT * FROM pg_user_mapping",
    "SELECT * FROM pg_largeobject",
    "SELECT * FROM pg_statistic",
    "SELECT pg_current_logfile()",
    "SHOW data_directory",
    "SHOW config_file",
    "SHOW hba_file",
    "SHOW unix_socket_directories",
    "SELECT current_setting('data_directory')",
    "LOCK TABLE pg_class IN ACCESS EXCLUSIVE MODE",
    "CHECKPOINT",
    "REINDEX TABLE orders",
    "CLUSTER",
    "PREPARE TRANSACTION 'a'",
    "COMMIT PREPARED 'a'",
)


@pytest.mark.parametrize(("text", "sqlstate"), WRITES.items())
def test_writing_is_refused_as_in_a_transaction_that_only_reads(
    shadow: Shadow, text: str, sqlstate: str
) -> None:
    session = shadow.session("mallory")
    # Neither of these gives more.
    shadow.rows(session, "SELECT set_config('default_transaction_read_only', 'off', false)")
    shadow.rows(session, "SET TRANSACTION READ WRITE")
    with pytest.raises(PgError) as caught:
        shadow.rows(session, text)
    if text.startswith(("WITH", "SELECT")):
        assert caught.value.sqlstate in (sqlstate, "42501")
    else:
        assert caught.value.sqlstate == sqlstate
    shadow.close(session)


@pytest.mark.parametrize("text", REFUSED)
def test_it_is_refused(shadow: Shadow, text: str) -> None:
    session = shadow.session("mallory")
    with pytest.raises(PgError) as caught:
        shadow.rows(session, text)
    assert not caught.value.sqlstate.startswith(("57", "58", "XX", "53"))
    assert shadow.rows(
        session, "SELECT current_user, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)"
    ) == [("mallory", "f")]
    shadow.close(session)


def test_no_setting_tells_a_path(shadow: Shadow) -> None:
    session = shadow.session("mallory")
    found = shadow.rows(session, "SELECT name, setting, reset_val, boot_val FROM pg_settings")
    folder = str(shadow.place.data)
    for row in found:
        for value in row[1:]:
            assert value is None or not re.search(r"^/|ingot-sql", value), row
            assert folder not in (value or "")
    for name in (
        "data_directory",
        "config_file",
        "hba_file",
        "ident_file",
        "unix_socket_directories",
        "external_pid_file",
    ):
        assert name not in {row[0] for row in found}
    shadow.close(session)


def test_closed_functions_are_closed_in_every_database(shadow: Shadow) -> None:
    asked = (
        "SELECT oid::regprocedure FROM pg_proc WHERE has_function_privilege(current_user, oid, 'EXECUTE') AND proname ~"
        " '^(lo_|loread|lowrite|pg_(try_)?advisory_(xact_)?lock|pg_(terminate|cancel)_backend|pg_notify|pg_export_snapshot|pg_logical_emit"
        "|pg_read_|pg_ls_|pg_stat_file|pg_reload|pg_rotate|pg_stat_reset|pg_replication_(?!.*(in|out)$)|pg_promote|pg_.*backup)'"
    )
    for database in ("shop", "shop@dev"):
        session = shadow.session("mallory", database)
        found = {row[0] for row in shadow.rows(session, asked)}
        assert {one for one in found if "slot_advance" not in (one or "")} == set()
        shadow.close(session)


def test_nothing_that_was_set_lets_the_next_statement_write(shadow: Shadow) -> None:
    session = shadow.session("mallory")
    shadow.do(session.setting("SET default_transaction_read_only = off"))
    shadow.do(session.setting("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE"))
    with pytest.raises(PgError) as caught:
        shadow.rows(session, "ALTER ROLE mallory SET work_mem = '1GB'")
    assert caught.value.sqlstate == "25006"
    with pytest.raises(PgError):
        shadow.rows(session, "CREATE TABLE public.mine (a int)")
    shadow.close(session)


def test_two_users_never_see_each_others_names(shadow: Shadow) -> None:
    """Neither tables, comments, roles, statements nor databases: each has a PostgreSQL of his own."""
    shadow.shown.groups["board"] = (ORDERS, USERS, SALARIES)
    boss = shadow.session("boss", "shop@dev", group="board", lake=True)
    clerk = shadow.session("clerk")
    assert shadow.rows(boss, "SELECT count(*) FROM pg_class WHERE relname = 'salaries'") == [("1",)]
    secrets = ("salaries", "wage_of_boss", "boss", "the board", "facts")
    tables = shadow.rows(
        clerk,
        "SELECT c.oid::regclass FROM pg_class c WHERE relkind IN ('r', 'v') AND relnamespace = 'pg_catalog'::regnamespace"
        " AND has_table_privilege(c.oid, 'SELECT')",
    )
    assert len(tables) > 100
    for (name,) in tables:
        said = shadow.rows(clerk, f"SELECT to_jsonb(one)::text FROM {name} AS one")
        for row in said:
            assert not any(secret in (row[0] or "") for secret in secrets), (name, row)
    for text in (
        "SELECT * FROM salaries",
        "SELECT wage_of_boss FROM orders",
        "SELECT 'salaries'::regclass",
        "SELECT 'boss'::regrole",
        "SET ROLE boss",
        "SELECT has_table_privilege('boss', 'orders', 'SELECT')",
        "SELECT * FROM gold.facts",
    ):
        with pytest.raises(PgError) as caught:
            shadow.rows(clerk, text)
        other = (
            text.replace("salaries", "nonsense")
            .replace("wage_of_boss", "nonsense")
            .replace("boss", "nonsense")
            .replace("gold.facts", "gold.nonsense")
        )
        with pytest.raises(PgError) as also:
            shadow.rows(clerk, other)
        words = str(caught.value)
        for secret in ("salaries", "wage_of_boss", "boss", "facts"):
            words = words.replace(secret, "nonsense")
        assert (words, caught.value.sqlstate) == (str(also.value), also.value.sqlstate)
    shadow.close(boss, clerk)


def test_the_same_user_with_other_rights_sees_what_those_give(shadow: Shadow) -> None:
    shadow.shown.groups["board"] = (ORDERS, USERS, SALARIES)
    asked = "SELECT count(*) FROM pg_class WHERE relname = 'salaries'"
    one, other = shadow.session("alice", group="board"), shadow.session("alice")
    assert shadow.rows(one, asked) == [("1",)]
    assert shadow.rows(other, asked) == [("0",)]
    shadow.close(one, other)


def test_statements_of_others_do_not_show(shadow: Shadow) -> None:
    one, other = shadow.session("alice"), shadow.session("bob")
    shadow.rows(one, "SELECT 'a secret of alice'")
    found = shadow.rows(
        other, "SELECT usename, datname, query, application_name, client_addr FROM pg_stat_activity"
    )
    assert not any("alice" in str(row) for row in found)
    assert {row[0] for row in found} <= {"bob", "ingot", None}
    shadow.close(one, other)


@pytest.mark.parametrize("name", ["pg_boss", "public", "none"])
def test_names_that_no_role_can_have_are_refused(shadow: Shadow, name: str) -> None:
    session = shadow.session(name)
    with pytest.raises(PgError) as caught:
        shadow.rows(session, "SELECT 1")
    assert caught.value.sqlstate == "28000"
    shadow.close(session)
