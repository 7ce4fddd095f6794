"""Every command of `nessie`, run as it is against a real server, with what it did checked in the lake."""

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from ingot.lake import Lake, Operation, Put, RefKind
from tests.lake.nessie import command
from tests.lake.nessie.command import Nessie
from tests.lake.nessie.conftest import ROOT, Client, namespace, put

pytestmark = pytest.mark.slow


@pytest.fixture
def nessie(address: str, tmp_path: Path) -> Nessie:
    command.installed()
    home = tmp_path / "home"
    home.mkdir()
    return Nessie(f"{address}/api/v1", home)


@pytest.fixture
def filled(client: Client) -> Client:
    """`main` with a namespace, a table and a view in two commits."""
    client.commit(namespace("s", owner="me"), message="first", authors=["ann", "bob"])
    client.commit(put("s.t", client.write_table()), put("s.v", client.write_view()), message="second")
    return client


def test_remote_shows_and_sets_the_endpoint(nessie: Nessie, filled: Client) -> None:
    filled.branch("dev")
    shown = nessie("remote", "show")
    assert f"Remote URL: {nessie.endpoint}" in shown
    assert "Default branch: main" in shown
    assert {"main", "dev"} <= set(shown.split())
    assert nessie.endpoint is not None
    nessie("remote", "add", nessie.endpoint)
    nessie("remote", "set-head", "dev")
    listed = nessie("config", "--list")
    assert f"endpoint: {nessie.endpoint}" in listed
    assert "default_branch: dev" in listed
    assert nessie("config", "--get", "default_branch").strip() == "dev"
    assert "second" in nessie("log")  # the log of dev, which is where main was


@pytest.mark.parametrize("kind", ["branch", "tag"])
def test_branches_and_tags_are_made_listed_moved_and_deleted(
    nessie: Nessie, filled: Client, lake: Lake, kind: str
) -> None:
    first, head = lake.catalog.resolve("main~1"), filled.head()
    nessie(kind, "team/one")
    nessie(kind, "two", "main")
    nessie(kind, "three", f"main@{first}")
    nessie(kind, "-o", first, "four", "main")
    kept = RefKind(kind.upper())
    assert {ref.name: ref.hash for ref in lake.catalog.refs() if ref.kind is kept and ref.name != "main"} == {
        "team/one": head,
        "two": head,
        "three": first,
        "four": first,
    }
    assert json.loads(nessie("--json", kind, "-l", "three"))["hash"] == first
    assert {"team/one", "two", "three", "four"} <= set(nessie(kind).split())
    assert head in nessie("-v", kind, "-l", "two")
    assert "commits behind: 1" in nessie(kind, "-x", "-l", "three")
    nessie(kind, "-f", "three", "main")
    assert lake.catalog.ref("three").hash == head
    nessie(kind, "-f", "-c", head, "three", f"main@{first}")
    assert lake.catalog.ref("three").hash == first
    stale = nessie.run(kind, "-f", "-c", head, "three", "main")
    assert stale.returncode == 1
    assert "REFERENCE_CONFLICT" in stale.stdout
    taken = nessie.run(kind, "two")
    assert taken.returncode == 1
    assert "REFERENCE_ALREADY_EXISTS" in taken.stdout
    nessie(kind, "-d", "two")
    nessie(kind, "-d", "team/one")
    assert {"two", "team/one"}.isdisjoint(ref.name for ref in lake.catalog.refs())
    gone = nessie.run(kind, "-d", "two")
    assert gone.returncode == 1
    assert "REFERENCE_NOT_FOUND" in gone.stdout


def test_the_log_is_shown_in_full_in_parts_and_filtered(nessie: Nessie, filled: Client, lake: Lake) -> None:
    first, second = lake.catalog.resolve("main~1"), filled.head()
    found = json.loads(nessie("--json", "log"))
    assert [(one["hash"], one["message"]) for one in found] == [(second, "second"), (first, "first")]
    assert found[1]["author"] == "ann"
    assert first in nessie("log", first)
    assert second not in nessie("log", f"main@{first}")
    assert nessie("log", "-n", "1").count("commit ") == 1
    extended = nessie("log", "-x")
    assert "Operations:" in extended
    assert "Put of s.t : Iceberg table" in extended
    assert "select 1 as i" in extended
    assert f"Parent: {ROOT}" in extended
    in_json = json.loads(nessie("--json", "log", "-x"))
    assert [one["type"] for one in in_json[0]["operations"]] == ["PUT", "PUT"]
    by_ann = json.loads(nessie("--json", "log", "--author", "ann", "--author", "nobody"))
    assert [one["hash"] for one in by_ann] == [first]
    assert json.loads(nessie("--json", "log", "--committer", "nobody")) == []
    times = ("--since", "2001-01-01T00:00:00+00:00", "--until", "2999-12-30T23:00:00+00:00")
    assert len(json.loads(nessie("--json", "log", *times))) == 2
    assert json.loads(nessie("--json", "log", "--until", "2001-01-01T00:00:00+00:00")) == []
    by_filter = nessie("--json", "log", "--filter", "commit.message == 'first' || commit.author == 'x'")
    assert [one["hash"] for one in json.loads(by_filter)] == [first]
    ranged = nessie("--json", "log", "--revision-range", f"{second}..{second}")
    assert [one["hash"] for one in json.loads(ranged)] == [second]


