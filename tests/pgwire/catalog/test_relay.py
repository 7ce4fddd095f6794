"""Statements through the relay: answers, errors, parameters, streams, settings, cancelling."""

import asyncio
import time
from collections.abc import Mapping
from struct import pack

import pytest

from ingot.pgwire.catalog.backend import ShadowError, texts
from ingot.pgwire.errors import PgError
from ingot.pgwire.ports import Value
from ingot.pgwire.sqlstates import fields
from tests.pgwire.catalog.shadow import ORDERS, USERS, Shadow, rows

pytestmark = pytest.mark.slow


def test_a_session_is_the_clients_user_in_the_database_that_he_named(shadow: Shadow) -> None:
    session = shadow.session('Zoë "Q" O\'Hara', "shop@dev")
    assert shadow.rows(session, "SELECT current_user, session_user, current_database()") == [
        ('Zoë "Q" O\'Hara', 'Zoë "Q" O\'Hara', "shop@dev")
    ]
    shadow.close(session)


def test_a_user_named_like_the_owner_is_not_the_owner(shadow: Shadow) -> None:
    session = shadow.session("ingot")
    asked = "SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user"
    assert shadow.rows(session, asked) == [("ingot", "f")]
    with pytest.raises(ShadowError) as caught:
        shadow.rows(session, "SELECT * FROM pg_authid")
    assert caught.value.sqlstate == "42501"
    shadow.close(session)


def test_what_is_shown_has_types_comments_and_keys(shadow: Shadow) -> None:
    session = shadow.session()
    asked = (
        "SELECT a.attname, format_type(a.atttypid, a.atttypmod), col_description(a.attrelid, a.attnum)"
        " FROM pg_attribute a WHERE attrelid = 'orders'::regclass AND attnum > 0 ORDER BY attnum"
    )
    names = {"timestamp": "timestamp without time zone"}
    assert shadow.rows(session, asked) == [
        (one.name, names.get(one.type, one.type), one.comment) for one in ORDERS.columns
    ]
    keys = "SELECT conname, contype, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype IN ('p', 'f') AND connamespace = 'public'::regnamespace ORDER BY 1"
    assert shadow.rows(session, keys) == [
        ("orders_pkey", "p", "PRIMARY KEY (id)"),
        ("orders_user_id_fkey", "f", "FOREIGN KEY (user_id) REFERENCES users(id)"),
        ("users_pkey", "p", "PRIMARY KEY (id)"),
    ]
    assert shadow.rows(session, "SELECT obj_description('users'::regclass)") == [(USERS.comment,)]
    shadow.close(session)


def test_errors_have_every_field_of_postgresql(shadow: Shadow) -> None:
    session = shadow.session()
    with pytest.raises(ShadowError) as caught:
        shadow.rows(session, "SELECT statuss FROM orders")
    error = caught.value
    assert (error.sqlstate, error.position) == ("42703", 8)
    assert error.message == 'column "statuss" does not exist'
    assert error.hint == 'Perhaps you meant to reference the column "orders.status".'
    assert error.fields["V"] == "ERROR"
    with pytest.raises(ShadowError) as caught:
        shadow.rows(session, "SELECT 'x'::integer")
    assert caught.value.sqlstate == "22P02"
    assert shadow.rows(session, "SELECT 1") == [("1",)]
    shadow.close(session)


def test_a_data_statement_is_described_without_being_run(shadow: Shadow) -> None:
    session = shadow.session()
    text = "SELECT status, measure(revenue), count(*) AS n FROM orders WHERE user_id = $1 AND created_at > $2 GROUP BY 1"
    found = shadow.do(session.describe(text))
    assert found.parameters == (20, 1114)
    assert [(one.name, one.oid) for one in found.fields or ()] == [
        ("status", 25),
        ("measure", 1700),
        ("n", 20),
    ]
    assert shadow.do(session.describe("SELECT $1 + 1", [20])).parameters == (20,)
    (field,) = shadow.do(session.describe("SELECT revenue FROM orders")).fields or ()
    assert (field.name, field.oid, field.modifier) == ("revenue", 1700, ((14 << 16) | 2) + 4)
    assert shadow.do(session.describe("")).fields is None
    shadow.close(session)


