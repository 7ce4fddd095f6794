"""Quotients of decimals show no digits that are not theirs."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.semantic.sql.judged import Judged, judged

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def both() -> Iterator[Judged]:
    with judged() as made:
        yield made


def test_a_quotient_is_postgresqls_where_that_is_short_and_has_its_digits_else(both: Judged) -> None:
    """PostgreSQL's numeric has 16 digits and more behind the first; here a double has 15 of them, and nearly one more."""
    divisors = ["0.3", "3", "7", "0.07", "12.5", "count(*) over ()", "1000", "s::numeric", "(i + 8.1)", "1.1"]
    numbers = ["n", "n * 3", "i * 1.0", "sum(n) over ()", "0.1 + n", "100.0 * k", "b / 4.0"]
    short = 0
    for number in numbers:
        for divisor in divisors:
            text = f"SELECT ({number}) / nullif({divisor}, 0) FROM t ORDER BY k"
            wanted, found = both.theirs(text), both.ours(text)
            assert isinstance(wanted, tuple), text
            assert isinstance(found, tuple), text
            for (theirs,), (ours,) in zip(wanted[1], found[1], strict=True):
                if theirs is None or ours is None:
                    assert theirs is ours, text
                    continue
                exact = Decimal(theirs).normalize()
                if len(exact.as_tuple().digits) <= 13:
                    short += 1
                    assert Decimal(ours).normalize() == exact, text
                else:
                    assert abs(Decimal(ours) - exact) <= abs(exact) * Decimal("1e-15"), text
    assert short > 100
