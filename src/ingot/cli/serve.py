"""`ingot serve`: the surfaces of a project, HTTP and SQL, until told to stop."""

import logging
import signal
import socket
import sys
from ipaddress import ip_address
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from ingot.cli.options import ProfileOption, ProjectOption, open_project
from ingot.errors import IngotError

if TYPE_CHECKING:
    from ingot.project import Project


def serve(
    project: ProjectOption = None,
    profile: ProfileOption = None,
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, help="HTTP port (default: the project's, 4000).")
    ] = None,
    sql_port: Annotated[
        int | None,
        typer.Option(
            "--sql-port",
            min=0,
            max=65535,
            help="Port of the PostgreSQL protocol (default: the project's, 15432; with --port 0 any free one).",
        ),
    ] = None,
    host: Annotated[
        str | None, typer.Option("--host", help="Address to listen on (default: this machine only).")
    ] = None,
) -> None:
    """Serve the page, the REST API, SQL as PostgreSQL speaks it, and the Iceberg catalog. Stop with Ctrl-C.

    Example: ingot serve --port 4000
    """
    opened = open_project(project, profile)
    start(opened, *listen_all(opened, host=host, port=port, sql_port=sql_port))


def start(project: "Project", listener: socket.socket, sql_listener: socket.socket | None = None) -> None:
    """Prints the addresses and `ready`, and returns when the process is asked to stop."""
    import uvicorn

    from ingot.api import create_app

    if project.users is not None:
        _log_logins()
    # It warns of statements that it only half understands; whoever wrote them is answered, the terminal is not asked.
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    app = create_app(project, local=_is_local(listener), watch=True, sql_listener=sql_listener)

    class Server(uvicorn.Server):
        """Says that it is ready once it is."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                note = app.state.sql_port.reduced if sql_listener is not None else None
                _print_addresses(project, listener, sql_listener, note)

    # A second for open requests: the whole stop must stay under two.
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1)
    # uvicorn stops on the signal and then raises it again; without this the process would end as if killed.
    signal.signal(signal.SIGTERM, _exit_cleanly)
    try:
        Server(config).run(sockets=[listener])
    except KeyboardInterrupt:
        pass  # uvicorn raises the captured signal again after it has stopped cleanly
    finally:
        listener.close()
        if sql_listener is not None:
            sql_listener.close()


def _log_logins() -> None:
    """Shows every login at the server's terminal, unless somebody has made other arrangements."""
    import logging
    import time

    logger = logging.getLogger("ingot.login")
    if not logger.handlers:
        handler = logging.StreamHandler(sys.stderr)
        form = logging.Formatter("%(asctime)s  %(message)s", "%Y-%m-%dT%H:%M:%SZ")
        form.converter = time.gmtime
        handler.setFormatter(form)
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False


def _exit_cleanly(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def listen_all(
    project: "Project", *, host: str | None = None, port: int | None = None, sql_port: int | None = None
) -> tuple[socket.socket, socket.socket | None]:
    """The sockets of HTTP and of SQL; the second is None where the SQL port is off."""
    listener = listen(project, host=host, port=port)
    if _sql_off(project) is not None:
        return listener, None
    if sql_port is None:
        # Who takes any free port for HTTP has another server running, whose SQL port is taken.
        sql_port = 0 if port == 0 else project.serve.sql_port
    try:
        return listener, listen(project, host=host, port=sql_port, option="--sql-port")
    except IngotError:
        listener.close()
        raise


def _sql_off(project: "Project") -> str | None:
    """Why the SQL port is off; None where it is on."""
    from importlib.util import find_spec

    if find_spec("pyarrow") is None:
        return "off: pip install 'ingot[sql]'"
    if project.auth is not None and project.users is None:
        return "off: it has no users; ingot user add NAME"
    return None


def listen(
    project: "Project", *, host: str | None = None, port: int | None = None, option: str = "--port"
) -> socket.socket:
    """A socket that listens where the project or the options say; one message where it cannot."""
    host = host or project.serve.host
    port = project.serve.port if port is None else port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio sets TCP_NODELAY; without it a keep-alive answer takes 48 ms instead of 1.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise IngotError(
            f"Cannot listen on {host}:{port}: {(error.strerror or str(error)).lower()}.",
            hint=f"Choose another port: ingot serve {option} {port + 1 if port < 65535 else 0}",
        ) from error
    listener.listen(128)
    listener.set_inheritable(True)
    return listener


def _is_local(listener: socket.socket) -> bool:
    return ip_address(listener.getsockname()[0]).is_loopback


def _print_addresses(
    project: "Project",
    listener: socket.socket,
    sql_listener: socket.socket | None = None,
    note: str | None = None,
) -> None:
    host, port = listener.getsockname()[:2]
    shown = "localhost" if host in ("127.0.0.1", "::1", "0.0.0.0", "::") else host  # noqa: S104 - compared only
    base = f"http://{shown}:{port}"
    local = _is_local(listener)
    print(f"{project.name}")
    print(f"  page      {base}")
    print(f"  metrics   {base}/cubejs-api/v1")
    if sql_listener is not None:
        print(f"  sql       postgresql://{shown}:{sql_listener.getsockname()[1]}/{project.name}")
    elif (why := _sql_off(project)) is not None:
        print(f"  sql       {why}")
    print(f"  iceberg   {base}/iceberg")
    print(f"  nessie    {base}/api/v2")
    if project.auth is not None:
        ways = ["a token"] if project.auth.jwt is not None else []
        ways += ["a user's password"] if project.users is not None else []
        print(f"  Every question needs {' or '.join(ways)}, as `auth` in ingot.yml says.")
        if not local:
            _print_overheard(project, with_sql=sql_listener is not None)
    elif local:
        print("  Open to this machine only, without a login.")
    else:
        print(
            "  Open to the network, without a login: anybody who reaches this port reads the data.",
            file=sys.stderr,
        )
    if note is not None:
        print(f"  {note}", file=sys.stderr)
    print("ready", flush=True)


def _print_overheard(project: "Project", *, with_sql: bool) -> None:
    """What others on the network could read of what users of other machines send."""
    if with_sql and project.serve.sql_tls is None:
        print(
            "  SQL is not encrypted: nobody overhears passwords, but questions and answers. "
            "serve.sql_tls in ingot.yml takes a certificate.",
            file=sys.stderr,
        )
    if project.users is not None:
        print(
            "  HTTP is not encrypted: passwords are overheard, where no proxy with TLS stands before this port.",
            file=sys.stderr,
        )