def test_values_and_formats_go_through_as_they_are(shadow: Shadow) -> None:
    session = shadow.session()

    async def ask() -> bytes:
        statement = await session.prepare("SELECT $1::bigint * 2, $2::text, $3::int", (20, 25, 23))
        found = await statement.run([Value(pack("!q", 21), 1), Value("ü".encode()), Value(None)], (1, 0, 0))
        chunk = await found.fetch(0)
        assert chunk is not None
        assert await found.fetch(0) is None
        return bytes(chunk.data)

    row = pack("!H", 3) + pack("!iq", 8, 42) + pack("!i", 2) + "ü".encode() + pack("!i", -1)
    assert shadow.do(ask()) == b"D" + pack("!I", len(row) + 4) + row
    shadow.close(session)


def test_rows_come_in_chunks_of_at_most_what_is_asked_for(shadow: Shadow) -> None:
    session = shadow.session()

    async def ask() -> list[int]:
        statement = await session.prepare("SELECT i FROM generate_series(1, 1000) AS i")
        found = await statement.run((), ())
        sizes, values = [], []
        while (chunk := await found.fetch(300)) is not None:
            sizes.append(chunk.rows)
            values += [int(row[0] or 0) for row in texts(bytes(chunk.data))]
        assert values == list(range(1, 1001))
        return sizes

    sizes = shadow.do(ask())
    assert max(sizes) <= 300
    assert sum(sizes) == 1000
    shadow.close(session)


def test_a_reader_who_stops_leaves_no_statement_behind(shadow: Shadow) -> None:
    session = shadow.session()

    async def ask() -> None:
        statement = await session.prepare("SELECT repeat('x', 1000) FROM generate_series(1, 1000000)")
        found = await statement.run((), ())
        assert await found.fetch(10) is not None
        await found.close()
        await found.close()

    shadow.do(ask())
    assert not shadow.home().busy
    running = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT repeat%'"
    until = time.monotonic() + 5
    while shadow.rows(session, running) != [("0",)] and time.monotonic() < until:
        time.sleep(0.05)
    assert shadow.rows(session, running) == [("0",)]
    shadow.close(session)


def test_cancelling_takes_less_than_a_tenth_of_a_second_and_hits_nobody_else(shadow: Shadow) -> None:
    one, other = shadow.session(), shadow.session()

    async def ask() -> float:
        slow = asyncio.create_task(rows(one, "SELECT pg_sleep(20)"))
        beside = asyncio.create_task(rows(other, "SELECT pg_sleep(0.6)"))
        await asyncio.sleep(0.2)
        begun = time.monotonic()
        one.cancel()
        with pytest.raises(ShadowError) as caught:
            await slow
        assert caught.value.sqlstate == "57014"
        taken = time.monotonic() - begun
        assert await beside == [("",)]
        return taken

    assert shadow.do(ask()) < 0.1
    assert shadow.rows(one, "SELECT 1") == [("1",)]
    shadow.close(one, other)


def test_a_session_that_waits_for_its_turn_can_be_cancelled(shadow: Shadow) -> None:
    sessions = [shadow.session("waiting") for _ in range(11)]

    async def ask() -> None:
        prepared = [await one.prepare("SELECT pg_sleep(20)") for one in sessions]
        slow = [asyncio.create_task(one.run((), ())) for one in prepared]
        while not (pool := shadow.home("waiting")._pool)._waiting:
            await asyncio.sleep(0.05)  # ten run then, and one waits
        assert pool.busy == 10
        for one in sessions:
            one.cancel()
        for error in await asyncio.gather(*slow, return_exceptions=True):
            assert isinstance(error, PgError)
            assert error.sqlstate == "57014"

    shadow.do(ask())
    assert not shadow.home("waiting").busy
    shadow.close(*sessions)


def test_a_task_that_is_given_up_leaves_no_statement_behind(shadow: Shadow) -> None:
    session = shadow.session("leaving")

    async def ask() -> None:
        task = asyncio.create_task(rows(session, "SELECT pg_sleep(20), 'left behind'"))
        await asyncio.sleep(0.3)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    shadow.do(ask())
    running = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%left behind%' AND pid <> pg_backend_pid()"
    until = time.monotonic() + 5
    while shadow.rows(session, running) != [("0",)] and time.monotonic() < until:
        time.sleep(0.1)
    assert shadow.rows(session, running) == [("0",)]
    shadow.close(session)


