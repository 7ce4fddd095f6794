"""Several writers on shared keys, some of them killed: their history is one that could have been in turn."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ingot.lake import Put, SqlCatalog
from tests.lake.contents import namespace

from .history import Attempt, Ending, ViolatedError, judge
from .writer import values

PROJECT = Path(__file__).parents[3]


def start(url: str, name: str, count: int, notes: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.lake.crash.writer", url, name, str(count)]
    with (notes / name).open("wb") as file:
        return subprocess.Popen(command, stdout=file, cwd=PROJECT)


def noted(notes: Path) -> tuple[dict[str, Attempt], dict[str, Ending]]:
    """Everything that writers said; a line that a kill cut off was not said."""
    attempts: dict[str, Attempt] = {}
    endings: dict[str, Ending] = {}
    for file in notes.iterdir():
        for line in file.read_text().splitlines(keepends=True):
            if line.endswith("\n"):
                one = json.loads(line)
                if "of" in one:
                    of = one.pop("of")
                    endings[of] = Ending(**one)
                else:
                    attempts[one["id"]] = Attempt(**one)
    return attempts, endings


@pytest.mark.slow
def test_no_update_is_lost_no_unfinished_one_is_read_and_each_acknowledged_commit_is_logged_once(
    url: str, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    catalog = SqlCatalog(url)
    try:
        first = catalog.commit("main", [Put(("s",), namespace())], message="begin").hash
        lasting = [start(url, f"w{number}", 40, notes) for number in range(3)]
        killed = 0
        for number in range(6):
            victim = start(url, f"k{number}", 100_000, notes)
            while (notes / f"k{number}").stat().st_size == 0:
                assert victim.poll() is None
                time.sleep(0.01)
            time.sleep(random.uniform(0, 0.2))
            victim.kill()
            killed += victim.wait() < 0
        assert [one.wait(60) for one in lasting] == [0, 0, 0]
        assert killed == 6
        log = list(catalog.log(catalog.resolve("main")))[:-1][::-1]
        attempts, endings = noted(notes)
        final = judge(first, [(one.hash, one.message) for one in log], attempts, endings)
    finally:
        catalog.close()
    fresh = SqlCatalog(url)
    assert values(fresh.entries(fresh.resolve("main"))) == final
    fresh.close()
    # There was something to judge: many writers succeeded, and many were refused.
    assert len([one for one in endings.values() if one.hash]) > 40
    assert len([one for one in endings.values() if not one.hash]) > 10


A = Attempt("a", 1, "0", {}, {"x": "a"}, ["y"])
B = Attempt("b", 3, "h1", {"x": "a"}, {"x": "b", "y": "b"}, [])
C = Attempt("c", 3.5, "h1", {"x": "a"}, {"x": "c"}, [])
LOG = [("h1", "a"), ("h2", "b")]
ATTEMPTS = {"a": A, "b": B, "c": C}
ENDINGS = {"a": Ending(2, "h1"), "b": Ending(4, "h2"), "c": Ending(5, "", ["x"], "h2")}

History = tuple[list[tuple[str, str]], dict[str, Attempt], dict[str, Ending]]


def test_the_judge_finds_nothing_in_a_history_that_is_in_order() -> None:
    assert judge("0", LOG, ATTEMPTS, ENDINGS) == {"x": "b", "y": "b"}
    # A writer that was killed: its commit may be there or not.
    assert judge("0", LOG, ATTEMPTS, {"a": ENDINGS["a"]}) == {"x": "b", "y": "b"}
    assert judge("0", LOG[:1], ATTEMPTS, {"a": ENDINGS["a"]}) == {"x": "a"}


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda: (LOG[:1], ATTEMPTS, ENDINGS), "acknowledged is not in the log|not before it|not in the log"),
        (lambda: ([*LOG, ("h3", "b")], ATTEMPTS, ENDINGS), "its writer was told"),
        (lambda: ([*LOG, ("h3", "c")], ATTEMPTS, {}), "put its change on b"),
        (lambda: ([*LOG, ("h3", "a")], ATTEMPTS, {}), "put its change on b"),
        (lambda: ([*LOG, ("h3", "z")], ATTEMPTS, ENDINGS), "nobody wanted it"),
        (lambda: ([*LOG, ("h3", "c")], ATTEMPTS, ENDINGS), "its writer was told"),
        (lambda: (LOG, {**ATTEMPTS, "b": replace(B, values={"x": "z"})}, ENDINGS), "saw z in x"),
        (
            lambda: (LOG, {**ATTEMPTS, "b": replace(B, reads=["y"], values={"x": "a", "y": "z"})}, ENDINGS),
            "saw z",
        ),
        (lambda: (LOG, {**ATTEMPTS, "c": replace(C, values={"x": "b"})}, ENDINGS), "does not hold"),
        (lambda: (LOG, {**ATTEMPTS, "c": replace(C, seen="h9")}, ENDINGS), "not in the log"),
        (lambda: (LOG, {**ATTEMPTS, "c": replace(C, seen="0", values={})}, ENDINGS), "did not see"),
        (lambda: (LOG, ATTEMPTS, {**ENDINGS, "c": Ending(5, "", ["y"], "h1")}), "nobody had changed"),
        (lambda: (LOG, ATTEMPTS, {**ENDINGS, "c": Ending(5, "", [], "h2")}), "refused for nothing"),
    ],
)
def test_the_judge_finds_what_is_wrong(damage: Callable[[], History], complaint: str) -> None:
    with pytest.raises(ViolatedError, match=complaint):
        judge("0", *damage())
