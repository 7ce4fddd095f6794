"""CSV files, good and bad: what is loaded is what the file says, and the rest is refused with its line."""

import csv
import datetime as dt
import gzip
import io
import random
from pathlib import Path

import duckdb
import pytest

from ingot.sources import SourceError

from .conftest import Room

moment = dt.datetime.fromisoformat


def refused(room: Room, **table: object) -> SourceError:
    """The refusal of a first load, which must leave nothing behind."""
    with pytest.raises(SourceError) as caught:
        room.load(**table)
    assert room.untouched()
    return caught.value


def test_each_type_is_found_and_each_value_kept(room: Room) -> None:
    room.write(
        "a.csv",
        "i,d,t,day,at,zoned,ok,nothing\n"
        "1,1.5,x,2024-02-29,2024-01-01 10:00:00,2024-01-01T10:00:00+02:00,true,\n"
        "-2,3,,2025-01-01,2024-01-01T10:00:00.5,2024-01-01 10:00:00Z,FALSE,\n",
    )
    room.load()
    assert room.types() == {
        "i": "BIGINT",
        "d": "DOUBLE",
        "t": "VARCHAR",
        "day": "DATE",
        "at": "TIMESTAMP",
        "zoned": "TIMESTAMP WITH TIME ZONE",
        "ok": "BOOLEAN",
        "nothing": "VARCHAR",
    }
    first, second = room.rows()
    assert first[:4] == (1, 1.5, "x", dt.date(2024, 2, 29))
    assert first[4:] == (moment("2024-01-01T10:00"), moment("2024-01-01T08:00+00:00"), True, None)
    assert second[:4] == (-2, 3.0, None, dt.date(2025, 1, 1))
    assert second[4:] == (moment("2024-01-01T10:00:00.500"), moment("2024-01-01T10:00+00:00"), False, None)


@pytest.mark.parametrize(
    "value",
    [
        "01234",  # a zip code
        "+4930123",  # a telephone number
        "1,000",
        "1_000",
        "1E10",  # a product code
        "12345678901234567890",  # more digits than a BIGINT has
        "0.12345678901234567890",  # more digits than a DOUBLE has
        "nan",
        "inf",
        "Infinity",
        "0x1F",
        "-",
        "01/02/2024",  # nobody knows which month
        "2024-02-30",
        "2024-1-1",
        "10:30",
        "24:00:00",
        "yes",
        "t",
        "2024-01-01 10:00:00.123456789",
        " 1",
        "1 ",
        "epoch",
        "1.",
        "--1",
        "1e999",
    ],
)
def test_text_that_a_type_would_change_stays_text(room: Room, value: str) -> None:
    field = f'"{value}"' if "," in value else value
    room.write("a.csv", f"n,x\n1,{field}\n2,7\n")
    room.load()
    assert room.rows("SELECT x FROM raw.t ORDER BY n") == [(value,), ("7",)]


@pytest.mark.parametrize("value", ["0.1", "-80.6195833", "0.30000000000000004", "1e-05", "1.5e+300", ".5", "-73.98765432101234"])  # fmt: skip
def test_fractions_are_numbers_where_a_double_holds_them(room: Room, value: str) -> None:
    room.write("a.csv", f"n,x\n1,{value}\n2,7\n")
    room.load()
    assert room.types()["x"] == "DOUBLE"
    assert room.rows("SELECT x FROM raw.t ORDER BY n") == [(float(value),), (7.0,)]


def test_the_type_depends_on_all_rows_and_not_on_the_first(room: Room) -> None:
    lines = [f"{n},{n},,{n}" for n in range(60_000)]
    lines[50_001] = "50001,x1,,50001.5"
    lines[55_555] = "55555,1,2024-01-01,1"
    room.write("a.csv", "id,code,seen,amount\n" + "\n".join(lines) + "\n")
    result = room.load()
    assert result.rows == 60_000
    assert room.types() == {"id": "BIGINT", "code": "VARCHAR", "seen": "DATE", "amount": "DOUBLE"}
    assert room.rows("SELECT sum(id), count(seen), max(code), sum(amount) FROM raw.t") == [
        (sum(range(60_000)), 1, "x1", sum(range(60_000)) + 0.5 - 55_554)
    ]


