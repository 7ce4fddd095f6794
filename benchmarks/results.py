"""How a benchmark reports: a table on the terminal and `benchmarks/results/<name>.json`."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def report(name: str, columns: Sequence[str], rows: Sequence[Sequence[object]], **facts: Any) -> Path:
    """Prints `rows` and writes them with `facts` and the machine's; returns the JSON file."""
    widths = [
        max(len(str(column)), *(len(_text(row[i])) for row in rows)) if rows else len(column)
        for i, column in enumerate(columns)
    ]
    print("  ".join(str(column).ljust(width) for column, width in zip(columns, widths, strict=True)))
    for row in rows:
        cells = zip(row, widths, strict=True)
        print("  ".join(_text(c).rjust(w) if _is_number(c) else _text(c).ljust(w) for c, w in cells))
    for key, value in facts.items():
        print(f"{key.replace('_', ' ')}: {_text(value) if not isinstance(value, Mapping) else value}")
    path = HERE / "results" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    document = {
        "benchmark": name,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"python": platform.python_version(), "cores": os.cpu_count()},
        "columns": list(columns),
        "rows": [list(row) for row in rows],
        **facts,
    }
    path.write_text(json.dumps(document, indent=2, default=str) + "\n")
    return path


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of `values` lie, by the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


def _text(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
