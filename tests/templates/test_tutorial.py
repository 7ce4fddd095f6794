"""The second half of the tutorial, done to the letter: its files written, its commands run."""

import json
import re
import shlex
from pathlib import Path

import pytest
from tests.conftest import Ingot

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "first-steps.md"


@pytest.mark.slow
def test_the_tutorial_leads_from_a_csv_file_to_a_metric(ingot: Ingot, tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8").split("<!-- tested: own -->")[1]
    here, answers = tmp_path, []
    blocks = re.finditer(
        r"(?P<before>[^\n]*\n?[^\n]*)\n\n?```(?P<kind>\w+)\n(?P<body>.*?)```", text, re.DOTALL
    )
    for block in blocks:
        if block["kind"] != "console":
            *_, name = re.findall(r"`([\w/]+\.\w+)`", block["before"])
            (here / name).parent.mkdir(parents=True, exist_ok=True)
            (here / name).write_text(block["body"], encoding="utf-8")
            continue
        for line in block["body"].splitlines():
            program, *arguments = shlex.split(line.removeprefix("$ "))
            if program == "cd":
                here /= arguments[0]
            elif arguments != ["serve"]:
                assert program == "ingot"
                asks = arguments[0] == "query"
                done = ingot(*arguments, *(["--json"] if asks else []), cwd=here)
                assert done.returncode == 0, f"{line}\n{done.stderr}"
                if asks:
                    answers.append(json.loads(done.stdout))
    sql, metric = answers
    assert sorted((row["branch"], row["loans"]) for row in sql) == [("North", 2), ("South", 1)]
    assert sorted(
        (r["loans.branch"], int(r["loans.count"]), float(r["loans.total_fees"])) for r in metric
    ) == [
        ("North", 2, 0.0),
        ("South", 1, 3.5),
    ]
