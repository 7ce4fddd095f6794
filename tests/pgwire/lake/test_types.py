"""Values of a PostgreSQL, read through the lake's port: what it would have written itself."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.pgwire.lake.shop import Shop, opened

pytestmark = pytest.mark.slow

TYPES = {
    "bool": "true", "int2": "-32768", "int4": "7", "int8": "9007199254740993", "float4": "1.5", "float8": "0.1",
    "numeric(12,2)": "1234.50", "numeric(38,0)": "99999999999999999999", "text": "Ünïcode", "varchar(9)": "abc",
    "date": "2026-02-28", "time": "12:34:56.789", "timestamp": "2026-03-29 02:30:00.123456",
    "timestamptz": "2026-03-29 02:30:00+00", "interval": "1 mon 2 days 03:00:00", "uuid": "6f1c3a0e-8d4e-4b51-9c37-0123456789ab",
    "bytea": "\\x00ff", "jsonb": '{"a": [1, 2]}', "json": '{"a":1}', "int4[]": "{1,2,3}", "text[]": '{a,"b c"}',
    "name": "word",
}  # fmt: skip


@pytest.fixture(scope="module")
def shop(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with psycopg.connect(postgres, autocommit=True) as con:
        columns = ", ".join(f"c{n} {kind}" for n, kind in enumerate(TYPES))
        con.execute(f"CREATE TABLE public.every_type (id int, {columns})")
        marks = ", ".join("%s" for _ in TYPES)
        con.execute(f"INSERT INTO public.every_type VALUES (1, {marks})", list(TYPES.values()))
        con.execute("INSERT INTO public.every_type (id) VALUES (2)")
    sources = {"crm": "connector: postgres\nurl: ${CRM_URL}\nattach: true\n"}
    with opened(tmp_path_factory.mktemp("types") / "shop", sources, CRM_URL=postgres) as made:
        yield made


@pytest.mark.parametrize(("place", "kind"), list(enumerate(TYPES)), ids=list(TYPES))
def test_a_value_is_what_the_server_writes(shop: Shop, postgres: str, place: int, kind: str) -> None:
    sql = f"SELECT c{place} FROM {{}} ORDER BY id"
    with psycopg.connect(postgres) as con:
        con.execute("SET timezone = 'UTC'")
        result = con.pgconn.exec_(sql.format("public.every_type").encode())
        expected = [None if (cell := result.get_value(row, 0)) is None else cell.decode() for row in range(2)]
    assert shop.ask(sql.format("crm.every_type")) == [(one,) for one in expected], kind
