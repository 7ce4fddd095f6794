"""How texts are cut into words: parameters beside each other, and texts between dollars."""

import pytest

from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.parsing import parsed


@pytest.mark.parametrize(
    ("text", "same"),
    [
        (
            "SELECT a FROM t WHERE b IN($1,$2) OR c IN ($1,$3)",
            "SELECT a FROM t WHERE b IN ( $1 , $2 ) OR c IN ( $1 , $3 )",
        ),
        ("SELECT $1/$2", "SELECT $1 / $2"),
        ("SELECT $1::int/$2::int*$10", "SELECT $1 :: int / $2 :: int * $10"),
        ("SELECT '$a$',$1,\"$b$\",$2 -- $$", "SELECT '$a$' , $1 , \"$b$\" , $2"),
    ],
)
def test_parameters_need_no_space_between_them(text: str, same: str) -> None:
    assert parsed(text).sql("postgres", comments=False) == parsed(same).sql("postgres", comments=False)
    assert text.count("$") - 2 * text.count("$a$") - 2 * text.count("$b$") - 2 * text.count("$$") == parsed(
        text
    ).sql("postgres", comments=False).replace("$a$", "").replace("$b$", "").count("$")


@pytest.mark.parametrize("quoted", ["$$it's$$", "$tag$it's$tag$"])
def test_texts_stand_between_dollars(quoted: str) -> None:
    assert parsed(f"SELECT 'x', {quoted}").expressions[1].this == "it's"


def test_a_text_between_dollars_that_does_not_end_is_refused() -> None:
    with pytest.raises(SqlError):
        parsed("SELECT $$ and no end")
