"""Filters: what they understand, and that everything else is refused by name."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingot.lake.nessie.answer import NessieError
from ingot.lake.nessie.cel import compile_filter

SCOPE: dict[str, Any] = {
    "entry": {
        "namespace": "a.b",
        "name": "it's",
        "contentType": "ICEBERG_TABLE",
        "keyElements": ["a", "b", "it's"],
        "size": 3,
    },
    "commit": {"time": datetime(2026, 1, 31, 12, tzinfo=UTC), "properties": {"app": "ingot"}},
    "operations": [{"type": "PUT", "key": "a.b"}, {"type": "DELETE", "key": "c"}],
    "yes": True,
}


@pytest.mark.parametrize(
    ("source", "passes"),
    [
        ("true", True),
        ("!true", False),
        ("!!yes", True),
        ("entry.namespace == 'a.b'", True),
        ('entry.namespace != "a.b"', False),
        (r"entry.name == 'it\'s'", True),
        ("entry.contentType in ['ICEBERG_TABLE','X']", True),
        ("entry.contentType in []", False),
        ("'app' in commit.properties", True),
        ("commit.properties['app'] == 'ingot' && commit.properties['none'] == null", True),
        ("size(entry.keyElements) == 3 && entry.keyElements[0] == 'a'", True),
        ("entry.keyElements.size() >= 3", True),
        ("entry.namespace.startsWith('a') && entry.name.endsWith('s') && entry.name.contains('t')", True),
        ("entry.size < 4 && entry.size <= 3 && entry.size > 2 && entry.size >= 3", True),
        ("entry.size < -4", False),
        ("false || yes && false || yes", True),
        ("(false || yes) && (false || false)", False),
        ("timestamp(commit.time) > timestamp('2026-01-31T11:59:59Z')", True),
        ("timestamp(commit.time) < timestamp('2026-01-31T13:00:00+02:00')", False),
        ("operations.exists(op, op.type == 'DELETE' && op.key == 'c')", True),
        ("operations.exists(op, op.type == 'DELETE' && op.key == 'a.b')", False),
        ("operations.all(op, op.type in ['PUT', 'DELETE'])", True),
        ("operations.exists(op, op.key == entry.namespace)", True),
        ("  yes\n", True),
    ],
)
def test_a_filter_says_what_it_means_in_cel(source: str, passes: bool) -> None:
    assert compile_filter(source)(SCOPE) is passes


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("", "too early"),
        ("yes yes", "'yes'"),
        ("yes &&", "too early"),
        ("entry.none == 1", "there is no 'none'"),
        ("nothing", "there is no 'nothing'"),
        ("entry.name", "not true or false"),
        ("entry.name && yes", "not true or false"),
        ("entry.size < 'a'", "cannot be compared"),
        ("entry.keyElements < entry.keyElements", "cannot be compared"),
        ("[1] in commit.properties", "not a string"),
        ("entry.name.matches('(a+)+$')", "no function 'matches'"),
        ("has(entry.name)", "no function 'has'"),
        ("size(yes) == 1", "not a string or list or map"),
        ("entry.keyElements[9] == 'a'", "no element 9"),
        ("entry.keyElements['a'] == 'a'", "not a number"),
        ("'a' in 'abc'", "not a list or map"),
        ("timestamp('soon') > timestamp('2026-01-31')", "not a time"),
        ("1.5 > 1", "not understood"),
        ("yes ? yes : yes", "not understood"),
        ("entry.size + 1 == 4", "not understood"),
        ("'unclosed == 1", "not understood"),
        ("[1, 2", "too early"),
        ("entry.(yes)", "not the name of a field"),
        ("(" * 500 + "yes" + ")" * 500, "too deeply"),
        ("[" * 500, "too deeply"),
        ("yes || " * 5000 + "yes", "longer than"),
    ],
)
def test_anything_else_is_refused_by_name(source: str, told: str) -> None:
    with pytest.raises(NessieError) as refused:
        compile_filter(source)(SCOPE)
    assert told in refused.value.message
    assert refused.value.http_status == 400


@given(
    st.text(max_size=40)
    | st.lists(
        st.sampled_from(
            ["yes", "entry", ".", "name", "(", ")", "[", "]", "&&", "||", "!", "==", "<", "in", "'a'", "1", "-1",
             ",", "size", "timestamp", "exists", "all", "operations", "op", "true", "null", "commit", "time"]
        ),
        max_size=12,
    ).map(" ".join)
)  # fmt: skip
def test_whatever_is_written_is_answered_or_refused(source: str) -> None:
    try:
        found = compile_filter(source)(SCOPE)
    except NessieError:
        return
    assert isinstance(found, bool)
