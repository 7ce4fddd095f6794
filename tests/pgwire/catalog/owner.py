"""A server that does nothing but hold a shadow PostgreSQL: `python -m tests.pgwire.catalog.owner FOLDER`."""

import asyncio
import os
import shutil
import sys
from pathlib import Path

from ingot.pgwire.catalog import Catalogs
from tests.pgwire.catalog.shadow import Shadow, Shown


async def _stay(shadow: Shadow) -> None:
    await asyncio.sleep(600)


def main() -> None:
    """Says the process id and the folder of its PostgreSQL, then stays until it is ended.

    `nobody`: it gives up root first, and ends by itself.
    """
    if "nobody" in sys.argv:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        if not os.access(sys.executable, os.X_OK):
            sys.executable = shutil.which("python3", path="/usr/bin:/usr/local/bin") or sys.executable
    with asyncio.Runner() as runner:
        catalogs = Catalogs(Shown(), folder=Path(sys.argv[1]))
        runner.run(catalogs.start())
        shadow = Shadow(runner, catalogs, Shown())
        session = shadow.session()
        shadow.rows(session, "SELECT 1")
        print(  # noqa: T201 - for the test that reads it
            shadow.home().cluster.pid, shadow.place.sockets, flush=True
        )
        if len(sys.argv) > 2:
            shadow.close(session)
            runner.run(catalogs.stop())
            return
        runner.run(_stay(shadow))


if __name__ == "__main__":
    main()
