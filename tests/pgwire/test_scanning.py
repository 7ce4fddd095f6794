"""Splitting a text into statements, and what tokens mean."""

import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingot.pgwire.commands.scanning import Kind, Token, split, tokens
from ingot.pgwire.errors import PgError


def _texts(sql: str) -> list[str]:
    return [sql[found[0].start : found[-1].end] for found in split(sql)]


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        ("", []),
        (" ;; ; ", []),
        ("-- a; b", []),
        ("/* a; /* b; */ c; */", []),
        ("select 1", ["select 1"]),
        ("select 1;", ["select 1"]),
        ("a;b", ["a", "b"]),
        ("select ';'; b", ["select ';'", "b"]),
        ("select 'a''; b'; c", ["select 'a''; b'", "c"]),
        (r"select E'\'; b'; c", [r"select E'\'; b'", "c"]),
        (r"select '\'; b", [r"select '\'", "b"]),
        (r"select e'a\\'; b", [r"select e'a\\'", "b"]),
        ("select E'a'\n'\\'; b'; c", ["select E'a'\n'\\'; b'", "c"]),
        ("select E'a' -- x\n '\\';'; c", ["select E'a' -- x\n '\\';'", "c"]),
        ("select E'a' '\\'; c", ["select E'a' '\\'", "c"]),
        ('select "a;""b;"; c', ['select "a;""b;"', "c"]),
        ("select U&\"a;b\"; U&'c;d'; n'e;f'", ['select U&"a;b"', "U&'c;d'", "n'e;f'"]),
        ("select $$;$$; b", ["select $$;$$", "b"]),
        ("select $a$;$$;$b$;$a$; b", ["select $a$;$$;$b$;$a$", "b"]),
        ("select a$b$;c$b$; d", ["select a$b$", "c$b$", "d"]),
        ("select $1$a$;$a$; b", ["select $1$a$;$a$", "b"]),
        ("select $1;$2", ["select $1", "$2"]),
        ("select 1 -- c; d\n; e", ["select 1", "e"]),
        ("select 1+--x;\n2; e", ["select 1+--x;\n2", "e"]),
        ("select 5/*;*/+/* ' */6; e", ["select 5/*;*/+/* ' */6", "e"]),
        ("select 'a -- b'; c", ["select 'a -- b'", "c"]),
        ("select 'a /* b'; c", ["select 'a /* b'", "c"]),
        ("select \"a -- b\"; 'c'", ['select "a -- b"', "'c'"]),
        ("größe; ünï$x", ["größe", "ünï$x"]),
    ],
)
def test_statements_end_at_semicolons_of_sql_only(sql: str, wanted: list[str]) -> None:
    assert _texts(sql) == wanted


@pytest.mark.parametrize(
    ("sql", "said", "position"),
    [
        ("select 'a", 'unterminated quoted string at or near "\'a"', 8),
        ("select E'a\\'", "unterminated quoted string at or near \"E'a\\'\"", 8),
        ('select "a', 'unterminated quoted identifier at or near ""a"', 8),
        ("x /* a /* b */", 'unterminated /* comment at or near "/* a /* b */"', 3),
        ("x; $a$ b $b$", 'unterminated dollar-quoted string at or near "$a$ b $b$"', 4),
    ],
)
def test_what_does_not_end_is_said_with_its_place(sql: str, said: str, position: int) -> None:
    with pytest.raises(PgError) as found:
        split(sql)
    assert (found.value.message, found.value.position, found.value.sqlstate) == (said, position, "42601")


@pytest.mark.parametrize(
    ("sql", "kind", "value"),
    [
        ("SeLeCt", Kind.WORD, "select"),
        ('"SeL""ect"', Kind.NAME, 'SeL"ect'),
        ("'it''s'", Kind.STRING, "it's"),
        (r"E'a\n\'\\\x41\101\u00e9\U0001F600'''", Kind.STRING, "a\n'\\AA\u00e9\U0001f600'"),
        ("'a'\n  'b'", Kind.STRING, "ab"),
        ("'a\n''b'", Kind.STRING, "a\n'b"),
        ("$x$a'b$x$", Kind.STRING, "a'b"),
        ("1.5e-3", Kind.NUMBER, "1.5e-3"),
        ("$12", Kind.PARAMETER, "$12"),
        ("+", Kind.SYMBOL, "+"),
    ],
)
def test_a_token_has_its_value(sql: str, kind: Kind, value: str) -> None:
    assert tokens(sql) == [Token(kind, value, 0, len(sql))]


_PIECES = st.one_of(
    st.text(st.sampled_from("abz_ 10+=<>().,:\n\t"), max_size=8).filter(lambda text: "--" not in text),
    st.text(max_size=8).map(lambda text: "'" + text.replace("'", "''") + "'"),
    st.text(max_size=8).map(lambda text: '"' + text.replace('"', '""') + '"'),
    st.text(max_size=8).map(lambda text: "$q$" + text.replace("$", "") + "$q$"),
    st.text(max_size=8).map(lambda text: " E'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"),
    st.text(max_size=8).map(lambda text: "/*" + text.replace("*", "").replace("/", "") + "*/"),
    st.text(max_size=8).map(lambda text: "--" + text.replace("\n", "").replace("\r", "") + "\n"),
)
_STATEMENT = st.lists(_PIECES, max_size=6).map(lambda pieces: "s " + " ".join(pieces) + " e")


@given(st.lists(_STATEMENT, max_size=5))
@settings(max_examples=150, deadline=None)
def test_joined_statements_come_apart_again(statements: list[str]) -> None:
    assert len(split(";".join(statements))) == len(statements)
    for one in statements:
        (found,) = split(one)
        assert (found[0].start, found[-1].end) == (0, len(one))


@given(st.text(st.sampled_from("ab'\"$\\/*-; \nE1&Uu\x00é"), max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_text_is_split_or_refused(sql: str) -> None:
    try:
        found = tokens(sql)
    except PgError:
        return
    ends = [0]
    for token in found:
        assert ends[-1] <= token.start < token.end <= len(sql)
        ends.append(token.end)


@pytest.mark.parametrize(
    "sql",
    [
        "'" * 200_001,
        "-- " * 100_000 + "\n",
        "'a'" + "\n--x" * 50_000,
        "E'" + "\\\\" * 100_000,
        "/*" * 100_000,
        "$a" * 100_000,
        '"' * 200_001,
        "select " + "(" * 100_000,
    ],
)
def test_a_hostile_text_takes_no_long_time(sql: str) -> None:
    began = time.perf_counter()
    with suppress(PgError):
        tokens(sql)
    assert time.perf_counter() - began < 2
