"""Which format and which compression a file name means."""

from typing import Literal

Format = Literal["csv", "json", "parquet", "excel"]

_FORMATS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".psv": "csv",
    ".txt": "csv",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xlsx": "excel",
    ".xlsm": "excel",
}
KNOWN = ", ".join(_FORMATS) + "; CSV and JSON also with .gz or .zst; all in a .zip"


def compression(name: str) -> Literal["gzip", "zstd", "zip"] | None:
    """How the file is packed, by the end of its name."""
    lower = name.casefold()
    if lower.endswith(".zip"):
        return "zip"
    if lower.endswith(".gz"):
        return "gzip"
    return "zstd" if lower.endswith((".zst", ".zstd")) else None


def format_of(name: str) -> Format | None:
    """The format that a name means, whatever packs it; None for a name that means none."""
    lower = name.casefold()
    for end in (".gz", ".zst", ".zstd"):
        lower = lower.removesuffix(end)
    found = _FORMATS.get("." + lower.rpartition(".")[2]) if "." in lower else None
    return found if found in ("csv", "json") or compression(name) is None else None


def is_data(name: str) -> bool:
    """Whether a folder or glob that holds this name means it as data."""
    return compression(name) == "zip" or format_of(name) is not None
