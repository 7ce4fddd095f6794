"""JSON, Parquet, Excel and zip: the same promises as for CSV."""

import datetime as dt
import io
import json
import zipfile
from decimal import Decimal
from pathlib import Path

import duckdb
import openpyxl
import pytest

from ingot.sources import SourceError
from ingot.sources.files import parts

from .conftest import Room

moment = dt.datetime.fromisoformat


def refused(room: Room, **table: object) -> SourceError:
    with pytest.raises(SourceError) as caught:
        room.load(**table)
    assert room.untouched()
    return caught.value


def parquet(room: Room, name: str, query: str) -> Path:
    path = room.root / "data" / name
    with duckdb.connect() as con:
        con.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return path


def workbook(room: Room, name: str, sheets: dict[str, list[list[object]]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    path = room.root / "data" / name
    book.save(path)
    return path


def zipped(room: Room, name: str, members: dict[str, bytes]) -> Path:
    path = room.root / "data" / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return path


def test_json_lines_keep_their_types_and_nesting(room: Room) -> None:
    rows = [
        {
            "id": 1,
            "amount": 1,
            "zip": "01234",
            "at": "2024-01-01T10:00:00Z",
            "tags": ["a"],
            "who": {"name": "x"},
        },
        {"id": 2, "amount": 2.5, "zip": None, "at": None, "tags": [], "who": None, "late": True},
    ]
    room.write("a.jsonl", "\n".join(json.dumps(row) for row in rows))
    assert room.load().rows == 2
    assert room.rows("SELECT id, amount, zip, tags, who.name, late FROM raw.t ORDER BY id") == [
        (1, 1.0, "01234", ["a"], "x", None),
        (2, 2.5, None, [], None, True),
    ]


def test_a_json_array_is_read_like_lines(room: Room) -> None:
    room.write("a.json", json.dumps([{"a": 1}, {"a": 2}], indent=2))
    assert room.load().rows == 2


def test_json_values_of_many_kinds_stay_as_text(room: Room) -> None:
    room.write("a.jsonl", '{"a": 1}\n{"a": "x"}\n{"a": {"b": [1, 2]}}\n')
    room.load()
    assert room.rows() == [("1",), ('"x"',), ('{"b": [1, 2]}',)] or room.rows() == [
        ("1",),
        ('"x"',),
        ('{"b":[1,2]}',),
    ]


def test_a_type_that_only_the_last_json_line_shows_is_found(room: Room) -> None:
    room.write("a.jsonl", "".join(f'{{"a": {n}}}\n' for n in range(30_000)) + '{"a": 0.5}\n')
    assert room.load().rows == 30_001
    assert room.types() == {"a": "DOUBLE"}


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b'{"a": 1}\n{"a": \n', 2),
        (b'[{"a": 1},\n{"a" 2}]', 2),
        (b'{"a": 1}\n{"a": "\xe9"}\n', 2),
        (b'{"a": 1}\nnot json\n', 2),
    ],
)
def test_damaged_json_is_refused_with_its_place(room: Room, content: bytes, line: int | None) -> None:
    room.write("a.jsonl", content)
    error = refused(room)
    assert error.file == "data/a.jsonl"
    assert line is None or error.line == line


def test_json_that_does_not_fit_a_kept_type_is_refused_with_its_line(room: Room) -> None:
    room.write("a.jsonl", '{"a": 1}\n')
    room.load()
    room.write("b.jsonl", '{"a": 2}\n{"a": "x"}\n')
    with pytest.raises(SourceError) as caught:
        room.load()
    assert (caught.value.file, caught.value.line, caught.value.column) == ("data/b.jsonl", 2, "a")
    assert room.rows() == [(1,)]


def test_a_new_json_key_is_refused_until_it_is_named(room: Room) -> None:
    room.write("a.jsonl", '{"a": 1}\n')
    room.load()
    room.write("b.jsonl", '{"a": 2, "b": "x"}\n')
    with pytest.raises(SourceError, match=r"a column \('b'\)"):
        room.load()
    room.load(columns={"b": "VARCHAR"})
    assert sorted(room.rows("SELECT a, b FROM raw.t")) == [(1, None), (2, "x")]


