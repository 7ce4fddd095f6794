"""A model of 500 cubes: reading and compiling it from nothing, and again after one file has changed.

`python -m benchmarks.model`. Targets: 2 seconds from nothing, 100 ms for one file.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.results import report
from ingot.project import ModelFiles, load
from ingot.semantic import ModelCache

CUBES = 500
EDITS = 10


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        members = write(root)
        files, models = ModelFiles(), ModelCache()

        def anew() -> None:
            models.model(load(root, files=files))

        rows = [("from nothing", timed(anew), 2000.0)]
        for what, number in (
            ("one file, to which nothing refers", CUBES - 1),
            ("one file, to which others refer", 1),
        ):
            taken = []
            path = root / "semantic" / f"cube_{number}.yml"
            before = path.read_text()
            for edit in range(EDITS):
                path.write_text(before.replace("type: max", "type: min") if edit % 2 == 0 else before)
                taken.append(timed(anew))
            rows.append((what, statistics.median(taken), 100.0))
        report("model", ("what", "ms", "target ms"), rows, cubes=CUBES, members=members)


def timed(work: Callable[[], None]) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def write(root: Path) -> int:
    """Writes the project, a file for each cube, each joined to another one; gives back how many members it has."""
    (root / "ingot.yml").write_text("name: large\n")
    (root / "semantic").mkdir()
    for number in range(CUBES):
        (root / "semantic" / f"cube_{number}.yml").write_text(cube(number))
    return CUBES * 10


def cube(number: int) -> str:
    """A cube of ten members as YAML."""
    parent = (number - 1) // 2
    lines = ["cubes:", f"  - name: cube_{number}", f"    sql_table: gold.table_{number}", "    dimensions:"]
    lines += ["      - {name: id, sql: id, type: number, primary_key: true}"]
    for place, kind in enumerate(("string", "string", "number", "time")):
        lines += [
            f"      - name: d{place}",
            f'        sql: "{{CUBE}}.d{place}"',
            f"        type: {kind}",
            f"        description: What column {place} of table {number} holds.",
        ]
    lines += [
        "    measures:",
        "      - {name: count, type: count, drill_members: [id, d0]}",
        '      - {name: total, type: sum, sql: "{CUBE}.amount * {CUBE}.price"}',
        '      - {name: mean, type: number, sql: "{total} / NULLIF({count}, 0)"}',
        '      - {name: large, type: count, filters: [{sql: "{CUBE}.amount > 10"}]}',
        '      - {name: most, type: max, sql: "{d2}"}',
    ]
    if number:
        lines += [
            "    joins:",
            f"      - name: cube_{parent}",
            "        relationship: many_to_one",
            f'        sql: "{{CUBE}}.parent_id = {{cube_{parent}.id}}"',
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
