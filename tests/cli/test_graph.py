"""`ingot log --graph` draws what git draws: the same histories, made in a real git repository."""

import os
import random
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingot.cli.graph import draw, newest
from ingot.lake import Commit

ROOT = "root"
START = 1_700_000_000


class History:
    """Commits of a repository without files, and the same ones as Ingot knows them."""

    def __init__(self, folder: Path, step: int) -> None:
        self.folder, self.step = folder, step
        self.commits: dict[str, Commit] = {}
        self.git("init", "-q")
        self.tree = self.git("write-tree")

    def git(self, *arguments: str, moment: int = START) -> str:
        who = {f"GIT_{role}_{what}": "x@y" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        when = {f"GIT_{role}_DATE": f"{moment} +0000" for role in ("AUTHOR", "COMMITTER")}
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env={**os.environ, **who, **when, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.rstrip("\n")

    def commit(self, *parents: str) -> str:
        number = len(self.commits)
        moment = START + number * self.step
        options = [part for parent in parents for part in ("-p", parent)]
        hash = self.git("commit-tree", self.tree, "-m", f"c{number}", *options, moment=moment)
        self.commits[hash] = Commit(
            hash, parents or (ROOT,), "x", f"c{number}", datetime.fromtimestamp(moment, UTC), ()
        )
        return hash

    def ancestors(self, hash: str) -> set[str]:
        found, todo = set[str](), [hash]
        while todo:
            if (one := todo.pop()) != ROOT and one not in found:
                found.add(one)
                todo += self.commits[one].parents
        return found

    def drawn(self, head: str, limit: int = 1000) -> list[str]:
        lines = draw(newest(self.commits.__getitem__, head, ROOT, limit), ROOT)
        return [(line + commit.message if commit else line).rstrip() for line, commit in lines]


@pytest.mark.parametrize("step", [10, 0], ids=["one after the other", "all in one moment"])
@pytest.mark.parametrize("seed", range(8))
def test_a_random_history_is_drawn_as_git_draws_it(tmp_path: Path, seed: int, step: int) -> None:
    chance = random.Random(seed)
    history = History(tmp_path, step)
    heads = {"main": history.commit()}
    for number in range(1, chance.randint(4, 16)):
        if chance.random() < 0.25 and len(heads) < 4:
            heads[f"b{number}"] = heads[chance.choice(list(heads))]
        branch = chance.choice(list(heads))
        other = heads[chance.choice(list(heads))]
        merges = chance.random() < 0.4 and other not in history.ancestors(heads[branch])
        heads[branch] = history.commit(heads[branch], *([other] if merges else []))
    for head in heads.values():
        wanted = history.git("log", "--graph", "--format=%s", head).splitlines()
        assert history.drawn(head) == [line.rstrip() for line in wanted]


def test_a_merge_is_drawn_with_both_of_its_parents(tmp_path: Path) -> None:
    history = History(tmp_path, 1)
    base = history.commit()
    side = history.commit(base)
    merge = history.commit(history.commit(base), side)
    assert history.drawn(history.commit(merge)) == [
        "* c4",
        "*   c3",
        "|\\",
        "| * c1",
        "* | c2",
        "|/",
        "* c0",
    ]


def test_only_the_newest_commits_are_loaded() -> None:
    loaded = []

    def load(hash: str) -> Commit:
        loaded.append(hash)
        number = int(hash)
        parent = str(number - 1) if number else ROOT
        return Commit(hash, (parent,), "x", hash, datetime.fromtimestamp(START + number, UTC), ())

    assert [one.hash for one in newest(load, "99999", ROOT, 3)] == ["99999", "99998", "99997"]
    assert len(loaded) < 10


def test_an_empty_history_is_drawn_as_nothing() -> None:
    assert list(draw(newest(dict[str, Commit]().__getitem__, ROOT, ROOT, 5), ROOT)) == []
