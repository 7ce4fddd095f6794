"""An S3-compatible object store as the warehouse: how it is reached, and its few verbs on whole objects.

`obstore` (the Rust crate object_store) does the work: 16 MB on disk and 14 ms to import, against 170 MB for
pyarrow.fs and three dozen packages for s3fs. A PUT that succeeded is durable, and every object has a name
of its own, so nothing else is asked of the store: no rename, no condition, no lock.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ingot.lake.errors import LakeError, MissingFileError

if TYPE_CHECKING:
    from obstore.store import RetryConfig, S3Config, S3Store

SCHEME = "s3://"
_TIMEOUT = "30s"
_RETRIES: "RetryConfig" = {"max_retries": 5, "retry_timeout": timedelta(minutes=1)}


@dataclass(frozen=True, slots=True)
class Access:
    """Where the store is and who asks, from the environment's AWS_*; keys are never shown."""

    key: str = field(repr=False)
    secret: str = field(repr=False)
    token: str | None = field(repr=False)
    region: str
    endpoint: str | None
    """None: Amazon's own."""
    path_style: bool
    """Whether the bucket stands in the path instead of the host's name."""


@dataclass(frozen=True, slots=True)
class Object:
    """An object of the store."""

    location: str
    bytes: int
    modified: datetime


def is_remote(location: object) -> bool:
    """Whether a location is in an object store."""
    return str(location).startswith(SCHEME)


def access(environ: Mapping[str, str] | None = None) -> Access:
    """How to reach the store; `LakeError` names the variable that is missing or wrong."""
    env = os.environ if environ is None else environ
    missing = [name for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY") if not env.get(name)]
    if missing:
        raise LakeError(
            f"The warehouse is in an object store, but {' and '.join(missing)} is not set.",
            hint="Export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; AWS_ENDPOINT_URL for a store of your own.",
        )
    endpoint = (env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL") or "").rstrip("/") or None
    if endpoint and (urlsplit(endpoint).scheme not in ("http", "https") or not urlsplit(endpoint).hostname):
        raise LakeError(
            "AWS_ENDPOINT_URL is not the address of an object store.",
            hint="Write it with its scheme, for example https://minio.example.org:9000.",
        )
    virtual = env.get("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "").lower()
    return Access(
        env["AWS_ACCESS_KEY_ID"],
        env["AWS_SECRET_ACCESS_KEY"],
        env.get("AWS_SESSION_TOKEN") or None,
        env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or "us-east-1",
        endpoint,
        virtual != "true" if virtual in ("true", "false") else endpoint is not None,
    )


def split(location: str) -> tuple[str, str]:
    """Bucket and key; `LakeError` where there is no bucket."""
    bucket, _, key = location.removeprefix(SCHEME).partition("/")
    if not bucket:
        raise LakeError(f"'{location}' names no bucket; write s3://bucket/prefix.")
    return bucket, key


def read(location: str) -> bytes:
    """The bytes of an object; `MissingFileError` where it cannot be read."""
    store, key = _place(location)
    import obstore  # noqa: PLC0415 (an extra)

    try:
        return bytes(obstore.get(store, key).bytes())
    except FileNotFoundError as error:
        raise MissingFileError(
            f"The lake's file {location} cannot be read: No such file or directory."
        ) from error
    except (obstore.exceptions.BaseError, OSError) as error:
        raise MissingFileError(f"The lake's file {location} cannot be read: {_why(error)}.") from error


def write(location: str, content: bytes) -> None:
    """Puts an object, whole or not at all; durable when this returns."""
    store, key = _place(location)
    import obstore  # noqa: PLC0415 (an extra)

    try:
        obstore.put(store, key, content)
    except (obstore.exceptions.BaseError, OSError) as error:
        raise LakeError(f"The file {location} cannot be written: {_why(error)}.") from error


def remove(locations: Iterable[str]) -> None:
    """Removes objects that are there."""
    for location in locations:
        store, key = _place(location)
        import obstore  # noqa: PLC0415 (an extra)

        try:
            obstore.delete(store, key)
        except FileNotFoundError:
            continue
        except (obstore.exceptions.BaseError, OSError) as error:
            raise LakeError(f"The file {location} cannot be removed: {_why(error)}.") from error


def listed(folder: str) -> Iterator[Object]:
    """Every object below a folder."""
    bucket, _ = split(folder)
    store, key = _place(folder.rstrip("/"))
    import obstore  # noqa: PLC0415 (an extra)

    try:
        for page in obstore.list(store, prefix=key or None):
            for one in page:
                yield Object(f"{SCHEME}{bucket}/{one['path']}", one["size"], one["last_modified"])
    except (obstore.exceptions.BaseError, OSError) as error:
        raise LakeError(f"The folder {folder} cannot be listed: {_why(error)}.") from error


def _place(location: str) -> "tuple[S3Store, str]":
    bucket, key = split(location)
    return _store(bucket, access()), key


@lru_cache(maxsize=16)
def _store(bucket: str, how: Access) -> "S3Store":
    try:
        from obstore.store import S3Store  # noqa: PLC0415 (an extra)
    except ImportError as error:
        raise LakeError(
            "A warehouse in an object store needs the package obstore.", hint="pip install 'ingot[s3]'"
        ) from error
    config: S3Config = {
        "access_key_id": how.key,
        "secret_access_key": how.secret,
        "region": how.region,
        "virtual_hosted_style_request": not how.path_style,
    }
    if how.endpoint:
        config["endpoint"] = how.endpoint
    if how.token:
        config["session_token"] = how.token
    plain = (how.endpoint or "").startswith("http://")
    return S3Store(
        bucket,
        config=config,
        client_options={"allow_http": plain, "timeout": _TIMEOUT},
        retry_config=_RETRIES,
    )


def _why(error: Exception) -> str:
    """The first line of what the store answered, which has neither keys nor headers in it."""
    return str(error).splitlines()[0].rstrip(".: ")[:300]