def test_json_without_values_gets_its_type_later(room: Room) -> None:
    room.write("a.jsonl", '{"a": 1, "ended": null}\n')
    room.load()
    room.write("b.jsonl", '{"a": 2, "ended": "2024-01-01"}\n')
    room.load()
    assert room.types() == {"a": "BIGINT", "ended": "DATE"}
    assert room.rows("SELECT a, ended FROM raw.t ORDER BY a") == [(1, None), (2, dt.date(2024, 1, 1))]


def test_parquet_keeps_its_types(room: Room) -> None:
    parquet(room, "a.parquet", "SELECT 1::UTINYINT AS small, 1.25::DECIMAL(9,2) AS price, TIMESTAMPTZ '2024-01-01 10:00:00+00' AS at, [1, 2] AS many, 'x' AS t")  # fmt: skip
    room.load()
    assert room.types() == {
        "small": "INTEGER",
        "price": "DECIMAL(9,2)",
        "at": "TIMESTAMP WITH TIME ZONE",
        "many": "INTEGER[]",
        "t": "VARCHAR",
    }
    assert room.rows() == [(1, Decimal("1.25"), moment("2024-01-01T10:00+00:00"), [1, 2], "x")]
    parquet(room, "b.parquet", "SELECT 2::UTINYINT AS small, 2.5::DECIMAL(9,2) AS price, NULL::TIMESTAMPTZ AS at, [3] AS many, NULL::VARCHAR AS t")  # fmt: skip
    assert room.load().rows == 1
    assert room.rows("SELECT sum(price) FROM raw.t") == [(Decimal("3.75"),)]


def test_parquet_of_another_type_is_refused(room: Room) -> None:
    parquet(room, "a.parquet", "SELECT 1::BIGINT AS a")
    room.load()
    parquet(room, "b.parquet", "SELECT 'x' AS a")
    with pytest.raises(SourceError, match=r"data/b\.parquet: The column 'a' has the type BIGINT"):
        room.load()


def test_parquet_of_a_narrower_type_is_taken(room: Room) -> None:
    parquet(room, "a.parquet", "SELECT 1::BIGINT AS a")
    room.load()
    parquet(room, "b.parquet", "SELECT 2::SMALLINT AS a")
    room.load()
    assert sorted(room.rows()) == [(1,), (2,)]


def test_nanoseconds_are_not_lost_in_silence(room: Room) -> None:
    parquet(room, "a.parquet", "SELECT '2024-01-01 00:00:00.123456000'::TIMESTAMP_NS AS at")
    room.load()
    assert room.rows() == [(moment("2024-01-01T00:00:00.123456"),)]
    parquet(room, "a.parquet", "SELECT '2024-01-01 00:00:00.123456789'::TIMESTAMP_NS AS at")
    with pytest.raises(SourceError, match="nanoseconds"):
        room.load()


@pytest.mark.parametrize("content", [b"", b"PAR1", b"not parquet at all, but long enough to be read"])
def test_what_is_no_parquet_is_refused(room: Room, content: bytes) -> None:
    room.write("a.parquet", content)
    assert refused(room).file == "data/a.parquet"


def test_excel_cells_are_what_they_show(room: Room) -> None:
    workbook(
        room,
        "a.xlsx",
        {
            "Orders": [
                ["id", "day", "at", "zip", "price", "ok", "note", "ended"],
                [1, dt.date(2024, 2, 29), moment("2024-02-29T13:14:15"), "01234", 0.1, True, "a\nb", None],
                [2, dt.date(2024, 3, 1), moment("2024-02-29T13:14:15.500"), "9", 1100000, False, None, None],
                [None] * 8,
                [3, None, None, None, None, None, "end", dt.date(2024, 3, 1)],
            ],
            "Other": [["k"], ["v"]],
        },
    )
    assert room.load().rows == 3
    assert room.types() == {
        "id": "BIGINT",
        "day": "DATE",
        "at": "TIMESTAMP",
        "zip": "VARCHAR",
        "price": "DOUBLE",
        "ok": "BOOLEAN",
        "note": "VARCHAR",
        "ended": "DATE",
    }
    assert room.rows("SELECT * FROM raw.t ORDER BY id") == [
        (1, dt.date(2024, 2, 29), moment("2024-02-29T13:14:15"), "01234", 0.1, True, "a\nb", None),
        (2, dt.date(2024, 3, 1), moment("2024-02-29T13:14:15.500"), "9", 1100000.0, False, None, None),
        (3, None, None, None, None, None, "end", dt.date(2024, 3, 1)),
    ]