def test_a_statement_ends_after_its_time(shadow: Shadow) -> None:
    session = shadow.session()
    assert shadow.rows(session, "SELECT current_setting('statement_timeout')") == [("30s",)]
    # What a session sets for itself is not taken over by the connection that the next statement gets.
    shadow.do(session.setting("SET statement_timeout = 0"))
    assert shadow.rows(session, "SELECT current_setting('statement_timeout')") == [("30s",)]
    shadow.close(session)


def test_settings_hold_for_their_session_and_no_other(shadow: Shadow) -> None:
    one, other = shadow.session(), shadow.session()
    answer = shadow.do(one.setting("SET TIME ZONE 'europe/berlin'"))
    assert (answer.tag, answer.values, answer.reported) == (
        "SET",
        {"timezone": "Europe/Berlin"},
        {"TimeZone": "Europe/Berlin"},
    )
    asked = "SELECT current_setting('timezone')"
    for _ in range(2):
        assert shadow.rows(one, asked) == [("Europe/Berlin",)]
        assert shadow.rows(other, asked) == [("UTC",)]
    shadow.rows(one, "SELECT set_config('search_path', 'gold', false)")
    assert shadow.rows(other, "SHOW search_path") == [('"$user", public',)]
    assert shadow.rows(one, "SHOW search_path") == [("gold",)]
    answer = shadow.do(one.setting("RESET ALL"))
    assert answer.values == {}
    assert shadow.rows(one, asked) == [("UTC",)]
    shadow.close(one, other)


def test_the_sessions_own_settings_are_followed_as_they_change(shadow: Shadow) -> None:
    settings = {
        "timezone": "Asia/Tokyo",
        "server_version": "18",
        "statement_timeout": "0",
        "ingot.ref": "dev",
    }
    session = shadow.session(settings=settings)
    asked = "SELECT current_setting('timezone'), current_setting('search_path'), current_setting('ingot.ref', true)"
    assert shadow.rows(session, asked) == [("Asia/Tokyo", '"$user", public', None)]
    settings["search_path"] = "gold, public"
    settings["timezone"] = "UTC"
    assert shadow.rows(session, asked) == [("UTC", "gold, public", None)]
    shadow.close(session)


def test_a_wrong_setting_is_postgresqls_error(shadow: Shadow) -> None:
    session = shadow.session()
    for text, sqlstate in (
        ("SET nope = 1", "42704"),
        ("SET timezone = 'Nowhere/Land'", "22023"),
        ("SET server_version = '1'", "55P02"),
        ("SET fsync = on", "55P02"),
        ("SET timezone = 'UTC'; SELECT 1", "42601"),
        ("SELECT 1", "0A000"),
    ):
        with pytest.raises(PgError) as caught:
            shadow.do(session.setting(text))
        assert caught.value.sqlstate == sqlstate, text
    shadow.close(session)


def test_notices_reach_the_session_once(shadow: Shadow) -> None:
    told: list[Mapping[str, str]] = []
    session = shadow.session(heard=told)
    shadow.rows(session, "SELECT 1")
    shadow.rows(session, "BEGIN")
    assert [one["M"] for one in told] == ["there is already a transaction in progress"]
    told.clear()
    long = "n" * 70
    for _ in range(3):  # also where what it says was kept
        shadow.rows(session, f'SELECT 1 AS "{long}", count(*) FROM orders WHERE false')
        said = f'identifier "{long}" will be truncated to "{long[:63]}"'
        assert [(one["S"], one["C"], one["M"]) for one in told] == [("NOTICE", "42622", said)]
        told.clear()
    quiet = shadow.session(heard=told, settings={"client_min_messages": "warning"})
    shadow.rows(quiet, f'SELECT 1 AS "{long}"')
    assert told == []
    shadow.close(session, quiet)


