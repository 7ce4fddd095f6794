"""Hostile texts, and every place of every endpoint where a text can stand."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

V1 = "/cubejs-api/v1"
Request = tuple[str, str, dict[str, Any]]
"""Method, path, and what goes to the client beside them."""

PLAIN: dict[str, Any] = {"measures": ["orders.count"]}
TEXTS = [
    "", " ", "'", '"', "`", "\\", "\\'", "''", "$$", "$1", "?", ":1", "@p", "%", "%%", "_", "%s%n%x", "{0}", "{}", "{{}}",
    "${x}", "${7*7}", "{{7*7}}", "{% raw %}", "{CUBE}", "{orders.count}", "{FILTER_PARAMS.orders.status.filter('x')}",
    "{SECURITY_CONTEXT.name.unsafe_value()}", "{securityContext.name}", "--", "/*", "*/", ";", "#", "\x00", "\x00measure", "#keys",
    "#periods_1", "__ref_0__", "__arg_0__", "__security__", "$ingot", "\x01\x02\x1b[31m", "\r\nX-Evil: 1", "\t", "\x7f", "\u202eevil",
    "\u200b", "\ufeff", "\ufffe", "\U0010ffff", "é", "e\u0301", "ﷺ" * 50, "İ", "ß", "null", "None", "undefined", "NaN", "Infinity",
    "true", "0", "-1", "1e999", "9" * 400, "0x10", "1_000", "٣", "1; DROP TABLE gold.orders", "'; DROP TABLE gold.orders; --",
    "' OR '1'='1", "1) OR (1=1", "x' UNION SELECT 1 --", '"; ATTACH \':memory:\' AS x; --', "orders.count; SELECT 1", "orders.count.",
    ".orders", "..", "orders..count", "orders.count.count.count", "__proto__", "constructor", "__class__.__mro__",
    "../../../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "C:\\Windows", "%2e%2e%2f", "main@9999-99-99", "main~99999999999",
    "0000-00-00", "2026-02-30", "2026-13-01", "10000-01-01", "-0001-01-01", "2026-01-01T25:00:00", "2026-01-01T00:00:00+99:99",
    "last 999999 years", "from 1 to 2", "from today to yesterday", "last 0 days", "<script>alert(1)</script>", "a" * 99_000,
]  # fmt: skip


def of_files(canary: Path) -> list[str]:
    """Texts that would read `canary`, or write beside it, if they were ever executed."""
    there, new = str(canary), str(canary.parent / "written.csv")
    return [
        there,
        f"read_text('{there}')",
        f"' || (SELECT content FROM read_text('{there}')) || '",
        f"'; COPY (SELECT 1) TO '{new}'; --",
        f"'; EXPORT DATABASE '{canary.parent}/out'; --",
        f"\" FROM read_csv('{there}') --",
        f"'; ATTACH '{canary.parent}/written.db'; --",
        f"{{{{ open('{new}', 'w') }}}}",
    ]


def requests(text: str) -> Iterator[Request]:
    """Every request with the text in one place."""
    for query in queries(text):
        yield "POST", f"{V1}/load", {"json": {"query": query}}
    for path in ("sql", "dry-run", "explain"):
        for query in (
            _filter("orders.status", "equals", text),
            {"dimensions": [text]},
            PLAIN | {"timezone": text},
        ):
            yield "POST", f"{V1}/{path}", {"json": {"query": query}}
            yield "POST", f"{V1}/pre-aggregations/can-use", {"json": {"query": query}}
    for key in ("ref", "queryType", "format", "query", text):
        yield "POST", f"{V1}/load", {"json": {"query": PLAIN} | {key: text}}
        yield "GET", f"{V1}/load", {"params": {"query": json.dumps(PLAIN)} | {key: text}}
    for key in ("ref", "onlyViews", "extended", text):
        yield "GET", f"{V1}/meta", {"params": {key: text}}
    yield "POST", f"{V1}/load", {"content": text.encode()}
    yield from _rollups(text)
    yield from _graphql(text)
    yield from _own(text)


def queries(text: str) -> Iterator[Any]:
    """Every query with the text in one place."""
    yield from (
        {"measures": [text]},
        {"dimensions": [text]},
        {"dimensions": [f"orders.{text}"]},
        [PLAIN, text],
        [{text: text}],
    )
    yield from (
        {"dimensions": [f"orders.created_at.{text}"]},
        {"measures": [f"{text}.count"]},
        PLAIN | {text: text},
    )
    for key in (
        "segments",
        "timezone",
        "limit",
        "offset",
        "responseFormat",
        "ref",
        "cache",
        "renewQuery",
        "total",
        "ungrouped",
    ):
        yield PLAIN | {key: [text] if key == "segments" else text}
    yield from (
        PLAIN | {"order": order}
        for order in ({text: "asc"}, {"orders.count": text}, [[text, "asc"]], [{"id": text}])
    )
    yield from (
        PLAIN | {"joinHints": hints} for hints in ([["orders", text]], [[text, "customers"]], [[text, text]])
    )
    for time in (
        {"dimension": text},
        {"dimension": "orders.created_at", "granularity": text},
        {"dimension": "orders.created_at", "dateRange": text},
        {"dimension": "orders.created_at", "dateRange": [text, text]},
        {"dimension": "orders.created_at", "compareDateRange": [text, ["2026-01-01", text]]},
        {"dimension": "orders.created_at", "granularity": "fiscal", "dateRange": f"from {text} to {text}"},
        {text: text},
    ):
        yield PLAIN | {"timeDimensions": [time]}
        yield {"measures": ["orders.rolling", "orders.month_ago"], "timeDimensions": [time]}
    for operator in (
        "equals",
        "contains",
        "notStartsWith",
        "gt",
        "inDateRange",
        "beforeDate",
        "set",
        "measureFilter",
        text,
    ):
        for member in (
            "orders.status",
            "orders.amount",
            "orders.created_at",
            "orders.paid",
            "orders.count",
            "sales.customers_city",
        ):
            yield _filter(member, operator, text)
    yield PLAIN | {"filters": [{"member": text, "operator": "equals", "values": [text]}]}
    yield PLAIN | {
        "filters": [{"or": [{"member": "orders.status", "operator": "equals", "values": [text]}, {text: []}]}]
    }
    both = _filter("orders.status", "equals", text)["filters"]
    yield {
        "measures": ["orders.rolling", "orders.ytd", "orders.place"],
        "dimensions": ["sales.status"],
        "filters": both,
    }
    yield {
        "measures": ["orders.cumulative"],
        "timeDimensions": [{"dimension": "orders.created_at", "granularity": "month"}],
        "filters": both,
    }


def _filter(member: str, operator: str, text: str) -> dict[str, Any]:
    return PLAIN | {"filters": [{"member": member, "operator": operator, "values": [text]}]}


def _rollups(text: str) -> Iterator[Request]:
    path = f"{V1}/pre-aggregations"
    for body in (
        {"action": text},
        {"action": "get", "tokens": [text], "resType": text},
        {"action": "post", "selector": {"preAggregations": [text]}},
        {
            "action": "post",
            "selector": {
                "cubes": [text],
                "contexts": [{text: text}],
                "timezones": [text],
                "dataSources": [text],
            },
        },
        {"action": "post", "selector": {"cubes": [], "ref": text}},
    ):
        yield "POST", f"{path}/jobs", {"json": body}
    asked = {"leafMeasures": [text], "sortedDimensions": [text], "sortedTimeDimensions": [[text, text]]}
    known = {
        "measures": [text],
        "dimensions": [text],
        "timeDimensions": [{"dimension": text, "granularity": text}],
    }
    yield "POST", f"{path}/can-use", {"json": {"transformedQuery": asked, "references": known}}


def _graphql(text: str) -> Iterator[Request]:
    path, quoted = "/cubejs-api/graphql", json.dumps(text)
    where = "query($v: String) { cube(where: {orders: {status: {equals: $v}}}) { orders { count } } }"
    zone = "query($v: String) { cube(timezone: $v) { orders { count } } }"
    for document in (
        text,
        f"{{ cube {{ orders {{ {text} }} }} }}",
        f"{{ cube(where: {{orders: {{status: {{equals: {quoted}}}}}}}) {{ orders {{ count }} }} }}",
        f"{{ cube(where: {{orders: {{created_at: {{inDateRange: {quoted}}}}}}}) {{ orders {{ count }} }} }}",
        f"{{ cube(timezone: {quoted}) {{ orders {{ count }} }} }}",
        f"{{ cube @{text} {{ orders {{ count }} }} }}",
    ):
        yield "POST", path, {"json": {"query": document}}
        yield "GET", path, {"params": {"query": document}}
    for document in (where, zone):
        yield "POST", path, {"json": {"query": document, "variables": {"v": text}}}
        yield "POST", path, {"json": {"query": document, "variables": {text: text}, "operationName": text}}
    yield "GET", path, {"params": {"query": where, "variables": text}}
    yield "POST", path, {"json": {"query": "{ cube { orders { count } } }", "ref": text}}


def _own(text: str) -> Iterator[Request]:
    for path, keys in (
        ("log", ("ref", "limit")),
        ("tables", ("ref",)),
        ("diff", ("from", "to", "table", "key", "rows", "stat")),
        ("runs", ("limit",)),
    ):
        for key in keys:
            yield "GET", f"/api/v1/{path}", {"params": {"to": "dev"} | {key: text}}
    yield "POST", "/api/v1/sql", {"json": {"sql": "select 1", "ref": text, "format": text}}
    yield "POST", "/api/v1/sql", {"json": {"sql": "select 1", "ref": text}}
