"""The reference page says what the code says."""

from pathlib import Path

from ingot.project.reference import reference

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "project-files.md"


def test_the_reference_page_is_up_to_date() -> None:
    """Where this fails: `python -m ingot.project.reference > docs/reference/project-files.md`."""
    assert PAGE.read_text(encoding="utf-8") == reference()


def test_every_heading_that_is_linked_exists_once() -> None:
    text = reference()
    headings = [line.removeprefix("### ").lower() for line in text.splitlines() if line.startswith("### ")]
    anchors = [line.split('"')[1] for line in text.splitlines() if line.startswith("<a id=")]
    linked = {part.split(")")[0] for part in text.split("](#")[1:]}
    assert len(headings) == len(set(headings))
    assert linked <= set(headings) | set(anchors)