def test_errors_keep_every_field_that_postgresql_gave_them(shadow: Shadow) -> None:
    session = shadow.session()
    for text, wanted in (
        ("SELECT '{1'::json", {"W": "JSON data, line 1: {1"}),
        (
            "SELECT 'maybe'::text::information_schema.yes_or_no FROM pg_class",
            {"s": "information_schema", "d": "yes_or_no", "n": "yes_or_no_check"},
        ),
    ):
        with pytest.raises(ShadowError) as caught:
            shadow.rows(session, text)
        told = fields(caught.value)
        assert wanted.items() <= told.items(), told
        assert told["F"].endswith(".c")
        assert told["L"].isdigit()
        assert told["R"]
    shadow.close(session)


def test_twenty_sessions_at_once_get_their_own_answers(shadow: Shadow) -> None:
    sessions = [shadow.session(settings={"application_name": f"tool {n}"}) for n in range(20)]

    async def ask(n: int) -> None:
        for round_ in range(10):
            found = await rows(
                sessions[n],
                f"SELECT current_setting('application_name'), {n} * {round_}, count(*) FROM pg_class",
            )
            assert found[0][:2] == (f"tool {n}", str(n * round_))

    async def ask_all() -> None:
        await asyncio.gather(*(ask(n) for n in range(20)))

    shadow.do(ask_all())
    assert not shadow.home().busy
    shadow.close(*sessions)


def test_idle_sessions_hold_no_process(shadow: Shadow) -> None:
    sessions = [shadow.session("patient") for _ in range(100)]
    for session in sessions:
        shadow.rows(session, "SELECT 1")
    count = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'patient'"
    assert shadow.rows(sessions[0], count) == [("1",)]
    shadow.close(*sessions)


def test_a_row_that_is_too_large_is_refused(shadow: Shadow) -> None:
    session = shadow.session()
    with pytest.raises(PgError) as caught:
        shadow.rows(session, "SELECT repeat('x', 90000000)")
    assert caught.value.sqlstate == "54000"
    with pytest.raises(PgError) as caught:
        shadow.rows(session, "SELECT length(repeat('x', 500000000) || repeat('y', 400000000))")
    assert caught.value.sqlstate == "53200"
    assert shadow.rows(session, "SELECT 1") == [("1",)]
    shadow.close(session)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT count(*) FROM orders",
        'SELECT * FROM "orders" o, pg_class',
        "SELECT relname, (SELECT count(*) FROM public.orders) FROM pg_class",
        "WITH x AS (SELECT 1 FROM users) SELECT * FROM x",
        "TABLE orders",
        "SELECT * FROM gold.facts WHERE id = $1",
        "SELECT * FROM gold.latest",
        "EXPLAIN SELECT * FROM orders",
        "SELECT /* ' */ 1 FROM orders -- '",
        "SELECT $a$ x $a$ FROM orders",
        "SELECT E'\\'' FROM orders",
    ],
)
def test_empty_tables_are_no_answer(shadow: Shadow, text: str) -> None:
    session = shadow.session(lake=True)
    with pytest.raises(PgError) as caught:
        shadow.rows(session, text, *(["1"] if "$1" in text else []))
    assert caught.value.sqlstate == "0A000"
    shadow.close(session)


def test_their_names_are_none_the_less_names(shadow: Shadow) -> None:
    session = shadow.session()
    for text in (
        "SELECT 'orders'::regclass",
        "SELECT relname AS orders FROM pg_class AS users WHERE relname = 'orders'",
        'SELECT count(*) AS "orders" FROM pg_attribute WHERE attrelid = $1::regclass',
        "WITH orders AS (SELECT 1) SELECT * FROM orders",
    ):
        assert len(shadow.rows(session, text, *(["orders"] if "$1" in text else []))) == 1
    shadow.close(session)


def test_a_zero_byte_is_refused(shadow: Shadow) -> None:
    session = shadow.session()
    with pytest.raises(PgError) as caught:
        shadow.rows(session, "SELECT 1\0; DROP")
    assert caught.value.sqlstate == "22021"
    shadow.close(session)


def test_what_a_client_is_told_at_the_start_is_the_shadows_own(shadow: Shadow) -> None:
    session = shadow.session()
    told = shadow.do(session.parameters())
    assert told["server_version"] == shadow.catalogs.server_version
    assert (told["is_superuser"], told["server_encoding"], told["session_authorization"]) == (
        "off",
        "UTF8",
        "alice",
    )
    assert shadow.rows(session, "SHOW server_version") == [(told["server_version"],)]
    shadow.close(session)
