"""The one place where a DuckDB connection is made: extensions, memory, time zone, temporary files.

Extensions come from their Python wheels, which are locked and hashed with everything else, so nothing is
downloaded when Ingot runs; DuckDB's signature check stays on.
"""

import ssl
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from os import getuid
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
from duckdb import DuckDBPyConnection

from ingot.engines.errors import ExtensionError
from ingot.engines.sql import quote_identifier, quote_literal
from ingot.lake import LakeError, objects


def connect(
    *,
    memory_limit: str | None = None,
    threads: int | None = None,
    extensions: Sequence[str] = (),
    temp_directory: Path | None = None,
    readable: Sequence[Path | str] | None = None,
    stores: Sequence[Path | str] = (),
) -> DuckDBPyConnection:
    """A new in-memory DuckDB in UTC, with `extensions` loaded.

    Args:
        memory_limit: as DuckDB writes it (`4GB`); what does not fit spills to `temp_directory`.
        extensions: names, beside `icu`, which every connection has (time zones need it).
        readable: folders or URIs; where given, nothing outside of them can be read or written from now
            on, no setting can be changed and no extension be loaded. Not given: no limit.
        stores: locations of warehouses; for those in an object store (`s3://`), DuckDB gets the keys of the
            environment's AWS_*, as a secret of this connection for this location.

    Raises `ExtensionError` where an extension is neither installed nor to be had, and `LakeError` where the
    environment does not say how to reach a store.
    """
    remote = [str(each) for each in stores if objects.is_remote(each)]
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "temp_directory": str(temp_directory or Path(tempfile.gettempdir()) / f"ingot-{getuid()}"),
    }
    if memory_limit is not None:
        config["memory_limit"] = memory_limit
    if threads is not None:
        config["threads"] = threads
    con = duckdb.connect(":memory:", config=config)
    try:
        for name in dict.fromkeys(("icu", *(("httpfs",) if remote else ()), *extensions)):
            load_extension(con, name)
        for location in remote:
            _grant(con, location)
        con.execute("SET GLOBAL TimeZone = 'UTC'")
        # In a notebook without ipywidgets it is off already, and DuckDB refuses to be told so.
        if con.execute("SELECT current_setting('enable_progress_bar')").fetchone() != (False,):
            con.execute("SET enable_progress_bar = false")
        # A table that does not exist must not turn out to be a Python variable of the caller.
        con.execute("SET GLOBAL python_enable_replacements = false")
        if readable is not None and remote:
            _keep_paths(con)
        if readable is not None:
            folders = [str(each).rstrip("/") + "/" for each in readable]
            con.execute(f"SET GLOBAL allowed_directories = {quote_literal(folders)}")
            con.execute("SET GLOBAL enable_external_access = false")
            con.execute("SET GLOBAL lock_configuration = true")
    except BaseException:
        con.close()
        raise
    return con


def _keep_paths(con: DuckDBPyConnection) -> None:
    # The usual HTTP client squashes `..` after DuckDB checked the path, and so reads outside of the folders.
    # The other one does not, but has to be told to check the server's certificate, and by which authorities.
    con.execute("SET GLOBAL httpfs_client_implementation = 'httplib'")
    con.execute("SET GLOBAL enable_server_cert_verification = true")
    if authorities := ssl.get_default_verify_paths().cafile:
        con.execute(f"SET GLOBAL ca_cert_file = {quote_literal(authorities)}")


def _grant(con: DuckDBPyConnection, location: str) -> None:
    how = objects.access()
    place = urlsplit(how.endpoint) if how.endpoint else None
    settings = {
        "KEY_ID": how.key,
        "SECRET": how.secret,
        "SESSION_TOKEN": how.token,
        "REGION": how.region,
        "ENDPOINT": f"{place.netloc}{place.path}" if place else None,
        "URL_STYLE": "path" if how.path_style else "vhost",
        "SCOPE": location.rstrip("/"),
    }
    given = [f"{name} {quote_literal(value)}" for name, value in settings.items() if value is not None]
    secure = f"USE_SSL {str(place is None or place.scheme == 'https').lower()}"
    name = quote_identifier(f"ingot {location}")
    try:
        con.execute(f"CREATE OR REPLACE TEMPORARY SECRET {name} (TYPE s3, {', '.join(given)}, {secure})")
    except duckdb.Error:
        # DuckDB quotes the statement, which holds the keys.
        raise LakeError(f"DuckDB does not take the settings for {location}.") from None


def load_extension(con: DuckDBPyConnection, name: str) -> None:
    """Loads a DuckDB extension from its wheel, or from DuckDB's own folder, where it is installed if need be.

    Raises `ExtensionError`, which says which package to install.
    """
    path = extension_path(name)
    try:
        if path is not None:
            con.execute(f"LOAD {quote_literal(str(path))}")
        else:
            con.execute(f"INSTALL {quote_identifier(name)}")
            con.execute(f"LOAD {quote_identifier(name)}")
    except duckdb.Error as error:
        raise ExtensionError(
            f"DuckDB's extension '{name}' cannot be loaded: {str(error).splitlines()[0]}",
            hint=f"pip install duckdb-extension-{name.replace('_', '-')}=={duckdb.__version__}",
        ) from error


def extension_path(name: str) -> Path | None:
    """Where the wheel `duckdb-extension-<name>` of this DuckDB version keeps its file; None without one."""
    spec = find_spec(f"duckdb_extension_{name}") if name.isidentifier() else None
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
        if path.is_file():
            return path
    return None
