"""Node's driver of PostgreSQL, in `.cache/pgwire-node`."""

from pathlib import Path

from tests.npm import Packages

HERE = Path(__file__).parent
DRIVER = Packages(HERE, "pgwire-node", "tests.pgwire.clients.node.install")
installed = DRIVER.installed

if __name__ == "__main__":
    DRIVER.install()
