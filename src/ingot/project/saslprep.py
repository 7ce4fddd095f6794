"""Passwords in the one form in which they are compared: SASLprep (RFC 4013), as PostgreSQL applies it."""

import stringprep
import unicodedata

_PROHIBITED = (
    stringprep.in_table_c12, stringprep.in_table_c21_c22, stringprep.in_table_c3, stringprep.in_table_c4,
    stringprep.in_table_c5, stringprep.in_table_c6, stringprep.in_table_c7, stringprep.in_table_c8,
    stringprep.in_table_c9, stringprep.in_table_a1,
)  # fmt: skip


def prepared(password: str) -> bytes:
    """The bytes of a password that are hashed.

    A password that SASLprep does not allow is taken as it is, as PostgreSQL and its drivers do: it would
    otherwise be nobody's password.
    """
    if password.isascii():
        return password.encode()
    mapped = "".join(
        " " if stringprep.in_table_c12(each) else each
        for each in password
        if stringprep.in_table_c12(each) or not stringprep.in_table_b1(each)
    )
    normal = unicodedata.normalize("NFKC", mapped)
    allowed = bool(normal) and not any(table(each) for each in normal for table in _PROHIBITED)
    return (normal if allowed and _is_one_way(normal) else password).encode(errors="surrogatepass")


def _is_one_way(text: str) -> bool:
    """Whether text from right to left is that from end to end (RFC 3454, section 6)."""
    if not any(stringprep.in_table_d1(each) for each in text):
        return True
    if any(stringprep.in_table_d2(each) for each in text):
        return False
    return stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])
