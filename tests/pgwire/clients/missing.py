"""What a test says where a client is not installed."""

import os
from typing import NoReturn

import pytest


def missing(what: str) -> NoReturn:
    """The test skips and says why; in CI it fails, because `.ci/run` installs every client."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}, and in CI it must be tested.")
    pytest.skip(what)