def test_a_leading_zero_far_down_keeps_the_column_text(room: Room) -> None:
    lines = [f"{10000 + n}" for n in range(50_000)] + ["01234"]
    room.write("a.csv", "zip\n" + "\n".join(lines) + "\n")
    room.load()
    assert room.types() == {"zip": "VARCHAR"}
    assert room.rows("SELECT min(zip), count(*) FROM raw.t") == [("01234", 50_001)]


def test_random_tables_come_back_as_python_reads_them(room: Room) -> None:
    rng = random.Random(7)
    alphabet = ["a", "é", "\n", '"', ",", ";", "'", "\r\n", "\t", "0", " ", "😀", "\\", "--"]
    rows = [
        [f"r{n}", *("".join(rng.choices(alphabet, k=rng.randint(1, 6))) for _ in range(3))]
        for n in range(300)
    ]
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([["id", "a", "b", "c"], *rows])
    room.write("a.csv", text.getvalue())
    assert room.load().rows == 300
    assert [list(row) for row in room.rows()] == rows


@pytest.mark.parametrize(("line", "found"), [("3,4,5", "more"), ("3", "fewer")])
def test_a_ragged_row_is_refused_with_its_line(room: Room, line: str, found: str) -> None:
    room.write("a.csv", f"a,b\n1,2\n{line}\n6,7\n")
    error = refused(room)
    assert (error.file, error.line) == ("data/a.csv", 3)
    assert found in error.message
    assert line in error.message


def test_a_ragged_row_far_down_is_refused_with_its_line(room: Room) -> None:
    lines = [f"{n},x" for n in range(100_000)]
    lines[98_765] = "1,2,3"
    room.write("a.csv", "a,b\n" + "\n".join(lines))
    assert refused(room).line == 98_767


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-16-le", "cp437"])
def test_another_encoding_is_refused_and_read_when_it_is_named(room: Room, encoding: str) -> None:
    room.write("a.csv", "id,name\n1,Müller\n2,Éva\n".encode(encoding))
    error = refused(room)
    assert error.file == "data/a.csv"
    assert error.line in (1, 2)
    assert "encoding" in str(error.hint)
    room.load(options={"encoding": encoding})
    assert room.rows() == [(1, "Müller"), (2, "Éva")]


def test_the_byte_that_is_not_utf8_is_named(room: Room) -> None:
    room.write("a.csv", b"id,name\n1,x\n2,M\xfcller\n")
    error = refused(room)
    assert error.line == 3
    assert "byte 0xfc at offset 15" in error.message


def test_the_wrong_encoding_is_refused_with_its_line(room: Room) -> None:
    room.write("a.csv", "id,name\n1,x\n2,Müller\n".encode())
    error = refused(room, options={"encoding": "ascii"})
    assert error.line == 3


def test_a_byte_order_mark_is_no_part_of_the_first_name(room: Room) -> None:
    room.write("a.csv", "\ufeffid,b\n1,2\n")
    room.write("b.csv", '\ufeff"id",b\n3,4\n')
    room.load()
    assert room.rows("SELECT id, b FROM raw.t ORDER BY id") == [(1, 2), (3, 4)]


def test_quotes_may_span_lines(room: Room) -> None:
    room.write("a.csv", 'id,text\n1,"one\ntwo, ""three"""\n2,"a\r\nb"\n3,plain\n')
    result = room.load()
    assert result.rows == 3
    assert room.rows() == [(1, 'one\ntwo, "three"'), (2, "a\r\nb"), (3, "plain")]


