"""Which method on which path is answered by which function; the list that clients are told is this one."""

from collections.abc import Callable, Mapping

from ingot.lake.rest import namespaces, tables, views
from ingot.lake.rest.answer import Answer
from ingot.lake.rest.call import Call

Endpoint = Callable[[Call], Answer]

PATHS: Mapping[str, Mapping[str, Endpoint]] = {
    "/namespaces": {"GET": namespaces.list_all, "POST": namespaces.create},
    "/namespaces/{namespace}": {
        "GET": namespaces.load,
        "HEAD": namespaces.head,
        "DELETE": namespaces.drop,
    },
    "/namespaces/{namespace}/properties": {"POST": namespaces.properties},
    "/namespaces/{namespace}/tables": {"GET": tables.list_all, "POST": tables.create},
    "/namespaces/{namespace}/tables/{table}": {
        "GET": tables.load,
        "HEAD": tables.head,
        "POST": tables.commit,
        "DELETE": tables.drop,
    },
    "/namespaces/{namespace}/tables/{table}/metrics": {"POST": tables.metrics},
    "/namespaces/{namespace}/tables/{table}/credentials": {"GET": tables.credentials},
    "/namespaces/{namespace}/register": {"POST": tables.register},
    "/tables/rename": {"POST": tables.rename},
    "/transactions/commit": {"POST": tables.commit_many},
    "/namespaces/{namespace}/views": {"GET": tables.list_views, "POST": views.create},
    "/namespaces/{namespace}/views/{view}": {
        "GET": views.load,
        "HEAD": tables.head_view,
        "POST": views.replace,
        "DELETE": tables.drop_view,
    },
    "/views/rename": {"POST": tables.rename_view},
}

ENDPOINTS = [(path, method) for path, methods in PATHS.items() for method in methods]
