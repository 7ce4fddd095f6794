"""`GET /v1/config`: which ref a client will speak of, and which endpoints it may use."""

from ingot.errors import NotFoundError
from ingot.lake.rest.answer import Answer, RestError
from ingot.lake.rest.call import DEFAULT_REF, SEPARATOR, Call, encode_prefix, find
from ingot.lake.rest.endpoints import ENDPOINTS


def config(call: Call) -> Answer:
    """The prefix for the ref in the path, or else in `warehouse`, or else `main`; 404 where there is none.

    A client that attaches a mistyped name would otherwise see an empty catalog and believe it.
    """
    in_path = call.path.get("ref")
    asked = (
        in_path.replace(SEPARATOR, "/") if in_path is not None else call.query.get("warehouse") or DEFAULT_REF
    )
    try:
        at = find(call.lake, asked)
    except NotFoundError as error:
        raise RestError(404, "NoSuchWarehouseException", str(error)) from error
    return Answer(
        body={
            "defaults": {"prefix": encode_prefix(at)},
            "overrides": {},
            "endpoints": [f"{method} /v1/{{prefix}}{path}" for path, method in ENDPOINTS],
        }
    )
