def model(dbt, session):
    dbt.config(materialized="table")
    print("a print that must not reach the channel")
    orders = dbt.ref("stg_orders")
    return orders.aggregate("status, sum(amount) as amount", "status")
