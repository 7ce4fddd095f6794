"""Iceberg's bucket hash (32-bit Murmur3, seed 0), in Python and as DuckDB expressions: DuckDB has no such function.

Each value is a list of 4-byte blocks; lambdas name the intermediate values, so that nothing is computed
twice and no macro has to be put into somebody's connection.
"""

_MASK = "4294967295"


def hashed(content: bytes) -> int:
    """The hash of `content`, without a sign."""
    mask, state = 0xFFFFFFFF, 0
    whole = len(content) - len(content) % 4
    for at in range(0, len(content), 4):
        block = int.from_bytes(content[at : at + 4], "little") * 0xCC9E2D51 & mask
        state ^= ((block << 15 | block >> 17) & mask) * 0x1B873593 & mask
        if at < whole:
            state = ((state << 13 | state >> 19) & mask) * 5 + 0xE6546B64 & mask
    state ^= len(content)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        state = (state ^ state >> shift) * factor & mask
    return state


def of_long(value: str) -> str:
    """The hash of an expression of type BIGINT, over its 8 bytes in little-endian order."""
    low = f"({value} & {_MASK})::UBIGINT"
    high = f"(({value} >> 32) & {_MASK})::UBIGINT"
    return _finish(f"list_reduce({_mixed(f'[{low}, {high}]')}, {_STEP}, 0::UBIGINT)", "8")


def of_bytes(value: str) -> str:
    """The hash of an expression of type BLOB."""
    text = f"hex({value})"
    size = f"octet_length({value})"
    blocks = f"list_transform(range({size} // 4), lambda i: {_word('t', '8 * i')})"
    state = f"list_reduce({_mixed(blocks)}, {_STEP}, 0::UBIGINT)"
    tail = f"{_mixed('[' + _word(_padded('t'), f'8 * ({size} // 4)') + ']')}[1]"
    return f"list_transform([{text}], lambda t: {_finish(f'xor({state}, {tail})', size)})[1]"


def _padded(text: str) -> str:
    return f"({text} || '000000')"


def _word(text: str, start: str) -> str:
    digits = " || ".join(f"substr({text}, ({start} + {offset})::BIGINT, 2)" for offset in (7, 5, 3, 1))
    return f"('0x' || {digits})::UBIGINT"


def _rotated(value: str, bits: int) -> str:
    return f"((({value} << {bits}) & {_MASK}) | ({value} >> {32 - bits}))"


def _mixed(blocks: str) -> str:
    once = f"list_transform({blocks}, lambda k: (k * 3432918353::UBIGINT) & {_MASK})"
    return f"list_transform({once}, lambda k: ({_rotated('k', 15)} * 461845907::UBIGINT) & {_MASK})"


_STEP = f"lambda h, k: ({_rotated('xor(h, k)', 13)} * 5::UBIGINT + 3864292196::UBIGINT) & {_MASK}"


def _finish(state: str, size: str) -> str:
    found = f"[xor({state}, ({size})::UBIGINT)]"
    for shift, factor in ((16, 2246822507), (13, 3266489909), (16, 1)):
        found = f"list_transform({found}, lambda h: (xor(h, h >> {shift}) * {factor}::UBIGINT) & {_MASK})"
    return f"{found}[1]"
