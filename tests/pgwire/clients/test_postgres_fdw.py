"""Another PostgreSQL reads ours as foreign tables: dbt and everything else that needs to write works there."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.pgwire.clients.missing import missing
from tests.pgwire.clients.sides import Sides

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def there(sides: Sides) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection to PostgreSQL where schema `metrics` is ours."""
    judge = sides.judge
    with psycopg.connect(f"postgresql://ingot@{judge.host}:{judge.port}/postgres", autocommit=True) as con:
        if not con.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'postgres_fdw'").fetchone():
            missing("postgres_fdw is not installed")
        ours = f"OPTIONS (host '{sides.ours.host}', port '{sides.ours.port}', dbname 'storefront')"
        for statement in (
            "DROP SCHEMA IF EXISTS metrics CASCADE",
            "DROP EXTENSION IF EXISTS postgres_fdw CASCADE",
            "CREATE EXTENSION postgres_fdw",
            f"CREATE SERVER metrics FOREIGN DATA WRAPPER postgres_fdw {ours}",
            "CREATE USER MAPPING FOR CURRENT_USER SERVER metrics OPTIONS (user 'reader')",
            "CREATE SCHEMA metrics",
            "IMPORT FOREIGN SCHEMA public LIMIT TO (orders, campaigns, sales) FROM SERVER metrics INTO metrics",
        ):
            con.execute(statement.encode())
        yield con


def test_tables_are_imported_with_their_columns(there: psycopg.Connection[tuple[object, ...]]) -> None:
    told = there.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'metrics' AND table_name = 'campaigns'"
    ).fetchall()
    assert ("budget", "numeric") in told
    assert ("campaign_id", "bigint") in told


@pytest.mark.parametrize(
    "text",
    [
        "SELECT campaign_id, campaign_name, start_date, budget FROM {}campaigns ORDER BY campaign_id",
        "SELECT COUNT(*) FROM {}campaigns WHERE budget > 5000",
        "SELECT channel, COUNT(*) AS n FROM {}orders WHERE order_status = 'completed' GROUP BY channel ORDER BY channel",
        "SELECT order_id, total_amount FROM {}orders WHERE order_date >= '2026-10-01' ORDER BY total_amount DESC, order_id LIMIT 5",
        "SELECT campaign_name, COUNT(order_id) FROM {}orders JOIN {}campaigns USING (campaign_id) GROUP BY 1 ORDER BY 1",
        "SELECT SUM(o.total_amount) FROM {}orders o WHERE o.ship_country IN ('DE', 'GB')",
    ],
)
def test_rows_are_those_of_the_tables(
    sides: Sides, there: psycopg.Connection[tuple[object, ...]], text: str
) -> None:
    with psycopg.connect(sides.judge.uri()) as con:
        wanted = con.execute(text.replace("{}", "public.").encode()).fetchall()
    assert there.execute(text.replace("{}", "metrics.").encode()).fetchall() == wanted
    assert wanted
