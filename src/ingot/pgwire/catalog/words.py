"""The first word of a statement, which says what kind it is."""

import re

_SKIP = re.compile(r"(?:\s+|--[^\n]*|\()+")
_WORD = re.compile(r"[A-Za-z_]+")


def first_word(text: str) -> str:
    """In lower case, behind comments and brackets; empty where none is there."""
    at = 0
    while True:
        start = at
        if hit := _SKIP.match(text, at):
            at = hit.end()
        if text.startswith("/*", at):
            at = _comment_end(text, at)
        if at == start:
            break
    word = _WORD.match(text, at)
    return word[0].lower() if word else text[at : at + 1]


def _comment_end(text: str, at: int) -> int:
    depth = 0
    while at < len(text):
        if text.startswith("/*", at):
            depth, at = depth + 1, at + 2
        elif text.startswith("*/", at):
            depth, at = depth - 1, at + 2
            if depth == 0:
                return at
        else:
            at += 1
    return at
