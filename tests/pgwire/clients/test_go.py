"""Go's two drivers, lib/pq and pgx: Grafana's, and those of most programs that are written in Go."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.pgwire.clients.go.install import PROGRAMS, installed
from tests.pgwire.clients.questions import QUESTIONS, REFUSED, TYPED
from tests.pgwire.clients.sides import Side, Sides
from tests.pgwire.clients.test_drivers import VALUES

pytestmark = pytest.mark.slow

Told = dict[str, Any]
MODES = ("cache statement", "cache describe", "describe exec", "exec", "simple protocol")


@pytest.fixture(scope="module")
def answers(sides: Sides, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Told]]:
    """What each program got of PostgreSQL and of us."""
    folder = installed()
    given = tmp_path_factory.mktemp("go") / "given.json"
    refused = {name: text for name, (text, _) in REFUSED.items()}
    values = [text for text, _ in VALUES]
    asked = {"questions": QUESTIONS, "refused": refused, "typed": TYPED, "values": values}
    given.write_text(json.dumps(asked))
    return {name: [_told(side, folder / name, given) for side in sides] for name in PROGRAMS}


def _told(side: Side, program: Path, given: Path) -> Told:
    done = subprocess.run(
        [str(program), f"{side.uri()}?sslmode=disable", str(given)],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{side.name}: {done.stderr}"
    told: Told = json.loads(done.stdout)
    return told


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_is_answered_as_by_postgresql(answers: dict[str, list[Told]], name: str) -> None:
    for program, key in (
        ("pq", "questions"),
        ("pq", "described"),
        *(("pgx", f"questions {mode}") for mode in MODES),
    ):
        judge, ours = (told[key][name] for told in answers[program])
        assert not str(judge).startswith("ERROR")
        assert ours == judge, (program, key)


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("name", REFUSED)
def test_an_error_has_its_code(answers: dict[str, list[Told]], program: str, name: str) -> None:
    judge, ours = (told["refused"][name] for told in answers[program])
    assert judge[:2] == [REFUSED[name][1], "ERROR"]
    assert ours[:2] == judge[:2]
    if name in {"no column", "syntax"}:
        assert ours == judge


@pytest.mark.parametrize(
    "what", ["typed", "parameters", "values", "prepared", "cancelled", "large", "cursor"]
)
def test_what_lib_pq_can_do_works(answers: dict[str, list[Told]], what: str) -> None:
    _same(answers["pq"], what)


@pytest.mark.parametrize("what", ["typed", "parameters", "values"])
@pytest.mark.parametrize("mode", MODES)
def test_pgx_works_in_each_of_its_modes(answers: dict[str, list[Told]], what: str, mode: str) -> None:
    _same(answers["pgx"], f"{what} {mode}")


@pytest.mark.parametrize("what", ["batch", "copied", "large", "cancelled", "database/sql"])
def test_what_pgx_can_do_works(answers: dict[str, list[Told]], what: str) -> None:
    _same(answers["pgx"], what)


def test_large_results_are_whole(answers: dict[str, list[Told]]) -> None:
    """61,778 rows, twice the items."""
    for program in PROGRAMS:
        assert answers[program][1]["large"][0] == 2 * 30889
        assert answers[program][1]["cancelled"][:2] == ["57014", True]


def _same(told: list[Told], what: str) -> None:
    judge, ours = (each[what] for each in told)
    assert judge
    assert "ERROR" not in str(judge)
    assert ours == judge
