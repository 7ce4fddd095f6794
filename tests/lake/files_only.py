"""For tests of what is written into files, to which the state's database makes no difference."""

from pathlib import Path

import pytest


@pytest.fixture
def url(tmp_path: Path) -> str:
    """State in SQLite only."""
    return f"sqlite:///{tmp_path}/lake.db"
