"""Cube's client for JavaScript, in `.cache/cubejs`."""

from pathlib import Path

from tests.npm import Packages

CLIENT = Packages(Path(__file__).parent, "cubejs", "tests.api.cubejs.install")
installed = CLIENT.installed

if __name__ == "__main__":
    CLIENT.install()
