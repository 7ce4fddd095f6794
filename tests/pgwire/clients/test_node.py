"""Node's `pg` with its cursors and streams: the driver of most tools that are written in JavaScript."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.pgwire.clients.node.install import HERE, installed
from tests.pgwire.clients.questions import QUESTIONS, REFUSED
from tests.pgwire.clients.sides import Side, Sides

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def answers(sides: Sides, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the same program got of PostgreSQL and of us."""
    folder = installed()
    given = tmp_path_factory.mktemp("node") / "given.json"
    refused = {name: text for name, (text, _) in REFUSED.items()}
    given.write_text(json.dumps({"questions": QUESTIONS, "refused": refused}))
    return [_told(side, folder, given) for side in sides]


def _told(side: Side, folder: Path, given: Path) -> dict[str, Any]:
    done = subprocess.run(
        ["node", str(HERE / "client.mjs"), str(folder), side.uri(), str(given)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{side.name}: {done.stderr}"
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_is_answered_as_by_postgresql(answers: list[dict[str, Any]], name: str) -> None:
    judge, ours = (told["questions"][name] for told in answers)
    assert ours == judge


@pytest.mark.parametrize("name", REFUSED)
def test_an_error_has_its_code(answers: list[dict[str, Any]], name: str) -> None:
    judge, ours = (told["refused"][name] for told in answers)
    assert judge["code"] == REFUSED[name][1]
    assert ours["code"] == judge["code"]
    assert ours["severity"] == "ERROR"
    if name in {"no column", "syntax"}:
        assert ours["position"] == judge["position"]


@pytest.mark.parametrize(
    "what",
    ["parameters", "named", "several", "array", "binary", "cursor", "after", "stream", "pool", "limited"],
)
def test_what_the_driver_can_do_works(answers: list[dict[str, Any]], what: str) -> None:
    judge, ours = (told[what] for told in answers)
    assert not str(judge).startswith("ERROR")
    assert ours == judge
    assert judge