def test_an_excel_sheet_is_chosen_by_name(room: Room) -> None:
    workbook(room, "a.xlsx", {"One": [["a"], [1]], "Two words": [["b"], ["x"]]})
    room.load(options={"sheet": "Two words"})
    assert room.rows("SELECT b FROM raw.t") == [("x",)]
    with pytest.raises(SourceError, match=r"did you mean 'Two words'\?"):
        room.load(options={"sheet": "Two wrods"})


@pytest.mark.parametrize("header", [["a", None, "c"], ["a", "b", "A"]])
def test_excel_names_that_are_empty_or_used_twice_are_refused(room: Room, header: list[object]) -> None:
    workbook(room, "a.xlsx", {"S": [header, [1, 2, 3]]})
    assert refused(room).line == 1


@pytest.mark.parametrize("content", [b"PK\x03\x04 not a workbook", b"\xd0\xcf\x11\xe0 an old one"])
def test_what_is_no_excel_file_is_refused(room: Room, content: bytes) -> None:
    room.write("a.xlsx", content)
    assert "xlsx" in str(refused(room))


def test_the_members_of_a_zip_file_are_loaded(room: Room) -> None:
    zipped(
        room,
        "a.zip",
        {"x/a.csv": b"a\n1\n", "b.csv": b"a\n2\n", "readme.md": b"#", "__MACOSX/._a.csv": b"\0"},
    )
    assert room.load().rows == 2
    assert sorted(room.rows()) == [(1,), (2,)]
    assert room.plan().kind == "nothing"


def test_a_mistake_in_a_zip_file_names_the_member(room: Room) -> None:
    zipped(room, "a.zip", {"x/a.csv": b"a\n1\n2,3\n"})
    error = refused(room)
    assert (error.file, error.line) == ("data/a.zip!x/a.csv", 3)


@pytest.mark.parametrize("name", ["../evil.csv", "/etc/evil.csv", "a/../../evil.csv"])
def test_a_path_that_leads_out_of_a_zip_file_is_refused(room: Room, name: str) -> None:
    zipped(room, "a.zip", {name: b"a\n1\n"})
    assert "leads out" in refused(room).message
    assert not list(room.root.parent.rglob("evil.csv"))


def test_a_zip_bomb_is_refused(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "RATIO_FROM", 1 << 20)
    zipped(room, "a.zip", {"a.csv": b"a\n" + b"1\n" * 4_000_000})
    assert "unpacks to more than" in refused(room).message


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x05\x06" + b"\0" * 18])
def test_a_zip_file_without_data_is_refused(room: Room, content: bytes) -> None:
    room.write("a.zip", content)
    assert refused(room).file == "data/a.zip"


def test_a_damaged_zip_file_is_refused(room: Room) -> None:
    path = zipped(room, "a.zip", {"a.csv": b"a\n" + b"".join(b"%d\n" % n for n in range(10_000))})
    content = bytearray(path.read_bytes())
    content[200] ^= 0xFF
    path.write_bytes(bytes(content))
    assert refused(room).file == "data/a.zip"


def test_files_of_two_formats_are_not_one_table(room: Room) -> None:
    room.write("a.csv", "a\n1\n")
    room.write("b.jsonl", '{"a": 1}\n')
    assert "one format" in refused(room).message


def test_the_format_can_be_said(room: Room) -> None:
    room.write("export.dat", "a;b\n1;2\n")
    with pytest.raises(SourceError, match="format"):
        room.plan(path="export.dat")
    room.load(path="export.dat", format="csv")
    assert room.rows() == [(1, 2)]


def test_an_excel_file_inside_a_zip_file(room: Room) -> None:
    workbook(room, "a.xlsx", {"S": [["a"], [7]]})
    content = (room.root / "data" / "a.xlsx").read_bytes()
    (room.root / "data" / "a.xlsx").unlink()
    assert io.BytesIO(content).read(2) == b"PK"
    zipped(room, "b.zip", {"a.xlsx": content})
    room.load()
    assert room.rows() == [(7,)]
