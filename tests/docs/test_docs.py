"""The documentation says what the code does."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")]
)


def test_the_reference_of_the_command_line_is_up_to_date() -> None:
    done = subprocess.run([sys.executable, "docs/generate.py", "--check"], cwd=ROOT, check=False)
    assert done.returncode == 0, "run: python docs/generate.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)#\s]+)", text) + re.findall(r'src="([^"]+)"', text)
    local = [link for link in links if "://" not in link and not link.startswith("mailto:")]
    assert not [link for link in local if not (page.parent / link).exists()]


def test_every_make_target_of_the_contributing_page_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", (ROOT / "CONTRIBUTING.md").read_text())) <= targets


def test_every_command_has_an_example_and_is_known_to_the_changelog() -> None:
    page = (ROOT / "docs/reference/cli.md").read_text()
    sections = page.split("\n## ingot ")[1:]
    changelog = (ROOT / "CHANGELOG.md").read_text()
    for section in sections:
        name = section.split("\n", 1)[0]
        assert f"Example: ingot {name}" in section, f"{name} has no example"
        assert f"`{name}`" in changelog, f"{name} is not in the changelog"


def test_no_page_names_a_machine_or_a_registry() -> None:
    found = subprocess.run(
        [
            "git",
            "grep",
            "-nIE",
            r"registry\.npmjs|pypi\.org/simple|files\.pythonhosted|(^|[^[:alnum:]_.])/r[o]ot/",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    mine = [line for line in found.stdout.splitlines() if "tests/docs/test_docs.py" not in line]
    assert not mine
