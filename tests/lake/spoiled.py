"""JSON bodies for the tests that send anything to every endpoint: right ones, spoiled in a few places."""

import copy
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

_USUAL = ["", ".", "..", "\x1f", "\x00", "main", "s", "\U0001f4a5", "/etc"]


def junk(texts: Sequence[str]) -> st.SearchStrategy[Any]:
    """Any small JSON; now and then with one of `texts`, which mean something to the endpoints."""
    return st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**70), 2**70)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(max_size=8)
        | st.sampled_from([*_USUAL, *texts]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=6,
    )


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place inside a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


@st.composite
def bodies(draw: st.DrawFn, right: st.SearchStrategy[Any], wrong: st.SearchStrategy[Any]) -> Any:
    """`right` bodies with up to three places spoiled, and now and then nothing but what is `wrong`."""
    if draw(st.integers(0, 9)) == 0:
        return draw(wrong)
    body = copy.deepcopy(draw(right))
    for _ in range(draw(st.integers(0, 3))):
        there = list(places(body))
        if not there:
            break
        *way, last = draw(st.sampled_from(there))
        inner: Any = body
        for step in way:
            inner = inner[step]
        if isinstance(inner, dict) and draw(st.booleans()):
            del inner[last]
        else:
            inner[last] = draw(wrong)
    return body