def test_a_long_log_is_read_page_by_page(nessie: Nessie, client: Client, lake: Lake) -> None:
    client.commit(namespace("s"))
    for number in range(260):
        lake.catalog.commit("main", _touch(lake, number), message=str(number))
    found = json.loads(nessie("--json", "log"))
    assert [one["message"] for one in found] == [*map(str, range(259, -1, -1)), "m"]


def _touch(lake: Lake, number: int) -> list[Operation]:
    now = lake.catalog.content(lake.catalog.ref("main").hash, ("s",))
    assert now is not None
    return [Put(("s",), replace(now, properties={"n": str(number)}), now)]


def test_contents_are_listed_and_viewed(nessie: Nessie, filled: Client) -> None:
    assert nessie("content", "list").split() == [
        "NAMESPACE:", "s", "ICEBERG_TABLE:", "s.t", "ICEBERG_VIEW:", "s.v",
    ]  # fmt: skip
    assert nessie("content", "list", "-r", "main", "-t", "ICEBERG_VIEW").split() == ["ICEBERG_VIEW:", "s.v"]
    by_filter = nessie("content", "list", "--filter", "entry.namespace.startsWith('s')")
    assert by_filter.split() == ["ICEBERG_TABLE:", "s.t", "ICEBERG_VIEW:", "s.v"]
    (table,) = json.loads(nessie("--json", "content", "view", "s.t"))
    assert table == filled.content("s.t")
    shown = nessie("content", "view", "-r", "main", "s.t", "s.v", "s")
    assert str(table["metadataLocation"]) in shown
    assert "Dialect: trino" in shown
    assert "elements: s" in shown
    missing = nessie.run("content", "view", "s.none")
    assert missing.returncode == 1
    assert "CONTENT_NOT_FOUND" in missing.stdout


def test_contents_are_committed_changed_and_removed(nessie: Nessie, filled: Client, lake: Lake) -> None:
    filled.branch("dev")
    new = {**filled.write_table("new"), "id": None}
    before = filled.head("dev")
    said = nessie(
        "content", "commit", "-i", "-r", "dev", "-c", before, "-m", "add", "--author", "eve", "s.new",
        stdin=json.dumps(new),
    )  # fmt: skip
    assert "Changes have been committed." in said
    commit = lake.catalog.commit_of(filled.head("dev"))
    assert (commit.message, commit.author) == ("add", "eve")
    made = filled.content("s.new", "dev")
    assert made["metadataLocation"] == new["metadataLocation"]
    assert "s.new" in lake.at("dev").tables

    next_ = {**filled.write_table("new"), "id": made["id"]}
    nessie(
        "content", "commit", "-i", "-r", "dev", "-c", filled.head("dev"), "-m", "change", "s.new",
        stdin=json.dumps(next_),
    )  # fmt: skip
    assert filled.content("s.new", "dev")["metadataLocation"] == next_["metadataLocation"]

    stale = {**filled.write_table("new"), "id": made["id"]}
    refused = nessie.run(
        "content", "commit", "-i", "-r", "dev", "-c", lake.catalog.resolve("dev~1"), "-m", "late", "s.new",
        stdin=json.dumps(stale),
    )  # fmt: skip
    assert refused.returncode == 1
    assert "REFERENCE_CONFLICT" in refused.stdout

    nessie("content", "commit", "-R", "-r", "dev", "-c", filled.head("dev"), "-m", "drop", "s.new", "s.v")
    assert (lake.at("dev").tables, lake.at("dev").views) == (("s.t",), ())
    assert lake.at("main").views == ("s.v",)


def test_a_namespace_that_is_edited_keeps_its_properties(nessie: Nessie, filled: Client, lake: Lake) -> None:
    (shown,) = json.loads(nessie("--json", "content", "view", "s"))
    edited = json.dumps(shown)
    said = nessie("content", "commit", "-i", "-c", filled.head(), "-m", "same", "s", stdin=edited)
    assert "content not edited" in said
    assert filled.content("s")["properties"] == {"owner": "me"}


