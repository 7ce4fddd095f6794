from typing import Any


def model(dbt: Any, session: Any) -> Any:
    dbt.config(materialized="table")
    print("a print that must not reach the channel")  # noqa: T201
    orders = dbt.ref("stg_orders")
    return orders.aggregate("status, sum(amount) as amount", "status")