def test_a_header_may_span_lines(room: Room) -> None:
    room.write("a.csv", 'id,"a\nb"\n1,2\n')
    room.load()
    assert room.types() == {"id": "BIGINT", "a\nb": "BIGINT"}
    assert room.rows() == [(1, 2)]


def test_a_quote_that_is_not_closed_is_refused_with_its_line(room: Room) -> None:
    room.write("a.csv", 'a,b\n1,2\n2,"abc\n3,4\n')
    error = refused(room)
    assert error.line == 3
    assert "quote" in error.message


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("a,b,a", "'a' twice"),
        ("Name,b,NAME", "'Name' and 'NAME'"),
        ("a,,c", "no name for column 2"),
        ("a,b,", "no name for column 3"),
        ("a,  ,c", "no name for column 2"),
        ('a,"",c', "no name for column 2"),
    ],
)
def test_names_that_are_empty_or_used_twice_are_refused(room: Room, header: str, words: str) -> None:
    room.write("a.csv", f"{header}\n1,2,3\n")
    error = refused(room)
    assert (error.file, error.line) == ("data/a.csv", 1)
    assert words in error.message


def test_names_stay_as_they_are(room: Room) -> None:
    room.write("a.csv", '"Order ID", Größe (cm) ,"a.b",select,x;y\n1,2,3,4,5\n')
    room.load()
    assert list(room.types()) == ["Order ID", "Größe (cm)", "a.b", "select", "x;y"]


@pytest.mark.slow
def test_ten_thousand_columns_load(room: Room) -> None:
    names = [f"c{n}" for n in range(10_000)]
    room.write(
        "a.csv",
        "\n".join([",".join(names), *(",".join(str(row + n) for n in range(10_000)) for row in range(3))]),
    )
    room.load()
    assert len(room.types()) == 10_000
    assert room.rows("SELECT c0, c9999 FROM raw.t") == [(0, 9999), (1, 10_000), (2, 10_001)]


def test_an_empty_file_alone_is_refused(room: Room) -> None:
    room.write("a.csv", b"")
    error = refused(room)
    assert error.file == "data/a.csv"
    assert "not even a header" in error.message


def test_an_empty_file_among_others_is_named_and_skipped(room: Room) -> None:
    room.write("a.csv", "a\n1\n")
    room.write("b.csv", b"")
    result = room.load()
    assert result.warnings == ("data/b.csv is empty and was skipped.",)
    assert room.rows() == [(1,)]
    assert room.plan().kind == "nothing"


def test_an_empty_file_added_later_is_named_and_skipped(room: Room) -> None:
    room.write("a.csv", "a\n1\n")
    room.load()
    room.write("b.csv", b"")
    result = room.load()
    assert (result.rows, result.warnings) == (0, ("data/b.csv is empty and was skipped.",))
    assert room.rows() == [(1,)]
    assert room.plan().kind == "nothing"


@pytest.mark.parametrize("text", ["a,b\n", "a,b", "a,b\r\n", "\ufeffa,b\n"])
def test_a_header_alone_makes_an_empty_table(room: Room, text: str) -> None:
    room.write("a.csv", text)
    assert room.load().rows == 0
    assert room.types() == {"a": "VARCHAR", "b": "VARCHAR"}
    assert room.rows() == []


