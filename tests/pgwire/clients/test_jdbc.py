"""pgJDBC with everything that `DatabaseMetaData` tells: what DBeaver, Metabase, Tableau and Looker speak."""

import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from tests.lake.clients.parts import java, part
from tests.pgwire.clients.questions import QUESTIONS
from tests.pgwire.clients.sides import Side, Sides

pytestmark = pytest.mark.slow

Told = dict[str, list[str]]
TOPICS = [
    "product", "version", "catalogs", "table types", "tables", "all tables", "columns of orders", "columns of customers",
    "columns of sales", "columns of nothing_here", "primary keys", "imported keys", "exported keys", "indexes", "best row",
    "version columns", "cross reference", "functions", "procedures", "type ", "user types", "limits", "client info",
    "typed", "prepared", "parameters", "described", "places", "kinds of parameters", "array", "cursor", "scrolled", "most rows",
    "several", "cancel", "time limit", "write", "after it", "valid", "schema ", "preferQueryMode", "prepareThreshold",
    "defaultRowFetchSize", "reWriteBatchedInserts", "assumeMinServerVersion",
]  # fmt: skip


@pytest.fixture(scope="module")
def answers(sides: Sides, tmp_path_factory: pytest.TempPathFactory) -> list[Told]:
    """What the same program got of PostgreSQL and of us."""
    jar = part("pgjdbc") / "postgresql.jar"
    program = java(17) / "bin" / "java"
    given = tmp_path_factory.mktemp("jdbc") / "questions"
    given.write_text("".join(f"{name}\t{text}\n" for name, text in QUESTIONS.items()))
    return [
        _told(side, [str(program), "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", str(jar)], given)
        for side in sides
    ]


def _told(side: Side, java: list[str], given: Path) -> Told:
    address = f"postgresql://{side.host}:{side.port}/{side.database}"
    done = subprocess.run(
        [*java, str(Path(__file__).parent / "java" / "Client.java"), address, str(given)],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{side.name}: {done.stderr}"
    told = defaultdict(list)
    for line in done.stdout.splitlines():
        topic, _, answer = line.partition("\t")
        told[topic].append(answer)
    return told


def _about(told: Told, topic: str) -> Told:
    return {key: value for key, value in told.items() if f"{key} ".startswith(topic)}


@pytest.mark.parametrize("topic", TOPICS)
def test_what_the_driver_tells_is_as_at_postgresql(answers: list[Told], topic: str) -> None:
    judge, ours = (_about(told, topic) for told in answers)
    assert judge
    assert not any(answer.startswith("ERROR") for found in judge.values() for answer in found), judge
    assert ours == judge


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_is_answered_as_by_postgresql(answers: list[Told], name: str) -> None:
    judge, ours = (_about(told, f"question {name} ") for told in answers)
    assert judge
    assert ours == judge


def test_schemas_are_told(answers: list[Told]) -> None:
    assert "public" in answers[1]["schemas"][0]
    assert "pg_catalog" in answers[1]["schemas"][0]
