"""Runs inside of Superset's own environment: connects a database, makes a dataset and asks for a chart's data.

Argument: SQLAlchemy's address of the database. Everything goes through Superset's HTTP API. Prints JSON.
"""

import json
import sys
from typing import Any

from superset.app import create_app  # type: ignore[import-not-found]


class RefusedError(Exception):
    """Superset's API said no."""


def main() -> None:
    client = create_app().test_client()
    login = {"username": "admin", "password": "admin", "provider": "db"}
    token = client.post("/api/v1/security/login", json=login).json["access_token"]
    headers = {"Authorization": f"Bearer {token}"}

    def ask(method: str, path: str, **body: Any) -> Any:
        answer = getattr(client, method)(f"/api/v1/{path}", headers=headers, **body)
        if answer.status_code >= 300:
            raise RefusedError(f"{method} {path}: {answer.status_code} {answer.get_data(as_text=True)}")
        return answer.json

    address = sys.argv[1]
    told: dict[str, Any] = {}
    told["test"] = ask(
        "post", "database/test_connection/", json={"sqlalchemy_uri": address, "database_name": "x"}
    )
    database = ask(
        "post",
        "database/",
        json={"database_name": "storefront", "sqlalchemy_uri": address, "expose_in_sqllab": True},
    )["id"]
    told["schemas"] = ask("get", f"database/{database}/schemas/")["result"]
    tables = ask("get", f"database/{database}/tables/?q=(force:!t,schema_name:public)")["result"]
    told["tables"] = sorted([one["value"], one["type"]] for one in tables)
    columns = ask("get", f"database/{database}/table_metadata/?name=sales&schema=public")
    told["columns"] = [[one["name"], one["type"], one.get("comment")] for one in columns["columns"]]
    told["keys"] = ask("get", f"database/{database}/table_metadata/?name=orders&schema=public")["primaryKey"]
    dataset = ask("post", "dataset/", json={"database": database, "schema": "public", "table_name": "sales"})[
        "id"
    ]
    found = ask("get", f"dataset/{dataset}")["result"]["columns"]
    told["dataset"] = sorted([one["column_name"], one["type"], one["is_dttm"]] for one in found)

    def chart(**query: Any) -> Any:
        asked = {
            "columns": [],
            "metrics": [],
            "row_limit": 1000,
            "filters": [],
            "orderby": [],
            "extras": {},
            **query,
        }
        asked = {
            "datasource": {"id": dataset, "type": "table"},
            "force": True,
            "queries": [asked],
            "result_format": "json",
            "result_type": "full",
        }
        try:
            answer = ask("post", "chart/data", json=asked)["result"][0]
        except RefusedError as error:
            return {"rows": [], "sql": str(error), "types": []}
        return {"rows": answer["data"], "sql": answer["query"], "types": answer["coltypes"]}

    def total(column: str, label: str) -> dict[str, Any]:
        return {
            "expressionType": "SIMPLE",
            "column": {"column_name": column},
            "aggregate": "SUM",
            "label": label,
        }

    def free(sql: str, label: str) -> dict[str, Any]:
        return {"expressionType": "SQL", "sqlExpression": sql, "label": label}

    amount = total("order_items_total_amount", "amount")
    told["bar"] = chart(columns=["products_category"], metrics=[amount], orderby=[[amount, False]])
    told["measure"] = chart(
        columns=["products_category"], metrics=[free("MEASURE(order_items_total_amount)", "amount")]
    )
    told["filtered"] = chart(
        columns=["products_category"],
        metrics=[amount, total("order_items_quantity", "pieces")],
        filters=[
            {"col": "customers_country", "op": "IN", "val": ["DE", "GB"]},
            {"col": "order_items_is_returned", "op": "==", "val": False},
        ],
    )
    axis = {
        "timeGrain": "P1M",
        "columnType": "BASE_AXIS",
        "sqlExpression": "orders_order_date",
        "label": "orders_order_date",
        "expressionType": "SQL",
    }
    told["line"] = chart(
        columns=[axis],
        metrics=[amount],
        filters=[{"col": "orders_order_date", "op": "TEMPORAL_RANGE", "val": "2026-01-01 : 2026-07-01"}],
    )
    told["table"] = chart(
        columns=["orders_order_id", "order_items_item_id", "order_items_line_total"],
        orderby=[["order_items_item_id", True]],
        row_limit=50,
    )
    told["values"] = ask("get", f"datasource/table/{dataset}/column/products_category/values/")["result"]
    lab = ask(
        "post",
        "sqllab/execute/",
        json={
            "database_id": database,
            "sql": "SELECT order_status, COUNT(*) AS n FROM orders GROUP BY 1 ORDER BY 1",
            "schema": "public",
            "runAsync": False,
            "queryLimit": 100,
        },
    )
    told["lab"] = lab["data"]
    sys.stdout.write(json.dumps(told, default=str) + "\n")


main()
