"""Which SQLSTATE says what an error of Ingot says: one table, and what an error looks like on the wire."""

import re

from ingot.errors import IngotError
from ingot.pgwire.engine_errors import known

_CODES = {
    "failed": "XX000",
    "usage": "42000",
    "not_found": "42704",
    "conflict": "40001",
    "query": "42000",
    "sql": "42601",
    "refused": "42501",
    "interrupted": "57014",
    "timeout": "57014",
    "out_of_memory": "53200",
    "extension": "58000",
    "execution": "42000",
    "lake": "58000",
    "catalog_unavailable": "57P03",
    "lake_moved": "40001",
    "invalid_name": "42602",
    "hook": "42000",
    "missing_file": "58P01",
    "project": "F0000",
}
"""By `IngotError.code`."""

_KINDS = {
    "ref": "3D000", "branch": "3D000", "tag": "3D000", "commit": "3D000",
    "table": "42P01", "cube": "42P01", "view": "42P01", "rollup": "42P01",
    "column": "42703", "member": "42703", "measure": "42703", "dimension": "42703", "segment": "42703",
}  # fmt: skip
"""Of what is not there, by what it is."""

_ENGINE = (
    (re.compile(r"division by zero", re.IGNORECASE), "22012"),
    (re.compile(r"^(?:\w+ Error: )?.*out of range|Out of Range Error", re.IGNORECASE), "22003"),
    (re.compile(r"Failed to cast decimal value", re.IGNORECASE), "22003"),
    (re.compile(r"Conversion Error|Could not convert", re.IGNORECASE), "22P02"),
    (re.compile(r"Parser Error|syntax error", re.IGNORECASE), "42601"),
    (re.compile(r"Table with name .* does not exist", re.IGNORECASE), "42P01"),
    (re.compile(r"Referenced column .* not found", re.IGNORECASE), "42703"),
    (re.compile(r"No function matches|Function with name .* does not exist", re.IGNORECASE), "42883"),
    (re.compile(r"must appear in the GROUP BY", re.IGNORECASE), "42803"),
    (re.compile(r"Ambiguous reference", re.IGNORECASE), "42702"),
)
"""What DuckDB's words say about an engine's error."""


_LABEL = re.compile(r"^(?:[A-Z][A-Za-z]* ){1,3}Error: ")
"""What DuckDB puts in front."""
_PLACE = re.compile(r" \(line [0-9]+, column [0-9]+\)$")
"""Where in the text: the wire has a field for it."""
_QUOTED = re.compile(r"\s*\b(?:LINE [0-9]+|Candidate [a-z]+|Did you mean):?\s")
"""Where DuckDB begins to quote: the SQL it was given has what nobody is to see."""


def sqlstate(error: IngotError) -> str:
    """PostgreSQL's code for an error."""
    own = getattr(error, "sqlstate", None)
    if isinstance(own, str) and len(own) == 5:
        return own
    kind = getattr(error, "kind", None)
    if error.code == "not_found" and isinstance(kind, str):
        return next((_KINDS[word] for word in kind.split() if word in _KINDS), _CODES["not_found"])
    if error.code in ("query", "execution"):
        engine = known(error.message)
        if engine is not None:
            return engine[0]
        for pattern, code in _ENGINE:
            if pattern.search(error.message):
                return code
    return _CODES.get(error.code, _fallback(error))


def _fallback(error: IngotError) -> str:
    """For a kind that the table does not know: whose fault it is."""
    return "42000" if error.exit_code == 2 else "58000"


def _words(error: IngotError) -> str:
    """An error's message; of an engine's only the first sentence, without the SQL that it was given."""
    if error.code not in ("query", "execution") or getattr(error, "sqlstate", None):
        return error.message
    engine = known(error.message)
    if engine is not None:
        return engine[1]
    return _LABEL.sub("", _QUOTED.split(error.message, maxsplit=1)[0].strip())


def fields(error: IngotError, *, severity: str = "ERROR", offset: int = 0) -> dict[str, str]:
    """The fields of an ErrorResponse. `offset`: characters before the statement in what the client sent."""
    words = _words(error)
    position = getattr(error, "position", None)
    placed = isinstance(position, int) and position > 0
    found = {
        "S": severity,
        "V": severity,
        "C": sqlstate(error),
        "M": _PLACE.sub("", words) if placed else words,
    }
    if detail := getattr(error, "detail", None):
        found["D"] = str(detail)
    if error.hint:
        found["H"] = error.hint
    if isinstance(position, int) and position > 0:
        found["P"] = str(position + offset)
    return found | dict(getattr(error, "rest", {}))
