# ruff: noqa: DTZ001 - times in tables have no zone
"""What BI tools send, on the model and on PostgreSQL, where views have a cube's dimensions and the columns of its sums.

A case is a statement in `cases/tools.txt` or `cases/model.txt`; one that ends in `\\` goes on in the next line.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from ingot.engines import QueryError
from ingot.errors import IngotError
from ingot.pgwire.sqlstates import sqlstate
from ingot.semantic import Service
from tests.lake import postgres
from tests.semantic import shop
from tests.semantic.lakes import ROWS, served
from tests.semantic.sql.judged import NEAR, OURS_ALONE, cases

pytestmark = pytest.mark.slow


def rows() -> dict[str, list[dict[str, Any]]]:
    """The shop with a hundred orders, some of which know little."""
    chance = random.Random(5)
    orders = [
        {
            "id": n,
            "customer_id": chance.choice([1, 2, 3, None]),
            "status": chance.choice(["done", "new", "lost", "a_b%", None]),
            "created_at": chance.choice(
                [datetime(2025, 12, 31) + timedelta(seconds=chance.randrange(0, 86_400 * 800)), None]
                if n % 10 == 0
                else [datetime(2025, 6, 1) + timedelta(hours=chance.randrange(0, 24 * 500))]
            ),
            "paid": chance.choice([True, False, None]),
            "amount": chance.choice([None, 0, *range(-3, 30)]),
        }
        for n in range(1, 101)
    ]
    return {**ROWS, "orders": orders}


VIEWS = """
CREATE SCHEMA gold;
CREATE TABLE gold.orders (id bigint, customer_id bigint, status text, created_at timestamp, paid boolean, amount bigint);
CREATE TABLE gold.customers (id bigint, region_id bigint, city text, score bigint);
CREATE VIEW orders AS SELECT id, status, created_at AT TIME ZONE 'UTC' AT TIME ZONE '{zone}' AS created_at, paid, amount, amount::numeric AS total FROM gold.orders;
CREATE VIEW customers AS SELECT id, city FROM gold.customers;
"""


@dataclass
class Both:
    real: "psycopg.Connection[Any]"
    service: Service
    zone: str

    def differs(self, text: str) -> str | None:
        """How the answers differ; None where they do not."""
        wanted: Any
        try:
            cursor = self.real.execute(text)
            wanted = [one.name for one in cursor.description or ()], cursor.fetchall()
        except psycopg.Error as error:
            wanted = str(error.sqlstate)
        found: Any
        try:
            made = self.service.query_sql(text, timezone=self.zone)
            found = [one.name for one in made.columns], made.rows()
        except IngotError as error:
            found = sqlstate(error)
            if not isinstance(wanted, str):
                return f"raises {found}: {error.message}"
        if isinstance(wanted, str) or isinstance(found, str):
            same = found == wanted or found in OURS_ALONE or (wanted, found) in NEAR
            return None if same else f"PostgreSQL: {wanted}, this: {found}"
        if wanted[0] != found[0]:
            return f"columns {found[0]}, in PostgreSQL {wanted[0]}"
        ours, theirs = ([tuple(map(plain, row)) for row in one[1]] for one in (found, wanted))
        if "order by" not in text.lower().rpartition(")")[2]:
            ours, theirs = sorted(ours, key=str), sorted(theirs, key=str)
        return None if ours == theirs else f"gives {ours[:8]}, in PostgreSQL {theirs[:8]}"


def plain(value: Any) -> Any:
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, Decimal | float | int):
        return round(float(value), 8)
    if isinstance(value, datetime):
        local = value if value.tzinfo is None else value.astimezone(UTC)
        return local.replace(tzinfo=None).isoformat()
    return [plain(one) for one in value] if isinstance(value, list | tuple) else str(value)


@pytest.fixture(scope="module", params=["UTC", "Europe/Berlin"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    zone = request.param
    data = rows()
    with (
        served(tmp_path_factory.mktemp("shop"), data) as made,
        postgres.server() as url,
        psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as real,
    ):
        real.execute(f"SET timezone = '{zone}'")
        real.execute(VIEWS.replace("{zone}", zone))
        with real.cursor() as cursor:
            for name in ("orders", "customers"):
                columns = list(shop.TABLES[name])
                marks = ", ".join(["%s"] * len(columns))
                cursor.executemany(
                    f"INSERT INTO gold.{name} VALUES ({marks})",
                    [tuple(row[column] for column in columns) for row in data[name]],
                )
        yield Both(real, made.service, zone)


def statements(name: str) -> list[str]:
    found, held = [], ""
    for line in cases(name):
        if line.endswith("\\"):
            held += line[:-1] + "\n"
            continue
        found.append(held + line)
        held = ""
    return found


@pytest.mark.parametrize("name", ["tools.txt", "model.txt"])
def test_statements_give_over_the_model_what_postgresql_gives(both: Both, name: str) -> None:
    texts = statements(name)
    found = [(text, both.differs(text)) for text in texts]
    assert not "\n".join(f"{text}\n    {why}" for text, why in found if why is not None)


def test_an_error_of_the_statement_is_postgresqls(both: Both) -> None:
    with pytest.raises(QueryError) as caught:
        both.service.query_sql("SELECT 1 / (amount - amount) FROM orders").rows()
    assert (caught.value.sqlstate, caught.value.message) == ("22012", "division by zero")
