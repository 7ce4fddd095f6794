"""SQLAlchemy: what its inspector finds, and what its expression language asks."""

from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import Engine, Inspector, MetaData, Table, func, select

from tests.pgwire.clients.sides import Side, Sides

pytestmark = pytest.mark.slow

DRIVERS = ("postgresql+psycopg", "postgresql+psycopg2")


@pytest.fixture(params=DRIVERS)
def engines(request: pytest.FixtureRequest, sides: Sides) -> Any:
    made = [sqlalchemy.create_engine(side.uri(request.param)) for side in sides]
    yield made
    for engine in made:
        engine.dispose()


def inspected(engines: list[Engine], look: Any) -> list[Any]:
    return [look(sqlalchemy.inspect(engine)) for engine in engines]


def _columns(inspector: Inspector, table: str) -> list[dict[str, Any]]:
    return [{**column, "type": str(column["type"])} for column in inspector.get_columns(table)]


@pytest.mark.parametrize("table", ["orders", "customers", "campaigns", "sales"])
def test_columns_keys_and_comments_are_found(engines: list[Engine], table: str) -> None:
    def look(inspector: Inspector) -> dict[str, Any]:
        return {
            "columns": _columns(inspector, table),
            "key": inspector.get_pk_constraint(table),
            "foreign": inspector.get_foreign_keys(table),
            "indexes": inspector.get_indexes(table),
            "unique": inspector.get_unique_constraints(table),
            "checks": inspector.get_check_constraints(table),
            "comment": inspector.get_table_comment(table),
            "options": inspector.get_table_options(table),
        }

    judge, ours = inspected(engines, look)
    assert ours == judge
    assert ours["comment"]["text"]


def test_names_are_found(engines: list[Engine]) -> None:
    def look(inspector: Inspector) -> list[Any]:
        return [
            inspector.default_schema_name,
            sorted(inspector.get_table_names()),
            sorted(inspector.get_view_names()),
            sorted(inspector.get_materialized_view_names()),
            inspector.get_sequence_names(),
            inspector.has_table("orders"),
            inspector.has_table("nothing_here"),
            inspector.get_enums(),  # type: ignore[attr-defined]
        ]

    judge, ours = inspected(engines, look)
    assert ours == judge


def test_everything_is_reflected_at_once(engines: list[Engine]) -> None:
    found = []
    for engine in engines:
        known = MetaData()
        known.reflect(engine, views=True)
        found.append({
            name: (table.comment, [(c.name, str(c.type), c.nullable, c.primary_key, c.comment) for c in table.columns])
            for name, table in known.tables.items()
        })  # fmt: skip
    assert found[1] == found[0]
    assert len(found[1]) == 11


def test_expressions_are_answered_as_by_postgresql(engines: list[Engine]) -> None:
    found = []
    for engine in engines:
        orders = Table("orders", MetaData(), autoload_with=engine)
        month = func.date_trunc("month", orders.c.order_date).label("month")
        statements = [
            select(orders.c.order_status, func.count().label("n")).group_by(orders.c.order_status).order_by(orders.c.order_status),
            select(month, func.sum(orders.c.total_revenue)).where(orders.c.channel.in_(["web", "app"])).group_by(month).order_by(month),
            select(orders.c.order_id, orders.c.total_amount).where(orders.c.order_id.between(5, 25)).order_by(orders.c.order_id).limit(7).offset(3),
            select(func.count()).select_from(select(orders.c.order_id).where(orders.c.is_gift.is_(True)).subquery()),
            select(orders.c.coupon_code).where(orders.c.coupon_code.is_not(None)).distinct().order_by(orders.c.coupon_code),
            select(func.extract("year", orders.c.order_date).label("y"), func.count()).group_by("y").order_by("y"),
        ]  # fmt: skip
        with engine.connect() as con:
            found.append([[tuple(row) for row in con.execute(one)] for one in statements])
    assert found[1] == found[0]
    assert all(found[0])


def test_rows_are_streamed(engines: list[Engine]) -> None:
    found = []
    for engine in engines:
        with engine.connect() as con:
            text = sqlalchemy.text("SELECT item_id, quantity FROM order_items ORDER BY item_id")
            rows = con.execution_options(yield_per=1000).execute(text)
            found.append([tuple(row) for part in rows.partitions() for row in part])
    assert found[1] == found[0]
    assert len(found[0]) == 30889


def test_a_branch_is_an_address(sides: Sides) -> None:
    ours: Side = sides.ours
    counts: list[int] = []
    for database in ("storefront", "storefront@dev"):
        engine = sqlalchemy.create_engine(ours.uri("postgresql+psycopg", database))
        with engine.connect() as con:
            counts.append(con.execute(sqlalchemy.text("SELECT COUNT(*) FROM orders")).scalar_one())
        engine.dispose()
    assert counts[0] == 12000
    assert 0 < counts[1] < counts[0]


def test_isolation_levels_are_accepted(engines: list[Engine]) -> None:
    for engine in engines:
        for level in ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE", "AUTOCOMMIT"):
            with engine.connect() as con:
                leveled = con.execution_options(isolation_level=level)
                assert leveled.execute(sqlalchemy.text("SELECT COUNT(*) FROM campaigns")).scalar_one() == 25
