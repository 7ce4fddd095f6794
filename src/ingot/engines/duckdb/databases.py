"""Attaching a database to a DuckDB: read only, its address kept to itself, and why one cannot be reached."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

import duckdb
from duckdb import DuckDBPyConnection

from ingot.engines.errors import SourceDownError
from ingot.engines.sql import quote_identifier, quote_literal

Kind = Literal["postgres", "sqlite", "duckdb"]
EXTENSIONS: dict[Kind, str] = {"postgres": "postgres_scanner", "sqlite": "sqlite_scanner"}
_PATIENCE = 5
"""Seconds that a server may take to answer its door."""
_REASONS = (
    (r"could not translate host name", "its host name is not known"),
    (r"[Cc]onnection refused", "the connection was refused"),
    (r"timeout expired|timed out", f"it does not answer within {_PATIENCE} s"),
    (r"password|authentication|no pg_hba\.conf entry|role \S+ does not exist", "it does not accept the login"),
    (r'database \S+ does not exist', "the server has no such database"),
    (r"too many (clients|connections)|remaining connection slots", "it has no connection left"),
    (r"SSL|certificate", "there is no secure connection to it"),
    (r"starting up|shutting down|terminat|closed the connection|no connection to the server", "it went away"),
    (r"does not exist|unable to open|Could not open|Cannot open|No such file", "its file is not there, or cannot be read"),
    (r"not a database|not a valid", "its file is no database of this kind"),
    (r"lock", "another process holds it open"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Database:
    """A database that can be attached."""

    name: str
    kind: Kind
    address: str = field(repr=False)
    """The URL of a PostgreSQL, which may hold a password; the file of the others."""


def attach(con: DuckDBPyConnection, database: Database, name: str) -> None:
    """Attaches a database under its name; a server's backends are called `name`.

    Raises `SourceDownError` where it cannot be reached.
    """
    called = quote_identifier(database.name)
    try:
        if database.kind == "postgres":
            secret = quote_identifier(f"ingot {database.name}")
            values, rest = _conninfo(database.address, name)
            given = ", ".join(f"{key} {quote_literal(value)}" for key, value in values.items())
            con.execute(f"CREATE TEMPORARY SECRET {secret} (TYPE postgres, {given})")
            options = f"TYPE postgres, READ_ONLY, SECRET {secret}"
            con.execute(f"ATTACH {quote_literal(rest)} AS {called} ({options})")
        else:
            if not Path(database.address).is_file():
                raise SourceDownError(
                    f"The database '{database.name}' cannot be read: its file is not there."
                )
            kind = "TYPE sqlite, " if database.kind == "sqlite" else "TYPE duckdb, "
            con.execute(f"ATTACH {quote_literal(database.address)} AS {called} ({kind}READ_ONLY)")
    except duckdb.Error as error:
        # DuckDB quotes addresses, and statements, which hold passwords.
        raise SourceDownError(
            f"The database '{database.name}' cannot be read: {reason(str(error))}."
        ) from None


def _conninfo(url: str, name: str) -> tuple[dict[str, str], str]:
    """What a secret of DuckDB holds of an address, and the rest of it as libpq writes it."""
    parts = urlsplit(url)
    values = {
        "HOST": parts.hostname,
        "PORT": str(parts.port) if parts.port else None,
        "USER": unquote(parts.username) if parts.username else None,
        "PASSWORD": unquote(parts.password) if parts.password else None,
        "DATABASE": unquote(parts.path.lstrip("/")) or None,
    }
    # A server that the network has lost is noticed, and does not hold a thread for hours.
    lost = {"keepalives_idle": "30", "tcp_user_timeout": "30000"}
    rest = {
        "connect_timeout": str(_PATIENCE),
        **lost,
        **dict(parse_qsl(parts.query)),
        "application_name": name,
    }
    # The connection itself refuses to write, whatever DuckDB is made to send.
    rest["options"] = f"{rest.get('options', '')} -c default_transaction_read_only=on".strip()
    known = {key: value for key, value in rest.items() if re.fullmatch(r"[a-z_]+", key)}
    text = " ".join(f"{key}='{_escaped(value)}'" for key, value in known.items())
    return {key: value for key, value in values.items() if value is not None}, text


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")


def is_down(text: str) -> bool:
    """Whether what DuckDB says is about a connection."""
    return any(
        each in text
        for each in (
            "Unable to connect", "could not connect", "connection to server", "no connection to the server",
            "server closed the connection", "terminating connection", "Connection refused", "unable to open",
            "Cannot open file", "SSL connection has been closed", "could not receive data",
        )
    )  # fmt: skip


def reason(text: str) -> str:
    """Why a database cannot be reached, without an address."""
    return next((said for pattern, said in _REASONS if re.search(pattern, text)), "it cannot be opened")


def secrets(database: Database) -> list[str]:
    """What nobody may read of a database's address."""
    if database.kind != "postgres":
        return [database.address]
    parts = urlsplit(database.address)
    secret = [parts.password, unquote(parts.password)] if parts.password else []
    return [database.address, *secret]
