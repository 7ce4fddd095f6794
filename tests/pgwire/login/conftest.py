"""A server with users for all tests of this folder."""

from collections.abc import Iterator

import pytest

from ingot.pgwire.server import Limits
from tests.pgwire import certificates
from tests.pgwire.answering import Running
from tests.pgwire.certificates import Files
from tests.pgwire.logins import ours, users_text, verifiers


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return certificates.made(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, tls: Files) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("users")
    (folder / "users.yml").write_text(users_text(verifiers()))
    with ours(folder, tls, limits=Limits(login_seconds=5)) as found:
        yield found


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong logins of one test do not slow down the next."""
    monkeypatch.setattr("ingot.pgwire.attempts.WINDOW", 0.0)