def test_the_difference_of_two_references_is_shown(nessie: Nessie, filled: Client, lake: Lake) -> None:
    filled.branch("team/dev")
    base = filled.head()
    filled.commit(put("s.new", filled.write_table("new")), on="team%2Fdev")
    shown = nessie("diff", "main", "team/dev")
    assert "ContentKey: s.new" in shown
    (one,) = json.loads(nessie("--json", "diff", f"main@{base}", "team/dev"))["diffs"]
    assert (one["key"], one["from"]) == ({"elements": ["s", "new"]}, None)
    assert one["to"] == filled.content("s.new", "team%2Fdev")
    (back,) = json.loads(nessie("--json", "diff", "team/dev", base))["diffs"]
    assert (back["to"], back["from"]) == (None, one["to"])
    assert json.loads(nessie("--json", "diff", "main", base))["diffs"] == []


def test_branches_are_merged(nessie: Nessie, filled: Client, lake: Lake) -> None:
    filled.branch("dev")
    base = filled.head()
    filled.commit(put("s.new", filled.write_table("new")), on="dev")
    assert nessie.run("merge", "dev").returncode == 2  # neither a condition nor force
    said = nessie("merge", "-b", "main", "-c", base, "dev")
    assert f"Merged dev onto main (was on {base} before merge)" in said
    assert f"Identified merge base commit {base}" in said
    assert lake.catalog.commit_of(filled.head()).parents == (base, filled.head("dev"))
    assert "s.new" in lake.at("main").tables
    assert "Nothing merged from dev" in nessie("merge", "-f", "dev")
    filled.commit(put("s.newer", filled.write_table("newer")), on="dev")
    filled.commit(put("s.newest", filled.write_table("newest")), on="dev")
    found = json.loads(nessie("--json", "merge", "-f", "-o", lake.catalog.resolve("dev~1"), "dev"))
    assert found["wasApplied"] is True
    assert [one["key"]["elements"] for one in found["details"]] == [["s", "newer"]]
    assert [one["commitMeta"]["hash"] for one in found["sourceCommits"]] == [lake.catalog.resolve("dev~1")]


def test_a_conflict_is_told_with_its_key(nessie: Nessie, filled: Client) -> None:
    filled.branch("dev")
    id = filled.content("s.t")["id"]
    for branch in ("main", "dev"):
        filled.commit(put("s.t", {**filled.write_table(), "id": id}), on=branch)
    before = filled.head()
    refused = nessie.run("merge", "-f", "dev")
    assert refused.returncode == 1
    assert "REFERENCE_CONFLICT" in refused.stdout
    assert "s.t" in refused.stdout
    assert filled.head() == before


def test_commits_are_picked_one_by_one(nessie: Nessie, filled: Client, lake: Lake) -> None:
    filled.branch("dev")
    for name in ("one", "two", "three"):
        filled.commit(put(f"s.{name}", filled.write_table(name)), on="dev", message=name)
    base = filled.head()
    three, two, _ = (one.hash for one in lake.catalog.log(filled.head("dev"), limit=3))
    said = nessie("cherry-pick", "-b", "main", "-c", base, "-s", "dev", two, three)
    assert f"Cherry-picked onto main (was on {base} before)" in said
    assert [one.message for one in lake.catalog.log(filled.head(), limit=2)] == ["three", "two"]
    assert lake.at("main").tables == ("s.t", "s.three", "s.two")
    again = json.loads(nessie("--json", "cherry-pick", "-f", "-s", "dev", three))
    assert (again["wasApplied"], again["wasSuccessful"]) == (False, True)
    assert nessie.run("cherry-pick", "-s", "dev", three).returncode == 2


def test_the_commands_of_the_page_do_what_it_says(nessie: Nessie, filled: Client, lake: Lake) -> None:
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "connect-clients.md").read_text()
    section = page.partition("## The nessie command\n")[2].partition("\n## ")[0]
    install, use = re.findall(r"```sh\n(.*?)```", section, flags=re.DOTALL)
    assert f"pynessie=={nessie('--version').split()[-1]}" in install
    assert nessie.endpoint is not None
    configured = Nessie(None, nessie.home)
    said = {}
    for line in use.replace("http://localhost:4000/api/v1", nessie.endpoint).splitlines():
        program, *arguments = shlex.split(line)
        assert program == "nessie"
        said[arguments[0]] = configured(*arguments)
    assert "s.t" in said["content"]
    assert "second" in said["log"]
    assert "Nothing merged" in said["merge"]
    assert lake.catalog.ref("v1").hash == lake.catalog.ref("dev").hash == filled.head()