def test_the_first_rows_after_a_header_alone_give_the_types(room: Room) -> None:
    room.write("a.csv", "a,b\n")
    room.load()
    room.write("b.csv", "a,b\n1,x\n")
    room.load()
    assert room.types() == {"a": "BIGINT", "b": "VARCHAR"}
    assert room.rows() == [(1, "x")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_understood(room: Room, end: str) -> None:
    room.write("a.csv", end.join(["a,b", "1,x", "2,y", ""]))
    assert room.load().rows == 2
    assert room.rows() == [(1, "x"), (2, "y")]


def test_line_ends_that_change_are_refused_with_the_line(room: Room) -> None:
    room.write("a.csv", "a,b\r\n1,x\r\n2,y\n3,z\r\n")
    error = refused(room)
    assert error.line == 3
    assert "CR LF" in error.message


def test_blank_lines_are_no_rows(room: Room) -> None:
    room.write("a.csv", "a,b\n1,x\n\n2,y\n\n\n")
    assert room.load().rows == 2
    assert room.rows() == [(1, "x"), (2, "y")]


def test_a_zero_byte_is_refused_with_its_line(room: Room) -> None:
    room.write("a.csv", b"a,b\n1,x\n2,y\x00z\n")
    assert refused(room).line == 3


def test_a_huge_field_loads(room: Room) -> None:
    room.write("a.csv", f"a,b\n1,{'x' * 10_000_000}\n2,y\n")
    room.load()
    assert room.rows("SELECT a, length(b) FROM raw.t") == [(1, 10_000_000), (2, 1)]


def test_a_field_beyond_all_measure_is_refused_with_its_line(room: Room) -> None:
    room.write("a.csv", f"a,b\n0,y\n1,{'x' * 70_000_000}\n2,y\n")
    error = refused(room)
    assert error.line == 3
    assert "longer than" in error.message
    assert len(str(error)) < 1000


@pytest.mark.parametrize(("name", "delimiter"), [("a.csv", ";"), ("a.csv", "|"), ("a.csv", "\t"), ("a.tsv", "\t"), ("a.psv", "|")])  # fmt: skip
def test_the_delimiter_is_found(room: Room, name: str, delimiter: str) -> None:
    room.write(name, f"a{delimiter}b\n1{delimiter}x\n".replace("|", delimiter))
    room.load()
    assert room.rows() == [(1, "x")]


def test_options_decide_what_is_said(room: Room) -> None:
    room.write("a.txt", "made by hand\nid#amount#day#note#at\n1#1.234,5#03.02.2024#'a#b'#03.02.2024 04:05\n2#-7#04.02.2024#NA#-\n".replace("1.234", "1234"))  # fmt: skip
    room.load(
        options={
            "delimiter": "#",
            "quote": "'",
            "skip": 1,
            "decimal_separator": ",",
            "date_format": "%d.%m.%Y",
            "timestamp_format": "%d.%m.%Y %H:%M",
            "null_values": ["NA", "-"],
        }
    )
    assert room.rows() == [
        (1, 1234.5, dt.date(2024, 2, 3), "a#b", moment("2024-02-03T04:05")),
        (2, -7.0, dt.date(2024, 2, 4), None, None),
    ]


def test_a_file_without_a_header(room: Room) -> None:
    room.write("a.csv", "1,x\n2,y\n")
    room.load(options={"header": False})
    assert room.rows("SELECT column1, column2 FROM raw.t") == [(1, "x"), (2, "y")]


def test_missing_values_have_the_texts_that_are_named(room: Room) -> None:
    room.write("a.csv", "a,b\nNA,1\n3,NA\n")
    room.load(options={"null_values": "NA"})
    assert room.types() == {"a": "BIGINT", "b": "BIGINT"}
    assert room.rows() == [(None, 1), (3, None)]


def test_headers_in_another_order_are_read_by_name(room: Room) -> None:
    room.write("a.csv", "a,b\n1,x\n")
    room.write("b.csv", "b,a\ny,2\n")
    room.load()
    assert room.rows("SELECT a, b FROM raw.t ORDER BY a") == [(1, "x"), (2, "y")]


def test_files_of_a_first_load_may_have_different_columns(room: Room) -> None:
    room.write("a.csv", "a,b\n1,x\n")
    room.write("b.csv", "a,c\n2,3\n")
    room.load()
    assert room.rows("SELECT a, b, c FROM raw.t ORDER BY a") == [(1, "x", None), (2, None, 3)]


def test_gzip_and_zstd_are_unpacked(room: Room) -> None:
    room.write("a.csv.gz", gzip.compress(b"a,b\n1,x\n"))
    with duckdb.connect() as con:
        con.execute(
            f"COPY (SELECT 2 AS a, 'y' AS b) TO '{room.root}/data/b.csv.zst' (HEADER, COMPRESSION zstd)"
        )
    assert room.load().rows == 2
    assert room.rows("SELECT a, b FROM raw.t ORDER BY a") == [(1, "x"), (2, "y")]


def test_a_gzip_file_that_ends_too_early_is_refused(room: Room) -> None:
    text = "".join(f"{n},{n * 7919 % 1000}\n" for n in range(20_000))
    room.write("a.csv.gz", gzip.compress(b"a,b\n" + text.encode())[:-2000])
    assert "damaged" in refused(room).message


def test_a_zstd_file_that_ends_too_early_is_refused(room: Room) -> None:
    path = room.root / "data" / "a.csv.zst"
    with duckdb.connect() as con:
        con.execute(
            f"COPY (SELECT range AS a, hash(range) AS b FROM range(50000)) TO '{path}' (HEADER, COMPRESSION zstd)"
        )
    path.write_bytes(path.read_bytes()[:-5000])
    refused(room)


@pytest.mark.parametrize(
    ("column", "kind", "value"),
    [
        ("x", "INTEGER", "1.5"),
        ("x", "INTEGER", "99999999999"),
        ("x", "DECIMAL(10,2)", "1.005"),
        ("x", "DATE", "03.02.2024"),
        ("x", "TIMESTAMP", "2024-01-01 10:00:00+02"),
        ("x", "BOOLEAN", "maybe"),
    ],
)
def test_a_declared_type_refuses_what_it_would_change(room: Room, column: str, kind: str, value: str) -> None:
    room.write("a.csv", f'id,x\n1,\n2,"{value}"\n')
    error = refused(room, columns={column: kind})
    assert (error.file, error.line, error.column) == ("data/a.csv", 3, "x")
    assert repr(value) in error.message
    assert kind in error.message
    assert "columns:" in str(error.hint)


def test_a_declared_type_takes_what_its_name_promises(room: Room) -> None:
    room.write("a.csv", "n,zip,price,ok\n007,123,1.10,t\n")
    room.load(columns={"n": "int", "zip": "varchar", "price": "decimal(10,2)", "ok": "bool"})
    assert room.types() == {"n": "INTEGER", "zip": "VARCHAR", "price": "DECIMAL(10,2)", "ok": "BOOLEAN"}
    assert [str(value) for value in room.rows()[0]] == ["7", "123", "1.10", "True"]


@pytest.mark.parametrize("kind", ["INTEGR", "INT); DROP TABLE x; --", "", "SELECT 1"])
def test_a_type_that_does_not_exist_is_refused(room: Room, kind: str) -> None:
    room.write("a.csv", "a\n1\n")
    with pytest.raises(Exception, match=r"sources/files\.yml"):
        room.load(columns={"a": kind})
    assert room.untouched()


def test_a_declared_column_that_no_file_has_is_refused(room: Room) -> None:
    room.write("a.csv", "price\n1\n")
    error = refused(room, columns={"prise": "DOUBLE"})
    assert "did you mean 'price'?" in error.message
    assert str(error.file).startswith("sources/files.yml:")


def test_file_names_may_hold_any_characters(room: Room) -> None:
    for number, name in enumerate(["it's [1].csv", "a*b?.csv", "ümläut {x}.csv", "semi;colon.csv"]):
        room.write(name, f"a\n{number}\n")
    room.load(path=".")
    assert room.rows("SELECT a FROM raw.t ORDER BY a") == [(0,), (1,), (2,), (3,)]


def test_a_file_that_may_not_be_read_is_refused(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    path = room.write("a.csv", "a\n1\n")
    todo = room.plan()

    def denied(self: Path, *args: object, **kwargs: object) -> object:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(type(path), "open", denied)
        with pytest.raises(SourceError, match=r"data/a\.csv: The file cannot be read: Permission denied"):
            room.execute(todo)
    assert room.untouched()
